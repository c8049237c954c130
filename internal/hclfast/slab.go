package hclfast

// slab hands out values from larger allocations.
type slab[T any] struct {
	free []T
	// since is what was free at the last mark, or a later allocation.
	since []T
}

func (s *slab[T]) mark() { s.since = s.free }

// reset takes back all that was handed out since the mark, but for full allocations.
func (s *slab[T]) reset() { s.free = s.since }

func (s *slab[T]) put(v T) *T { return &s.list(v)[0] }

// list returns a slice of one element.
func (s *slab[T]) list(v T) []T {
	if len(s.free) == 0 {
		s.free = make([]T, 32)
		s.since = s.free
	}
	one := s.free[:1:1]
	one[0] = v
	s.free = s.free[1:]
	return one
}
