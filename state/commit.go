package state

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
)

// Commit writes the state into its file and empties the journal, except for open tasks. outputs
// replaces the output values; nil leaves them. Nothing is written where nothing changed. On a
// CommitError the state file is what it was, and the journal keeps what this run did.
func (s *Session) Commit(outputs map[string]OutputValue) error {
	return s.log.exclusive(func() error {
		if s.closed {
			return os.ErrClosed
		}
		if s.remote != nil {
			return s.remote.commit(s, outputs)
		}
		written, err := s.commit(outputs)
		if err == nil || written && len(s.state.Tasks) == 0 {
			s.unsaved = nil
		}
		if err != nil {
			return &CommitError{
				Path: s.place.path, Journal: s.place.journalPath(), Written: written, Unsaved: s.unsaved, Err: err,
			}
		}
		return nil
	})
}

// commit does the durable steps, in this order:
//
//  1. The state file is replaced. A crash before its rename leaves the old one, and the journal that extends it. A crash
//     after it leaves the new one, and a journal that says what is in it already; replaying that changes nothing.
//  2. The moderations are written into the local directory. A crash before leaves them in the journal.
//  3. The journal is replaced by one that has the open tasks only, or removed. A crash before is the one of step 1.
//
// It reports whether steps 1 and 2 are done.
func (s *Session) commit(outputs map[string]OutputValue) (written bool, err error) {
	if err := s.stillMine(); err != nil {
		return false, err
	}
	outputsChanged := outputs != nil && !maps.EqualFunc(outputs, s.state.Outputs, sameOutput)
	if s.changed || outputsChanged {
		next := *s.state
		if outputsChanged {
			next.Outputs = outputs
		}
		if err := s.writeSnapshot(&next); err != nil {
			return false, err
		}
		s.mu.Lock()
		s.state.Outputs = next.Outputs
		s.mu.Unlock()
		s.changed = false
	}
	if s.options.Local != nil {
		if err := s.options.Local.saveModerated(s.state.Moderated); err != nil {
			return false, err
		}
	}
	return true, s.resetJournal()
}

// stillMine refuses to go on when another run may have the state by now.
func (s *Session) stillMine() error {
	if s.lock == nil {
		return nil
	}
	named, err := s.lock.named()
	if err == nil && !named {
		err = ErrLockLost
	}
	return err
}

func sameOutput(a, b OutputValue) bool {
	return a.Sensitive == b.Sensitive &&
		bytes.Equal(compact(a.Value), compact(b.Value)) && bytes.Equal(compact(a.Type), compact(b.Type))
}

// writeSnapshot replaces the state file with the snapshot of st, unless it has these very bytes.
func (s *Session) writeSnapshot(st *State) error {
	if err := s.openDir(true); err != nil {
		return err
	}
	if err := s.unchanged(); err != nil {
		return err
	}
	perm := fs.FileMode(0o644)
	if s.info != nil {
		perm = s.info.Mode().Perm()
	}
	p, err := s.dir.Create(s.place.base, perm)
	if err != nil {
		return err
	}
	sum := newHashingWriter(p)
	if err := st.Write(sum); err != nil {
		return errors.Join(err, p.Abort())
	}
	if sum.hex() == s.sum {
		return p.Abort()
	}
	if err := p.Commit(); err != nil {
		return err
	}
	s.sum = sum.hex()
	s.info, err = s.dir.Stat(s.place.base)
	if s.remember = nil; err == nil && s.records().isFor(s.info.Size()) {
		s.remember = remember(st, s.sum)
	}
	// From here on the journal extends a state file that is no more; it is about to be replaced.
	s.journal.dirty = true
	return err
}

// unchanged returns ErrChanged unless the state file is the one that this session read or wrote.
// Version control may have brought another one meanwhile, whose images would be lost under this
// session's.
func (s *Session) unchanged() error {
	info, err := s.dir.Stat(s.place.base)
	if errors.Is(err, fs.ErrNotExist) {
		if s.sum == "" {
			return nil
		}
		return fmt.Errorf("%w: it was removed", ErrChanged)
	}
	if err != nil {
		return err
	}
	if s.info != nil && os.SameFile(info, s.info) &&
		info.Size() == s.info.Size() && info.ModTime().Equal(s.info.ModTime()) {
		return nil
	}
	f, err := s.dir.Open(s.place.base)
	if err != nil {
		return err
	}
	defer closeRead(f)
	sum := newHashingWriter(io.Discard)
	if _, err := io.Copy(sum, f); err != nil {
		return err
	}
	if sum.hex() != s.sum {
		return ErrChanged
	}
	return nil
}

// resetJournal leaves the open tasks in the journal, and no journal where there are none.
func (s *Session) resetJournal() error {
	if !s.journal.dirty {
		return nil
	}
	err := s.log.close()
	if err == nil && len(s.state.Tasks) > 0 {
		err = s.rewriteJournal(nil, nil)
	} else if err == nil {
		err = s.dir.Remove(s.place.journal())
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		s.journal = journalFile{}
	}
	// A journal that could not be replaced still builds on the state file before: what came next
	// would contradict it.
	s.log.broken = err
	return err
}
