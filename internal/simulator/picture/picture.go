// Package picture draws the simulator's images: flat posters in a few colours, made of large
// shapes, with the prompt's first words below. What is drawn depends on nothing but the Spec, so
// that the same request gives the same image.
//
// Words: a scene is an arrangement of shapes, chosen by words of the prompt and by chance; a
// palette is the colours that it is drawn in; a plate is the words.
package picture

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"image"

	"golang.org/x/image/vector"
)

// Kind is what becomes of the references.
type Kind int

// The kinds of pictures.
const (
	// Generate shows one reference restyled, or several as cards.
	Generate Kind = iota
	// Fill changes the first reference where the mask is white, or where it is transparent without
	// one.
	Fill
	// Expand puts the first reference at Offset into a larger picture.
	Expand
)

// Spec says what to draw.
type Spec struct {
	Model  string
	Prompt string
	// Seed is a number as text.
	Seed string
	// Style is any text that tells apart what else was asked for.
	Style      string
	Size       image.Point
	Kind       Kind
	References []Source
	Mask       *Source
	Offset     image.Point
}

// Source is an image that a picture is made from: Data in PNG, JPEG or WebP, or a stand-in drawn
// from a URL.
type Source struct {
	URL  string
	Data []byte
	// Identity, when not empty, is what tells the image apart from others, instead of the bytes of
	// Data: those of one image may differ.
	Identity string
}

// identity is what decides, with the rest of a Spec, what is drawn.
func (s Source) identity() []byte {
	if s.Identity != "" {
		return []byte(s.Identity)
	}
	return s.Data
}

// Draw returns the picture. It is opaque. Safe for concurrent use.
func Draw(s Spec) *image.RGBA {
	img := image.NewRGBA(image.Rectangle{Max: s.Size})
	if img.Rect.Empty() {
		return img
	}
	c := newCanvas(img, new(vector.Rasterizer))
	art := newArt(s)
	switch {
	case s.Kind == Fill && len(s.References) > 0:
		drawFill(c, art, s)
	case s.Kind == Expand && len(s.References) > 0:
		drawExpansion(c, art, s)
	default:
		drawPoster(c, art, s)
	}
	return img
}

// art is what chance and the prompt decide for a picture.
type art struct {
	chance  *chance
	palette palette
	scene   scene
}

func newArt(s Spec) art {
	h := sha256.New()
	put := func(kind byte, text []byte) {
		// A hash takes everything.
		_, _ = fmt.Fprintf(h, "%c%d:", kind, len(text))
		_, _ = h.Write(text)
	}
	put('m', []byte(s.Model))
	put('p', []byte(s.Prompt))
	put('s', []byte(s.Seed))
	put('y', []byte(s.Style))
	for _, r := range s.References {
		put('u', []byte(r.URL))
		put('r', r.identity())
	}
	if s.Mask != nil {
		put('u', []byte(s.Mask.URL))
		put('k', s.Mask.identity())
	}
	r := &chance{binary.LittleEndian.Uint64(h.Sum(nil))}
	return art{chance: r, palette: choosePalette(s.Prompt, r), scene: choose(s.Prompt, scenes, anyScene, r)}
}

// chance is a stream of random numbers (splitmix64).
type chance struct{ state uint64 }

func (r *chance) next() uint64 {
	r.state += 0x9e3779b97f4a7c15
	z := r.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// intn returns a number from 0 to n-1.
func (r *chance) intn(n int) int { return int(r.next() >> 33 % uint64(n)) } //nolint:gosec // below n

// between returns a number from low to high.
func (r *chance) between(low, high float32) float32 {
	return low + (high-low)*float32(r.next()>>40)/(1<<24)
}

// heads reports true every other time.
func (r *chance) heads() bool { return r.next()>>63 == 0 }

// drawPoster draws a scene, or the references, inside a paper border with the words below. Small
// pictures have no room for a border.
func drawPoster(c *canvas, a art, s Spec) {
	if c.u < 96 {
		drawSubject(c, a, s)
		return
	}
	c.fill(c.img.Rect, a.palette.paper)
	margin := int(c.u*0.045 + 0.5)
	words := newPlate(s, int(c.w)-2*margin, c.u)
	window := c.img.Rect.Inset(margin)
	window.Max.Y -= words.size.Y + margin*2/3
	drawSubject(c.window(window), a, s)
	words.draw(c.img, image.Pt(margin, window.Max.Y+margin*2/3), a.palette.ink, a.palette.soft())
}

// drawSubject draws what the poster shows.
func drawSubject(c *canvas, a art, s Spec) {
	if len(s.References) == 1 {
		drawRestyled(c, a, s.References[0].image())
		return
	}
	a.scene(c, a.palette, a.chance)
	drawCards(c, a, s.References)
}
