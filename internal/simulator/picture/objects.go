package picture

import "image/color"

// Scenes around one thing.

// backdrop paints a plain ground with an arch or a disc behind what stands before it.
func backdrop(c *canvas, p palette, r *chance) {
	c.gradient(p.sky[0], p.sky[1], 0.2, 1)
	size := c.u * r.between(0.3, 0.36)
	x := c.w / 2
	if r.heads() {
		c.circle(x, c.h*0.46, size, mix(p.sun, p.sky[1], 0.12))
		return
	}
	arch(c, x, c.h*0.42, size, c.h, mix(p.sun, p.sky[1], 0.12))
	arch(c, x, c.h*0.42, size*0.82, c.h, mix(p.sun, p.sky[1], 0.35))
}

// arch paints a round arch that stands on a height.
func arch(c *canvas, x, y, radius, foot float32, paint color.RGBA) {
	path := c.begin()
	path.moveTo(x-radius, foot)
	path.lineTo(x-radius, y)
	path.arc(x, y, radius, 2, 4, path.lineTo)
	path.lineTo(x+radius, foot)
	c.paint(paint)
}

func portrait(c *canvas, p palette, r *chance) {
	backdrop(c, p, r)
	x, u := c.w/2, c.u
	head := c.h * 0.4
	skin := mix(p.layers[0], p.paper, 0.35)
	hair, coat := p.layers[3], p.layers[r.intn(2)+1]
	lean := u * r.between(-0.015, 0.015)
	if r.heads() { // long hair
		path := c.begin()
		path.ellipse(x+lean, head+u*0.07, u*0.185, u*0.24)
		c.paint(hair)
	}
	c.rect(x-u*0.055, head+u*0.1, u*0.11, u*0.2, mix(skin, hair, 0.18))
	shoulders := c.begin()
	shoulders.moveTo(x-u*0.36, c.h)
	shoulders.curveTo(x-u*0.36, head+u*0.3, x-u*0.2, head+u*0.27, x-u*0.06, head+u*0.24)
	shoulders.curveTo(x-u*0.02, head+u*0.3, x+u*0.02, head+u*0.3, x+u*0.06, head+u*0.24)
	shoulders.curveTo(x+u*0.2, head+u*0.27, x+u*0.36, head+u*0.3, x+u*0.36, c.h)
	c.paint(coat)
	c.ellipse(x+lean, head, u*0.125, u*0.155, skin)
	fringe := c.begin()
	side := float32(1)
	if r.heads() {
		side = -1
	}
	fringe.moveTo(x+lean-side*u*0.138, head+u*0.01)
	fringe.curveTo(x+lean-side*u*0.16, head-u*0.2, x+lean+side*u*0.16, head-u*0.22, x+lean+side*u*0.138, head+u*0.02)
	fringe.curveTo(x+lean+side*u*0.11, head-u*0.07, x+lean+side*u*0.04, head-u*0.06, x+lean-side*u*0.03, head-u*0.1)
	fringe.curveTo(x+lean-side*u*0.07, head-u*0.06, x+lean-side*u*0.12, head-u*0.04, x+lean-side*u*0.138, head+u*0.01)
	c.paint(hair)
	// A lapel on each side.
	c.polygon(mix(coat, p.ink, 0.3), x, head+u*0.5, x-u*0.09, head+u*0.25, x-u*0.15, head+u*0.34)
	c.polygon(mix(coat, p.ink, 0.3), x, head+u*0.5, x+u*0.09, head+u*0.25, x+u*0.15, head+u*0.34)
}

func stillLife(c *canvas, p palette, r *chance) {
	backdrop(c, p, r)
	table := c.h * 0.76
	c.rect(0, table, c.w, c.h-table, p.layers[1])
	c.rect(0, table, c.w, c.u*0.012, mix(p.layers[1], p.ink, 0.25))
	x, foot := c.w/2, table+c.u*0.07
	things := []func(*canvas, float32, float32, float32, color.RGBA, palette){bottle, vase, cup}
	first := r.intn(len(things))
	offset := c.u * r.between(0.13, 0.17)
	shadow := mix(p.layers[1], p.ink, 0.28)
	put := func(thing int, x, foot, size float32, paint color.RGBA) {
		c.ellipse(x+size*0.12, foot, size*0.3, size*0.05, shadow)
		things[thing%len(things)](c, x, foot, size, paint, p)
	}
	put(first, x-offset, foot-c.u*0.02, c.u*r.between(0.42, 0.5), p.layers[3])
	put(first+1, x+offset, foot+c.u*0.01, c.u*r.between(0.3, 0.36), p.layers[2])
	c.circle(x+offset*2.1, foot-c.u*0.02, c.u*0.05, p.sun)
	c.circle(x-offset*2.2, foot+c.u*0.04, c.u*0.035, p.layers[0])
}

func bottle(c *canvas, x, foot, size float32, paint color.RGBA, p palette) {
	path := c.begin()
	half, neck := size*0.2, size*0.065
	path.moveTo(x-half, foot)
	path.lineTo(x-half, foot-size*0.55)
	path.curveTo(x-half, foot-size*0.7, x-neck, foot-size*0.68, x-neck, foot-size*0.8)
	path.lineTo(x-neck, foot-size)
	path.lineTo(x+neck, foot-size)
	path.lineTo(x+neck, foot-size*0.8)
	path.curveTo(x+neck, foot-size*0.68, x+half, foot-size*0.7, x+half, foot-size*0.55)
	path.lineTo(x+half, foot)
	c.paint(paint)
	c.rect(x-neck*1.25, foot-size*1.04, neck*2.5, size*0.1, p.sun)
	c.rect(x-half, foot-size*0.46, half*2, size*0.26, p.paper)
	c.circle(x, foot-size*0.33, size*0.075, p.sun)
	c.rect(x-half*0.8, foot-size*0.54, half*0.16, size*0.5, veil(p.paper, 0.25))
}

func vase(c *canvas, x, foot, size float32, paint color.RGBA, p palette) {
	for i, lean := range []float32{-0.22, 0.03, 0.25} {
		top := foot - size*(1.05+0.08*float32(i%2))
		c.polygon(p.ink, x-size*0.008, foot-size*0.5, x+size*0.008, foot-size*0.5, x+size*(lean+0.006), top, x+size*(lean-0.006), top)
		c.circle(x+size*lean, top, size*0.075, mix(p.sun, p.paper, 0.25*float32(i)))
		c.circle(x+size*lean, top, size*0.03, p.ink)
	}
	path := c.begin()
	path.moveTo(x-size*0.1, foot)
	path.curveTo(x-size*0.34, foot-size*0.2, x-size*0.26, foot-size*0.44, x-size*0.09, foot-size*0.52)
	path.lineTo(x-size*0.11, foot-size*0.62)
	path.lineTo(x+size*0.11, foot-size*0.62)
	path.lineTo(x+size*0.09, foot-size*0.52)
	path.curveTo(x+size*0.26, foot-size*0.44, x+size*0.34, foot-size*0.2, x+size*0.1, foot)
	c.paint(paint)
	c.ellipse(x-size*0.12, foot-size*0.27, size*0.03, size*0.12, veil(p.paper, 0.3))
}

func cup(c *canvas, x, foot, size float32, paint color.RGBA, p palette) {
	half, height := size*0.26, size*0.5
	c.ring(x+half, foot-height*0.55, height*0.26, size*0.05, paint)
	path := c.begin()
	path.moveTo(x-half, foot-height)
	path.lineTo(x+half, foot-height)
	path.curveTo(x+half, foot-height*0.3, x+half*0.9, foot, x+half*0.55, foot)
	path.lineTo(x-half*0.55, foot)
	path.curveTo(x-half*0.9, foot, x-half, foot-height*0.3, x-half, foot-height)
	c.paint(paint)
	c.rect(x-half, foot-height*0.82, half*2, height*0.12, p.sun)
	for i := range 2 {
		steam := x + half*(0.5*float32(i)-0.3)
		path := c.begin()
		path.moveTo(steam, foot-height*1.12)
		path.curveTo(steam-half*0.4, foot-height*1.4, steam+half*0.4, foot-height*1.5, steam, foot-height*1.85)
		path.curveTo(steam+half*0.55, foot-height*1.5, steam-half*0.25, foot-height*1.4, steam, foot-height*1.12)
		c.paint(veil(p.paper, 0.7))
	}
}

func emblem(c *canvas, p palette, r *chance) {
	c.gradient(p.sky[1], mix(p.sky[1], p.sky[0], 0.5), 0.3, 1)
	x, y, radius := c.w/2, c.h/2, c.u*r.between(0.29, 0.34)
	dark, mid := p.layers[3], p.layers[2]
	switch r.intn(4) {
	case 0: // a disc of waves before a sun
		c.circle(x, y, radius, dark)
		c.circle(x+radius*0.2, y-radius*0.25, radius*0.42, p.sun)
		for i := range 3 {
			t := float32(i)
			inner := c.begin()
			from := 0.12 + 0.3*t
			inner.arc(x, y, radius*(0.94-0.02*t), from*0.7, 2-from*0.7, inner.moveTo)
			c.paint(mix(mid, p.paper, 0.55-0.27*t))
		}
	case 1: // leaves of quarter circles
		paints := [4]color.RGBA{dark, p.sun, mid, p.layers[1]}
		turn := r.intn(4)
		for i := range 4 {
			sx, sy := float32(i%2)*2-1, float32(i/2)*2-1
			leaf(c, x+sx*radius*0.04, y+sy*radius*0.04, x+sx*radius*0.92, y+sy*radius*0.92, paints[(i+turn)%4])
		}
	case 2: // rings with a gap
		for i := range 3 {
			outer := radius * (1 - 0.32*float32(i))
			from := float32(r.intn(4)) + 0.35
			path := c.begin()
			path.arc(x, y, outer, from, from+3.2, path.moveTo)
			path.arc(x, y, outer-radius*0.2, from+3.2, from, path.lineTo)
			c.paint([3]color.RGBA{dark, mid, p.sun}[i])
		}
	default: // a bird of two wings over a disc
		c.circle(x, y, radius, mix(p.sun, p.paper, 0.1))
		wing := c.begin()
		wing.moveTo(x-radius*1.15, y-radius*0.35)
		wing.curveTo(x-radius*0.5, y-radius*0.75, x-radius*0.1, y-radius*0.3, x, y+radius*0.1)
		wing.curveTo(x+radius*0.1, y-radius*0.3, x+radius*0.5, y-radius*0.75, x+radius*1.15, y-radius*0.35)
		wing.curveTo(x+radius*0.7, y-radius*0.25, x+radius*0.35, y+radius*0.05, x+radius*0.12, y+radius*0.6)
		wing.lineTo(x-radius*0.12, y+radius*0.6)
		wing.curveTo(x-radius*0.35, y+radius*0.05, x-radius*0.7, y-radius*0.25, x-radius*1.15, y-radius*0.35)
		c.paint(dark)
	}
}

// leaf paints a leaf between two points on a diagonal.
func leaf(c *canvas, x1, y1, x2, y2 float32, paint color.RGBA) {
	kx, ky := (x2-x1)*kappa, (y2-y1)*kappa
	path := c.begin()
	path.moveTo(x1, y1)
	path.curveTo(x1+kx, y1, x2, y2-ky, x2, y2)
	path.curveTo(x2-kx, y2, x1, y1+ky, x1, y1)
	c.paint(paint)
}
