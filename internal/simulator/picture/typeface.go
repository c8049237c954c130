package picture

import (
	"image"
	"image/color"
	"image/draw"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// The Go fonts.
var (
	regular400 = parseFont(goregular.TTF)
	bold700    = parseFont(gobold.TTF)
)

func parseFont(ttf []byte) *sfnt.Font {
	f, err := opentype.Parse(ttf)
	if err != nil {
		panic("picture: a font of the Go fonts cannot be read: " + err.Error())
	}
	return f
}

// typeface sets words in a font at a size. Safe for concurrent use.
type typeface struct {
	// line is the distance between lines, ascent that of the first base line from the top, in
	// pixels.
	line, ascent int

	mu   sync.Mutex
	face letters
}

// letters is a face that keeps what it drew, since drawing a letter takes longer than all the rest
// of a small picture.
type letters struct {
	font.Face
	drawn map[rune]letter
}

// letter is a drawn letter with its place relative to a point on the base line.
type letter struct {
	mask    *image.Alpha
	at      image.Point
	advance fixed.Int26_6
	ok      bool
}

// Bounds of what is kept: sizes go by the pictures', of which users have few.
const (
	maxFaces   = 64
	maxLetters = 512
)

type faceKey struct {
	font *sfnt.Font
	size int
}

var faces = struct {
	sync.Mutex
	bySize map[faceKey]*typeface
}{bySize: make(map[faceKey]*typeface)}

// face returns the font at a size in pixels.
func face(f *sfnt.Font, size int) *typeface {
	faces.Lock()
	defer faces.Unlock()
	key := faceKey{f, size}
	if t, ok := faces.bySize[key]; ok {
		return t
	}
	if len(faces.bySize) >= maxFaces {
		clear(faces.bySize)
	}
	plain, err := opentype.NewFace(f, &opentype.FaceOptions{Size: float64(size), DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		panic("picture: a font of the Go fonts has no faces: " + err.Error())
	}
	m := plain.Metrics()
	t := &typeface{line: (m.Ascent + m.Descent).Ceil() + size/12, ascent: m.Ascent.Ceil(), face: letters{plain, make(map[rune]letter)}}
	faces.bySize[key] = t
	return t
}

// width returns how wide a line is set, in pixels.
func (t *typeface) width(line string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return font.MeasureString(&t.face, line).Ceil()
}

// draw sets a line with its upper left corner at a point.
func (t *typeface) draw(img *image.RGBA, at image.Point, line string, paint color.RGBA) {
	t.mu.Lock()
	defer t.mu.Unlock()
	d := font.Drawer{Dst: img, Src: image.NewUniform(paint), Face: &t.face, Dot: fixed.P(at.X, at.Y+t.ascent)}
	d.DrawString(line)
}

// GlyphAdvance implements font.Face.
func (f *letters) GlyphAdvance(r rune) (fixed.Int26_6, bool) {
	l := f.letter(r)
	return l.advance, l.ok
}

// Glyph implements font.Face. Letters stand on whole pixels.
func (f *letters) Glyph(dot fixed.Point26_6, r rune) (dr image.Rectangle, mask image.Image, at image.Point, advance fixed.Int26_6, ok bool) {
	l := f.letter(r)
	return l.mask.Rect.Add(l.at).Add(image.Pt(dot.X.Round(), dot.Y.Round())), l.mask, image.Point{}, l.advance, l.ok
}

func (f *letters) letter(r rune) letter {
	if l, ok := f.drawn[r]; ok {
		return l
	}
	box, mask, from, advance, ok := f.Face.Glyph(fixed.Point26_6{}, r)
	l := letter{image.NewAlpha(image.Rectangle{Max: box.Size()}), box.Min, advance, ok}
	if ok {
		// The face draws the next letter into the same mask, so that it has to be copied.
		draw.Draw(l.mask, l.mask.Rect, mask, from, draw.Src)
	}
	if len(f.drawn) >= maxLetters {
		clear(f.drawn)
	}
	f.drawn[r] = l
	return l
}
