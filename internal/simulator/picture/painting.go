package picture

import (
	"image"
	"image/draw"
	"slices"
)

// drawFill copies the image and paints a scene where the mask is white. Everywhere else each pixel
// stays as it is.
func drawFill(c *canvas, a art, s Spec) {
	src := s.References[0].image()
	cover(c.img, c.img.Rect, src)
	mask := image.NewAlpha(c.img.Rect)
	if s.Mask != nil {
		white := image.NewGray(mask.Rect)
		cover(white, white.Rect, s.Mask.image())
		copy(mask.Pix, white.Pix)
	} else {
		draw.Draw(mask, mask.Rect, src, src.Bounds().Min, draw.Src)
		for i, alpha := range mask.Pix {
			mask.Pix[i] = 255 - alpha
		}
	}
	box := marked(mask)
	if box.Empty() {
		return
	}
	layer := newCanvas(image.NewRGBA(box), c.raster)
	a.scene(layer, a.palette, a.chance)
	label(layer, a, s)
	draw.DrawMask(c.img, box, layer.img, box.Min, mask, box.Min, draw.Over)
}

// marked returns the smallest rectangle that holds all of a mask that is not black.
func marked(mask *image.Alpha) image.Rectangle {
	var box image.Rectangle
	for y := range mask.Rect.Dy() {
		for x, v := range mask.Pix[y*mask.Stride:][:mask.Rect.Dx()] {
			if v != 0 {
				box = box.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return box
}

// drawExpansion paints a scene and lays the image on it, with the words in the largest margin.
func drawExpansion(c *canvas, a art, s Spec) {
	a.scene(c, a.palette, a.chance)
	src := s.References[0].image()
	outer, inner := c.img.Rect, src.Bounds().Sub(src.Bounds().Min).Add(s.Offset)
	margins := []image.Rectangle{
		{outer.Min, image.Pt(outer.Max.X, inner.Min.Y)},
		{image.Pt(outer.Min.X, inner.Max.Y), outer.Max},
		{outer.Min, image.Pt(inner.Min.X, outer.Max.Y)},
		{image.Pt(inner.Max.X, outer.Min.Y), outer.Max},
	}
	label(c.window(slices.MaxFunc(margins, func(a, b image.Rectangle) int { return a.Dx()*a.Dy() - b.Dx()*b.Dy() })), a, s)
	draw.Draw(c.img, inner, src, src.Bounds().Min, draw.Src)
}

// label puts the words on a piece of paper in the middle of a scene, where there is room for them.
func label(c *canvas, a art, s Spec) {
	if c.u < 40 || c.w < 80 {
		return
	}
	pad := max(int(c.u*0.03), 4)
	words := newPlate(s, int(c.w)-4*pad, c.u)
	if words.size.Y == 0 {
		return
	}
	middle := c.img.Rect.Min.Add(c.img.Rect.Size().Div(2))
	box := image.Rectangle{Max: words.size}.Add(middle.Sub(words.size.Div(2)))
	c.fill(box.Inset(-pad), veil(a.palette.paper, 0.92))
	words.draw(c.img, box.Min, a.palette.ink, a.palette.soft())
}
