package state

import (
	"iter"
	"slices"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
)

// Refs is a set of images of one state as it was read, which takes a bit for each image that the
// state has there. The zero value has none. A copy shares what it has, so that no more may be added
// to either.
type Refs struct {
	// segments are those with images in the set, in the order of their addresses, and bits say which
	// images these are, by their places.
	segments []*segment
	bits     map[*segment][]uint64
	count    int
	// last is the segment of the image that was added last, where the next one mostly is too.
	last     *segment
	lastBits []uint64
}

// Add adds an image.
func (s *Refs) Add(r Ref) {
	if r.segment != s.last {
		s.last, s.lastBits = r.segment, s.bitsOf(r.segment)
	}
	if !isSet(s.lastBits, r.at) {
		s.lastBits[r.at/64] |= 1 << (r.at % 64)
		s.count++
	}
}

func (s *Refs) bitsOf(of *segment) []uint64 {
	bits, ok := s.bits[of]
	if !ok {
		at, _ := slices.BinarySearchFunc(s.segments, of.first, func(s *segment, a addrs.Image) int { return s.first.Compare(a) })
		s.segments = slices.Insert(s.segments, at, of)
		if s.bits == nil {
			s.bits = map[*segment][]uint64{}
		}
		bits = make([]uint64, (len(of.starts)+63)/64)
		s.bits[of] = bits
	}
	return bits
}

func isSet(bits []uint64, at int) bool { return bits[at/64]&(1<<(at%64)) != 0 }

// Len returns how many images there are.
func (s *Refs) Len() int { return s.count }

// All goes through the images in the order of their addresses.
func (s *Refs) All() iter.Seq[Ref] {
	return func(yield func(Ref) bool) {
		for _, of := range s.segments {
			bits := s.bits[of]
			for at := range of.starts {
				if isSet(bits, at) && !yield(Ref{of, at}) {
					return
				}
			}
		}
	}
}

// Find returns the image with an address, and whether it is in the set.
func (s *Refs) Find(a addrs.Image) (Ref, bool) {
	t := table{segments: s.segments}
	r, ok := t.find(a)
	return r, ok && isSet(s.bits[r.segment], r.at)
}
