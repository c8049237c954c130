package state

import "github.com/fluxbatch/fluxbatch/internal/addrs"

// Finder finds images of a state by their addresses, and is quick where they are asked for in the
// order of the addresses, as those of a configuration mostly are. It finds those that there were
// when it was made. A Finder is not safe for concurrent use.
type Finder struct {
	table table
	// piece and at are the place after the image that was found last.
	piece, at int
}

// Finder returns a Finder for the images as they are now.
func (m *Images) Finder() *Finder { return &Finder{table: m.compact()} }

// Find returns the place of an image, and whether there is one.
func (f *Finder) Find(addr addrs.Image) (Ref, bool) {
	if f.piece < len(f.table.segments) {
		s := f.table.segments[f.piece]
		if next := (Ref{s, f.at}); next.Address() == addr {
			f.skip()
			return next, true
		}
	}
	i := f.table.segmentOf(addr)
	if i < 0 {
		return Ref{}, false
	}
	found, ok := f.table.segments[i].find(addr)
	if ok {
		f.piece, f.at = i, found.at
		f.skip()
	}
	return found, ok
}

// skip goes to the next place.
func (f *Finder) skip() {
	if f.at++; f.at == len(f.table.segments[f.piece].starts) {
		f.piece, f.at = f.piece+1, 0
	}
}
