package safefile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
)

// ErrOutside is wrapped by the error of every operation whose name leads out of the directory.
var ErrOutside = errors.New("this path leads out of its directory, by .. or through a symbolic link")

// ErrTooLarge is wrapped by the error of ReadFile for a file that is larger than the caller allows.
var ErrTooLarge = errors.New("the file is larger than is allowed here")

// Dir is a directory that no name leads out of. It is safe for concurrent use.
type Dir struct {
	root *os.Root
	path string
	// escapes is the error value that os.Root, which does not export it, returns for paths that
	// leave the root.
	escapes error
	faults  func(Op, string) error
	here    *here
	parents *parents
}

// here is a directory as a file, once Peek needed it.
type here struct {
	sync.Once
	file *os.File
	fd   int
}

// Open opens an existing directory.
func Open(dir string) (*Dir, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	d := &Dir{root: root, path: dir, here: &here{}, parents: newParents()}
	var refused *fs.PathError
	if _, err := root.Lstat(".."); errors.As(err, &refused) {
		d.escapes = refused.Err
	}
	return d, nil
}

// Close releases the directory's handle. Files opened through it stay usable.
func (d *Dir) Close() error {
	if d.here.file != nil {
		_ = d.here.file.Close() // It was only looked through.
	}
	return d.root.Close()
}

// Path returns the directory as it was given to Open.
func (d *Dir) Path() string { return d.path }

// Open opens a file for reading. Symbolic links inside the directory are followed.
func (d *Dir) Open(name string) (*os.File, error) {
	return get(d, OpOpen, name, d.root.Open)
}

// ReadFile returns the content of a file of at most limit bytes.
func (d *Dir) ReadFile(name string, limit int64) (content []byte, err error) {
	f, err := d.Open(name)
	if err != nil {
		return nil, err
	}
	// Nothing was written through f, so closing it cannot lose anything.
	defer func() { _ = f.Close() }()
	limited := io.LimitReader(f, min(limit, math.MaxInt64-1)+1)
	var b bytes.Buffer
	if info, statErr := f.Stat(); statErr == nil && info.Size() <= limit {
		// Where the size is not told, the buffer grows as it is read. Its own Grow would clear what
		// is new.
		b = *bytes.NewBuffer(make([]byte, 0, int(info.Size())+bytes.MinRead))
	}
	if _, err = b.ReadFrom(limited); err == nil && int64(b.Len()) > limit {
		err = ErrTooLarge
	}
	return b.Bytes(), d.explain(OpOpen, name, err)
}

// Stat describes a file, following symbolic links inside the directory.
func (d *Dir) Stat(name string) (fs.FileInfo, error) {
	return get(d, OpStat, name, d.root.Stat)
}

// Lstat describes a file, or the symbolic link of that name itself.
func (d *Dir) Lstat(name string) (fs.FileInfo, error) {
	return get(d, OpStat, name, d.root.Lstat)
}

// Sub opens a directory inside d, for many operations in it. The result is closed by the caller;
// names are relative to it and cannot leave it.
func (d *Dir) Sub(name string) (*Dir, error) {
	root, err := get(d, OpOpen, name, func(name string) (*os.Root, error) {
		root, err := d.root.OpenRoot(name)
		if err == nil {
			return root, nil
		}
		// Of a file in its place the standard library says so in words alone.
		if info, statErr := d.root.Stat(name); statErr == nil && !info.IsDir() {
			err = syscall.ENOTDIR
		}
		return nil, err
	})
	if err != nil {
		return nil, err
	}
	sub := &Dir{root: root, path: filepath.Join(d.path, filepath.FromSlash(name)), escapes: d.escapes, here: &here{}, parents: newParents()}
	if d.faults != nil {
		sub.faults = func(op Op, rest string) error { return d.faults(op, path.Join(name, rest)) }
	}
	return sub, nil
}

// MkdirAll makes a directory and the missing ones above it, and returns when they are durable.
func (d *Dir) MkdirAll(name string, perm fs.FileMode) error {
	if info, err := d.Stat(name); err == nil && info.IsDir() {
		return nil
	}
	if parent := path.Dir(name); parent != "." {
		if err := d.MkdirAll(parent, perm); err != nil {
			return err
		}
	}
	err := d.do(OpMkdir, name, func() error { return d.root.Mkdir(name, perm) })
	if errors.Is(err, fs.ErrExist) {
		// Either another goroutine was faster, or a file stands in the way.
		if info, statErr := d.Stat(name); statErr == nil && info.IsDir() {
			return d.SyncDir(path.Dir(name))
		}
	}
	if err != nil {
		return err
	}
	return d.SyncDir(path.Dir(name))
}

// Gone reports whether an error says that there is no file of that name, also because what should
// be a directory above it is none.
func Gone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// Remove removes a file or an empty directory, and returns when that is durable.
func (d *Dir) Remove(name string) error {
	if err := d.do(OpRemove, name, func() error { return d.root.Remove(name) }); err != nil {
		return err
	}
	return d.SyncDir(path.Dir(name))
}

// Rename gives a file another name, replacing what had it, and returns when that is durable. The
// directory of the new name must exist. After a crash the file has one of the two names.
func (d *Dir) Rename(from, to string) error {
	err := d.check(from)
	if err == nil {
		err = d.do(OpRename, to, func() error { return d.root.Rename(from, to) })
	}
	if err != nil {
		return err
	}
	// The new name first: were the old one's removal durable alone, a crash here would leave the
	// file with no name.
	if err := d.SyncDir(path.Dir(to)); err != nil || path.Dir(to) == path.Dir(from) {
		return err
	}
	return d.SyncDir(path.Dir(from))
}

// Link gives a file a further name, which must be free and in an existing directory, and returns
// when that is durable.
func (d *Dir) Link(from, to string) error {
	err := d.check(from)
	if err == nil {
		err = d.do(OpLink, to, func() error { return d.root.Link(from, to) })
	}
	if err != nil {
		return err
	}
	return d.SyncDir(path.Dir(to))
}

// ReadDir lists a directory, sorted by name.
func (d *Dir) ReadDir(name string) ([]fs.DirEntry, error) {
	return get(d, OpReadDir, name, func(name string) ([]fs.DirEntry, error) { return fs.ReadDir(d.root.FS(), name) })
}

// do runs one operation, or fails it where a test says so.
func (d *Dir) do(op Op, name string, run func() error) error {
	if err := d.check(name); err != nil {
		return err
	}
	err := d.fault(op, name)
	if err == nil {
		err = run()
	}
	return d.explain(op, name, err)
}

// get runs an operation that returns something.
func get[T any](d *Dir, op Op, name string, run func(name string) (T, error)) (value T, err error) {
	err = d.do(op, name, func() (err error) {
		value, err = run(name)
		return err
	})
	return value, err
}

// check refuses names that are not relative and clean. os.Root would take some of them ("a/../b"),
// but the rest of the program compares names as text, where every file has one.
func (d *Dir) check(name string) error {
	if fs.ValidPath(name) && filepath.IsLocal(filepath.FromSlash(name)) {
		return nil
	}
	return fmt.Errorf("%q: %w", name, ErrOutside)
}

// explain gives an error the operation and the whole path, and nil for nil.
func (d *Dir) explain(op Op, name string, err error) error {
	if err == nil {
		return nil
	}
	if d.escapes != nil && errors.Is(err, d.escapes) {
		err = ErrOutside
	}
	var pathErr *fs.PathError
	var linkErr *os.LinkError
	switch {
	case errors.As(err, &pathErr):
		err = pathErr.Err
	case errors.As(err, &linkErr):
		err = linkErr.Err
	}
	return &fs.PathError{Op: op.String(), Path: filepath.Join(d.path, filepath.FromSlash(name)), Err: err}
}

// OpenAll opens a directory, making it and the missing ones above it durably, with permissions
// before umask.
func OpenAll(dir string, perm fs.FileMode) (*Dir, error) {
	above := filepath.Clean(dir)
	var missing []string
	for {
		d, err := Open(above)
		if errors.Is(err, fs.ErrNotExist) && filepath.Dir(above) != above {
			missing = append(missing, filepath.Base(above))
			above = filepath.Dir(above)
			continue
		}
		if err != nil || len(missing) == 0 {
			return d, err
		}
		slices.Reverse(missing)
		err = d.MkdirAll(path.Join(missing...), perm)
		// The directory above was needed for this only.
		_ = d.Close()
		if err != nil {
			return nil, err
		}
		return Open(dir)
	}
}

// SameTree reports whether names mean the same files in both, so that files can be linked and
// renamed from one to the other.
func (d *Dir) SameTree(other *Dir) bool { return d.root == other.root }

// SyncFile returns when the bytes of a file that somebody else wrote are on the disk.
func (d *Dir) SyncFile(name string) error {
	f, err := d.openFile(OpOpen, name, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
