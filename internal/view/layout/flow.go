package layout

import (
	"io"
	"strings"
	"unicode"

	"github.com/rivo/uniseg"
)

// HardSpace stands for a space at which text is not broken. It is a noncharacter of Unicode, which
// text from elsewhere has no use for (Harmless takes it out); a no-break space, by contrast, may
// well be part of a path or a prompt, and stays what it is.
const HardSpace = "\ufdd0"

// ownSpaces are what Add leaves in text that is still to be wrapped.
var ownSpaces = []string{HardSpace}

// Unbroken returns an address or a path for use within text that is wrapped.
func Unbroken(name string) string { return strings.ReplaceAll(name, " ", HardSpace) }

// Span is a piece of text in one style.
type Span struct {
	Text  string
	Style *Style
	// Solid text is not broken at its spaces.
	Solid bool
}

// Writer is what a Flow writes to: a strings.Builder, or a buffer before a stream.
type Writer interface {
	io.Writer
	io.StringWriter
	io.ByteWriter
}

// Flow lays text out in lines of at most width columns. Lines after the first begin at column
// indent. Text is broken at spaces, which then disappear; a word that is longer than a line sticks
// out rather than being cut, so that addresses and URLs can be copied. A Flow belongs to one
// goroutine.
type Flow struct {
	out           Writer
	width, indent int
	// Lead begins the lines after the first instead of indent spaces, where it is set. It is indent
	// columns wide.
	Lead string

	column int
	// own is the indent of the current line in the text itself, which adds to that of the flow.
	own int
	// breaks is how many lines have ended since the last word.
	breaks int
	// line is the current line as far as it is settled; styles are painted when it ends, so that
	// neighbours share them.
	line []Span
	// gap is the space after line, word the unfinished word after that.
	gap, word []Span
	wordWidth int
}

// NewFlow returns a flow whose first line already has column columns.
func NewFlow(out Writer, width, column, indent int) *Flow {
	return &Flow{out: out, width: width, indent: indent, column: column}
}

// Room is how many columns are left on the line.
func (f *Flow) Room() int { return f.width - f.column }

// Restart returns the flow as NewFlow does, with the memory that it has.
func (f *Flow) Restart(out Writer, width, column, indent int) *Flow {
	*f = Flow{out: out, width: width, indent: indent, column: column, line: f.line[:0], gap: f.gap[:0], word: f.word[:0]}
	return f
}

// text and byte write. What cannot be written to a reader that went away is not missed: whoever
// gave the writer knows of it.
func (f *Flow) text(s string) { _, _ = f.out.WriteString(s) }
func (f *Flow) byte(c byte)   { _ = f.out.WriteByte(c) }

// Add appends text. Newlines in it end the line.
func (f *Flow) Add(spans ...Span) {
	for _, s := range spans {
		s.Text = VisibleBut(s.Text, ownSpaces)
		if s.Solid {
			f.addWord(s)
			continue
		}
		for rest := s.Text; rest != ""; {
			var piece string
			piece, rest = cutPiece(rest)
			part := Span{Text: piece, Style: s.Style}
			switch {
			case piece == "\n":
				f.Newline()
			case piece[0] == ' ' || piece[0] == '\t':
				f.settle()
				f.gap = append(f.gap, part)
			case isWide(piece):
				f.settle()
				f.addWord(part)
				f.settle()
			default:
				f.addWord(part)
			}
		}
	}
}

// End settles what is left and ends the last line.
func (f *Flow) End() {
	f.settle()
	f.paint()
	f.byte('\n')
	f.gap, f.breaks = f.gap[:0], 0
}

// NewlineAt is Newline, with another indent for this line and those after it.
func (f *Flow) NewlineAt(indent int) {
	f.settle()
	f.indent = indent
	f.Newline()
}

// Newline ends the line; what follows starts at the indent. Nothing is written before something
// follows.
func (f *Flow) Newline() {
	f.settle()
	f.paint()
	f.gap = f.gap[:0]
	f.breaks++
}

// Begin ends the line and begins another one with lead, which may be painted and takes the columns
// up to column. Where that line is broken, it goes on at column indent.
func (f *Flow) Begin(lead string, column, indent int) {
	f.settle()
	f.paint()
	f.gap = f.gap[:0]
	f.text("\n" + lead)
	f.column, f.indent, f.own = column, indent, 0
}

func (f *Flow) addWord(s Span) {
	f.word = append(f.word, s)
	f.wordWidth += Width(s.Text)
}

// settle puts the word that was gathered on this line or the next.
func (f *Flow) settle() {
	if len(f.word) == 0 {
		return
	}
	gapWidth := 0
	for _, s := range f.gap {
		gapWidth += Width(s.Text)
	}
	switch {
	case f.breaks > 0:
		f.text(strings.Repeat("\n", f.breaks-1))
		f.breaks, f.own = 0, 0
		f.breakLine()
		// A line keeps its own indent, also where it is broken.
		f.line = append(f.line, f.gap...)
		f.column += gapWidth
		f.own = min(gapWidth, f.width/2)
	case f.column > f.indent+f.own && f.column+gapWidth+f.wordWidth > f.width:
		f.paint()
		f.breakLine()
	default:
		f.line = append(f.line, f.gap...)
		f.column += gapWidth
	}
	f.line = append(f.line, f.word...)
	f.column += f.wordWidth
	f.gap, f.word, f.wordWidth = f.gap[:0], f.word[:0], 0
}

func (f *Flow) breakLine() {
	f.byte('\n')
	if f.Lead != "" {
		f.text(f.Lead)
	} else {
		f.text(strings.Repeat(" ", f.indent+f.own))
	}
	f.column = f.indent + f.own
}

// paint writes the settled line, neighbours of one style together.
func (f *Flow) paint() {
	var open *Style
	for _, s := range f.line {
		if s.Style != open {
			f.change(open, s.Style)
			open = s.Style
		}
		f.text(strings.ReplaceAll(s.Text, HardSpace, " "))
	}
	f.change(open, nil)
	f.line = f.line[:0]
}

// change ends one style and begins another.
func (f *Flow) change(from, to *Style) {
	if from != nil {
		f.text(from.Close)
	}
	if to != nil {
		f.text(to.Open)
	}
}

// cutPiece cuts a newline, a run of spaces, a character of a script that is written without spaces,
// or a word from the start of s.
func cutPiece(s string) (piece, rest string) {
	for i, r := range s {
		switch {
		case r == '\n':
			return cutAt(s, max(i, 1))
		case r == ' ' || r == '\t':
			if i > 0 {
				return cutAt(s, i)
			}
			return cutAt(s, len(s)-len(strings.TrimLeft(s, " \t")))
		case isSpaceless(r):
			if i > 0 {
				return cutAt(s, i)
			}
			first, _, _, _ := uniseg.FirstGraphemeClusterInString(s, -1)
			return cutAt(s, len(first))
		}
	}
	return s, ""
}

func cutAt(s string, i int) (before, after string) { return s[:i], s[i:] }

func isWide(piece string) bool {
	for _, r := range piece {
		return isSpaceless(r)
	}
	return false
}

// isSpaceless reports whether a character is of a script that is written without spaces.
func isSpaceless(r rune) bool {
	const first = 0x1100 // of Hangul; the others are above
	return r >= first && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul)
}

// Width returns the number of columns that s takes in a terminal.
func Width(s string) int {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return uniseg.StringWidth(s)
		}
	}
	return len(s)
}

// Wrap breaks text at spaces into lines of at most columns columns.
func Wrap(text string, columns int) string {
	var b strings.Builder
	f := NewFlow(&b, columns, 0, 0)
	// Text that is laid out already, such as a command or a list, keeps its own indent.
	for line := range strings.Lines(text) {
		own := len(line) - len(strings.TrimLeft(line, " "))
		f.indent = min(own, columns/2)
		if f.breaks > 0 {
			line = line[own:]
		}
		f.Add(Span{Text: line})
	}
	f.settle()
	f.paint()
	return b.String()
}

// WrapSpans is like wrap, for text of which parts are not to be broken.
func WrapSpans(columns int, spans ...Span) string {
	var b strings.Builder
	f := NewFlow(&b, columns, 0, 0)
	f.Add(spans...)
	f.settle()
	f.paint()
	return b.String()
}
