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
	// raster is large, so that a canvas shares it with its windows.
	raster *vector.Rasterizer
	// path is what the next paint fills.
	path shape
}

func newCanvas(img *image.RGBA, raster *vector.Rasterizer) *canvas {
	w, h := float32(img.Rect.Dx()), float32(img.Rect.Dy())
	return &canvas{img: img, w: w, h: h, u: min(w, h), raster: raster}
}

// window returns a canvas for a part of this one. What is drawn outside of the part does not show.
func (c *canvas) window(r image.Rectangle) *canvas {
	return newCanvas(c.img.SubImage(r).(*image.RGBA), c.raster)
}

// fill paints a rectangle of the image.
func (c *canvas) fill(r image.Rectangle, paint color.RGBA) {
	draw.Draw(c.img, r, image.NewUniform(paint), image.Point{}, draw.Over)
}

// gradient paints all of the canvas from one colour at the top to another.
func (c *canvas) gradient(from, to color.RGBA) {
	for y := range c.img.Rect.Dy() {
		paint := mix(from, to, float32(y)/c.h)
		row := c.img.Pix[y*c.img.Stride:][:4*c.img.Rect.Dx()]
		for x := 0; x < len(row); x += 4 {
			row[x], row[x+1], row[x+2], row[x+3] = paint.R, paint.G, paint.B, 0xff
		}
	}
}

// corner is a point of an outline. One that is first begins another outline.
type corner struct {
	x, y  float32
	first bool
}

// shape is one outline or more, in units of the place that it gets.
type shape []corner

// drawn is a shape that is made when it is first needed: no other command waits for it.
type drawn func() shape

// outline reads a shape in the notation of SVG: M and L, with points that are absolute.
func outline(text string) drawn { return sync.OnceValue(func() shape { return readOutline(text) }) }

func readOutline(text string) shape {
	var all shape
	first := false
	for word := range strings.FieldsSeq(text) {
		if len(word) == 1 {
			first = word == "M"
			continue
		}
		p := corner{first: first}
		if _, err := fmt.Sscanf(word, "%g,%g", &p.x, &p.y); err != nil {
			panic("picture: " + word + " is no point") // Only shapes of this package are read.
		}
		all = append(all, p)
	}
	return all
}

// rounded returns the shape whose outline arcs make.
func rounded(arcs func(*canvas)) drawn {
	return sync.OnceValue(func() shape {
		var c canvas
		arcs(&c)
		return c.path
	})
}

var (
	square = outline("M 0,0 L 1,0 1,1 0,1")
	disk   = rounded(func(c *canvas) { c.arc(0, 0, 1, 0, 4) })
	leaf   = rounded(func(c *canvas) {
		c.arc(0, 1, 1, 3, 4)
		c.arc(1, 0, 1, 1, 2)
	})
)

// place is where a shape goes: its origin, and what its units to the right and down become there.
type place struct{ x, y, rightX, rightY, downX, downY float32 }

// at is a place for a shape of a size, and within one of two sizes.
func at(x, y, size float32) place     { return within(x, y, size, size) }
func within(x, y, w, h float32) place { return place{x, y, w, 0, 0, h} }

func (c *canvas) shape(paint color.RGBA, s drawn, p place) {
	for i, q := range s() {
		c.path = append(c.path, corner{p.x + q.x*p.rightX + q.y*p.downX, p.y + q.x*p.rightY + q.y*p.downY, i == 0 || q.first})
	}
	c.paint(paint)
}

// to adds a corner to the outline.
func (c *canvas) to(x, y float32) { c.path = append(c.path, corner{x: x, y: y}) }

// arc adds an arc, from one angle to another in quarter turns clockwise from the right.
func (c *canvas) arc(x, y, radius, from, to float32) {
	const fine = 24
	steps := int(math.Ceil(math.Abs(float64(to-from)) * fine))
	for i := range steps + 1 {
		sin, cos := math.Sincos(float64(from+(to-from)*float32(i)/float32(steps)) * math.Pi / 2)
		c.to(x+radius*float32(cos), y+radius*float32(sin))
	}
}

// paint fills what was added. Only the part of the canvas that it covers is looked at.
func (c *canvas) paint(paint color.RGBA) {
	defer func() { c.path = c.path[:0] }()
	lowX, lowY, highX, highY := c.w, c.h, float32(0), float32(0)
	for _, p := range c.path {
		lowX, lowY, highX, highY = min(lowX, p.x), min(lowY, p.y), max(highX, p.x), max(highY, p.y)
	}
	box := image.Rect(int(max(lowX, 0)), int(max(lowY, 0)), int(min(highX+1, c.w)), int(min(highY+1, c.h)))
	// Rect would turn the box of a shape outside of the canvas around.
	if lowX >= c.w || lowY >= c.h || highX < 0 || highY < 0 {
		return
	}
	c.raster.Reset(box.Dx(), box.Dy())
	for i, p := range c.path {
		x, y := p.x-float32(box.Min.X), p.y-float32(box.Min.Y)
		if i == 0 || p.first {
			c.raster.ClosePath()
			c.raster.MoveTo(x, y)
		} else {
			c.raster.LineTo(x, y)
		}
	}
	c.raster.ClosePath()
	c.raster.Draw(c.img, box.Add(c.img.Rect.Min), image.NewUniform(paint), image.Point{})
}

func (c *canvas) circle(x, y, radius float32, paint color.RGBA) {
	c.shape(paint, disk, at(x, y, radius))
}

func (c *canvas) rect(x, y, w, h float32, paint color.RGBA) {
	c.shape(paint, square, within(x, y, w, h))
}

// polygon paints the area between points, given as x, y, x, y, ...
func (c *canvas) polygon(paint color.RGBA, xy ...float32) {
	for p := range slices.Chunk(xy, 2) {
		c.to(p[0], p[1])
	}
	c.paint(paint)
}

// pie paints a sector of a circle from one angle to another.
func (c *canvas) pie(x, y, radius, from, to float32, paint color.RGBA) {
	c.to(x, y)
	c.arc(x, y, radius, from, to)
	c.paint(paint)
}
