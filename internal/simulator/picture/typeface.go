package picture

import (
	"image"
	"image/color"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// The Go fonts, read when they are first needed.
var (
	regular400 = fontOf(goregular.TTF)
	bold700    = fontOf(gobold.TTF)
)

func fontOf(ttf []byte) func() *opentype.Font {
	return sync.OnceValue(func() *opentype.Font {
		f, err := opentype.Parse(ttf)
		if err != nil {
			panic("picture: a font of the Go fonts cannot be read: " + err.Error())
		}
		return f
	})
}

// typeface sets words in a font at a size. Owned by the one picture that it is made for.
type typeface struct {
	face font.Face
	// line is the distance between lines, ascent that of the first base line from the top, in
	// pixels.
	line, ascent int
}

// newTypeface returns the font at a size in pixels.
func newTypeface(f *opentype.Font, size int) *typeface {
	face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: float64(size), DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		panic("picture: a font of the Go fonts has no faces: " + err.Error())
	}
	m := face.Metrics()
	return &typeface{face, (m.Ascent + m.Descent).Ceil() + size/12, m.Ascent.Ceil()}
}

// width returns how wide a line is set, in pixels.
func (t *typeface) width(line string) int { return font.MeasureString(t.face, line).Ceil() }

// draw sets a line with its upper left corner at a point.
func (t *typeface) draw(img *image.RGBA, at image.Point, line string, paint color.RGBA) {
	d := font.Drawer{Dst: img, Src: image.NewUniform(paint), Face: t.face, Dot: fixed.P(at.X, at.Y+t.ascent)}
	d.DrawString(line)
}
