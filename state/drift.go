package state

import (
	"context"
	"fmt"
	"iter"
	"path"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
)

// FileStatus is how an image's file compares with its record.
type FileStatus uint8

// The statuses of a file.
const (
	// Present is a file with the recorded bytes.
	Present FileStatus = iota
	// Missing is no file.
	Missing
	// Changed is a file with other bytes, or something else than a file.
	Changed
	// Outdated is a file with the bytes of another image that is kept away from this machine, as
	// one is that was made before another machine made the one on record.
	Outdated
)

// String returns the status as a lower-case word.
func (s FileStatus) String() string {
	switch s {
	case Present:
		return "present"
	case Missing:
		return "missing"
	case Changed:
		return "changed"
	case Outdated:
		return "outdated"
	default:
		return fmt.Sprintf("status %d", int(s))
	}
}

// Inspect compares an image's file in dir with its record. The file is read only where its size
// fits and the index does not know it.
func (x *Index) Inspect(dir *safefile.Dir, img *Image) (FileStatus, error) {
	return x.inspect(dir, img.Output.Path, img.Output.onFile())
}

// CompareFile compares a file in dir with its record, as Compare does.
func CompareFile(dir *safefile.Dir, f *File) (FileStatus, error) {
	return (&Index{}).inspect(dir, f.Path, f.onFile())
}

// Compare compares an image's file in dir with its record. It always reads the file where its size
// fits.
func Compare(dir *safefile.Dir, img *Image) (FileStatus, error) {
	return (&Index{}).Inspect(dir, img)
}

// inspect looks at the file called name in dir, which is the one on record.
func (x *Index) inspect(dir *safefile.Dir, name string, f onFile) (FileStatus, error) {
	info, err := dir.Stat(name)
	switch {
	case safefile.Gone(err):
		return Missing, nil
	case err != nil:
		return Present, err
	case !info.Mode().IsRegular() || info.Size() != f.bytes:
		return Changed, nil
	}
	sum, err := x.hash(dir, name, f.path, info)
	switch {
	case safefile.Gone(err): // removed since
		return Missing, nil
	case err != nil:
		return Present, err
	case !f.sum.is(sum):
		return Changed, nil
	}
	return Present, nil
}

// inspectPiece is how many files of one directory are looked at in one go.
const inspectPiece = 1024

// InspectAll compares the files of many images in dir and returns those that are not Present. It
// looks at as many files at once as there are processors.
func (x *Index) InspectAll(
	ctx context.Context, dir *safefile.Dir, images *Images,
) (map[addrs.Image]FileStatus, error) {
	return inspectAll(ctx, x, dir, images.onFiles())
}

// InspectMade does so for what was made here. Where it has several files, the worst of them counts.
func (x *Index) InspectMade(
	ctx context.Context, dir *safefile.Dir, renditions map[addrs.Rendition]*Rendition,
) (map[addrs.Rendition]FileStatus, error) {
	return inspectAll(ctx, x, dir, func(yield func(addrs.Rendition, onFile) bool) {
		for a, r := range renditions {
			for i := range r.Files {
				if !yield(a, r.Files[i].onFile()) {
					return
				}
			}
		}
	})
}

// inspectAll looks at files on record, as many at once as there are processors, and returns those
// that are not Present.
func inspectAll[A address](
	ctx context.Context, index *Index, dir *safefile.Dir, files iter.Seq2[A, onFile],
) (map[A]FileStatus, error) {
	all := inspection[A]{index: index, dir: dir, drifted: map[A]FileStatus{}}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	var free sync.Pool // lists that were looked through
	look := func(parent string, members []member[A]) {
		group.Go(func() error {
			defer free.Put(&members)
			return all.inspect(ctx, path.Clean(parent), members)
		})
	}
	waiting := map[string][]member[A]{} // by directory
	for a, f := range files {
		parent, _ := path.Split(f.path)
		members := append(waiting[parent], member[A]{a, f})
		if len(members) == inspectPiece {
			look(parent, members)
			members = nil
			if list, ok := free.Get().(*[]member[A]); ok {
				members = (*list)[:0]
			}
		}
		waiting[parent] = members
	}
	for parent, members := range waiting {
		if len(members) > 0 {
			look(parent, members)
		}
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return all.drifted, nil
}

// address is what files are on record under.
type address interface {
	comparable
	fmt.Stringer
}

// inspection is one run of inspectAll.
type inspection[A address] struct {
	index *Index
	dir   *safefile.Dir

	mu      sync.Mutex
	drifted map[A]FileStatus
}

type member[A address] struct {
	address A
	file    onFile
}

// onFile is what is on record of a file that is looked at.
type onFile struct {
	path  string
	sum   rowHash
	bytes int64
}

func (f *File) onFile() onFile { return onFile{f.Path, rowHash{text: f.SHA256}, f.Bytes} }

// inspect looks at files of one directory.
func (n *inspection[A]) inspect(ctx context.Context, parent string, members []member[A]) error {
	// Names are looked up from that directory: one system call a file, however deep it is. Where it
	// cannot be opened, each file says why.
	dir, name := n.dir, func(p string) string { return p }
	if sub, err := n.dir.Sub(parent); err == nil {
		// The directory was only read through.
		defer func() { _ = sub.Close() }()
		dir, name = sub, path.Base
	}
	near := 0
	for i := range members {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		m := &members[i]
		base := name(m.file.path)
		if size, modTime, ok := dir.Peek(base); ok && size == m.file.bytes && m.file.sum.is(n.index.known(m.file.path, size, modTime, &near)) {
			continue // So it is with nearly all.
		}
		status, err := n.index.inspect(dir, base, m.file)
		if err != nil {
			return fmt.Errorf("looking at the file of %s: %w", m.address, err)
		}
		if status != Present {
			n.report(m.address, status)
		}
	}
	return nil
}

func (n *inspection[A]) report(a A, status FileStatus) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.drifted[a] = max(n.drifted[a], status)
}
