package picture

import "image/color"

// Scenes with a horizon. Their layers get darker and lower the nearer they are.

// disc paints a sun or moon with a halo somewhere above a height, which is a part of the canvas's.
func disc(c *canvas, p palette, r *chance, low float32) {
	radius := c.u * r.between(0.11, 0.18)
	x, y := c.w*r.between(0.22, 0.78), c.h*r.between(0.22, low)
	glow := mix(p.sky[1], p.sun, 0.3)
	for i := 3; i > 0; i-- {
		c.circle(x, y, radius*(1+0.3*float32(i)), veil(glow, 0.24))
	}
	c.circle(x, y, radius, p.sun)
}

// clouds paints some flat clouds of paper.
func clouds(c *canvas, p palette, r *chance) {
	paint := veil(mix(p.sky[1], p.paper, 0.8), 0.85)
	for range 2 + r.intn(2) {
		x, y := c.w*r.between(0.1, 0.9), c.h*r.between(0.12, 0.38)
		size := c.u * r.between(0.05, 0.08)
		path := c.begin()
		path.moveTo(x-2*size, y)
		path.curveTo(x-2*size, y-size, x-size, y-size, x-0.8*size, y-0.6*size)
		path.curveTo(x-0.6*size, y-1.7*size, x+0.8*size, y-1.7*size, x+0.9*size, y-0.6*size)
		path.curveTo(x+1.2*size, y-size, x+2.2*size, y-0.9*size, x+2.2*size, y)
		c.paint(paint)
	}
}

// heights returns n heights, by turns above and below a middle by up to the swing.
func heights(r *chance, n int, middle, swing float32) []float32 {
	hs := make([]float32, n)
	up := r.heads()
	for i := range hs {
		hs[i] = middle + r.between(0.3, 1)*swing
		if up {
			hs[i] = 2*middle - hs[i]
		}
		up = !up
	}
	return hs
}

// bumps is how many points a ridge has on a canvas of that shape.
func bumps(c *canvas, r *chance) int { return int(c.w/c.u*r.between(2.2, 3.8)) + 2 }

func hills(c *canvas, p palette, r *chance) {
	c.gradient(p.sky[0], p.sky[1], 0, 1)
	disc(c, p, r, 0.46)
	if r.heads() {
		clouds(c, p, r)
	}
	for i, layer := range p.layers {
		middle := c.h * (0.52 + 0.135*float32(i))
		c.ridge(heights(r, bumps(c, r), middle, c.u*0.07), false, layer)
	}
}

func mountains(c *canvas, p palette, r *chance) {
	c.gradient(p.sky[0], p.sky[1], 0, 1)
	disc(c, p, r, 0.36)
	for i, layer := range p.layers[:3] {
		peaks(c, r, c.h*(0.66+0.11*float32(i)), c.u*(0.34-0.08*float32(i)), layer, mix(layer, p.paper, 0.55))
	}
	c.ridge(heights(r, bumps(c, r), c.h*0.9, c.u*0.025), false, p.layers[3])
}

// peaks paints a range of mountains, each with a shaded and a lit side.
func peaks(c *canvas, r *chance, foot, height float32, shade, light color.RGBA) {
	c.rect(0, foot-1, c.w, c.h-foot+1, shade)
	for x := c.u * r.between(-0.1, 0.15); x < c.w+height; {
		h := height * r.between(0.55, 1)
		half := h * r.between(0.75, 1.05)
		c.polygon(shade, x-half, foot, x, foot-h, x+half, foot)
		// The lit side ends in a jagged line.
		c.polygon(light, x, foot-h, x+half*0.42, foot-h*0.58, x+half*0.16, foot-h*0.64, x+half*0.12, foot-h*0.42,
			x-half*0.12, foot-h*0.62, x-half*0.3, foot-h*0.7)
		x += half * r.between(0.9, 1.5)
	}
}

func waves(c *canvas, p palette, r *chance) {
	c.gradient(p.sky[0], p.sky[1], 0, 1)
	disc(c, p, r, 0.42)
	horizon := c.h * r.between(0.46, 0.54)
	const rows = 7
	for i := range rows {
		t := float32(i) / (rows - 1)
		paint := p.between(t)
		if i%2 == 1 {
			paint = mix(paint, p.paper, 0.14)
		}
		y := horizon + (c.h-horizon)*t*0.9
		swell(c, y, c.u*(0.012+0.03*t), c.u*(0.16+0.2*t), r.between(0, 1), paint)
		if i == 2 && r.heads() {
			boat(c, c.w*r.between(0.2, 0.8), y+c.u*0.015, c.u*r.between(0.08, 0.12), p)
		}
	}
}

// swell paints everything below a wave of that height, length and phase (from 0 to 1).
func swell(c *canvas, y, height, length, phase float32, paint color.RGBA) {
	path := c.begin()
	x := -length * (1 + phase)
	path.moveTo(x, c.h)
	path.lineTo(x, y)
	for x < c.w {
		path.curveTo(x+length*0.18, y-height, x+length*0.32, y-height, x+length*0.5, y)
		path.curveTo(x+length*0.68, y+height, x+length*0.82, y+height, x+length, y)
		x += length
	}
	path.lineTo(x, c.h)
	c.paint(paint)
}

func boat(c *canvas, x, y, size float32, p palette) {
	c.polygon(p.ink, x-size, y-size*0.35, x+size, y-size*0.35, x+size*0.65, y, x-size*0.65, y)
	c.polygon(p.paper, x-size*0.04, y-size*0.45, x-size*0.04, y-size*2, x-size*0.85, y-size*0.45)
	c.polygon(p.sun, x+size*0.06, y-size*0.45, x+size*0.06, y-size*1.7, x+size*0.7, y-size*0.45)
}

func forest(c *canvas, p palette, r *chance) {
	c.gradient(p.sky[0], p.sky[1], 0, 1)
	disc(c, p, r, 0.4)
	for i, layer := range p.layers {
		foot := c.h * (0.62 + 0.13*float32(i))
		c.rect(0, foot, c.w, c.h-foot, layer)
		size := c.u * (0.13 + 0.055*float32(i))
		for x := -size * r.between(0, 1); x < c.w+size; x += size * r.between(0.42, 0.75) {
			fir(c, x, foot+1, size*r.between(0.75, 1.25), layer)
		}
	}
}

// fir paints a conifer of three stacked triangles.
func fir(c *canvas, x, foot, height float32, paint color.RGBA) {
	for i := range 3 {
		t := float32(i)
		top, base := foot-height*(1-0.22*t), foot-height*(0.5-0.25*t)
		half := height * (0.16 + 0.055*t)
		c.polygon(paint, x, top, x+half, base, x-half, base)
	}
}

func skyline(c *canvas, p palette, r *chance) {
	c.gradient(p.sky[0], p.sky[1], 0, 1)
	disc(c, p, r, 0.4)
	for i, layer := range p.layers[:3] {
		tallest := c.h * (0.56 - 0.13*float32(i))
		for x := -c.u * r.between(0, 0.1); x < c.w; {
			width := c.u * r.between(0.09, 0.17)
			house(c, r, x, width, tallest*r.between(0.45, 1), layer, veil(p.sky[1], 0.5+0.2*float32(i)))
			x += width * r.between(0.98, 1.12)
		}
	}
	c.rect(0, c.h*0.93, c.w, c.h, p.layers[3])
}

// house paints a building with a roof and windows, up from the canvas's lower edge.
func house(c *canvas, r *chance, x, width, height float32, paint, light color.RGBA) {
	top := c.h - height
	c.rect(x, top, width, height, paint)
	switch r.intn(4) {
	case 0:
		c.polygon(paint, x, top+1, x+width/2, top-width*0.5, x+width, top+1)
	case 1:
		c.pie(x+width/2, top+1, width/2, 2, 4, paint)
	case 2:
		c.polygon(paint, x, top+1, x+width, top-width*0.4, x+width, top+1)
	}
	gap := width / 7
	for y := top + gap*1.2; y < c.h*0.92-gap*1.5; y += gap * 2.2 {
		for i := range 3 {
			if r.intn(5) > 1 {
				c.rect(x+gap*(1+2*float32(i)), y, gap, gap*1.2, light)
			}
		}
	}
}
