package safefile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"runtime"
)

// File is an open file that is written in place, such as a log. It is safe for concurrent use as
// far as os.File is.
type File struct {
	f    *os.File
	dir  *Dir
	name string
}

// Append opens a file for appending (its offset is the end at each write) and for truncating. A
// missing one is made, its directories too, and its name is durable when Append returns.
func (d *Dir) Append(name string, perm fs.FileMode) (*File, error) {
	f, err := d.openFile(OpOpen, name, os.O_RDWR|os.O_APPEND, 0)
	if !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	if err := d.MkdirAll(path.Dir(name), 0o777); err != nil {
		return nil, err
	}
	f, err = d.openFile(OpCreate, name, os.O_RDWR|os.O_APPEND|os.O_CREATE, perm)
	if err != nil {
		return nil, err
	}
	if err := d.SyncDir(path.Dir(name)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (d *Dir) openFile(op Op, name string, flag int, perm fs.FileMode) (*File, error) {
	f, err := get(d, op, name, func(name string) (*os.File, error) { return d.root.OpenFile(name, flag, perm) })
	if err != nil {
		return nil, err
	}
	return &File{f: f, dir: d, name: name}, nil
}

// Write implements io.Writer.
func (f *File) Write(p []byte) (int, error) {
	if err := f.dir.fault(OpWrite, f.name); err != nil {
		n, writeErr := f.f.Write(p[:left(len(p), err)])
		return n, f.dir.explain(OpWrite, f.name, errors.Join(err, writeErr))
	}
	n, err := f.f.Write(p)
	return n, f.dir.explain(OpWrite, f.name, err)
}

// Sync returns when all that was written is on the disk. After an error it is unknown what of it
// is, and a second Sync would not tell: the system may have dropped the unwritten pages.
func (f *File) Sync() error {
	return f.dir.do(OpSync, f.name, f.f.Sync)
}

// Truncate cuts the file to size bytes.
func (f *File) Truncate(size int64) error {
	return f.dir.do(OpTruncate, f.name, func() error { return f.f.Truncate(size) })
}

// Stat describes the open file, whatever name it has by now.
func (f *File) Stat() (fs.FileInfo, error) {
	return get(f.dir, OpStat, f.name, func(string) (fs.FileInfo, error) { return f.f.Stat() })
}

// ReadAt implements io.ReaderAt. At the end of the file its error is io.EOF itself.
func (f *File) ReadAt(p []byte, off int64) (int, error) {
	n, err := 0, f.dir.fault(OpRead, f.name)
	if err == nil {
		n, err = f.f.ReadAt(p, off)
	}
	if errors.Is(err, io.EOF) {
		return n, io.EOF
	}
	return n, f.dir.explain(OpRead, f.name, err)
}

// Close closes the file. It is closed afterwards even when there is an error.
func (f *File) Close() error {
	fault := f.dir.fault(OpClose, f.name)
	return f.dir.explain(OpClose, f.name, errors.Join(fault, f.f.Close()))
}

// SyncDir returns when the names in a directory are durable: files made, renamed and removed in it.
func (d *Dir) SyncDir(name string) error {
	return d.do(OpSyncDir, name, func() error {
		if runtime.GOOS == "windows" {
			return nil // as in syncOpen
		}
		dir, err := d.root.Open(name)
		if err != nil {
			return err
		}
		return errors.Join(syncOpen(dir), dir.Close())
	})
}
