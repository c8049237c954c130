package state

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"

	"github.com/fluxbatch/fluxbatch/internal/hugepage"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
)

// place is where a state is: the directory, and the names of its files there.
type place struct {
	// path is the state file as the user named it, for messages.
	path string
	// dir and base are where it really is, symbolic links resolved. Two names of one state thus
	// share journal and lock.
	dir, base string
	// returns is Options.Returns.
	returns string
}

func locate(path string) (place, error) {
	real, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, lstatErr := os.Lstat(path); lstatErr == nil {
			// Taking the missing target for a new, empty state would make every image again.
			return place{}, fmt.Errorf("the state %s is a symbolic link to a file that is not there: %w", path, err)
		}
		real, err = path, nil
	}
	if err != nil {
		return place{}, fmt.Errorf("finding the state %s: %w", path, err)
	}
	return place{path: path, dir: filepath.Dir(real), base: filepath.Base(real)}, nil
}

func (p place) journal() string     { return p.base + ".journal" }
func (p place) journalPath() string { return p.path + ".journal" }
func (p place) lockPath() string    { return filepath.Join(p.dir, p.base+".lock") }

// loaded is a state as it is on the disk.
type loaded struct {
	state *State
	// sum is the hash of the state file, "" where there is none; info describes that file.
	sum  string
	info fs.FileInfo
	// returned says that the file is a mark that is taken for a state; see Options.Returns.
	returned bool
	// journal is what was read of the journal; nil where there is none.
	journal *journalContent
	// remember is what the file of records should say of the state file, nil where it says so.
	remember *remembered
}

// Read returns the state at path without locking it: the snapshot with the journal replayed. A
// missing file is an empty state with a fresh lineage. It may run beside a Session of another
// process and then sees the state of some instant. Moderations are those of the journal only. It
// returns a VersionError, DamagedError or StaleJournalError where the files cannot be read.
func Read(path string) (*State, error) {
	p, err := locate(path)
	if err != nil {
		return nil, err
	}
	dir, err := safefile.Open(p.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return newState(freshID()), nil
	}
	if err != nil {
		return nil, fmt.Errorf("opening the directory of the state %s: %w", path, err)
	}
	// The directory was only read through.
	defer func() { _ = dir.Close() }()
	l, err := load(dir, p, nil, map[string]Moderation{})
	if err != nil {
		return nil, err
	}
	return l.state, nil
}

// maxLoads bounds how often load starts again because another process commits.
const maxLoads = 100

// load reads the two files as they are at one instant.
func load(dir *safefile.Dir, p place, records *recordsCache, moderated map[string]Moderation) (*loaded, error) {
	for range maxLoads {
		l, steady, err := loadOnce(dir, p, records, maps.Clone(moderated))
		if steady || err != nil {
			return l, err
		}
	}
	return nil, fmt.Errorf("the state %s cannot be read, since another program keeps writing it", p.path)
}

// loadOnce reads both files and reports whether they still had their names afterwards. A commit
// renames the snapshot and then replaces the journal, so when both names are steady the pair
// belongs together: at worst the journal's content is in the snapshot already.
func loadOnce(dir *safefile.Dir, p place, records *recordsCache, moderated map[string]Moderation) (l *loaded, steady bool, err error) {
	snapshot, err := openIfThere(dir, p.base)
	if err != nil {
		return nil, false, err
	}
	defer closeRead(snapshot)
	journal, err := openIfThere(dir, p.journal())
	if err != nil {
		return nil, false, err
	}
	defer closeRead(journal)

	l = &loaded{state: newState(freshID())}
	if snapshot != nil {
		if err := l.readSnapshot(snapshot, p, records); err != nil {
			return nil, false, err
		}
	}
	l.state.Moderated = moderated
	if journal != nil {
		if l.journal, err = readJournal(journal, p.journalPath(), moderated); err != nil {
			return nil, false, err
		}
	}
	if steady, err = stillNamed(dir, p.base, snapshot); err == nil && steady {
		steady, err = stillNamed(dir, p.journal(), journal)
	}
	if err != nil || !steady {
		return nil, false, err
	}
	if l.journal != nil {
		err = l.journal.mergeInto(l.state, l.sum, p.path, p.journalPath())
	}
	return l, true, err
}

// growth is how much memory a plan needs for each byte of its state file.
const growth = 2

func (l *loaded) readSnapshot(f *os.File, p place, records *recordsCache) (err error) {
	if l.info, err = f.Stat(); err != nil {
		return fmt.Errorf("reading the state: %w", err)
	}
	hugepage.Expect(l.info.Size() * growth)
	if st, sum := records.read(f, l.info.Size()); st != nil {
		l.state, l.sum = st, sum
		return nil
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("reading the state: %w", err)
	}
	st, sum, err := readSnapshot(f, p.path)
	if moved, isMoved := errors.AsType[*MovedError](err); isMoved && moved.isTo(p.returns) {
		return l.takeMark(f)
	}
	l.state, l.sum = st, sum
	if err == nil && records.isFor(l.info.Size()) {
		l.remember = remember(l.state, l.sum)
	}
	return err
}

// takeMark takes the mark of a state that was moved for one without images, which nobody else may change
// meanwhile.
func (l *loaded) takeMark(f *os.File) error {
	sum := newHashingWriter(io.Discard)
	_, err := f.Seek(0, io.SeekStart)
	if err == nil {
		_, err = io.Copy(sum, f)
	}
	if err != nil {
		return fmt.Errorf("reading the state: %w", err)
	}
	l.sum, l.returned = sum.hex(), true
	return nil
}

// openIfThere returns nil for a missing file.
func openIfThere(dir *safefile.Dir, name string) (*os.File, error) {
	f, err := dir.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return f, err
}

func closeRead(f *os.File) {
	if f != nil {
		// The file was only read, so closing it cannot lose anything.
		_ = f.Close()
	}
}

// stillNamed reports whether name is f, or missing where f is nil.
func stillNamed(dir *safefile.Dir, name string, f *os.File) (bool, error) {
	now, err := dir.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return f == nil, nil
	}
	if err != nil || f == nil {
		return false, err
	}
	then, err := f.Stat()
	return err == nil && os.SameFile(now, then), err
}

// freshID returns a random name, in the form of a UUID.
func freshID() string {
	var b [16]byte
	// crypto/rand.Read never returns an error; it ends the program where there is no randomness.
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	s := hex.EncodeToString(b[:])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}
