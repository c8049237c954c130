package picture

import (
	"image/color"
	"math"
)

// Scenes with a horizon. Their layers get darker and lower the nearer they are.

// sky paints a sky, and a sun or moon with a halo somewhere above a height, which is a part of the
// canvas's.
func sky(c *canvas, p palette, r *chance, low float32) {
	c.gradient(p.sky[0], p.sky[1])
	radius := c.u * r.between(0.11, 0.18)
	x, y := c.w*r.between(0.22, 0.78), c.h*r.between(0.22, low)
	for i := 3; i > 0; i-- {
		c.circle(x, y, radius*(1+0.3*float32(i)), veil(mix(p.sky[1], p.sun, 0.3), 0.24))
	}
	c.circle(x, y, radius, p.sun)
}

var cloud = rounded(func(c *canvas) {
	c.arc(-1.3, -0.55, 0.55, 1, 3)
	c.arc(-0.1, -0.8, 0.9, 2.2, 3.8)
	c.arc(1.3, -0.55, 0.55, 3, 5)
})

// land paints a ridge of hills around a height, by turns above and below it by up to the swing.
func land(c *canvas, r *chance, middle, swing float32, paint color.RGBA) {
	heights := make([]float32, int(c.w/c.u*r.between(2.2, 3.8))+2)
	up := r.heads()
	for i := range heights {
		heights[i] = middle + r.between(0.3, 1)*swing
		if up {
			heights[i] = 2*middle - heights[i]
		}
		up = !up
	}
	// Each height eases into the next.
	const steps = 32
	c.to(0, c.h)
	for i := range (len(heights)-1)*steps + 1 {
		at, t := i/steps, float32(i%steps)/steps
		next := heights[min(at+1, len(heights)-1)]
		c.to(c.w*float32(i)/float32((len(heights)-1)*steps), heights[at]+(next-heights[at])*t*t*(3-2*t))
	}
	c.to(c.w, c.h)
	c.paint(paint)
}

func hills(c *canvas, p palette, r *chance) {
	sky(c, p, r, 0.46)
	if r.heads() {
		for range 2 + r.intn(2) {
			x, y := c.w*r.between(0.1, 0.9), c.h*r.between(0.12, 0.38)
			c.shape(veil(mix(p.sky[1], p.paper, 0.8), 0.85), cloud, at(x, y, c.u*r.between(0.05, 0.08)))
		}
	}
	for i, layer := range p.layers {
		land(c, r, c.h*(0.52+0.135*float32(i)), c.u*0.07, layer)
	}
}

// A mountain, and its lit side, which ends in a jagged line.
var (
	mountain = outline("M -1,0 L 0,-1 1,0")
	lit      = outline("M 0,-1 L .42,-.58 .16,-.64 .12,-.42 -.12,-.62 -.3,-.7")
)

func mountains(c *canvas, p palette, r *chance) {
	sky(c, p, r, 0.36)
	for i, layer := range p.layers[:3] {
		foot, height := c.h*(0.66+0.11*float32(i)), c.u*(0.34-0.08*float32(i))
		c.rect(0, foot-1, c.w, c.h-foot+1, layer)
		for x := c.u * r.between(-0.1, 0.15); x < c.w+height; {
			h := height * r.between(0.55, 1)
			half := h * r.between(0.75, 1.05)
			c.shape(layer, mountain, within(x, foot, half, h))
			c.shape(mix(layer, p.paper, 0.55), lit, within(x, foot, half, h))
			x += half * r.between(0.9, 1.5)
		}
	}
	land(c, r, c.h*0.9, c.u*0.025, p.layers[3])
}

// A boat with its sails.
var (
	hull = outline("M -1,-.35 L 1,-.35 .65,0 -.65,0")
	main = outline("M -.04,-.45 L -.04,-2 -.85,-.45")
	jib  = outline("M .06,-.45 L .06,-1.7 .7,-.45")
)

func waves(c *canvas, p palette, r *chance) {
	sky(c, p, r, 0.42)
	horizon := c.h * r.between(0.46, 0.54)
	const rows = 7
	for i := range rows {
		t := float32(i) / (rows - 1)
		paint := p.between(t)
		if i%2 == 1 {
			paint = mix(paint, p.paper, 0.14)
		}
		y, length := horizon+(c.h-horizon)*t*0.9, c.u*(0.16+0.2*t)
		phase := r.between(0, 2*math.Pi)
		c.to(0, c.h)
		for x := float32(0); x < c.w+length; x += length / 24 {
			c.to(x, y-c.u*(0.009+0.022*t)*float32(math.Sin(float64(phase+2*math.Pi*x/length))))
		}
		c.to(c.w, c.h)
		c.paint(paint)
		if i == 2 && r.heads() {
			deck := at(c.w*r.between(0.2, 0.8), y+c.u*0.015, c.u*r.between(0.08, 0.12))
			c.shape(p.ink, hull, deck)
			c.shape(p.paper, main, deck)
			c.shape(p.sun, jib, deck)
		}
	}
}

var fir = outline("M 0,-1 L .16,-.5 -.16,-.5 M 0,-.78 L .215,-.25 -.215,-.25 M 0,-.56 L .27,0 -.27,0")

func forest(c *canvas, p palette, r *chance) {
	sky(c, p, r, 0.4)
	for i, layer := range p.layers {
		foot := c.h * (0.62 + 0.13*float32(i))
		c.rect(0, foot, c.w, c.h-foot, layer)
		size := c.u * (0.13 + 0.055*float32(i))
		for x := -size * r.between(0, 1); x < c.w+size; x += size * r.between(0.42, 0.75) {
			c.shape(layer, fir, at(x, foot+1, size*r.between(0.75, 1.25)))
		}
	}
}

func skyline(c *canvas, p palette, r *chance) {
	sky(c, p, r, 0.4)
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
		c.pie(x+width/2, top+1, width/2, 2, 4, paint)
	case 1, 2:
		c.polygon(paint, x, top+1, x+width*[]float32{0, 0.5, 1}[r.intn(3)], top-width*0.45, x+width, top+1)
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
