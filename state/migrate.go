package state

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
)

// MovedError says that a state is kept elsewhere by now.
type MovedError struct {
	// Path is where it was, To where it is.
	Path, To string
}

func (e *MovedError) Error() string {
	return fmt.Sprintf("the state %s was moved to %s. Have the configuration say so, as it does where it was moved", e.Path, e.To)
}

// isTo reports whether a state was moved to a place, as people write it.
func (e *MovedError) isTo(place string) bool {
	return place != "" && filepath.Clean(e.To) == filepath.Clean(place)
}

// moved is what takes the place of a state file that was moved.
type moved struct {
	To string `json:"fluxbatch_state_moved_to"`
}

// Adopt puts all of another state in the place of this session's, with its open tasks: the two are
// one state, which moves. It changes memory only: Commit writes it. A state of another lineage is
// refused, unless nothing was ever kept here.
func (s *Session) Adopt(next *State) error {
	if err := s.Replace(next, false); err != nil {
		return err
	}
	return s.log.exclusive(func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.state.setTasks(maps.Clone(next.Tasks))
		s.state.Moderated = maps.Clone(next.Moderated)
		s.journal.dirty = true
		return nil
	})
}

// Leave marks the state as one that is kept elsewhere by now, so that nobody goes on with it. All
// of it must be there.
func (s *Session) Leave(to string) error {
	return s.log.exclusive(func() error {
		if s.closed {
			return os.ErrClosed
		}
		if s.remote != nil {
			return s.remote.leave(to)
		}
		if err := s.openDir(true); err != nil {
			return err
		}
		err := s.dir.WriteFile(s.place.base, 0o644, func(w io.Writer) error {
			line, err := encode(moved{to})
			if err == nil {
				_, err = w.Write(append(line, '\n'))
			}
			return err
		})
		if err != nil {
			return err
		}
		// The tasks in it are where the state is.
		s.state.setTasks(nil)
		s.journal.dirty = true
		return s.resetJournal()
	})
}

// leave writes a last batch and a snapshot that says where the state is.
func (r *remote) leave(to string) error {
	if err := r.Sync(); err != nil {
		return err
	}
	head := snapshotHead{Version: remoteVersion, Lineage: r.run.Lineage, Number: r.at, Sum: r.sum, MovedTo: to}
	var snapshot []byte
	err := withLine(head, func(line []byte) error {
		snapshot = bytes.Clone(line)
		return nil
	})
	number, disposable := r.at, r.disposable
	if err == nil {
		err = r.backend.PutSnapshot(r.ctx, number, snapshot)
	}
	if err == nil {
		// Whoever began before it was there would go on here; see commit.
		err = r.Sync()
	}
	if err == nil {
		err = r.backend.Trim(r.ctx, disposable, number)
	}
	return err
}
