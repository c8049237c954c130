package picture

import (
	"image/color"
	"math"
)

// Scenes of plain shapes.

// tiles paints a chequer of circles, quarters and leaves.
func tiles(c *canvas, p palette, r *chance) {
	c.fill(c.img.Rect, p.paper) // shows in the seams
	n := float32(3 + r.intn(2))
	size := c.u / n
	columns, rows := int(c.w/size+0.5), int(c.h/size+0.5)
	w, h := c.w/float32(columns), c.h/float32(rows)
	paints := []color.RGBA{p.sun, p.layers[0], p.layers[1], p.layers[2], p.layers[3], p.sky[1], p.paper}
	last := 0
	for y := range rows {
		for x := range columns {
			// A tile never has its left neighbour's ground.
			ground := (last + 1 + r.intn(len(paints)-1)) % len(paints)
			last = ground
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

// arches paints rainbows that stand on the lower edge and on a corner.
func arches(c *canvas, p palette, r *chance) {
	c.gradient(p.sky[0], p.sky[1], 0.4, 1)
	c.circle(c.w*r.between(0.15, 0.85), c.h*r.between(0.12, 0.26), c.u*r.between(0.07, 0.12), p.sun)
	count := 2 + int(c.w/c.u)
	for i := range count {
		x := c.w * (float32(i) + r.between(0.2, 0.8)) / float32(count)
		rainbow(c, p, x, c.h*r.between(0.62, 1), c.u*r.between(0.3, 0.46), r.intn(len(p.layers)))
	}
	rainbow(c, p, c.w*r.between(0.1, 0.9), c.h, c.u*r.between(0.24, 0.34), r.intn(len(p.layers)))
}

func rainbow(c *canvas, p palette, x, y, radius float32, first int) {
	const bands = 5
	for i := range bands {
		paint := p.layer(first + i)
		if i == bands-1 {
			paint = p.sun
		} else if i%2 == 1 {
			paint = mix(p.paper, paint, 0.25)
		}
		c.arch(x, y, radius*(1-0.19*float32(i)), c.h, paint)
	}
}

// cutouts paints loose shapes as if cut from paper, with sprigs and dots over them.
func cutouts(c *canvas, p palette, r *chance) {
	c.gradient(p.sky[1], mix(p.sky[1], p.sky[0], 0.7), 0.5, 1)
	count := 5 + r.intn(2) + 2*int(c.w*c.h/(c.u*c.u)-1)
	paints := []color.RGBA{p.layers[0], p.layers[2], p.sun, p.layers[1], p.layers[3]}
	for i := range count {
		x, y := spread(c, r, i, count)
		blob(c, r, x, y, c.u*r.between(0.16, 0.3), paints[i%len(paints)])
	}
	for i := range 3 {
		x, y := spread(c, r, i+1, 4)
		plant(c, r, sprig, x, y, c.u*r.between(0.16, 0.24), [2]color.RGBA{p.ink, p.paper}[i%2])
	}
	x, y := c.w*r.between(0.1, 0.6), c.h*r.between(0.1, 0.7)
	for i := range 9 {
		c.circle(x+c.u*0.05*float32(i%3), y+c.u*0.05*float32(i/3), c.u*0.011, p.ink)
	}
}

// spread returns a place for the ith of n things, so that they do not gather (golden ratio).
func spread(c *canvas, r *chance, i, n int) (x, y float32) {
	const golden = 0.6180340
	t := float64(i) * golden
	return c.w * (float32(t-math.Floor(t))*0.9 + r.between(0, 0.1)),
		c.h * ((float32(i)+0.5)/float32(n)*0.9 + r.between(0, 0.1))
}

// blob paints a closed curve through points around a middle (Catmull-Rom).
func blob(c *canvas, r *chance, x, y, size float32, paint color.RGBA) {
	n := 5 + r.intn(3)
	points := make([]point, n)
	start := r.between(0, 4)
	for i := range points {
		sin, cos := sincos(start + 4*float32(i)/float32(n))
		radius := size * r.between(0.62, 1.12)
		points[i] = point{x + radius*cos, y + radius*sin}
	}
	c.to('M', points[0].x, points[0].y)
	for i, b := range points {
		a, d, e := points[(i+n-1)%n], points[(i+1)%n], points[(i+2)%n]
		c.to('C', b.x+(d.x-a.x)/6, b.y+(d.y-a.y)/6, d.x-(e.x-b.x)/6, d.y-(e.y-b.y)/6, d.x, d.y)
	}
	c.paint(paint)
}

// growth is how a plant grows: how far it leans to either side, its stem's width and length, pairs
// of leaves from a part of it on, how long they are at its foot and how much shorter at its tip,
// and their direction: forward, and to the side.
type growth struct{ lean, width, stem, pairs, from, length, taper, ahead, aside float32 }

var (
	sprig = growth{0.5, 0.02, 1.1, 5, 0.12, 0.36, 0.2, 0.75, 0.66}
	frond = growth{0.35, 0.012, 1, 8, 0.25, 0.42, 0.3, 0.6, 0.8}
	petal = outline("M 0,0 C .5,.3 .5,.3 1,0 .5,-.3 .5,-.3 0,0")
)

// plant paints a stem with leaves on both sides.
func plant(c *canvas, r *chance, g growth, x, y, size float32, paint color.RGBA) {
	sin, cos := sincos(-1 + r.between(-g.lean, g.lean))
	leaf := func(t, length, dx, dy float32) {
		c.shape(paint, petal, along(x+size*t*cos, y+size*t*sin, dx*size*length, dy*size*length))
	}
	c.polygon(paint, x-size*g.width*sin, y+size*g.width*cos, x+size*g.width*sin, y-size*g.width*cos, x+size*g.stem*cos, y+size*g.stem*sin)
	for i := range int(g.pairs) {
		t := g.from + (1-g.from)*float32(i)/g.pairs
		for _, side := range []float32{g.aside, -g.aside} {
			leaf(t, g.length-g.taper*t, cos*g.ahead-side*sin, sin*g.ahead+side*cos)
		}
	}
	leaf(0.92*g.stem, 0.16, cos, sin)
}

// botanic paints large leaves that grow from the lower edge, and flowers.
func botanic(c *canvas, p palette, r *chance) {
	sky(c, p, r, 0.4)
	for i, layer := range p.layers {
		t := float32(i)
		count := int(c.w/c.u*2.2) + 2
		for j := range count {
			x := c.w * (float32(j) + r.between(0.1, 0.9)) / float32(count)
			plant(c, r, frond, x, c.h*(1.02+0.03*t), c.u*(0.85-0.16*t)*r.between(0.8, 1.1), layer)
		}
	}
	for i := range 3 + r.intn(3) {
		x, y := c.w*r.between(0.12, 0.88), c.h*r.between(0.42, 0.85)
		size := c.u * r.between(0.05, 0.085)
		paint := p.sun
		if i%2 == 1 {
			paint = p.paper
		}
		for k := range 6 {
			sin, cos := sincos(float32(k) * 4 / 6)
			c.circle(x+cos*size*0.62, y+sin*size*0.62, size*0.46, paint)
		}
		c.circle(x, y, size*0.34, p.layers[3])
	}
}

// rays paints beams from a point low in the middle, with a half sun before them.
func rays(c *canvas, p palette, r *chance) {
	ground := mix(p.sky[1], p.layers[0], 0.25)
	c.gradient(ground, p.sky[1], 0, 1)
	x, y := c.w*r.between(0.35, 0.65), c.h*r.between(0.66, 0.8)
	beams := 11 + r.intn(4)
	reach := c.w + c.h
	for i := range beams {
		if i%2 == 1 {
			continue
		}
		from := 2 + 2*float32(i)/float32(beams)
		c.pie(x, y, reach, from, from+2/float32(beams), mix(p.layer(i/2), p.sky[1], 0.15))
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

// orbits paints planets on rings around a sun.
func orbits(c *canvas, p palette, r *chance) {
	c.gradient(p.sky[0], mix(p.sky[1], p.sky[0], 0.4), 0.4, 1)
	speck := mix(p.sky[0], p.paper, 0.75)
	if isDark(p.sky[0]) {
		speck = p.paper
	}
	for range 26 + int(14*c.w/c.u) {
		c.circle(c.w*r.between(0, 1), c.h*r.between(0, 1), c.u*r.between(0.002, 0.006), speck)
	}
	x, y := c.w*r.between(0.25, 0.75), c.h*r.between(0.35, 0.65)
	line := mix(mix(p.sky[0], p.sky[1], 0.5), p.ink, 0.4)
	if isDark(p.sky[0]) {
		line = mix(p.sky[1], p.paper, 0.35)
	}
	c.circle(x, y, c.u*0.1, p.sun)
	for i := range 5 {
		radius := c.u * (0.19 + 0.135*float32(i))
		c.ring(x, y, radius, c.u*0.004, line)
		sin, cos := sincos(r.between(0, 4))
		px, py, size := x+cos*radius, y+sin*radius, c.u*r.between(0.022, 0.062)
		paint := mix(p.layer(i), p.paper, 0.3)
		c.circle(px, py, size, paint)
		c.pie(px, py, size, 0.5, 2.5, mix(paint, p.ink, 0.35))
	}
}

func isDark(c color.RGBA) bool { return int(c.R)*3+int(c.G)*6+int(c.B) < 900 }
