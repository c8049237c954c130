package origin

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/costs"
	"github.com/fluxbatch/fluxbatch/internal/imagefile"
	"github.com/fluxbatch/fluxbatch/internal/picture"
	"github.com/fluxbatch/fluxbatch/internal/rendition"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
	"github.com/fluxbatch/fluxbatch/state"
)

// maxFile bounds what is read of a file.
const maxFile = 1 << 30

// leastLikeness is how alike two pictures look at least that may be the same one.
const leastLikeness = 0.86

// inspector knows all that was made in a directory.
type inspector struct {
	base              string
	byHash, byContent map[string]Origin
	made              map[string]time.Time // by task

	looksOnce sync.Once
	looks     []look
}

// look is a picture on record and what it looks like.
type look struct {
	picture.Look
	origin Origin
}

// Records are what is asked: the state, the folder that its paths are relative to, and the path of the
// ledger.
type Records struct {
	State        *state.State
	Base, Ledger string
}

// Find finds where files come from. The origins are in the order of the files.
func Find(ctx context.Context, r Records, files []string) ([]Origin, error) {
	n, err := newInspector(r.Base, r.State, r.Ledger)
	if err != nil {
		return nil, err
	}
	origins := make([]Origin, len(files))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, file := range files {
		group.Go(func() error {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			origins[i] = n.inspect(file)
			return nil
		})
	}
	return origins, group.Wait()
}

func newInspector(base string, s *state.State, ledger string) (*inspector, error) {
	n := &inspector{base: base, byHash: map[string]Origin{}, byContent: map[string]Origin{}, made: map[string]time.Time{}}
	for addr, img := range s.Images.All() {
		n.know(Origin{Address: addr, Image: img}, &img.Output)
		if img.Made != nil {
			n.know(Origin{Address: addr, Image: img, Former: true}, img.Made)
		}
	}
	for addr, r := range s.Renditions {
		for i := range r.Files {
			made := Origin{Rendition: &addr}
			if addr.Kind == addrs.OfImage {
				made.Address, made.Image = addr.Of, s.Images.Get(addr.Of)
			}
			n.know(made, &r.Files[i])
		}
	}
	if err := n.readStore(); err != nil {
		return nil, err
	}
	entries, err := costs.Read(ledger)
	if err != nil {
		return nil, err
	}
	for i := range entries {
		n.made[entries[i].TaskID] = entries[i].Time
	}
	return n, nil
}

// readStore learns what images were replaced.
func (n *inspector) readStore() error {
	root, err := safefile.Open(n.base)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }() // only read
	former, err := state.ReadFormer(root)
	if err != nil {
		return err
	}
	for sum, f := range former {
		out := f.Image.Output
		out.SHA256, out.Path = sum, state.StorePath(sum)
		n.know(Origin{Address: f.Address, Image: f.Image, Former: true, Edited: f.Edited}, &out)
	}
	return nil
}

// know notes whose a file is. Of several, the one that is there goes before a former one, an image
// before its candidate, and then the first by address.
func (n *inspector) know(o Origin, f *state.File) {
	o.File = f.Path
	for known, key := range map[*map[string]Origin]string{&n.byHash: f.SHA256, &n.byContent: f.Content} {
		if key == "" {
			continue
		}
		if other, ok := (*known)[key]; !ok || o.before(&other) {
			(*known)[key] = o
		}
	}
}

func (o *Origin) before(other *Origin) bool {
	return cmp.Or(
		cmp.Compare(rank(o.Former), rank(other.Former)), cmp.Compare(rank(o.Rendition != nil), rank(other.Rendition != nil)),
		o.Address.Compare(other.Address),
	) < 0
}

func rank(is bool) int {
	if is {
		return 1
	}
	return 0
}

// inspect looks at one file.
func (n *inspector) inspect(file string) Origin {
	data, err := readPicture(file)
	if err != nil {
		return Origin{File: file, Err: err}
	}
	info, err := imagefile.Check(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return Origin{File: file, Err: err}
	}
	mark := rendition.ReadMark(imagefile.ReadMetadata(data).XMP)
	o, ok := n.find(&info, &mark)
	if !ok {
		o = n.alike(data)
	}
	o.File, o.Mark = file, mark
	if o.Image != nil {
		o.Made = n.made[o.Image.Result.TaskID]
	}
	return o
}

// readPicture reads a file that may be anywhere.
func readPicture(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	return io.ReadAll(io.LimitReader(f, maxFile))
}

func (n *inspector) find(info *imagefile.Info, mark *rendition.Marked) (Origin, bool) {
	if o, ok := n.byHash[info.SHA256]; ok {
		o.By = ByHash
		return o, true
	}
	if o, ok := n.byContent[info.Content]; ok {
		o.By = ByContent
		return o, true
	}
	for _, content := range mark.Contents {
		o, ok := n.byContent[content]
		if !ok {
			o, ok = n.byHash[content] // of one whose content is not known
		}
		if ok {
			o.By = ByMark
			return o, true
		}
	}
	return Origin{}, false
}

// alike finds the image that a picture looks like.
func (n *inspector) alike(data []byte) Origin {
	img, err := picture.Decode(data)
	if err != nil {
		return Origin{}
	}
	n.looksOnce.Do(n.lookAtAll)
	seen, best := picture.LookOf(img), Origin{}
	for i := range n.looks {
		if like := seen.Like(&n.looks[i].Look); like >= leastLikeness && like > best.Likeness {
			best = n.looks[i].origin
			best.By, best.Likeness = ByLooks, like
		}
	}
	return best
}

// lookAtAll looks at all images whose files are there, on all processors. Those that cannot be read
// are left out.
func (n *inspector) lookAtAll() {
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, o := range n.byHash {
		if o.Rendition != nil {
			continue
		}
		group.Go(func() error {
			if img, err := picture.Open(filepath.Join(n.base, filepath.FromSlash(o.File))); err == nil {
				l := look{picture.LookOf(img), o}
				mu.Lock()
				n.looks = append(n.looks, l)
				mu.Unlock()
			}
			return nil
		})
	}
	_ = group.Wait() // none fails
	slices.SortFunc(n.looks, func(a, b look) int {
		return cmp.Or(cmp.Compare(rank(a.origin.Former), rank(b.origin.Former)), a.origin.Address.Compare(b.origin.Address), cmp.Compare(a.origin.File, b.origin.File))
	})
}
