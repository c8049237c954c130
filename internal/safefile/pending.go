package safefile

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	// tempPrefix begins the name of every temporary file. The leading dot hides it from listings
	// and globs.
	tempPrefix = ".fluxbatch-tmp-"
	// tempRandom is how many hexadecimal digits end the name: 64 bits, so that two processes do not
	// meet.
	tempRandom = 16
	// maxBase bounds how much of the final name is part of the temporary one: file systems allow
	// 255 bytes.
	maxBase = 255 - len(tempPrefix) - 1 - tempRandom
	// settled is how far in the past Settle puts a file's modification time. The coarsest clock of
	// a file system still in use, FAT's, has steps of two seconds.
	settled = 4 * time.Second
)

// Pending is a file that has its content but not its name yet. It is owned by one goroutine. End it
// with Commit, Abort or Leave.
type Pending struct {
	file *File
	// dir is what made this, parent the directory of the file.
	dir    *Dir
	parent *parent
	// name is the final name relative to dir, base and temp are the names relative to parent.
	name, base, temp string
	unsynced         bool
	done             bool
}

// Create starts a file that is to have a name, making the missing directories above it (0777 before
// umask). Nothing is seen under that name before Commit. An existing file of that name stays until
// then.
func (d *Dir) Create(name string, perm fs.FileMode) (*Pending, error) {
	if err := d.check(name); err != nil {
		return nil, err
	}
	dir := path.Dir(name)
	parent, err := d.enter(dir)
	if errors.Is(err, fs.ErrNotExist) {
		if err = d.MkdirAll(dir, 0o777); err == nil {
			parent, err = d.enter(dir)
		}
	}
	if err != nil {
		return nil, err
	}
	p := &Pending{dir: d, parent: parent, name: name, base: path.Base(name), unsynced: true}
	p.temp = tempName(p.base)
	if p.file, err = parent.openFile(OpCreate, p.temp, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm); err != nil {
		// The handle was only read through; the error to report is that of the file.
		_ = d.leave(parent)
		return nil, err
	}
	return p, nil
}

// Write implements io.Writer.
func (p *Pending) Write(b []byte) (int, error) {
	p.unsynced = true
	return p.file.Write(b)
}

// ReadAt implements io.ReaderAt, so that what was written can be checked before it gets its name.
func (p *Pending) ReadAt(b []byte, off int64) (int, error) { return p.file.ReadAt(b, off) }

// Temporary returns the name that the bytes have until Commit, relative to the Dir that made the
// file. A run that follows a crash finds them there.
func (p *Pending) Temporary() string { return path.Join(path.Dir(p.name), p.temp) }

// Settle dates the file a few seconds back. Otherwise a change within the same tick of the file
// system's clock, made as soon as the file has its name, would not show in its modification time,
// and an index that trusts this time would have to read the file again. Call it after the last
// Write.
func (p *Pending) Settle() error {
	t := time.Now().Add(-settled)
	return p.parent.do(OpTouch, p.temp, func() error { return p.parent.root.Chtimes(p.temp, t, t) })
}

// Sync returns when all that was written is on the disk, still under the temporary name. Commit
// does it too where it was not done.
func (p *Pending) Sync() error {
	if err := p.file.Sync(); err != nil {
		return err
	}
	p.unsynced = false
	return nil
}

// IsFree reports whether it is certain that nothing has the final name, but for a link that leads to
// nothing.
func (p *Pending) IsFree() bool {
	_, err := p.parent.Stat(p.base)
	return errors.Is(err, fs.ErrNotExist)
}

// Stat describes the file written so far.
func (p *Pending) Stat() (fs.FileInfo, error) { return p.file.Stat() }

// Commit gives the file its name and returns when both are durable. On an error the temporary file
// is gone, and the name has what it had before, or, when only the last step failed, possibly the
// new content: whole in either case.
func (p *Pending) Commit() error {
	if p.done {
		return fs.ErrClosed
	}
	if p.unsynced {
		// A crash before this is done leaves a leftover, the final name untouched.
		if err := p.Sync(); err != nil {
			return errors.Join(err, p.Abort())
		}
	}
	if err := p.rename(); err != nil {
		return errors.Join(err, p.dir.leave(p.parent))
	}
	return errors.Join(p.parent.flush(), p.dir.leave(p.parent))
}

// rename gives the file its name. A crash before leaves a whole leftover; after it, the new content
// is whole under its name. Which of the two a power failure leaves is only certain after SyncDir.
func (p *Pending) rename() error {
	p.done = true
	err := p.file.Close()
	if err == nil {
		err = p.parent.do(OpRename, p.base, func() error { return p.parent.root.Rename(p.temp, p.base) })
	}
	if err != nil {
		return errors.Join(err, p.remove())
	}
	return nil
}

// Abort removes the temporary file. It does nothing after Commit, so it can be deferred.
func (p *Pending) Abort() error {
	if p.done {
		return nil
	}
	p.done = true
	return errors.Join(p.file.Close(), p.remove(), p.dir.leave(p.parent))
}

// Leave ends the file and leaves it under its temporary name, where somebody who knows it goes on with
// it. Sweep has to be told of it.
func (p *Pending) Leave() error {
	if p.done {
		return nil
	}
	p.done = true
	return errors.Join(p.file.Close(), p.dir.leave(p.parent))
}

// remove needs no fsync: a leftover that comes back is swept.
func (p *Pending) remove() error {
	return p.parent.do(OpRemove, p.temp, func() error { return p.parent.root.Remove(p.temp) })
}

// WriteFile replaces a file with what write writes, or leaves it as it is when there is an error.
func (d *Dir) WriteFile(name string, perm fs.FileMode, write func(io.Writer) error) error {
	p, err := d.Create(name, perm)
	if err != nil {
		return err
	}
	if err := write(p); err != nil {
		return errors.Join(err, p.Abort())
	}
	return p.Commit()
}

// WriteCache does so without waiting for the disk: after a power failure the file may have anything
// in it. It is for what can be made again, and is checked when it is read.
func (d *Dir) WriteCache(name string, perm fs.FileMode, write func(io.Writer) error) error {
	p, err := d.Create(name, perm)
	if err != nil {
		return err
	}
	if err := write(p); err != nil {
		return errors.Join(err, p.Abort())
	}
	return errors.Join(p.rename(), p.dir.leave(p.parent))
}

// tempName returns a fresh name for the temporary file of a file called base. The random digits
// come last, so that the name does not end in an extension that asset pipelines would pick up.
func tempName(base string) string {
	var random [tempRandom / 2]byte
	// crypto/rand.Read never returns an error; it ends the program where there is no randomness.
	_, _ = rand.Read(random[:])
	return tempPrefix + stem(base) + "-" + hex.EncodeToString(random[:])
}

// stem returns as much of a file's name as fits into that of its temporary file.
func stem(base string) string {
	for len(base) > maxBase {
		_, size := utf8.DecodeLastRuneInString(base)
		base = base[:len(base)-size]
	}
	return base
}

// isTemp reports whether name is that of a temporary file, and, unless base is "", of one for a
// file called base.
func isTemp(name, base string) bool {
	rest, ok := strings.CutPrefix(name, tempPrefix)
	if !ok || len(rest) <= tempRandom {
		return false
	}
	cut := len(rest) - tempRandom - 1
	random, err := hex.DecodeString(rest[cut+1:])
	if rest[cut] != '-' || err != nil || len(random) != tempRandom/2 {
		return false
	}
	return base == "" || rest[:cut] == stem(base)
}
