package picture

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"math"

	xdraw "golang.org/x/image/draw"
	"golang.org/x/image/math/f64"
	"golang.org/x/image/vector"
	_ "golang.org/x/image/webp" // the formats of references
)

// standIn is the size of the picture that stands in for one behind a URL.
const standIn = 512

// image returns the source as an image. One that cannot be decoded is one grey pixel.
func (s Source) image() image.Image {
	if s.URL != "" {
		img := image.NewRGBA(image.Rect(0, 0, standIn, standIn))
		a := newArt(Spec{Prompt: s.URL})
		a.scene(newCanvas(img, new(vector.Rasterizer)), a.palette, a.chance)
		return img
	}
	img, _, err := image.Decode(bytes.NewReader(s.Data))
	if err != nil {
		return &image.Gray{Pix: []uint8{128}, Stride: 1, Rect: image.Rect(0, 0, 1, 1)}
	}
	return img
}

// cover scales an image so that it covers a rectangle, cutting off what sticks out.
func cover(dst draw.Image, r image.Rectangle, src image.Image) {
	b := src.Bounds()
	if r.Empty() || b.Empty() {
		return
	}
	if b.Size() == r.Size() { // scaling would round
		draw.Draw(dst, r, src, b.Min, draw.Over)
		return
	}
	// The largest part of the source that has the rectangle's shape.
	w, h := b.Dx(), max(b.Dx()*r.Dy()/r.Dx(), 1)
	if h > b.Dy() {
		w, h = max(b.Dy()*r.Dx()/r.Dy(), 1), b.Dy()
	}
	part := image.Rect(0, 0, w, h).Add(b.Min).Add(image.Pt((b.Dx()-w)/2, (b.Dy()-h)/2))
	xdraw.BiLinear.Scale(dst, r, src, part, xdraw.Over, nil)
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
	c.circle(c.w-x, c.h-y, c.u*r.between(0.2, 0.26), veil(p.paper, 0.5))
	c.circle(c.w*r.between(0.3, 0.7), c.h-y+(y-c.h/2)*0.2, c.u*0.05, veil(p.sun, 0.9))
}

// drawCards lays references out as cards over a scene. The last row stands in the middle.
func drawCards(c *canvas, a art, sources []Source) {
	columns := int(math.Ceil(math.Sqrt(float64(float32(len(sources)) * c.w / c.h))))
	columns = min(columns, len(sources))
	for i, src := range sources {
		rows, row := (len(sources)+columns-1)/columns, i/columns
		inRow := min(columns, len(sources)-row*columns)
		cellW, cellH := c.w/float32(columns), c.h/float32(rows)
		x := c.w/2 + (float32(i%columns)-float32(inRow-1)/2)*cellW
		y := (float32(row) + 0.5) * cellH
		card(c, a, src.image(), x, y, min(cellW, cellH)*0.76)
	}
}

// card paints a square print of an image around a point, turned a little, with its shadow.
func card(c *canvas, a art, src image.Image, x, y, size float32) {
	side := int(size)
	if side < 8 {
		return
	}
	// The clear rim smooths the edges when the card is turned.
	const rim = 2
	print := image.NewRGBA(image.Rect(-rim, -rim, side+rim, side+rim))
	paper := print.Rect.Inset(rim)
	draw.Draw(print, paper, image.NewUniform(a.palette.paper), image.Point{}, draw.Src)
	cover(print, paper.Inset(max(side/20, 2)), src)
	sine, cosine := math.Sincos(float64(a.chance.between(-0.09, 0.09)))
	sin, cos := float32(sine), float32(cosine)
	// corner is where the upper left corner of a square that is so large comes to lie.
	corner := func(size float32) (float32, float32) { return x + (sin-cos)*size/2, y - (sin+cos)*size/2 }
	for i := range 6 {
		large := size * (1 + 0.012*float32(i))
		left, top := corner(large)
		c.shape(veil(a.palette.ink, 0.06), square, place{left, top + size*0.03, cos * large, sin * large, -sin * large, cos * large})
	}
	left, top := corner(size)
	at := c.img.Rect.Min
	matrix := f64.Aff3{cosine, -sine, float64(left) + float64(at.X), sine, cosine, float64(top) + float64(at.Y)}
	xdraw.ApproxBiLinear.Transform(c.img, matrix, print, print.Rect, xdraw.Over, nil)
}
