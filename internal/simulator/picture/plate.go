package picture

import (
	"image"
	"image/color"
	"strconv"
	"strings"
	"unicode"
)

// plate is the strip with the prompt's first words, and a line about the picture.
type plate struct {
	title   []string
	caption string
	big     *typeface
	small   *typeface
	height  int
}

// maxWords bounds the prompt's words that are looked at.
const maxWords = 40

// newPlate sets the words for a width. The size of the type goes by the picture's shorter side.
func newPlate(s Spec, width int, side float32) plate {
	p := plate{
		big:   face(bold700, max(int(side*0.05), 13)),
		small: face(regular400, max(int(side*0.024), 9)),
	}
	lines := 2
	if side < 160 {
		lines = 1
	}
	p.title = wrap(title(s.Prompt), p.big, width, lines)
	p.height = len(p.title) * p.big.line
	if caption := caption(s); side >= 128 && p.small.width(caption) <= width {
		p.caption = caption
		p.height += p.small.line + p.gap()
	}
	return p
}

// draw puts the words below and right of a point.
func (p *plate) draw(img *image.RGBA, at image.Point, ink, soft color.RGBA) {
	for _, line := range p.title {
		p.big.draw(img, at, line, ink)
		at.Y += p.big.line
	}
	if p.caption != "" {
		at.Y += p.gap()
		p.small.draw(img, at, p.caption, soft)
	}
}

// gap is the space between the words and the caption.
func (p *plate) gap() int { return p.small.line / 4 }

func caption(s Spec) string {
	return s.Model + "  ·  " + strconv.Itoa(s.Size.X) + " × " + strconv.Itoa(s.Size.Y) + "  ·  seed " + s.Seed
}

// title returns the words of a prompt that can be set, or "" if there are none.
func title(prompt string) []string {
	prompt = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), strings.ContainsRune("{}[]\"\\", r):
			return ' '
		case !bold700.has(r):
			return -1
		}
		return r
	}, firstRunes(prompt, 400))
	words := strings.Fields(prompt)
	return words[:min(len(words), maxWords)]
}

func firstRunes(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// wrap breaks words into lines; what does not fit ends in an ellipsis.
func wrap(words []string, t *typeface, width, lines int) []string {
	var out []string
	line := ""
	for i, word := range words {
		longer := strings.TrimLeft(line+" "+word, " ")
		if t.width(longer) <= width {
			line = longer
			continue
		}
		if len(out) == lines-1 || line == "" {
			return append(out, shorten(strings.TrimLeft(line+" "+word, " "), t, width))
		}
		out = append(out, line)
		line = word
		if i == len(words)-1 && t.width(line) > width {
			line = shorten(line, t, width)
		}
	}
	if line != "" {
		out = append(out, shorten(line, t, width))
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
