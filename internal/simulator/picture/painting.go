package picture

import (
	"image"
	"image/draw"

	xdraw "golang.org/x/image/draw"
)

// drawFill copies the image and paints a scene where the mask is white. Everywhere else each pixel
// stays as it is.
func drawFill(c *canvas, a art, s Spec) {
	src := s.References[0].image()
	cover(c.img, c.img.Rect, src)
	mask := image.NewAlpha(c.img.Rect)
	if s.Mask != nil {
		whiteness(mask, s.Mask.image())
	} else {
		transparency(mask, src)
	}
	box := marked(mask)
	if box.Empty() {
		return
	}
	layer := image.NewRGBA(box)
	l := canvasOf(layer, c.tools)
	a.scene(l, a.palette, a.chance)
	label(l, a, s)
	draw.DrawMask(c.img, box, layer, box.Min, mask, box.Min, draw.Over)
}

// whiteness sets a mask from how bright an image is, scaled to the mask's size.
func whiteness(mask *image.Alpha, src image.Image) {
	b := mask.Rect
	scaled := image.NewGray(b)
	if src.Bounds().Size() == b.Size() {
		draw.Draw(scaled, b, src, src.Bounds().Min, draw.Src)
	} else {
		xdraw.ApproxBiLinear.Scale(scaled, b, src, src.Bounds(), draw.Src, nil)
	}
	copy(mask.Pix, scaled.Pix)
}

// transparency sets a mask from where an image can be seen through.
func transparency(mask *image.Alpha, src image.Image) {
	if o, ok := src.(interface{ Opaque() bool }); ok && o.Opaque() {
		return
	}
	b, from := mask.Rect, src.Bounds().Min
	for y := range b.Dy() {
		for x := range b.Dx() {
			_, _, _, alpha := src.At(from.X+x, from.Y+y).RGBA()
			mask.Pix[y*mask.Stride+x] = uint8(255 - alpha>>8)
		}
	}
}

// marked returns the smallest rectangle that holds all of a mask that is not black.
func marked(mask *image.Alpha) image.Rectangle {
	var box image.Rectangle
	b := mask.Rect
	for y := range b.Dy() {
		row := mask.Pix[y*mask.Stride:][:b.Dx()]
		for x, v := range row {
			if v != 0 {
				box = box.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return box
}

// drawExpansion paints a scene and lays the image on it.
func drawExpansion(c *canvas, a art, s Spec) {
	a.scene(c, a.palette, a.chance)
	src := s.References[0].image()
	b := src.Bounds()
	if b.Dx() > 1<<20 {
		return
	}
	inner := image.Rectangle{Min: s.Offset, Max: s.Offset.Add(b.Size())}
	label(c.window(widest(c.img.Rect, inner)), a, s)
	copyImage(c.img, s.Offset, src)
}

// widest returns the largest of the margins around a rectangle.
func widest(outer, inner image.Rectangle) image.Rectangle {
	best := image.Rect(outer.Min.X, outer.Min.Y, outer.Max.X, inner.Min.Y)
	for _, r := range []image.Rectangle{
		image.Rect(outer.Min.X, inner.Max.Y, outer.Max.X, outer.Max.Y),
		image.Rect(outer.Min.X, outer.Min.Y, inner.Min.X, outer.Max.Y),
		image.Rect(inner.Max.X, outer.Min.Y, outer.Max.X, outer.Max.Y),
	} {
		if r.Dx()*r.Dy() > best.Dx()*best.Dy() {
			best = r
		}
	}
	return best
}

// label puts the prompt's first words on a scene, on a plate of paper in its middle, where there is
// room for them.
func label(c *canvas, a art, s Spec) {
	words := title(s.Prompt)
	if c.u < 40 || c.w < 80 || len(words) == 0 {
		return
	}
	t := face(bold700, max(int(c.u*0.075), 12))
	pad := t.line / 2
	lines := wrap(words, t, int(c.w)-4*pad, 2)
	widest := 0
	for _, line := range lines {
		widest = max(widest, t.width(line))
	}
	size := image.Pt(widest+2*pad, len(lines)*t.line+pad)
	middle := c.img.Rect.Min.Add(c.img.Rect.Size().Div(2))
	box := image.Rectangle{Min: middle.Sub(size.Div(2))}
	box.Max = box.Min.Add(size)
	c.fill(box, veil(a.palette.paper, 0.92))
	at := box.Min.Add(image.Pt(pad, pad/2))
	for _, line := range lines {
		t.draw(c.img, at, line, a.palette.ink)
		at.Y += t.line
	}
}
