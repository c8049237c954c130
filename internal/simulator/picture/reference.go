package picture

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"math"

	xdraw "golang.org/x/image/draw"
	"golang.org/x/image/math/f64"
	_ "golang.org/x/image/webp" // the formats of references
)

// standIn is the size of the picture that stands in for one behind a URL.
const standIn = 512

// image returns the source as an image. One that cannot be decoded is a grey square.
func (s Source) image() image.Image {
	if s.URL != "" {
		img := image.NewRGBA(image.Rect(0, 0, standIn, standIn))
		a, c := newArt(Spec{Prompt: s.URL}), newCanvas(img)
		defer c.done()
		a.scene(c, a.palette, a.chance)
		return img
	}
	img, _, err := image.Decode(bytes.NewReader(s.Data))
	if err != nil {
		return image.NewUniform(color.Gray{128})
	}
	return img
}

// cover scales an image so that it covers a rectangle, cutting off what sticks out.
func cover(dst draw.Image, r image.Rectangle, src image.Image) {
	b := src.Bounds()
	if r.Empty() || b.Empty() {
		return
	}
	if b.Dx() > 1<<20 { // a uniform image has no end
		draw.Draw(dst, r, src, image.Point{}, draw.Over)
		return
	}
	if b.Size() == r.Size() { // scaling would round
		draw.Draw(dst, r, src, b.Min, draw.Over)
		return
	}
	// The largest part of the source that has the rectangle's shape.
	w, h := b.Dx(), b.Dx()*r.Dy()/r.Dx()
	if h > b.Dy() {
		w, h = max(b.Dy()*r.Dx()/r.Dy(), 1), b.Dy()
	}
	h = max(h, 1)
	at := b.Min.Add(image.Pt((b.Dx()-w)/2, (b.Dy()-h)/2))
	scaler(w, r.Dx()).Scale(dst, r, src, image.Rectangle{Min: at, Max: at.Add(image.Pt(w, h))}, xdraw.Over, nil)
}

// scaler returns a way to scale from one width to another. The quick one would skip pixels of a
// source much larger than what is made of it.
func scaler(from, to int) xdraw.Scaler {
	if from > to*3/2 {
		return xdraw.BiLinear
	}
	return xdraw.ApproxBiLinear
}

// drawRestyled shows one reference, plain to recognise, in the palette's light and with a few
// shapes over it.
func drawRestyled(c *canvas, a art, src image.Image) {
	p, r := a.palette, a.chance
	cover(c.img, c.img.Rect, src)
	tint := mix(p.sun, p.layers[0], 0.5)
	c.fill(c.img.Rect, veil(tint, 0.14))
	x, y := c.w*float32(r.intn(2)), c.h*float32(r.intn(2))
	for i := range 3 {
		radius := c.u * (0.5 - 0.13*float32(i))
		c.circle(x, y, radius, veil([3]color.RGBA{p.layers[2], p.sun, p.paper}[i], 0.5))
	}
	c.ring(c.w-x, c.h-y, c.u*r.between(0.22, 0.3), c.u*0.03, veil(p.paper, 0.7))
	c.circle(c.w*r.between(0.3, 0.7), c.h-y+(y-c.h/2)*0.2, c.u*0.05, veil(p.sun, 0.9))
}

// drawCards lays references out as cards over a scene.
func drawCards(c *canvas, a art, sources []image.Image) {
	columns, rows := layout(len(sources), c.w/c.h)
	cellW, cellH := c.w/float32(columns), c.h/float32(rows)
	size := min(cellW, cellH) * 0.76
	for i, src := range sources {
		row := i / columns
		inRow := min(columns, len(sources)-row*columns)
		// The last row stands in the middle.
		x := c.w/2 + (float32(i%columns)-float32(inRow-1)/2)*cellW
		y := (float32(row) + 0.5) * cellH
		card(c, a, src, x, y, size, a.chance.between(-5, 5))
	}
}

// layout returns columns and rows for n cards on a canvas of that ratio.
func layout(n int, ratio float32) (columns, rows int) {
	columns = int(math.Ceil(math.Sqrt(float64(float32(n) * ratio))))
	columns = min(max(columns, 1), n)
	return columns, (n + columns - 1) / columns
}

// card paints a square print of an image around a point, turned by some degrees, with its shadow.
func card(c *canvas, a art, src image.Image, x, y, size, degrees float32) {
	border := max(int(size*0.05), 2)
	side := int(size)
	if side < 8 {
		return
	}
	// The clear rim smooths the edges when the card is turned.
	const rim = 2
	print := image.NewRGBA(image.Rect(-rim, -rim, side+rim, side+rim))
	paper := print.Rect.Inset(rim)
	draw.Draw(print, paper, image.NewUniform(a.palette.paper), image.Point{}, draw.Src)
	cover(print, paper.Inset(border), src)
	sin, cos := math.Sincos(float64(degrees) * math.Pi / 180)
	turned := func(dx, dy float64) (float32, float32) {
		return x + float32(dx*cos-dy*sin), y + float32(dx*sin+dy*cos)
	}
	half := float64(side) / 2
	for i := range 6 {
		var points []float32
		grow, drop := half+float64(size)*0.006*float64(i), float32(size)*0.03
		for _, corner := range [4][2]float64{{-1, -1}, {1, -1}, {1, 1}, {-1, 1}} {
			px, py := turned(corner[0]*grow, corner[1]*grow)
			points = append(points, px, py+drop)
		}
		c.polygon(veil(a.palette.ink, 0.06), points...)
	}
	ox, oy := turned(-half, -half)
	at := c.img.Rect.Min
	matrix := f64.Aff3{cos, -sin, float64(ox) + float64(at.X), sin, cos, float64(oy) + float64(at.Y)}
	xdraw.ApproxBiLinear.Transform(c.img, matrix, print, print.Rect, xdraw.Over, nil)
}
