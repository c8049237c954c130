package state

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/safefile"
)

// sized is a file of some size that was modified long ago.
type sized struct {
	fs.FileInfo
	size int64
	time time.Time
}

func (s sized) Size() int64        { return s.size }
func (s sized) ModTime() time.Time { return s.time }

// The index knows what a map would know, whatever is asked, learnt and written in between.
func TestIndexIsAMap(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	near := 0
	x, model := &Index{}, map[string]sized{}
	sums := map[string]string{}
	long := time.Unix(1_770_000_000, 1)
	for step := range 20_000 {
		path := fmt.Sprintf("images/%d.png", r.IntN(30))
		switch r.IntN(8) {
		case 0:
			model[path], sums[path] = sized{size: r.Int64N(3), time: long}, testHash(r.IntN(3))
			x.record(path, model[path], sums[path], long.Add(time.Hour))
		case 1: // It was modified just now, and could be so again unseen.
			delete(model, path)
			x.record(path, sized{size: 1, time: long}, testHash(1), long)
		case 2:
			var written bytes.Buffer
			if err := x.write(&written); err != nil {
				t.Fatal(err)
			}
			lines, ok := parseIndex(written.Bytes())
			if !ok {
				t.Fatalf("what is written in step %d cannot be read", step)
			}
			var paths []string
			for _, l := range lines {
				paths = append(paths, l.path)
			}
			if diff := cmp.Diff(slices.Sorted(maps.Keys(model)), paths); diff != "" {
				t.Fatalf("step %d (-want +got):\n%s", step, diff)
			}
			x = &Index{lines: lines}
		default:
			size, want := r.Int64N(3), ""
			if m, ok := model[path]; ok && m.size == size {
				want = sums[path]
			}
			if got := x.known(path, size, long.UnixNano(), &near); got != want {
				t.Fatalf("step %d: of %s is known %q, want %q", step, path, got, want)
			}
		}
	}
}

// A released index knows what it knew, learns as before, and leaves its file alone. One that has
// something to write, or to forget, is not released.
func TestIndexRelease(t *testing.T) {
	t.Parallel()
	root, err := safefile.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	long := time.Now().Add(-time.Hour)
	learnt := &Index{root: root}
	for i := range 3 {
		learnt.record(fmt.Sprintf("%d.png", i), sized{size: int64(i), time: long}, testHash(i), time.Now())
	}
	if err := learnt.Save(nil); err != nil {
		t.Fatal(err)
	}
	x, err := openIndex(root)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(i int, want string) {
		t.Helper()
		if got := x.known(fmt.Sprintf("%d.png", i), int64(i), long.UnixNano(), new(int)); got != want {
			t.Errorf("of file %d is known %q, want %q", i, got, want)
		}
	}
	ask(0, testHash(0))
	ask(1, testHash(1))
	if x.Release(); x.released {
		t.Error("it is released although a file was not asked for, and is to be forgotten")
	}
	ask(2, testHash(2))
	if x.Release(); !x.released || x.lines != nil {
		t.Error("it is not released")
	}
	if err := x.Save(&State{}); err != nil || !x.released {
		t.Errorf("saving reads it again, or fails: %v", err)
	}
	ask(1, testHash(1))
	x.record("1.png", sized{size: 1, time: long}, testHash(7), time.Now())
	if x.Release(); x.released {
		t.Error("it is released although it has something to write")
	}
	ask(1, testHash(7))
	ask(2, testHash(2))
}
