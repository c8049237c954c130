package state

import "unsafe"

// arenaPiece is how many bytes an arena takes at once.
const arenaPiece = 32 << 10

// arena keeps texts, many in one allocation. The zero value is ready. It belongs to one goroutine;
// what it has handed out belongs to whoever has it, and is not written again unless it is released.
type arena struct {
	texts []byte
	// pieces counts the allocations, of which texts is the last.
	pieces int
}

// arenaMark is what an arena has kept.
type arenaMark struct {
	pieces, used int
}

// keep keeps a copy of b as a string.
func (a *arena) keep(b []byte) string {
	b = a.clone(b)
	return unsafe.String(unsafe.SliceData(b), len(b)) //nolint:gosec // It is not written again before it is released.
}

// clone keeps a copy of b. Appending to it does not reach what lies behind it.
func (a *arena) clone(b []byte) []byte {
	if cap(a.texts)-len(a.texts) < len(b) {
		a.texts = make([]byte, 0, max(arenaPiece, len(b)))
		a.pieces++
	}
	start := len(a.texts)
	a.texts = append(a.texts, b...)
	return a.texts[start:len(a.texts):len(a.texts)]
}

// mark returns a mark to which release goes back.
func (a *arena) mark() arenaMark { return arenaMark{a.pieces, len(a.texts)} }

// release lets the memory of all be used again that was kept since the mark. Nobody may have any of
// it.
func (a *arena) release(m arenaMark) {
	if a.pieces != m.pieces {
		m.used = 0 // All of this piece is newer.
	}
	a.texts = a.texts[:m.used]
}
