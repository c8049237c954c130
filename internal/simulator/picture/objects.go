package picture

import "image/color"

// Scenes around one thing.

// backdrop paints a plain ground with an arch or a disc behind what stands before it.
func backdrop(c *canvas, p palette, r *chance) {
	c.gradient(p.sky[0], p.sky[1], 0.2, 1)
	size := c.u * r.between(0.3, 0.36)
	if r.heads() {
		c.circle(c.w/2, c.h*0.46, size, mix(p.sun, p.sky[1], 0.12))
		return
	}
	c.arch(c.w/2, c.h*0.42, size, c.h, mix(p.sun, p.sky[1], 0.12))
	c.arch(c.w/2, c.h*0.42, size*0.82, c.h, mix(p.sun, p.sky[1], 0.35))
}

// Parts of a person, around the middle of the head.
var (
	collar = outline("C -.36,.3 -.2,.27 -.06,.24 -.02,.3 .02,.3 .06,.24")
	lapels = outline("M 0,.5 L -.09,.25 -.15,.34 M 0,.5 L .09,.25 .15,.34")
	fringe = outline("M -.138,.01 C -.16,-.2 .16,-.22 .138,.02 .11,-.07 .04,-.06 -.03,-.1 -.07,-.06 -.12,-.04 -.138,.01")
)

func portrait(c *canvas, p palette, r *chance) {
	backdrop(c, p, r)
	x, u, head := c.w/2, c.u, c.h*0.4
	skin := mix(p.layers[0], p.paper, 0.35)
	hair, coat := p.layers[3], p.layers[r.intn(2)+1]
	lean := u * r.between(-0.015, 0.015)
	if r.heads() { // long hair
		c.ellipse(x+lean, head+u*0.07, u*0.185, u*0.24, hair)
	}
	c.rect(x-u*0.055, head+u*0.1, u*0.11, u*0.2, mix(skin, hair, 0.18))
	c.to('M', x-u*0.36, c.h)
	c.add(collar, at(x, head, u))
	c.to('C', x+u*0.2, head+u*0.27, x+u*0.36, head+u*0.3, x+u*0.36, c.h)
	c.paint(coat)
	c.ellipse(x+lean, head, u*0.125, u*0.155, skin)
	side := u
	if r.heads() {
		side = -u
	}
	c.shape(hair, fringe, within(x+lean, head, side, u))
	c.shape(mix(coat, p.ink, 0.3), lapels, at(x, head, u))
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
	put := func(thing int, x, foot, size float32, paint color.RGBA) {
		c.ellipse(x+size*0.12, foot, size*0.3, size*0.05, mix(p.layers[1], p.ink, 0.28))
		things[thing%len(things)](c, x, foot, size, paint, p)
	}
	put(first, x-offset, foot-c.u*0.02, c.u*r.between(0.42, 0.5), p.layers[3])
	put(first+1, x+offset, foot+c.u*0.01, c.u*r.between(0.3, 0.36), p.layers[2])
	c.circle(x+offset*2.1, foot-c.u*0.02, c.u*0.05, p.sun)
	c.circle(x-offset*2.2, foot+c.u*0.04, c.u*0.035, p.layers[0])
}

// Things that stand on a table.
var (
	bottleShape = outline("M -.2,0 L -.2,-.55 C -.2,-.7 -.065,-.68 -.065,-.8 L -.065,-1 .065,-1 .065,-.8 C .065,-.68 .2,-.7 .2,-.55 L .2,0")
	vaseShape   = outline("M -.1,0 C -.34,-.2 -.26,-.44 -.09,-.52 L -.11,-.62 .11,-.62 .09,-.52 C .26,-.44 .34,-.2 .1,0")
	cupShape    = outline("M -1,-1 L 1,-1 C 1,-.3 .9,0 .55,0 L -.55,0 C -.9,0 -1,-.3 -1,-1")
	steam       = outline("M 0,-1.12 C -.4,-1.4 .4,-1.5 0,-1.85 .55,-1.5 -.25,-1.4 0,-1.12")
)

func bottle(c *canvas, x, foot, size float32, paint color.RGBA, p palette) {
	c.shape(paint, bottleShape, at(x, foot, size))
	c.rect(x-size*0.08, foot-size*1.04, size*0.16, size*0.1, p.sun)
	c.rect(x-size*0.2, foot-size*0.46, size*0.4, size*0.26, p.paper)
	c.circle(x, foot-size*0.33, size*0.075, p.sun)
	c.rect(x-size*0.16, foot-size*0.54, size*0.032, size*0.5, veil(p.paper, 0.25))
}

func vase(c *canvas, x, foot, size float32, paint color.RGBA, p palette) {
	for i, lean := range []float32{-0.22, 0.03, 0.25} {
		top := foot - size*(1.05+0.08*float32(i%2))
		c.polygon(p.ink, x-size*0.008, foot-size*0.5, x+size*0.008, foot-size*0.5, x+size*(lean+0.006), top, x+size*(lean-0.006), top)
		c.circle(x+size*lean, top, size*0.075, mix(p.sun, p.paper, 0.25*float32(i)))
		c.circle(x+size*lean, top, size*0.03, p.ink)
	}
	c.shape(paint, vaseShape, at(x, foot, size))
	c.ellipse(x-size*0.12, foot-size*0.27, size*0.03, size*0.12, veil(p.paper, 0.3))
}

func cup(c *canvas, x, foot, size float32, paint color.RGBA, p palette) {
	half, height := size*0.26, size*0.5
	c.ring(x+half, foot-height*0.55, height*0.26, size*0.05, paint)
	c.shape(paint, cupShape, within(x, foot, half, height))
	c.rect(x-half, foot-height*0.82, half*2, height*0.12, p.sun)
	for i := range 2 {
		c.shape(veil(p.paper, 0.7), steam, within(x+half*(0.5*float32(i)-0.3), foot, half, height))
	}
}

var bird = outline("M -1.15,-.35 C -.5,-.75 -.1,-.3 0,.1 .1,-.3 .5,-.75 1.15,-.35 .7,-.25 .35,.05 .12,.6 L -.12,.6 C -.35,.05 -.7,-.25 -1.15,-.35")

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
			from := 0.7 * (0.12 + 0.3*t)
			c.arc('M', x, y, radius*(0.94-0.02*t), from, 2-from)
			c.paint(mix(mid, p.paper, 0.55-0.27*t))
		}
	case 1: // leaves of quarter circles
		paints := [4]color.RGBA{dark, p.sun, mid, p.layers[1]}
		turn := r.intn(4)
		for i := range 4 {
			sx, sy := float32(i%2)*2-1, float32(i/2)*2-1
			c.shape(paints[(i+turn)%4], leaf, within(x+sx*radius*0.04, y+sy*radius*0.04, sx*radius*0.88, sy*radius*0.88))
		}
	case 2: // rings with a gap
		for i := range 3 {
			outer := radius * (1 - 0.32*float32(i))
			from := float32(r.intn(4)) + 0.35
			c.arc('M', x, y, outer, from, from+3.2)
			c.arc('L', x, y, outer-radius*0.2, from+3.2, from)
			c.paint([3]color.RGBA{dark, mid, p.sun}[i])
		}
	default: // a bird of two wings over a disc
		c.circle(x, y, radius, mix(p.sun, p.paper, 0.1))
		c.shape(dark, bird, at(x, y, radius))
	}
}
