package state

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
)

// journalFile is what a session knows of the journal on the disk. Its zero value is that there is
// none.
type journalFile struct {
	// valid is the length of its whole lines, the last of which lacks its line break where open is
	// set; torn says that something follows them.
	valid int64
	open  bool
	torn  bool
	// foreign is set when it extends another state file than the one that is there; changes are
	// then what it does to images.
	foreign bool
	changes map[addrs.Image]change
	// dirty is set when it has more than what has to outlive a commit.
	dirty bool
}

func newJournalFile(l *loaded) journalFile {
	j := journalFile{valid: l.journal.valid, open: l.journal.open, torn: l.journal.torn}
	if h := l.journal.header; h != nil {
		j.foreign = h.Snapshot != l.sum
	}
	if j.foreign {
		j.changes = l.journal.changes
	}
	j.dirty = j.foreign || j.torn || j.open || l.journal.header == nil || l.journal.records != len(l.state.Tasks)
	return j
}

// openJournal readies the journal for its first line of this session; see groupLog.
func (s *Session) openJournal() (logFile, int64, []byte, error) {
	if s.remote != nil {
		return s.remote, 0, nil, nil
	}
	if err := s.openDir(true); err != nil {
		return nil, 0, nil, err
	}
	if s.journal.foreign {
		// New entries build on the state file that is there now, the old ones on another. One
		// header cannot speak for both, so the old ones are written again. A crash before this is
		// done leaves the old journal as it was.
		if err := s.rewriteJournal(s.journal.changes, s.state.Moderated); err != nil {
			return nil, 0, nil, err
		}
	}
	f, err := s.dir.Append(s.place.journal(), 0o600)
	if err != nil {
		return nil, 0, nil, err
	}
	size, err := s.checkJournal(f)
	if err != nil {
		// Nothing was written; the reason is in err.
		_ = f.Close()
		return nil, 0, nil, err
	}
	if s.journal.open {
		s.journal.open = false
		return f, size, []byte("\n"), nil
	}
	if size > 0 {
		return f, size, nil, nil
	}
	head, err := s.header()
	return f, 0, head, err
}

// checkJournal makes the journal end in a whole line, and returns its size then.
func (s *Session) checkJournal(f *safefile.File) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	if !s.journal.torn {
		if info.Size() != s.journal.valid {
			return 0, fmt.Errorf("%w: another run without a lock wrote into the journal", ErrChanged)
		}
		return s.journal.valid, nil
	}
	// The torn end is what an append left that was never reported to have happened. A crash right
	// after the cut, durable or not, changes nothing: reading drops that end anyhow.
	if err := f.Truncate(s.journal.valid); err != nil {
		return 0, err
	}
	s.journal.torn = false
	return s.journal.valid, nil
}

// header returns the first line of a journal that extends the current state file.
func (s *Session) header() ([]byte, error) {
	var head []byte
	header := journalHeader{Version: journalVersion, Lineage: s.state.Lineage, Snapshot: s.sum}
	err := withLine(header, func(line []byte) error {
		head = bytes.Clone(line)
		return nil
	})
	return head, err
}

// rewriteJournal replaces the journal with one that extends the current state file, and holds the
// given changes and moderations and the open tasks.
func (s *Session) rewriteJournal(changes map[addrs.Image]change, moderated map[string]Moderation) error {
	var size int64
	err := s.dir.WriteFile(s.place.journal(), 0o600, func(w io.Writer) error {
		head, err := s.header()
		if err != nil {
			return err
		}
		counted := &countingWriter{w: w}
		defer func() { size = counted.n }()
		if _, err := counted.Write(head); err != nil {
			return err
		}
		return writeEntries(counted, changes, moderated, s.state.Tasks)
	})
	if err != nil {
		return err
	}
	s.journal = journalFile{valid: size, dirty: len(changes) > 0 || len(moderated) > 0}
	return nil
}

func writeEntries(
	w io.Writer, changes map[addrs.Image]change, moderated map[string]Moderation, tasks map[string]*Task,
) error {
	write := func(e *entry) error {
		return withLine(e, func(line []byte) error {
			_, err := w.Write(line)
			return err
		})
	}
	for _, a := range slices.SortedFunc(maps.Keys(changes), addrs.Image.Compare) {
		c := changes[a]
		e := &entry{Type: entryStored, Address: a, Image: c.now, Was: c.was}
		if c.now == nil {
			e.Type = entryRemoved
		}
		if err := write(e); err != nil {
			return err
		}
	}
	for _, fingerprint := range slices.Sorted(maps.Keys(moderated)) {
		e := &entry{Type: entryModerated, Fingerprint: fingerprint, Reasons: moderated[fingerprint].Reasons, Simulated: moderated[fingerprint].Simulated}
		if err := write(e); err != nil {
			return err
		}
	}
	for _, t := range slices.SortedFunc(maps.Values(tasks), CompareTasks) {
		if err := write(&entry{Type: entryIntent, Task: t}); err != nil {
			return err
		}
	}
	return nil
}

// countingWriter counts the bytes that pass through it.
type countingWriter struct {
	w io.Writer
	n int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
