package picture

import (
	"image"
	"image/color"
	"image/draw"
)

// upright turns and mirrors a picture as an orientation of EXIF says. From 5 on, width and height
// change places.
func upright(src image.Image, orientation int) image.Image {
	if orientation < 2 || orientation > 8 {
		return src
	}
	b := src.Bounds()
	w, h := b.Dx(), b.Dy()
	size := image.Rect(0, 0, w, h)
	if orientation >= 5 {
		size = image.Rect(0, 0, h, w)
	}
	dst := likewise(src, size)
	for y := range size.Dy() {
		for x := range size.Dx() {
			fromX, fromY := whence(orientation, x, y, w, h)
			dst.Set(x, y, src.At(b.Min.X+fromX, b.Min.Y+fromY))
		}
	}
	return dst
}

// whence returns the pixel of a picture of w x h that stands at x, y once the picture is upright.
func whence(orientation, x, y, w, h int) (int, int) {
	switch orientation {
	case 2: // mirrored
		return w - 1 - x, y
	case 3: // upside down
		return w - 1 - x, h - 1 - y
	case 4: // upside down and mirrored
		return x, h - 1 - y
	case 5: // mirrored along the diagonal
		return y, x
	case 6: // to be turned to the right
		return y, h - 1 - x
	case 7: // mirrored along the other diagonal
		return w - 1 - y, h - 1 - x
	default: // 8, to be turned to the left
		return w - 1 - y, x
	}
}

// likewise returns an empty picture that keeps as many bits as src has.
func likewise(src image.Image, size image.Rectangle) draw.Image {
	switch src.ColorModel() {
	case color.GrayModel:
		return image.NewGray(size)
	case color.Gray16Model:
		return image.NewGray16(size)
	case color.RGBA64Model, color.NRGBA64Model:
		return image.NewNRGBA64(size)
	case color.YCbCrModel, color.CMYKModel:
		return image.NewRGBA(size)
	default:
		return image.NewNRGBA(size)
	}
}
