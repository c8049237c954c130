package picture

import "image/color"

// Scenes of plain shapes.

// tiles paints a chequer of circles, quarters and leaves.
func tiles(c *canvas, p palette, r *chance) {
	c.fill(c.img.Rect, p.paper) // shows in the seams
	size := c.u / float32(3+r.intn(2))
	columns, rows := int(c.w/size+0.5), int(c.h/size+0.5)
	w, h := c.w/float32(columns), c.h/float32(rows)
	paints := []color.RGBA{p.sun, p.layers[0], p.layers[1], p.layers[2], p.layers[3], p.sky[1], p.paper}
	ground := 0
	for y := range rows {
		for x := range columns {
			// A tile never has its left neighbour's ground.
			ground = (ground + 1 + r.intn(len(paints)-1)) % len(paints)
			shape := (ground + 1 + r.intn(len(paints)-1)) % len(paints)
			tile(c, r, float32(x)*w, float32(y)*h, w, h, paints[ground], paints[shape], paints[(shape+2)%len(paints)])
		}
	}
}

func tile(c *canvas, r *chance, x, y, w, h float32, ground, paint, other color.RGBA) {
	c.rect(x, y, w, h, ground)
	size := min(w, h)
	turn := float32(r.intn(4))
	switch r.intn(6) {
	case 0:
		c.circle(x+w/2, y+h/2, size*0.36, paint)
		c.circle(x+w/2, y+h/2, size*0.16, other)
	case 1:
		// The corner that the quarter turn points away from.
		cx, cy := x, y
		if turn == 1 || turn == 2 {
			cx += w
		}
		if turn >= 2 {
			cy += h
		}
		c.pie(cx, cy, size, turn, turn+1, paint)
		c.pie(cx, cy, size*0.5, turn, turn+1, other)
	case 2:
		c.pie(x+w/2, y+h/2, size/2, turn, turn+2, paint)
	case 3:
		if turn < 2 {
			c.shape(paint, leaf, within(x, y, w, h))
		} else {
			c.shape(paint, leaf, within(x+w, y, -w, h))
		}
	case 4:
		c.polygon(paint, x, y, x+w, y+h, x, y+h)
	default:
		for i := range 3 {
			c.rect(x, y+h*(0.14+0.29*float32(i)), w, h*0.14, paint)
		}
	}
}

// rays paints beams from a point low in the middle, with a half sun before them.
func rays(c *canvas, p palette, r *chance) {
	c.gradient(mix(p.sky[1], p.layers[0], 0.25), p.sky[1])
	x, y := c.w*r.between(0.35, 0.65), c.h*r.between(0.66, 0.8)
	beams := 6 + r.intn(2)
	wide := 2 / float32(2*beams-1)
	for i := range beams {
		from := 2 + 2*wide*float32(i)
		c.pie(x, y, c.w+c.h, from, from+wide, mix(p.layers[i%len(p.layers)], p.sky[1], 0.15))
	}
	radius := c.u * r.between(0.2, 0.27)
	c.pie(x, y, radius*1.22, 2, 4, p.paper)
	c.pie(x, y, radius, 2, 4, p.sun)
	c.rect(0, y, c.w, c.h-y, p.layers[3])
	for i := range 4 {
		t := float32(i)
		c.rect(0, y+(c.h-y)*(0.2+0.22*t), c.w, (c.h-y)*(0.035+0.02*t), mix(p.layers[3], p.sun, 0.55))
	}
}

// emblem paints a mark in the middle.
func emblem(c *canvas, p palette, r *chance) {
	c.gradient(p.sky[1], mix(p.sky[1], p.sky[0], 0.5))
	x, y, radius := c.w/2, c.h/2, c.u*r.between(0.29, 0.34)
	switch r.intn(3) {
	case 0: // leaves of quarter circles
		paints := [4]color.RGBA{p.layers[3], p.sun, p.layers[2], p.layers[1]}
		turn := r.intn(4)
		for i := range 4 {
			sx, sy := (float32(i%2)*2-1)*radius, (float32(i/2)*2-1)*radius
			c.shape(paints[(i+turn)%4], leaf, within(x+sx*0.04, y+sy*0.04, sx*0.88, sy*0.88))
		}
	case 1: // rings with a gap
		for i, paint := range []color.RGBA{p.layers[3], p.layers[2], p.sun} {
			outer := radius * (1 - 0.32*float32(i))
			from := float32(r.intn(4)) + 0.35
			c.arc(x, y, outer, from, from+3.2)
			c.arc(x, y, outer-radius*0.2, from+3.2, from)
			c.paint(paint)
		}
	default: // a mountain before a sun
		c.circle(x, y, radius, p.sun)
		c.shape(p.layers[3], mountain, within(x, y+radius*0.62, radius*1.1, radius*1.3))
		c.shape(p.paper, lit, within(x, y+radius*0.62, radius*1.1, radius*1.3))
	}
}
