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

// fontFile is a parsed font.
type fontFile struct {
	font *sfnt.Font
	mu   sync.Mutex
	buf  sfnt.Buffer
}

// The Go fonts.
var (
	regular400 = parseFont(goregular.TTF)
	bold700    = parseFont(gobold.TTF)
)

func parseFont(ttf []byte) *fontFile {
	f, err := opentype.Parse(ttf)
	if err != nil {
		panic("picture: a font of the Go fonts cannot be read: " + err.Error())
	}
	return &fontFile{font: f}
}

// has reports whether the font can set a character.
func (f *fontFile) has(r rune) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	i, err := f.font.GlyphIndex(&f.buf, r)
	return err == nil && i != 0
}

// typeface sets words in a font at a size. Drawn letters are kept, since drawing one takes longer than all the rest of a
// small picture. Safe for concurrent use.
type typeface struct {
	// line is the distance between lines, ascent that of the first base line from the top, in pixels.
	line, ascent int

	mu      sync.Mutex
	face    font.Face
	letters map[rune]letter
}

// letter is a drawn letter with its place relative to a point on the base line.
type letter struct {
	mask    *image.Alpha
	at      image.Point
	advance fixed.Int26_6
}

// Bounds of what is kept: sizes go by the pictures', of which users have few.
const (
	maxFaces   = 64
	maxLetters = 512
)

var faces = struct {
	sync.Mutex
	bySize map[faceKey]*typeface
}{bySize: make(map[faceKey]*typeface)}

type faceKey struct {
	font *fontFile
	size int
}

// face returns the font at a size in pixels.
func face(f *fontFile, size int) *typeface {
	faces.Lock()
	defer faces.Unlock()
	key := faceKey{f, size}
	if t, ok := faces.bySize[key]; ok {
		return t
	}
	if len(faces.bySize) >= maxFaces {
		clear(faces.bySize)
	}
	t := newTypeface(f, size)
	faces.bySize[key] = t
	return t
}

func newTypeface(f *fontFile, size int) *typeface {
	face, err := opentype.NewFace(f.font, &opentype.FaceOptions{Size: float64(size), DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		panic("picture: a font of the Go fonts has no faces: " + err.Error())
	}
	m := face.Metrics()
	return &typeface{
		line:    (m.Ascent + m.Descent).Ceil() + size/12,
		ascent:  m.Ascent.Ceil(),
		face:    face,
		letters: make(map[rune]letter),
	}
}

// width returns how wide a line is set, in pixels.
func (t *typeface) width(line string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	var x fixed.Int26_6
	before := rune(-1)
	for _, r := range line {
		x += t.kern(before, r) + t.letter(r).advance
		before = r
	}
	return x.Ceil()
}

// draw sets a line with its upper left corner at a point.
func (t *typeface) draw(img *image.RGBA, at image.Point, line string, paint color.RGBA) {
	t.mu.Lock()
	defer t.mu.Unlock()
	ink := image.NewUniform(paint)
	x := fixed.I(at.X)
	before := rune(-1)
	for _, r := range line {
		l := t.letter(r)
		x += t.kern(before, r)
		before = r
		if l.mask != nil {
			corner := image.Pt(x.Round(), at.Y+t.ascent).Add(l.at)
			draw.DrawMask(img, l.mask.Rect.Add(corner), ink, image.Point{}, l.mask, image.Point{}, draw.Over)
		}
		x += l.advance
	}
}

func (t *typeface) kern(before, r rune) fixed.Int26_6 {
	if before < 0 {
		return 0
	}
	return t.face.Kern(before, r)
}

// letter returns a drawn letter. t.mu is held.
func (t *typeface) letter(r rune) letter {
	if l, ok := t.letters[r]; ok {
		return l
	}
	var l letter
	box, mask, from, advance, ok := t.face.Glyph(fixed.Point26_6{}, r)
	l.advance = advance
	if ok && !box.Empty() {
		l.at = box.Min
		l.mask = image.NewAlpha(image.Rectangle{Max: box.Size()})
		// The face draws the next letter into the same mask, so that it has to be copied.
		draw.Draw(l.mask, l.mask.Rect, mask, from, draw.Src)
	}
	if len(t.letters) >= maxLetters {
		clear(t.letters)
	}
	t.letters[r] = l
	return l
}
