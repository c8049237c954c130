package state

import (
	"context"
	"fmt"
	"path"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
)

// FileStatus is how an image's file compares with its record.
type FileStatus int

// The statuses of a file.
const (
	// Present is a file with the recorded bytes.
	Present FileStatus = iota
	// Missing is no file.
	Missing
	// Changed is a file with other bytes, or something else than a file.
	Changed
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
	default:
		return fmt.Sprintf("status %d", int(s))
	}
}

// Inspect compares an image's file in dir with its record. The file is read only where its size
// fits and the index does not know it.
func (x *Index) Inspect(dir *safefile.Dir, img *Image) (FileStatus, error) {
	return x.inspect(dir, img.Output.Path, img)
}

// Compare compares an image's file in dir with its record. It always reads the file where its size
// fits.
func Compare(dir *safefile.Dir, img *Image) (FileStatus, error) {
	return (&Index{entries: map[string]indexEntry{}}).Inspect(dir, img)
}

// inspect looks at the file called name in dir, which is the image's.
func (x *Index) inspect(dir *safefile.Dir, name string, img *Image) (FileStatus, error) {
	info, err := dir.Stat(name)
	switch {
	case safefile.Gone(err):
		return Missing, nil
	case err != nil:
		return Present, err
	case !info.Mode().IsRegular() || info.Size() != img.Output.Bytes:
		return Changed, nil
	}
	sum, err := x.hash(dir, name, img.Output.Path, info)
	switch {
	case safefile.Gone(err): // removed since
		return Missing, nil
	case err != nil:
		return Present, err
	case sum != img.Output.SHA256:
		return Changed, nil
	}
	return Present, nil
}

// inspectPiece is how many files of one directory are looked at in one go.
const inspectPiece = 1024

// InspectAll compares the files of many images in dir and returns those that are not Present. It
// looks at as many files at once as there are processors.
func (x *Index) InspectAll(
	ctx context.Context, dir *safefile.Dir, images map[addrs.Image]*Image,
) (map[addrs.Image]FileStatus, error) {
	sizes := map[string]int{}
	for _, img := range images {
		parent, _ := path.Split(img.Output.Path)
		sizes[parent]++
	}
	byDir := make(map[string][]member, len(sizes))
	for a, img := range images {
		parent, _ := path.Split(img.Output.Path)
		if byDir[parent] == nil {
			byDir[parent] = make([]member, 0, sizes[parent])
		}
		byDir[parent] = append(byDir[parent], member{a, img})
	}
	all := inspection{index: x, dir: dir, drifted: map[addrs.Image]FileStatus{}}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for parent, members := range byDir {
		for piece := range slices.Chunk(members, inspectPiece) {
			group.Go(func() error { return all.inspect(ctx, path.Clean(parent), piece) })
		}
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return all.drifted, nil
}

// inspection is one run of InspectAll.
type inspection struct {
	index *Index
	dir   *safefile.Dir

	mu      sync.Mutex
	drifted map[addrs.Image]FileStatus
}

type member struct {
	address addrs.Image
	img     *Image
}

// inspect looks at files of one directory.
func (n *inspection) inspect(ctx context.Context, parent string, members []member) error {
	// Names are looked up from that directory: one system call a file, however deep it is. Where it
	// cannot be opened, each file says why.
	dir, name := n.dir, func(p string) string { return p }
	if sub, err := n.dir.Sub(parent); err == nil {
		// The directory was only read through.
		defer func() { _ = sub.Close() }()
		dir, name = sub, path.Base
	}
	for i := range members {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		m := &members[i]
		status, err := n.index.inspect(dir, name(m.img.Output.Path), m.img)
		if err != nil {
			return fmt.Errorf("looking at the file of %s: %w", m.address, err)
		}
		if status != Present {
			n.report(m.address, status)
		}
	}
	return nil
}

func (n *inspection) report(a addrs.Image, status FileStatus) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.drifted[a] = status
}
