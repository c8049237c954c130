package state

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
)

// Options say how a state is opened.
type Options struct {
	// Operation is the command that runs, such as "apply", and Version the program's; the lock
	// names both to others.
	Operation, Version string
	// LockTimeout is how long to wait for another run's lock; 0 fails at once.
	LockTimeout time.Duration
	// NoLock opens without a lock. Two runs at once may then pay for the same images.
	NoLock bool
	// Local, where not nil, keeps the moderations. Without it they are forgotten at Commit.
	Local *Local
	// Backend, where not nil, keeps the state; the path is not looked at then.
	Backend Backend
	// ReadOnly opens a state that a Backend keeps for reading, which takes neither the lock nor
	// anything else that writes. Append and Commit must not be called.
	ReadOnly bool
	// Returns is where a state comes from that may have been moved away from here, "" for nowhere. The
	// mark that it is there is then taken for a state without images.
	Returns string
	// Secret, where not nil, returns 32 bytes that this machine alone knows, or fewer where it has
	// none, which makes what Local remembers of long state files believable. Without it nothing is
	// remembered, and they are parsed each time.
	Secret func() []byte
	// Faults, where not nil, sees every file operation on the state and its journal, see
	// safefile.Dir.WithFaults. It is for tests.
	Faults func(op safefile.Op, name string) error

	// remembered is the length of state files from which on they are remembered, 0 for
	// recordsLeast.
	remembered int64
}

// Session is one run's hold on a state. Append and Commit are safe for concurrent use.
type Session struct {
	place   place
	options Options
	// remote is nil for a state in files.
	remote *remote
	lock   *fileLock
	log    *groupLog

	// dir is nil while the state's directory does not exist; only without a lock.
	dir *safefile.Dir

	// mu guards the maps of state, and unsaved. Records are applied while they are written, one
	// batch after the other.
	mu    sync.RWMutex
	state *State
	// unsaved are the addresses of facts that the journal could not take.
	unsaved []addrs.Image

	// The rest is owned by the holder of the log's token.

	// sum and info are those of the state file that state is based on.
	sum  string
	info fs.FileInfo
	// returned says that there is only the mark that the state was moved to where it comes back from.
	returned bool
	// changed says that images, or what was made of them, differ from the state file.
	changed bool
	// recovered is what tasks of an interrupted run made, as its journal has it.
	recovered []Stored
	// ended are the ids of the tasks that such a run saw end without an image.
	ended   []string
	journal journalFile
	// remember is what the file of records is to say, nil where it says so.
	remember *remembered
	closed   bool
}

// Open takes the lock, reads the state at path and replays the journal. A missing file is a new,
// empty state with a fresh lineage. The lock stands beside the state file, so Open makes the
// directory unless o.NoLock; files are written by Append and Commit only.
//
// Besides file errors it returns a LockedError, VersionError, DamagedError or StaleJournalError.
func Open(ctx context.Context, path string, o Options) (_ *Session, err error) {
	s := &Session{options: o}
	s.log = newGroupLog(s.openJournal)
	defer func() {
		if err != nil {
			// The error that ended Open is the one to report; nothing was written that could be
			// lost.
			_ = s.Close()
		}
	}()
	if o.Backend != nil {
		s.place = place{path: o.Backend.String()}
		return s, openRemote(ctx, s, o)
	}
	p, err := locate(path)
	if err != nil {
		return nil, err
	}
	s.place, s.place.returns = p, o.Returns
	if err := s.openDir(!o.NoLock); err != nil {
		return nil, err
	}
	if !o.NoLock {
		if s.lock, err = acquireLock(ctx, p.lockPath(), path, o); err != nil {
			return nil, err
		}
		if err := s.sweep(); err != nil {
			return nil, err
		}
	}
	if err := s.load(); err != nil {
		return nil, err
	}
	return s, nil
}

// openDir opens the state's directory, making it if create says so.
func (s *Session) openDir(create bool) error {
	if s.dir != nil {
		return nil
	}
	dir, err := safefile.Open(s.place.dir)
	if errors.Is(err, fs.ErrNotExist) {
		if !create {
			return nil
		}
		dir, err = safefile.OpenAll(s.place.dir, 0o777)
	}
	if err != nil {
		return fmt.Errorf("opening the directory of the state %s: %w", s.place.path, err)
	}
	if s.options.Faults != nil {
		dir = dir.WithFaults(s.options.Faults)
	}
	s.dir = dir
	return nil
}

// sweep removes what crashed writers of these two files left. Under the lock there are no others.
func (s *Session) sweep() error {
	if err := s.dir.SweepFor(".", s.place.base, s.place.journal()); err != nil {
		return fmt.Errorf("removing leftovers of an interrupted run: %w", err)
	}
	return nil
}

func (s *Session) load() error {
	moderated := map[string]Moderation{}
	if s.options.Local != nil {
		moderated = maps.Clone(s.options.Local.moderated)
	}
	if s.dir == nil {
		s.state = newState(freshID())
		s.state.Moderated = moderated
		return nil
	}
	l, err := load(s.dir, s.place, s.records(), moderated)
	if err != nil {
		return err
	}
	s.state, s.sum, s.info, s.remember, s.returned = l.state, l.sum, l.info, l.remember, l.returned
	if l.journal != nil {
		s.changed = len(l.journal.changes)+len(l.journal.renditions) > 0
		s.recovered, s.ended = l.journal.made, l.journal.ended
		s.journal = newJournalFile(l)
	}
	return nil
}

// records returns the file of records, nil where there is none.
func (s *Session) records() *recordsCache {
	o := &s.options
	if o.Local == nil || o.Secret == nil {
		return nil
	}
	return &recordsCache{o.Local.root, o.Secret, cmp.Or(o.remembered, recordsLeast)}
}

// State returns the live state. It may be read while no Append runs, and is changed by the session
// only. The images and tasks in it are never changed, so a pointer to one stays good.
func (s *Session) State() *State { return s.state }

// IsDistant reports whether the state is kept away from this machine.
func (s *Session) IsDistant() bool { return s.remote != nil }

// Recovered returns what tasks made in a run that was interrupted before it could write the state,
// as it was recorded.
func (s *Session) Recovered() []Stored { return s.recovered }

// HasEnded reports whether it is on record that the API is no more at work on a task, since it failed
// or was moderated: a task that was paid for in vain, or one of a run that was interrupted before it
// could write the state. Of others that ended it is not known any more.
func (s *Session) HasEnded(task string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if slices.Contains(s.ended, task) {
		return true
	}
	for _, t := range s.state.Tasks {
		if t.ID == task && t.Lost != "" {
			return true
		}
	}
	return false
}

// Append records what happened. When it returns without an error, the record is durable and applied
// to the state. Many callers share one fsync, so call it from as many goroutines as have something
// to record; records of one address are the caller's to order.
//
// After an error the record is not known to be durable, and the journal takes no more. Anything but
// an Intent is applied to the state even so: it has happened, and Commit may still be able to save
// it. Stop submitting, then Commit.
func (s *Session) Append(rec Record) error {
	e, about, err := s.entryOf(rec)
	if err != nil {
		return err
	}
	err = withLine(e, func(line []byte) error {
		err := s.log.append(line, func(_ int64, err error) { s.applied(e, err) })
		if err != nil && s.remote != nil {
			err = errors.Join(err, s.remote.late(line))
		}
		return err
	})
	return s.recordError(about, err)
}

// appendedAtOnce bounds how many records wait for one fsync, and how much memory they take meanwhile.
const appendedAtOnce = 1000

// AppendAll does what Append does with many records, which share few fsyncs. None of them may build
// on another one: no two are of the same address, and none is of a task. After an error some of them
// may be on record.
func (s *Session) AppendAll(records []Record) error {
	for some := range slices.Chunk(records, appendedAtOnce) {
		if err := s.appendTogether(some); err != nil {
			return err
		}
	}
	return nil
}

func (s *Session) appendTogether(records []Record) (err error) {
	var batches []*batch // More than one where others append meanwhile.
	var first string
	for _, rec := range records {
		e, about, entryErr := s.entryOf(rec)
		if entryErr == nil {
			entryErr = withLine(e, func(line []byte) error {
				b := s.log.add(line, func(_ int64, err error) { s.applied(e, err) })
				if len(batches) == 0 || batches[len(batches)-1] != b {
					batches = append(batches, b)
				}
				return nil
			})
		}
		if entryErr != nil {
			err = entryErr
			break
		}
		first = cmp.Or(first, about)
	}
	for _, b := range batches {
		err = errors.Join(err, s.recordError(first, s.log.wait(b)))
	}
	return err
}

// entryOf returns the entry for a record, and what it is about, for messages.
func (s *Session) entryOf(rec Record) (e *entry, about string, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if e, err = entryOf(s.state, rec); err != nil {
		return nil, "", err
	}
	if e.Made != nil {
		return e, e.Made.String(), nil
	}
	return e, e.about(s.state).String(), nil
}

func (s *Session) recordError(about string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("recording in %s what happened to %s: %w", s.journalName(), about, err)
}

// journalName is where records go, for messages.
func (s *Session) journalName() string {
	if s.remote != nil {
		return "the state " + s.place.path
	}
	return "the journal " + s.place.journalPath()
}

// applied brings the state up to date with an entry that the journal has, or could not take.
func (s *Session) applied(e *entry, err error) {
	s.journal.dirty = true
	if err != nil && !e.fact() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil && e.Made == nil { // What was made here is made again for nothing.
		s.unsaved = append(s.unsaved, e.about(s.state))
	}
	if s.remote != nil {
		s.remote.noteChanges(s.remote.run.Run, s.remote.at, s.state, e.changes())
	}
	for _, c := range e.changes() {
		s.state.set(c.address, c.now)
		s.changed = true
	}
	s.changed = s.changed || e.Made != nil
	// entryOf made sure that it makes sense.
	_ = e.apply(s.state)
}

// Close frees the lock. What was appended and not committed stays in the journal for the next run.
// Closing twice does nothing.
func (s *Session) Close() error {
	return s.log.exclusive(func() error {
		if s.closed {
			return nil
		}
		s.closed = true
		err := s.log.close()
		s.log.broken = os.ErrClosed
		s.records().write(s.remember)
		if s.dir != nil {
			err = errors.Join(err, s.dir.Close())
		}
		if s.lock != nil {
			err = errors.Join(err, s.lock.release())
		}
		if s.remote != nil {
			err = errors.Join(err, s.remote.end())
		}
		return err
	})
}
