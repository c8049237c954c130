package state

import (
	"strconv"
)

// number reads a number and returns its literal, which is good until the next string or number is
// read.
func (s *scanner) number() []byte {
	s.next()
	s.text = s.text[:0]
	s.accept("-")
	if s.peek() == '0' {
		s.accept("0")
	} else if !s.digits() {
		return s.text
	}
	if s.accept(".") && !s.digits() {
		return s.text
	}
	if s.accept("eE") {
		s.accept("+-")
		s.digits()
	}
	return s.text
}

// accept takes one of some bytes into text, if one of them stands here.
func (s *scanner) accept(bytes string) bool {
	c := s.peek()
	for i := range len(bytes) {
		if bytes[i] == c && s.pos < s.end {
			s.text = append(s.text, c)
			s.pos++
			return true
		}
	}
	return false
}

// digits takes digits into text, at least one.
func (s *scanner) digits() bool {
	found := false
	for c := s.peek(); c >= '0' && c <= '9'; c = s.peek() {
		s.text = append(s.text, c)
		s.pos++
		found = true
	}
	if !found {
		s.missing("a digit")
	}
	return found
}

// int reads a whole number.
func (s *scanner) int() int64 {
	literal := s.number()
	if s.err != nil {
		return 0
	}
	n, err := strconv.ParseInt(string(literal), 10, 64)
	if err != nil {
		s.fail("%s is not a whole number in range", literal)
	}
	return n
}

// bool reads true or false.
func (s *scanner) bool() bool {
	if s.next() == 't' {
		return s.word("true")
	}
	s.word("false")
	return false
}

// word takes a word, and reports whether it was there.
func (s *scanner) word(w string) bool {
	for i := range len(w) {
		if s.peek() != w[i] || s.pos == s.end {
			s.missing(w)
			return false
		}
		s.pos++
	}
	return true
}

// appendValue appends the next value whatever it is, without white space, otherwise as it stands
// there.
func (s *scanner) appendValue(dst []byte, depth int) []byte {
	if depth > maxDepth {
		s.fail("values are nested too deep")
		return dst
	}
	switch c := s.next(); c {
	case '{':
		return s.appendObject(dst, depth)
	case '[':
		sep := byte('[')
		s.array(func() {
			dst = s.appendValue(append(dst, sep), depth+1)
			sep = ','
		})
		if sep == '[' {
			dst = append(dst, '[')
		}
		return append(dst, ']')
	case '"':
		return s.appendString(dst, false)
	case 't', 'f', 'n':
		w := map[byte]string{'t': "true", 'f': "false", 'n': "null"}[c]
		s.word(w)
		return append(dst, w...)
	default:
		if c != '-' && (c < '0' || c > '9') {
			s.missing("a value")
			return dst
		}
		return append(dst, s.number()...)
	}
}

func (s *scanner) appendObject(dst []byte, depth int) []byte {
	s.pos++
	dst = append(dst, '{')
	if s.next() == '}' {
		s.pos++
		return append(dst, '}')
	}
	for more := s.err == nil; more; {
		dst = s.appendString(dst, false)
		s.take(':', "a colon")
		dst = s.appendValue(append(dst, ':'), depth+1)
		if more = s.another('}', "a comma or the end of the object"); more {
			dst = append(dst, ',')
		}
	}
	return append(dst, '}')
}
