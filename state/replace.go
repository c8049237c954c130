package state

import (
	"bytes"
	"errors"
	"fmt"
	"os"
)

// ErrLineage is wrapped when a state is to take the place of one that it does not descend from.
var ErrLineage = errors.New("the two states have different lineages, so they are of different projects")

// Parse reads a snapshot that came from elsewhere; name is for errors. It returns a VersionError or
// a DamagedError where it is none.
func Parse(data []byte, name string) (*State, error) {
	st, _, err := readSnapshot(bytes.NewReader(data), name)
	return st, err
}

// Replace puts the images and outputs of another state in the place of this session's. Open tasks
// stay. It changes memory only: Commit writes it. Nothing may be appended at the same time.
//
// A state of another lineage is refused unless force is set, and then still while tasks are open:
// they belong to the old one.
func (s *Session) Replace(next *State, force bool) error {
	return s.log.exclusive(func() error {
		if s.closed {
			return os.ErrClosed
		}
		fresh := s.isFresh()
		if next.Lineage != s.state.Lineage && !fresh {
			if !force {
				return fmt.Errorf("replacing the state %s: %w", s.place.path, ErrLineage)
			}
			if len(s.state.Tasks) > 0 {
				return fmt.Errorf("replacing the state %s while %d of its tasks are open: %w",
					s.place.path, len(s.state.Tasks), ErrLineage)
			}
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.remote != nil {
			s.remote.noteAll(s.state, next)
			s.remote.replacing = true
		}
		s.state.Lineage, s.state.Images, s.state.Outputs = next.Lineage, next.Images, next.Outputs
		s.state.Renditions = next.Renditions
		s.changed = true
		return nil
	})
}

// isFresh reports whether nothing was ever kept here.
func (s *Session) isFresh() bool {
	if s.remote != nil {
		return s.remote.snapshot == 0 && !s.changed
	}
	return (s.sum == "" || s.returned) && s.journal.valid == 0
}
