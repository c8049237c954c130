package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// scanner reads JSON from a stream, value by value, as its caller knows what has to come. It is
// here because of a file that people merge and edit: it refuses a key that is there twice, of which
// encoding/json keeps the last without a word, so that a state that was merged wrongly would lose
// an image that was paid for; and it can say in which line what is wrong. It keeps nothing of the
// file but a buffer. That it is quick is not the reason: with Go 1.26, a state of 10,000 images is
// read and put into its table about twice as fast as encoding/json makes a map of it
// (BenchmarkSnapshotRead, in pieces on two processors), and with a quarter of the memory, 1.3 kB
// instead of 5 kB an image. The decoder of encoding/json/jsontext knows keys that are there twice
// and streams too, and can take its place when it is no experiment any more.
//
// Its first error ends a scanner: every method returns a zero value from then on. It belongs to one
// goroutine.
type scanner struct {
	in  io.Reader
	buf []byte
	// pos is the next byte in buf, end the end of what was read.
	pos, end int
	// line counts from 1. Line breaks can stand between values only.
	line int
	// offset is how many bytes came before buf.
	offset int64
	// text holds the last string or number.
	text []byte
	err  error
	// ended says that in has no more.
	ended bool
}

// scanError is what is wrong with the text that a scanner reads.
type scanError struct {
	line   int
	offset int64
	reason string
}

func (e *scanError) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.reason) }

// maxDepth bounds how deep values may be nested in each other, as encoding/json does.
const maxDepth = 10_000

func newScanner(in io.Reader) *scanner {
	return &scanner{in: in, buf: make([]byte, 64<<10), line: 1}
}

// scannerOf returns a scanner of a text that is there as a whole. The text must not be written to
// while it is used.
func scannerOf(text []byte) *scanner {
	return &scanner{buf: text, end: len(text), line: 1, ended: true}
}

// fail ends the scanner.
func (s *scanner) fail(format string, args ...any) { s.failAt(s.line, format, args...) }

func (s *scanner) failAt(line int, format string, args ...any) {
	if s.err == nil {
		s.err = &scanError{line: line, offset: s.offset + int64(s.pos), reason: fmt.Sprintf(format, args...)}
	}
}

// more replaces buf, which has to be used up, and reports whether there was more to read.
func (s *scanner) more() bool {
	if s.err != nil || s.ended {
		return false
	}
	s.offset += int64(s.end)
	s.pos, s.end = 0, 0
	n, err := io.ReadAtLeast(s.in, s.buf, 1)
	s.end = n
	switch {
	case errors.Is(err, io.EOF):
		s.ended = true
	case err != nil:
		s.err = err
	}
	return n > 0
}

// peek returns the next byte without taking it, 0 at the end.
func (s *scanner) peek() byte {
	if s.pos == s.end && !s.more() {
		return 0
	}
	return s.buf[s.pos]
}

// next returns the next byte that is no white space without taking it, 0 at the end.
func (s *scanner) next() byte {
	for {
		for i := s.pos; i < s.end; i++ {
			switch c := s.buf[i]; c {
			case '\n':
				s.line++
				// Lines are indented.
				for i+8 < s.end && binary.LittleEndian.Uint64(s.buf[i+1:]) == eightSpaces {
					i += 8
				}
			case ' ', '\t', '\r':
			default:
				s.pos = i
				return c
			}
		}
		s.pos = s.end
		if !s.more() {
			return 0
		}
	}
}

const eightSpaces = 0x2020202020202020

// take takes the byte c, or fails saying that wanted is missing.
func (s *scanner) take(c byte, wanted string) bool {
	if s.next() != c || s.err != nil {
		s.missing(wanted)
		return false
	}
	s.pos++
	return true
}

// missing fails because something else stands at pos, or nothing.
func (s *scanner) missing(wanted string) {
	if s.pos == s.end {
		s.fail("it ends here, in the middle, where %s is expected", wanted)
		return
	}
	// Of a character that is cut off by the end of buf the first byte is shown.
	r, _ := utf8.DecodeRune(s.buf[s.pos:s.end])
	s.fail("%s is expected here, not %q", wanted, r)
}

// object reads an object. For each of its keys it calls member, which reads the value; key is good
// until then.
func (s *scanner) object(member func(key []byte)) {
	if !s.take('{', "an object") {
		return
	}
	if s.next() == '}' {
		s.pos++
		return
	}
	for more := s.err == nil; more; more = s.another('}', "a comma or the end of the object") {
		if key := s.string(); s.take(':', "a colon") {
			member(key)
		}
	}
}

// array reads an array. For each of its elements it calls element, which reads it.
func (s *scanner) array(element func()) {
	if !s.take('[', "a list") {
		return
	}
	if s.next() == ']' {
		s.pos++
		return
	}
	for more := s.err == nil; more; more = s.another(']', "a comma or the end of the list") {
		element()
	}
}

// another takes what follows a member or an element, and reports whether a further one has to come.
func (s *scanner) another(end byte, wanted string) bool {
	if s.next() == ',' && s.err == nil {
		s.pos++
		return true
	}
	s.take(end, wanted)
	return false
}

// finish makes sure that nothing but white space follows.
func (s *scanner) finish() {
	if s.next(); s.pos < s.end {
		s.fail("something follows the end of the file's contents: %q", rune(s.buf[s.pos]))
	}
}
