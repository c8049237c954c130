package state

import (
	"slices"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
)

// Finder finds images of a state by their addresses, and is quick where they are asked for in the
// order of the addresses, as those of a configuration mostly are. The state must not change
// meanwhile. A Finder is not safe for concurrent use.
type Finder struct {
	st *State
	// rest are the images of the file after the one that was found last, and pieces those after
	// them.
	rest   []Recorded
	pieces [][]Recorded
}

// Finder returns a Finder for the images as they are now.
func (s *State) Finder() *Finder { return &Finder{st: s} }

// Find returns the image at an address, nil where there is none.
func (f *Finder) Find(addr addrs.Image) *Recorded {
	if len(f.rest) == 0 && len(f.pieces) > 0 {
		f.rest, f.pieces = f.pieces[0], f.pieces[1:]
	}
	if len(f.rest) > 0 && f.rest[0].Address == addr {
		found := &f.rest[0]
		f.rest = f.rest[1:]
		return found
	}
	img := f.st.Images[addr]
	if img == nil {
		return nil
	}
	if found := f.goTo(addr); found != nil {
		return found
	}
	return &Recorded{addr, img}
}

// goTo goes on after an image, as far as the file is sorted, and returns where it is.
func (f *Finder) goTo(addr addrs.Image) *Recorded {
	all := f.st.listed
	after, found := slices.BinarySearchFunc(all, addr, func(piece []Recorded, addr addrs.Image) int { return piece[0].Address.Compare(addr) })
	if !found {
		after--
	}
	if after < 0 || after >= len(all) {
		return nil
	}
	at, found := slices.BinarySearchFunc(all[after], addr, func(l Recorded, addr addrs.Image) int { return l.Address.Compare(addr) })
	if !found {
		return nil
	}
	f.rest, f.pieces = all[after][at+1:], all[after+1:]
	return &all[after][at]
}
