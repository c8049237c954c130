package state

import "strings"

// arenaPiece is how many bytes an arena takes at once.
const arenaPiece = 32 << 10

// arena keeps texts that live as long as each other, as those of a state do, many in one
// allocation. The zero value is ready. It belongs to one goroutine; what it has handed out belongs
// to whoever has it, and is never written again.
type arena struct {
	texts strings.Builder
	bytes []byte
}

// keep keeps a copy of b as a string.
func (a *arena) keep(b []byte) string {
	if a.texts.Cap()-a.texts.Len() < len(b) {
		a.texts = strings.Builder{}
		a.texts.Grow(max(arenaPiece, len(b)))
	}
	start := a.texts.Len()
	a.texts.Write(b)
	return a.texts.String()[start:]
}

// clone keeps a copy of b. Appending to it does not reach what lies behind it.
func (a *arena) clone(b []byte) []byte {
	if cap(a.bytes)-len(a.bytes) < len(b) {
		a.bytes = make([]byte, 0, max(arenaPiece, len(b)))
	}
	start := len(a.bytes)
	a.bytes = append(a.bytes, b...)
	return a.bytes[start:len(a.bytes):len(a.bytes)]
}
