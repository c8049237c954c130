package picture

import (
	"image"
	"image/color"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/image/font/sfnt"
)

// plate is the prompt's first words, and a line about the picture.
type plate struct {
	title   []string
	caption string
	big     *typeface
	small   *typeface
	// size is that of the words, in pixels.
	size image.Point
}

// Bounds of what is looked at of a prompt, in bytes and words.
const (
	maxTitle = 1000
	maxWords = 40
)

// newPlate sets the words for a width. The size of the type goes by the picture's shorter side.
func newPlate(s Spec, width int, side float32) plate {
	p := plate{
		big:   newTypeface(bold700(), max(int(side*0.05), 13)),
		small: newTypeface(regular400(), max(int(side*0.024), 9)),
	}
	lines := 2
	if side < 160 {
		lines = 1
	}
	p.title = wrap(title(s.Prompt), p.big, width, lines)
	for _, line := range p.title {
		p.size = image.Pt(max(p.size.X, p.big.width(line)), p.size.Y+p.big.line)
	}
	caption := s.Model + "  ·  " + strconv.Itoa(s.Size.X) + " × " + strconv.Itoa(s.Size.Y) + "  ·  seed " + s.Seed
	if w := p.small.width(caption); side >= 128 && w <= width {
		p.caption = caption
		p.size = image.Pt(max(p.size.X, w), p.size.Y+p.small.line+p.gap())
	}
	return p
}

// draw puts the words below and right of a point.
func (p *plate) draw(img *image.RGBA, at image.Point, ink, soft color.RGBA) {
	for _, line := range p.title {
		p.big.draw(img, at, line, ink)
		at.Y += p.big.line
	}
	at.Y += p.gap()
	p.small.draw(img, at, p.caption, soft)
}

// gap is the space between the words and the caption.
func (p *plate) gap() int { return p.small.line / 4 }

// title returns the words of a prompt that can be set.
func title(prompt string) []string {
	var buf sfnt.Buffer
	words := strings.Fields(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || strings.ContainsRune("{}[]\"\\", r) {
			return ' '
		}
		if i, err := bold700().GlyphIndex(&buf, r); err != nil || i == 0 {
			return -1
		}
		return r
	}, strings.ToValidUTF8(prompt[:min(len(prompt), maxTitle)], "")))
	return words[:min(len(words), maxWords)]
}

// wrap breaks words into lines; what does not fit ends in an ellipsis.
func wrap(words []string, t *typeface, width, lines int) []string {
	var out []string
	for _, word := range words {
		last := len(out) - 1
		if last >= 0 && t.width(out[last]+" "+word) <= width {
			out[last] += " " + word
			continue
		}
		if len(out) == lines {
			out[last] += " " + word
			break
		}
		out = append(out, word)
	}
	for i, line := range out {
		out[i] = shorten(line, t, width)
	}
	return out
}

// shorten cuts a line that is too wide, and marks the cut.
func shorten(line string, t *typeface, width int) string {
	if t.width(line) <= width {
		return line
	}
	runes := []rune(line)
	for len(runes) > 0 && t.width(string(runes)+"…") > width {
		runes = runes[:len(runes)-1]
	}
	return strings.TrimRight(string(runes), " ,.;:") + "…"
}
