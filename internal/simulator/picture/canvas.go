package picture

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"slices"
	"sync"

	"golang.org/x/image/vector"
)

// canvas draws smooth shapes on an image. Coordinates are pixels from its upper left corner; w, h are its size and u, its
// shorter side, the unit in which scenes measure.
type canvas struct {
	img     *image.RGBA
	w, h, u float32
	*tools
}

// tools hold what drawing needs besides the image. They are large and used again.
type tools struct {
	raster vector.Rasterizer
	mask   []uint8
	path   path
}

var toolbox = sync.Pool{New: func() any { return new(tools) }}

// newCanvas returns a canvas for an image. Call done after its use, and its windows'.
func newCanvas(img *image.RGBA) *canvas {
	return canvasOf(img, toolbox.Get().(*tools))
}

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

// gradient paints all of the canvas from one colour to another. The direction is that of (dx, dy), both from 0 to 1.
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
	width := c.img.Rect.Dx()
	for y := range c.img.Rect.Dy() {
		row := c.img.Pix[y*c.img.Stride:][:4*width]
		at := y * stepY
		if stepX == 0 {
			for x := 0; x < len(row); x += 4 {
				copy(row[x:x+4], ramp[at/one][:])
			}
			continue
		}
		for x := 0; x < len(row); x += 4 {
			copy(row[x:x+4], ramp[at/one][:])
			at += stepX
		}
	}
}

// path is an outline in pixels.
type path struct {
	moves                  []move
	left, top, right, foot float32
}

// move is a piece of an outline: a jump, a line, or a Bezier curve with two control points.
type move struct {
	kind   byte
	x, y   float32
	x1, y1 float32
	x2, y2 float32
}

func (p *path) reset() {
	*p = path{moves: p.moves[:0], left: math.MaxFloat32, top: math.MaxFloat32, right: -math.MaxFloat32, foot: -math.MaxFloat32}
}

func (p *path) include(x, y float32) {
	p.left, p.right = min(p.left, x), max(p.right, x)
	p.top, p.foot = min(p.top, y), max(p.foot, y)
}

func (p *path) moveTo(x, y float32) {
	p.include(x, y)
	p.moves = append(p.moves, move{kind: 'M', x: x, y: y})
}

func (p *path) lineTo(x, y float32) {
	p.include(x, y)
	p.moves = append(p.moves, move{kind: 'L', x: x, y: y})
}

func (p *path) curveTo(x1, y1, x2, y2, x, y float32) {
	p.include(x1, y1)
	p.include(x2, y2)
	p.include(x, y)
	p.moves = append(p.moves, move{'C', x, y, x1, y1, x2, y2})
}

// begin starts an outline.
func (c *canvas) begin() *path {
	c.path.reset()
	return &c.path
}

// paint fills the outline. Only the part of the canvas that it covers is looked at.
func (c *canvas) paint(paint color.RGBA) {
	p := &c.path
	if len(p.moves) == 0 {
		return
	}
	// Not image.Rect, which turns what lies outside of the canvas into something that does not.
	box := image.Rectangle{
		Min: image.Pt(int(max(p.left, 0)), int(max(p.top, 0))),
		Max: image.Pt(int(min(p.right+1, c.w)), int(min(p.foot+1, c.h))),
	}
	if box.Empty() {
		return
	}
	ox, oy := float32(box.Min.X), float32(box.Min.Y)
	r := &c.raster
	r.Reset(box.Dx(), box.Dy())
	for _, m := range p.moves {
		switch m.kind {
		case 'M':
			r.ClosePath()
			r.MoveTo(m.x-ox, m.y-oy)
		case 'L':
			r.LineTo(m.x-ox, m.y-oy)
		default:
			r.CubeTo(m.x1-ox, m.y1-oy, m.x2-ox, m.y2-oy, m.x-ox, m.y-oy)
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

// blend lays a colour over a box of the canvas, as far as the mask says. Most of a mask is either empty or full, which the
// rasterizer's own way to draw does not make use of.
func (c *canvas) blend(box image.Rectangle, paint color.RGBA) {
	solid := paint.A == 0xff
	for y := range box.Dy() {
		mask := c.mask[y*box.Dx():][:box.Dx()]
		row := c.img.Pix[(box.Min.Y+y)*c.img.Stride+4*box.Min.X:][:4*len(mask)]
		for x, m := range mask {
			if m == 0 {
				continue
			}
			pix := row[4*x : 4*x+4 : 4*x+4]
			if m == 0xff && solid {
				pix[0], pix[1], pix[2], pix[3] = paint.R, paint.G, paint.B, 0xff
				continue
			}
			over := uint32(m) * 0x101
			under := 0xffff - uint32(paint.A)*over/0xff
			pix[0] = lay(pix[0], paint.R, under, over)
			pix[1] = lay(pix[1], paint.G, under, over)
			pix[2] = lay(pix[2], paint.B, under, over)
			pix[3] = lay(pix[3], paint.A, under, over)
		}
	}
}

// lay mixes two premultiplied values by weights of 16 bits.
func lay(below, above uint8, under, over uint32) uint8 {
	return uint8((uint32(below)*under + uint32(above)*over + 0x7fff) / 0xffff) //nolint:gosec // no more than the larger of both
}

// kappa places the control points of a quarter circle.
const kappa = 0.5522847

// ellipse adds a closed ellipse. With a negative ry it runs the other way round, and so cuts a hole.
func (p *path) ellipse(x, y, rx, ry float32) {
	kx, ky := rx*kappa, ry*kappa
	p.moveTo(x+rx, y)
	p.curveTo(x+rx, y+ky, x+kx, y+ry, x, y+ry)
	p.curveTo(x-kx, y+ry, x-rx, y+ky, x-rx, y)
	p.curveTo(x-rx, y-ky, x-kx, y-ry, x, y-ry)
	p.curveTo(x+kx, y-ry, x+rx, y-ky, x+rx, y)
}

func (c *canvas) circle(x, y, radius float32, paint color.RGBA) {
	c.begin().ellipse(x, y, radius, radius)
	c.paint(paint)
}

func (c *canvas) ellipse(x, y, rx, ry float32, paint color.RGBA) {
	c.begin().ellipse(x, y, rx, ry)
	c.paint(paint)
}

// ring paints a circle's line.
func (c *canvas) ring(x, y, radius, width float32, paint color.RGBA) {
	p := c.begin()
	p.ellipse(x, y, radius+width/2, radius+width/2)
	p.ellipse(x, y, radius-width/2, -(radius - width/2))
	c.paint(paint)
}

func (c *canvas) rect(x, y, w, h float32, paint color.RGBA) {
	c.polygon(paint, x, y, x+w, y, x+w, y+h, x, y+h)
}

// polygon paints the area between points, given as x, y, x, y, ...
func (c *canvas) polygon(paint color.RGBA, points ...float32) {
	p := c.begin()
	p.moveTo(points[0], points[1])
	for i := 2; i+1 < len(points); i += 2 {
		p.lineTo(points[i], points[i+1])
	}
	c.paint(paint)
}

// pie paints a sector of a circle from one angle to another, in quarter turns clockwise from the right.
func (c *canvas) pie(x, y, radius, from, to float32, paint color.RGBA) {
	p := c.begin()
	p.moveTo(x, y)
	p.arc(x, y, radius, from, to, p.lineTo)
	c.paint(paint)
}

// arc adds an arc; first gets its first point.
func (p *path) arc(x, y, radius, from, to float32, first func(x, y float32)) {
	steps := int(math.Ceil(math.Abs(float64(to - from))))
	if steps == 0 {
		return
	}
	turn := (to - from) / float32(steps)
	// The length of the control arms for an arc of that many quarter turns.
	arm := float32(4.0/3*math.Tan(float64(turn)*math.Pi/8)) * radius
	sin, cos := sincos(from)
	first(x+radius*cos, y+radius*sin)
	for i := range steps {
		sin2, cos2 := sincos(from + turn*float32(i+1))
		p.curveTo(
			x+radius*cos-arm*sin, y+radius*sin+arm*cos,
			x+radius*cos2+arm*sin2, y+radius*sin2-arm*cos2,
			x+radius*cos2, y+radius*sin2,
		)
		sin, cos = sin2, cos2
	}
}

// sincos takes an angle in quarter turns.
func sincos(quarters float32) (sin, cos float32) {
	s, c := math.Sincos(float64(quarters) * math.Pi / 2)
	return float32(s), float32(c)
}

// smooth adds a closed curve through points (Catmull-Rom).
func (p *path) smooth(points []point) {
	n := len(points)
	at := func(i int) point { return points[(i+n)%n] }
	p.moveTo(points[0].x, points[0].y)
	for i := range n {
		a, b, d, e := at(i-1), at(i), at(i+1), at(i+2)
		p.curveTo(b.x+(d.x-a.x)/6, b.y+(d.y-a.y)/6, d.x-(e.x-b.x)/6, d.y-(e.y-b.y)/6, d.x, d.y)
	}
}

type point struct{ x, y float32 }

// ridge paints everything below a curve through heights that are spread evenly from the left to the right edge. With
// sharp it runs in straight lines.
func (c *canvas) ridge(heights []float32, sharp bool, paint color.RGBA) {
	p := c.begin()
	p.moveTo(0, c.h)
	p.lineTo(0, heights[0])
	step := c.w / float32(len(heights)-1)
	for i := 1; i < len(heights); i++ {
		x := step * float32(i)
		if sharp {
			p.lineTo(x, heights[i])
			continue
		}
		p.curveTo(x-step/2, heights[i-1], x-step/2, heights[i], x, heights[i])
	}
	p.lineTo(c.w, c.h)
	c.paint(paint)
}
