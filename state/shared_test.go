package state

import (
	"context"
	"io"
	"io/fs"
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// shelf is Blobs in memory. What is put there is a day older each time.
type shelf struct {
	Listing
	recipes map[string][]byte
	content map[string][]byte
	// fails is the error of every Get.
	fails error
}

func newShelf() *shelf {
	return &shelf{Listing: Listing{map[string]time.Time{}, map[string][]string{}}, recipes: map[string][]byte{}, content: map[string][]byte{}}
}

func (s *shelf) String() string                         { return "memory" }
func (s *shelf) List(context.Context) (*Listing, error) { return &s.Listing, nil }

func (s *shelf) Stat(_ context.Context, sha256 string) (bool, error) {
	_, found := s.Images[sha256]
	return found, nil
}

func (s *shelf) Put(_ context.Context, sha256 string, size int64, content io.ReaderAt) error {
	data, err := io.ReadAll(io.NewSectionReader(content, 0, size))
	if err != nil {
		return err
	}
	s.content[sha256] = data
	s.Images[sha256] = time.Date(2026, 2, 28-len(s.Images), 0, 0, 0, 0, time.UTC)
	return nil
}

func (s *shelf) Get(_ context.Context, sha256 string, w io.Writer) error {
	data, found := s.content[sha256]
	switch {
	case s.fails != nil:
		return s.fails
	case !found:
		return fs.ErrNotExist
	}
	_, err := w.Write(data)
	return err
}

func (s *shelf) PutRecipe(_ context.Context, fingerprint, sha256 string, recipe []byte) error {
	s.Recipes[fingerprint] = append(s.Recipes[fingerprint], sha256)
	s.recipes[fingerprint+sha256] = recipe
	return nil
}

func (s *shelf) Recipe(_ context.Context, fingerprint, sha256 string) ([]byte, error) {
	return s.recipes[fingerprint+sha256], nil
}

// TestHistoryElsewhere: what other machines have is listed the oldest first, with its date.
func TestHistoryElsewhere(t *testing.T) {
	t.Parallel()
	mine, theirs, shelf, a := newProject(t), newProject(t), newShelf(), addr(t, "image.a")
	mine.local.Store().Share(t.Context(), shelf)
	for i := range 5 {
		img := mine.image(t, i, "a picture "+string(rune('a'+i)))
		if err := mine.local.Store().Publish(mine.dir, img.Output.Path, a, img); err != nil {
			t.Fatal(err)
		}
	}
	theirs.local.Store().Share(t.Context(), shelf)
	history, err := theirs.local.Store().History(a)
	if err != nil {
		t.Fatal(err)
	}
	want := slices.SortedFunc(maps.Values(shelf.Images), time.Time.Compare)
	for i, g := range history {
		if len(history) != len(want) || !g.Kept.Equal(want[i]) || g.Kept.Location() != time.Local || !g.Available || !g.Elsewhere || g.Path != "memory/"+g.Image.Output.SHA256 {
			t.Errorf("generation %d of %d is %+v, want the one of %v in local time", g.Number, len(history), g, want[i])
		}
	}
	if len(history) == 0 {
		t.Error("there is no history")
	}
}

// TestLookFor: each image that is looked for is counted, whether it is here, there or nowhere.
func TestLookFor(t *testing.T) {
	t.Parallel()
	p, shelf := newProject(t), newShelf()
	p.local.Store().Share(t.Context(), shelf)
	here, there := p.image(t, 1, "here"), p.image(t, 2, "there")
	if err := p.local.Store().Put(p.dir, nth(0), here); err != nil {
		t.Fatal(err)
	}
	if err := p.local.Store().Publish(p.dir, there.Output.Path, nth(0), there); err != nil {
		t.Fatal(err)
	}
	var looked atomic.Int32
	sums := []string{here.Output.SHA256, there.Output.SHA256, testHash(7)}
	if err := p.local.Store().LookFor(sums, func() { looked.Add(1) }); err != nil {
		t.Fatal(err)
	}
	if got := looked.Load(); int(got) != len(sums) {
		t.Errorf("%d of %d images were counted", got, len(sums))
	}
}
