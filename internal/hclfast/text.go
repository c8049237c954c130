package hclfast

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// How a plainParser goes through its text, and tells where it is.

// isPlainText reports whether a text has no other characters than ASCII's printable ones, tabs and
// line feeds.
func isPlainText(text string) bool {
	for i := range len(text) {
		if c := text[i]; c >= 0x7f || c < ' ' && c != '\n' && c != '\t' {
			return false
		}
	}
	return true
}

// pos returns the position of a place in the current line.
func (p *plainParser) pos(at int) hcl.Pos {
	return hcl.Pos{Line: p.line, Column: at - p.lineStart + 1, Byte: p.base.Byte + at}
}

// from returns the range from a place in the current line to where the parser is.
func (p *plainParser) from(start int) hcl.Range {
	return hcl.Range{Filename: p.filename, Start: p.pos(start), End: p.pos(p.at)}
}

// peek returns the next character, 0 at the end.
func (p *plainParser) peek() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

func (p *plainParser) accept(c byte) bool {
	if p.peek() != c {
		return false
	}
	p.at++
	return true
}

func (p *plainParser) spaces() {
	for p.at < len(p.text) && (p.text[p.at] == ' ' || p.text[p.at] == '\t') {
		p.at++
	}
}

// maxKept bounds how many words and numbers are kept, and maxWord how long words are.
const (
	maxKept = 1024
	maxWord = 32
)

// str returns a part of the text as a string.
func (p *plainParser) str(text string) cty.Value {
	if len(text) > maxWord {
		return cty.StringVal(strings.Clone(text))
	}
	v, ok := p.words[text]
	if !ok {
		text = strings.Clone(text)
		if v = cty.StringVal(text); len(p.words) < maxKept {
			p.words[text] = v
		}
	}
	return v
}

// endLine passes over spaces, a comment and the line feed. It reports false where there is anything
// else. The end of the text ends a line as well.
func (p *plainParser) endLine() bool {
	p.spaces()
	if p.peek() == '#' || strings.HasPrefix(p.text[p.at:], "//") {
		if i := strings.IndexByte(p.text[p.at:], '\n'); i >= 0 {
			p.at += i
		} else {
			return false // A comment that is not ended is no end of a line to HCL.
		}
	}
	if p.at == len(p.text) {
		return true
	}
	return p.newline()
}

func (p *plainParser) newline() bool {
	if !p.accept('\n') {
		return false
	}
	p.line++
	p.lineStart = p.at
	return true
}

// blank passes over lines without content, and over the spaces of the next one.
func (p *plainParser) blank() {
	for p.spaces(); p.at < len(p.text); p.spaces() {
		at, line, lineStart := p.at, p.line, p.lineStart
		if !p.endLine() {
			p.at, p.line, p.lineStart = at, line, lineStart
			return
		}
	}
}

// word reads an identifier, "" where there is none.
func (p *plainParser) word() string {
	start := p.at
	for p.at < len(p.text) && isWord(p.text[p.at], p.at == start) {
		p.at++
	}
	if start == p.at {
		return ""
	}
	return p.str(p.text[start:p.at]).AsString()
}

func isWord(c byte, first bool) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_':
		return true
	default:
		return !first && (c >= '0' && c <= '9' || c == '-')
	}
}
