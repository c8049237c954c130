package state

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// printer writes JSON indented by two spaces, a value at a time. It is what scanner is for reading.
// The first error ends the writing.
type printer struct {
	w io.Writer
	b []byte
	// depth is how many objects and lists are open; empty says that nothing stands in the innermost
	// yet.
	depth int
	empty bool
	err   error
}

// flush writes what was gathered if it is more than limit bytes.
func (p *printer) flush(limit int) {
	if len(p.b) > limit && p.err == nil {
		_, p.err = p.w.Write(p.b)
		p.b = p.b[:0]
	}
}

// open begins an object or a list, close ends it.
func (p *printer) open(c byte) {
	p.b = append(p.b, c)
	p.depth++
	p.empty = true
}

func (p *printer) close(c byte) {
	p.depth--
	if !p.empty {
		p.line()
	}
	p.b = append(p.b, c)
	p.empty = false
}

// item begins an element of a list.
func (p *printer) item() {
	if !p.empty {
		p.b = append(p.b, ',')
	}
	p.empty = false
	p.line()
}

// key begins a member of an object.
func (p *printer) key(name string) {
	p.item()
	p.string(name)
	p.b = append(p.b, ": "...)
}

func (p *printer) line() {
	p.b = append(p.b, '\n')
	for range p.depth {
		p.b = append(p.b, "  "...)
	}
}

func (p *printer) int(n int64) { p.b = strconv.AppendInt(p.b, n, 10) }

func (p *printer) bool(v bool) { p.b = strconv.AppendBool(p.b, v) }

// json writes a value that is JSON already, laid out anew.
func (p *printer) json(data json.RawMessage) {
	if !json.Valid(data) {
		// Better no state file than one that cannot be read.
		if p.err == nil {
			p.err = fmt.Errorf("a value is not JSON: %.80q", data)
		}
		return
	}
	for i := 0; i < len(data); {
		switch c := data[i]; c {
		case ' ', '\t', '\n', '\r':
			i++
		case '{', '[':
			i = skipSpace(data, i+1)
			p.open(c)
			if data[i] != c+2 { // '}' and ']' come two after '{' and '['
				p.empty = false
				p.line()
			}
		case '}', ']':
			p.close(c)
			i++
		case ',':
			p.b = append(p.b, ',')
			p.line()
			i++
		case ':':
			p.b = append(p.b, ": "...)
			i++
		default:
			end := literalEnd(data, i)
			p.b = append(p.b, data[i:end]...)
			i = end
		}
	}
}

func skipSpace(data []byte, i int) int {
	for data[i] == ' ' || data[i] == '\t' || data[i] == '\n' || data[i] == '\r' {
		i++
	}
	return i
}

// literalEnd returns where the string, number or word ends that begins at start of valid JSON.
func literalEnd(data []byte, start int) int {
	i := start + 1
	if data[start] != '"' {
		for i < len(data) && !strings.ContainsRune(" \t\n\r,:]}", rune(data[i])) {
			i++
		}
		return i
	}
	for data[i] != '"' {
		if data[i] == '\\' {
			i++
		}
		i++
	}
	return i + 1
}

const hexDigits = "0123456789abcdef"

// string writes a string, escaping what encoding/json escapes without its regard for HTML: people
// read prompts in this file, so <, > and & stay what they are.
func (p *printer) string(s string) {
	p.b = append(p.b, '"')
	run := 0
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if plain[c] {
				i++
				continue
			}
			p.b = appendEscaped(append(p.b, s[run:i]...), c)
			i++
			run = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			p.b = append(append(p.b, s[run:i]...), `\ufffd`...)
			run = i + size
		case r == '\u2028' || r == '\u2029':
			// Line separators to JavaScript, which would break a script that the file is pasted
			// into.
			p.b = append(append(p.b, s[run:i]...), `\u202`...)
			p.b = append(p.b, hexDigits[r&0xf])
			run = i + size
		}
		i += size
	}
	p.b = append(append(p.b, s[run:]...), '"')
}

// appendEscaped appends the escape sequence of an ASCII character.
func appendEscaped(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\b':
		return append(b, `\b`...)
	case '\f':
		return append(b, `\f`...)
	case '\n':
		return append(b, `\n`...)
	case '\r':
		return append(b, `\r`...)
	case '\t':
		return append(b, `\t`...)
	default:
		return append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
	}
}
