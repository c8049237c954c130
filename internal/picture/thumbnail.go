package picture

import (
	"image"

	"golang.org/x/image/draw"
)

// Shrink scales a picture to exactly this size, whatever its shape. It is quick, and good enough to look
// at and to measure; what is kept is scaled by Scale.
func Shrink(src image.Image, width, height int) *image.RGBA {
	small := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.ApproxBiLinear.Scale(small, small.Bounds(), src, src.Bounds(), draw.Src, nil)
	return small
}

// Fit scales a picture so that it fits into a box, as a whole and in its shape; one that fits
// already keeps its size. Large pictures are averaged rather than sampled, so that fine lines stay.
func Fit(src image.Image, width, height int) *image.RGBA {
	size := Inside(src.Bounds().Size(), image.Pt(width, height))
	small := image.NewRGBA(image.Rectangle{Max: size})
	draw.BiLinear.Scale(small, small.Bounds(), src, src.Bounds(), draw.Src, nil)
	return small
}

// Inside returns the largest size of the same shape that fits into a box, without making anything
// larger. A side is never less than one pixel.
func Inside(size, box image.Point) image.Point {
	if size.X <= box.X && size.Y <= box.Y {
		return size
	}
	// Compared as fractions, in integers.
	if size.X*box.Y >= size.Y*box.X {
		return image.Pt(box.X, max((2*size.Y*box.X+size.X)/(2*size.X), 1))
	}
	return image.Pt(max((2*size.X*box.Y+size.Y)/(2*size.Y), 1), box.Y)
}
