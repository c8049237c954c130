package picture

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"
	"slices"
	"strings"
	"sync"

	"golang.org/x/image/vector"
)

// canvas draws smooth shapes on an image. Coordinates are pixels from its upper left corner; w, h
// are its size and u, its shorter side, the unit in which scenes measure.
type canvas struct {
	img     *image.RGBA
	w, h, u float32
	*tools
}

// tools hold what drawing needs besides the image. They are large and used again.
type tools struct {
	raster vector.Rasterizer
	mask   []uint8
	path   []move
}

var toolbox = sync.Pool{New: func() any { return new(tools) }}

// newCanvas returns a canvas for an image. Call done after its use, and its windows'.
func newCanvas(img *image.RGBA) *canvas { return canvasOf(img, toolbox.Get().(*tools)) }

func (c *canvas) done() { toolbox.Put(c.tools) }

func canvasOf(img *image.RGBA, t *tools) *canvas {
	w, h := float32(img.Rect.Dx()), float32(img.Rect.Dy())
	return &canvas{img, w, h, min(w, h), t}
}

// window returns a canvas for a part of this one. What is drawn outside of the part does not show.
func (c *canvas) window(r image.Rectangle) *canvas {
	return canvasOf(c.img.SubImage(r).(*image.RGBA), c.tools)
}

// fill paints a rectangle of the image.
func (c *canvas) fill(r image.Rectangle, paint color.RGBA) {
	draw.Draw(c.img, r, image.NewUniform(paint), image.Point{}, draw.Over)
}

// gradient paints all of the canvas from one colour to another. The direction is that of (dx, dy),
// both from 0 to 1.
func (c *canvas) gradient(from, to color.RGBA, dx, dy float32) {
	const steps = 1024
	var ramp [steps][4]uint8
	for i := range ramp {
		m := mix(from, to, float32(i)/(steps-1))
		ramp[i] = [4]uint8{m.R, m.G, m.B, 0xff}
	}
	total := dx*c.w + dy*c.h
	const one = 1 << 16
	stepX, stepY := int(dx/total*(steps-1)*one), int(dy/total*(steps-1)*one)
	for y := range c.img.Rect.Dy() {
		row := c.img.Pix[y*c.img.Stride:][:4*c.img.Rect.Dx()]
		for x, at := 0, y*stepY; x < len(row); x, at = x+4, at+stepX {
			copy(row[x:x+4], ramp[at/one][:])
		}
	}
}

type point struct{ x, y float32 }

// move is a piece of an outline: a jump (M), a line (L), or a Bezier curve (C). It ends at the last
// point; only a curve has others.
type move struct {
	kind byte
	at   [3]point
}

func (m *move) points() []point {
	if m.kind == 'C' {
		return m.at[:]
	}
	return m.at[2:]
}

// shape is an outline in units of the place that it gets.
type shape []move

// outline reads a shape in the notation of SVG: M, L and C, with points that are absolute.
func outline(text string) shape {
	var all shape
	var m move
	n := 3
	for word := range strings.FieldsSeq(text) {
		if len(word) == 1 {
			m.kind, n = word[0], 3-map[byte]int{'M': 1, 'L': 1, 'C': 3}[word[0]]
			continue
		}
		if _, err := fmt.Sscanf(word, "%g,%g", &m.at[n].x, &m.at[n].y); err != nil {
			panic("picture: " + word + " is no point") // Only shapes of this package are read.
		}
		if n++; n == 3 {
			all, n = append(all, m), 3-len(m.points())
		}
	}
	return all
}

var (
	square = outline("M 0,0 L 1,0 1,1 0,1")
	disk   = outline("M 1,0 C 1,.5522847 .5522847,1 0,1 -.5522847,1 -1,.5522847 -1,0 -1,-.5522847 -.5522847,-1 0,-1 .5522847,-1 1,-.5522847 1,0")
	leaf   = outline("M 0,0 C .5522847,0 1,.4477153 1,1 .4477153,1 0,.5522847 0,0")
)

// place is where a shape goes: its origin, and what its units to the right and down become there.
type place struct{ x, y, rightX, rightY, downX, downY float32 }

// at is a place for a shape of a size, within one of two sizes, and along one with a direction.
func at(x, y, size float32) place           { return place{x, y, size, 0, 0, size} }
func within(x, y, w, h float32) place       { return place{x, y, w, 0, 0, h} }
func along(x, y, right, down float32) place { return place{x, y, right, down, -down, right} }

// add adds a shape to what the next paint fills. One that is mirrored cuts a hole.
func (c *canvas) add(s shape, p place) {
	for _, m := range s {
		for i, q := range m.at {
			m.at[i] = point{p.x + q.x*p.rightX + q.y*p.downX, p.y + q.x*p.rightY + q.y*p.downY}
		}
		c.path = append(c.path, m)
	}
}

// to adds a piece to the outline, whose points are given as x, y, x, y, ...
func (c *canvas) to(kind byte, xy ...float32) {
	m := move{kind: kind}
	for i, n := 0, 3-len(xy)/2; n < 3; i, n = i+2, n+1 {
		m.at[n] = point{xy[i], xy[i+1]}
	}
	c.path = append(c.path, m)
}

// paint fills what was added. Only the part of the canvas that it covers is looked at.
func (c *canvas) paint(paint color.RGBA) {
	defer func() { c.path = c.path[:0] }()
	low, high := point{c.w, c.h}, point{}
	for i := range c.path {
		for _, p := range c.path[i].points() {
			low, high = point{min(low.x, p.x), min(low.y, p.y)}, point{max(high.x, p.x), max(high.y, p.y)}
		}
	}
	box := image.Rectangle{
		Min: image.Pt(int(max(low.x, 0)), int(max(low.y, 0))),
		Max: image.Pt(int(min(high.x+1, c.w)), int(min(high.y+1, c.h))),
	}
	if box.Empty() {
		return
	}
	r := &c.raster
	r.Reset(box.Dx(), box.Dy())
	for _, m := range c.path {
		for i := range m.at {
			m.at[i].x -= float32(box.Min.X)
			m.at[i].y -= float32(box.Min.Y)
		}
		a, b, end := m.at[0], m.at[1], m.at[2]
		switch m.kind {
		case 'M':
			r.ClosePath()
			r.MoveTo(end.x, end.y)
		case 'L':
			r.LineTo(end.x, end.y)
		default:
			r.CubeTo(a.x, a.y, b.x, b.y, end.x, end.y)
		}
	}
	r.ClosePath()
	size := box.Dx() * box.Dy()
	c.mask = slices.Grow(c.mask[:0], size)[:size]
	mask := image.Alpha{Pix: c.mask, Stride: box.Dx(), Rect: image.Rectangle{Max: box.Size()}}
	r.DrawOp = draw.Src
	r.Draw(&mask, mask.Rect, image.Opaque, image.Point{})
	c.blend(box, paint)
}

// blend lays a colour over a box of the canvas, as far as the mask says. Most of a mask is either
// empty or full, which the rasterizer's own way to draw does not make use of.
func (c *canvas) blend(box image.Rectangle, paint color.RGBA) {
	over := [4]uint32{uint32(paint.R), uint32(paint.G), uint32(paint.B), uint32(paint.A)}
	for y := range box.Dy() {
		mask := c.mask[y*box.Dx():][:box.Dx()]
		row := c.img.Pix[(box.Min.Y+y)*c.img.Stride+4*box.Min.X:][:4*len(mask)]
		for x, m := range mask {
			if m == 0 {
				continue
			}
			pix := row[4*x : 4*x+4 : 4*x+4]
			if m == 0xff && paint.A == 0xff {
				pix[0], pix[1], pix[2], pix[3] = paint.R, paint.G, paint.B, 0xff
				continue
			}
			// The colours are premultiplied; the weights have 16 bits.
			weight := uint32(m) * 0x101
			rest := 0xffff - over[3]*weight/0xff
			for i := range pix {
				pix[i] = uint8((uint32(pix[i])*rest + over[i]*weight + 0x7fff) / 0xffff) //nolint:gosec // no more than the larger of both
			}
		}
	}
}

func (c *canvas) shape(paint color.RGBA, s shape, p place) {
	c.add(s, p)
	c.paint(paint)
}

func (c *canvas) circle(x, y, radius float32, paint color.RGBA) {
	c.shape(paint, disk, at(x, y, radius))
}

func (c *canvas) ellipse(x, y, rx, ry float32, paint color.RGBA) {
	c.shape(paint, disk, within(x, y, rx, ry))
}

func (c *canvas) rect(x, y, w, h float32, paint color.RGBA) {
	c.shape(paint, square, within(x, y, w, h))
}

// ring paints a circle's line.
func (c *canvas) ring(x, y, radius, width float32, paint color.RGBA) {
	c.add(disk, at(x, y, radius+width/2))
	c.shape(paint, disk, within(x, y, radius-width/2, width/2-radius))
}

// arch paints a round arch that stands on a height.
func (c *canvas) arch(x, y, radius, foot float32, paint color.RGBA) {
	c.add(disk, at(x, y, radius))
	c.shape(paint, square, within(x-radius, y, 2*radius, foot-y))
}

// polygon paints the area between points, given as x, y, x, y, ...
func (c *canvas) polygon(paint color.RGBA, xy ...float32) {
	c.to('M', xy[:2]...)
	for i := 2; i < len(xy); i += 2 {
		c.to('L', xy[i:i+2]...)
	}
	c.paint(paint)
}

// pie paints a sector of a circle from one angle to another, in quarter turns clockwise from the
// right.
func (c *canvas) pie(x, y, radius, from, to float32, paint color.RGBA) {
	c.to('M', x, y)
	c.arc('L', x, y, radius, from, to)
	c.paint(paint)
}

// arc adds an arc, to whose first point a piece of some kind leads.
func (c *canvas) arc(kind byte, x, y, radius, from, to float32) {
	steps := float32(math.Ceil(math.Abs(float64(to - from))))
	turn := (to - from) / steps
	// The length of the control arms for an arc of that many quarter turns.
	arm := float32(4.0/3*math.Tan(float64(turn)*math.Pi/8)) * radius
	sin, cos := sincos(from)
	c.to(kind, x+radius*cos, y+radius*sin)
	for i := range int(steps) {
		sin2, cos2 := sincos(from + turn*float32(i+1))
		c.to('C', x+radius*cos-arm*sin, y+radius*sin+arm*cos, x+radius*cos2+arm*sin2, y+radius*sin2-arm*cos2, x+radius*cos2, y+radius*sin2)
		sin, cos = sin2, cos2
	}
}

// sincos takes an angle in quarter turns.
func sincos(quarters float32) (sin, cos float32) {
	s, c := math.Sincos(float64(quarters) * math.Pi / 2)
	return float32(s), float32(c)
}

// ridge paints everything below a curve through heights that are spread evenly from the left to the
// right edge.
func (c *canvas) ridge(heights []float32, paint color.RGBA) {
	c.to('M', 0, c.h)
	c.to('L', 0, heights[0])
	step := c.w / float32(len(heights)-1)
	for i := 1; i < len(heights); i++ {
		x := step * float32(i)
		c.to('C', x-step/2, heights[i-1], x-step/2, heights[i], x, heights[i])
	}
	c.to('L', c.w, c.h)
	c.paint(paint)
}
