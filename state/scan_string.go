package state

import (
	"encoding/binary"
	"math/bits"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// string reads a string. The result is good until the next string or number is read.
func (s *scanner) string() []byte {
	s.text = s.appendString(s.text[:0], true)
	return s.text
}

// appendString appends the next string: its characters, or, unless resolve is set, the literal as
// it stands there.
func (s *scanner) appendString(dst []byte, resolve bool) []byte {
	if !s.take('"', "a string") {
		return dst
	}
	if !resolve {
		dst = append(dst, '"')
	}
	start := len(dst)
	for s.err == nil {
		run := plainRun(s.buf[s.pos:s.end])
		dst = append(dst, run...)
		s.pos += len(run)
		switch c := s.peek(); {
		case s.pos == s.end:
			s.missing("the end of a string")
		case plain[c]: // the buffer was used up in the middle of the string
		case c == '"':
			s.pos++
			if !utf8.Valid(dst[start:]) {
				s.fail("a string is not valid UTF-8")
			}
			if !resolve {
				dst = append(dst, '"')
			}
			return dst
		case c == '\\':
			s.pos++
			dst = s.appendEscape(dst, resolve)
		default:
			s.fail("a control character stands in a string")
		}
	}
	return dst
}

// plainRun returns the bytes at the start of b that stand for themselves.
func plainRun(b []byte) []byte {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		if special := specials(binary.LittleEndian.Uint64(b[i:])); special != 0 {
			return b[:i+bits.TrailingZeros64(special)/8]
		}
	}
	for ; i < len(b); i++ {
		if !plain[b[i]] {
			return b[:i]
		}
	}
	return b
}

// specials finds the bytes among eight that do not stand for themselves: it sets the highest bit of
// the first of them, and perhaps of others behind it.
func specials(eight uint64) uint64 {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	quote, backslash := eight^ones*'"', eight^ones*'\\'
	// A byte is lower than another where a borrow reaches its highest bit, and that was not set.
	return ((eight-ones*' ')&^eight | (quote-ones)&^quote | (backslash-ones)&^backslash) & tops
}

// plain are the bytes that stand for themselves in a string.
var plain = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= ' ' && c != '"' && c != '\\'
	}
	return t
}()

// appendEscape appends the character of the escape sequence whose backslash was taken, or, unless
// resolve is set, the sequence.
func (s *scanner) appendEscape(dst []byte, resolve bool) []byte {
	c := s.peek()
	if c == 'u' {
		return s.appendUnicode(dst, resolve)
	}
	const names, values = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	for i := range len(names) {
		if names[i] != c || s.pos == s.end {
			continue
		}
		s.pos++
		if resolve {
			return append(dst, values[i])
		}
		return append(dst, '\\', c)
	}
	s.missing("an escaped character")
	return dst
}

// appendUnicode does so for a \u sequence, or for the two of a surrogate pair. Half a pair becomes
// U+FFFD, as in encoding/json.
func (s *scanner) appendUnicode(dst []byte, resolve bool) []byte {
	literal := append(make([]byte, 0, 6), '\\')
	r := s.hex(&literal)
	if !resolve {
		return append(dst, literal...)
	}
	for utf16.IsSurrogate(r) && s.peek() == '\\' && s.err == nil {
		s.pos++
		if s.peek() != 'u' {
			return s.appendEscape(utf8.AppendRune(dst, utf8.RuneError), resolve)
		}
		second := s.hex(&literal)
		if pair := utf16.DecodeRune(r, second); pair != utf8.RuneError {
			return utf8.AppendRune(dst, pair)
		}
		dst = utf8.AppendRune(dst, utf8.RuneError)
		r = second
	}
	return utf8.AppendRune(dst, r)
}

// hex reads a u and four hexadecimal digits, and appends them to literal.
func (s *scanner) hex(literal *[]byte) rune {
	var r rune
	for i := range 5 {
		c := s.peek()
		digit, err := strconv.ParseUint(string(rune(c)), 16, 8)
		switch {
		case i == 0:
		case err != nil || s.pos == s.end:
			s.missing("a hexadecimal digit")
			return utf8.RuneError
		default:
			r = r<<4 | rune(digit)
		}
		*literal = append(*literal, c)
		s.pos++
	}
	return r
}
