package view

import (
	"io"
	"strings"
	"unicode"

	"github.com/rivo/uniseg"
)

// hardSpace stands for a space at which text is not broken. It is a noncharacter of Unicode, which text from elsewhere has no
// use for (harmless takes it out); a no-break space, by contrast, may well be part of a path or a prompt, and stays what it is.
const hardSpace = "\ufdd0"

// ownSpaces are what visible leaves in text that is still to be wrapped.
var ownSpaces = []string{hardSpace}

// unbroken returns an address or a path for use within text that is wrapped.
func unbroken(name string) string { return strings.ReplaceAll(name, " ", hardSpace) }

// span is a piece of text in one style.
type span struct {
	text  string
	style *style
	// solid text is not broken at its spaces.
	solid bool
}

// textWriter is a strings.Builder, or a buffer before a stream.
type textWriter interface {
	io.Writer
	io.StringWriter
	io.ByteWriter
}

// flow lays text out in lines of at most width columns. Lines after the first begin at column indent. Text is broken at spaces,
// which then disappear; a word that is longer than a line sticks out rather than being cut, so that addresses and URLs can be copied.
type flow struct {
	out           textWriter
	width, indent int
	// lead begins the lines after the first instead of indent spaces, where it is set. It is indent columns wide.
	lead string

	column int
	// own is the indent of the current line in the text itself, which adds to that of the flow.
	own int
	// breaks is how many lines have ended since the last word.
	breaks int
	// line is the current line as far as it is settled; styles are painted when it ends, so that neighbours share them.
	line []span
	// gap is the space after line, word the unfinished word after that.
	gap, word []span
	wordWidth int
}

// newFlow returns a flow whose first line already has column columns.
func newFlow(out textWriter, width, column, indent int) *flow {
	return &flow{out: out, width: width, indent: indent, column: column}
}

// restart returns the flow as newFlow does, with the memory that it has.
func (f *flow) restart(out textWriter, width, column, indent int) *flow {
	*f = flow{out: out, width: width, indent: indent, column: column, line: f.line[:0], gap: f.gap[:0], word: f.word[:0]}
	return f
}

// text and byte write. What cannot be written to a reader that went away is not missed; see View.stdout.
func (f *flow) text(s string) { _, _ = f.out.WriteString(s) }
func (f *flow) byte(c byte)   { _ = f.out.WriteByte(c) }

// add appends text. Newlines in it end the line.
func (f *flow) add(spans ...span) {
	for _, s := range spans {
		s.text = visibleBut(s.text, ownSpaces)
		if s.solid {
			f.addWord(s)
			continue
		}
		for rest := s.text; rest != ""; {
			var piece string
			piece, rest = cutPiece(rest)
			part := span{text: piece, style: s.style}
			switch {
			case piece == "\n":
				f.newline()
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

// end settles what is left and ends the last line.
func (f *flow) end() {
	f.settle()
	f.paint()
	f.byte('\n')
	f.gap, f.breaks = f.gap[:0], 0
}

// newline ends the line; what follows starts at the indent. Nothing is written before something follows.
func (f *flow) newline() {
	f.settle()
	f.paint()
	f.gap = f.gap[:0]
	f.breaks++
}

// begin ends the line and begins another one with lead, which may be painted and takes the columns up to column. Where that line is broken, it
// goes on at column indent.
func (f *flow) begin(lead string, column, indent int) {
	f.settle()
	f.paint()
	f.gap = f.gap[:0]
	f.text("\n" + lead)
	f.column, f.indent, f.own = column, indent, 0
}

func (f *flow) addWord(s span) {
	f.word = append(f.word, s)
	f.wordWidth += width(s.text)
}

// settle puts the word that was gathered on this line or the next.
func (f *flow) settle() {
	if len(f.word) == 0 {
		return
	}
	gapWidth := 0
	for _, s := range f.gap {
		gapWidth += width(s.text)
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

func (f *flow) breakLine() {
	f.byte('\n')
	if f.lead != "" {
		f.text(f.lead)
	} else {
		f.text(strings.Repeat(" ", f.indent+f.own))
	}
	f.column = f.indent + f.own
}

// paint writes the settled line, neighbours of one style together.
func (f *flow) paint() {
	var open *style
	for _, s := range f.line {
		if s.style != open {
			f.change(open, s.style)
			open = s.style
		}
		f.text(strings.ReplaceAll(s.text, hardSpace, " "))
	}
	f.change(open, nil)
	f.line = f.line[:0]
}

// change ends one style and begins another.
func (f *flow) change(from, to *style) {
	if from != nil {
		f.text(from.close)
	}
	if to != nil {
		f.text(to.open)
	}
}

// cutPiece cuts a newline, a run of spaces, a character of a script that is written without spaces, or a word from the start of s.
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

// width returns the number of columns that s takes in a terminal.
func width(s string) int {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return uniseg.StringWidth(s)
		}
	}
	return len(s)
}

// wrap breaks text at spaces into lines of at most columns columns.
func wrap(text string, columns int) string {
	var b strings.Builder
	f := newFlow(&b, columns, 0, 0)
	// Text that is laid out already, such as a command or a list, keeps its own indent.
	for line := range strings.Lines(text) {
		own := len(line) - len(strings.TrimLeft(line, " "))
		f.indent = min(own, columns/2)
		if f.breaks > 0 {
			line = line[own:]
		}
		f.add(span{text: line})
	}
	f.settle()
	f.paint()
	return b.String()
}

// wrapSpans is like wrap, for text of which parts are not to be broken.
func wrapSpans(columns int, spans ...span) string {
	var b strings.Builder
	f := newFlow(&b, columns, 0, 0)
	f.add(spans...)
	f.settle()
	f.paint()
	return b.String()
}
