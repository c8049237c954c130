package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
)

// age dates a file back, as if it had been written a while ago.
func (p *project) age(tb testing.TB, name string, by time.Duration) {
	tb.Helper()
	then := time.Now().Add(-by).Truncate(time.Microsecond).Add(time.Microsecond)
	if err := os.Chtimes(filepath.Join(p.dir.Path(), name), then, then); err != nil {
		tb.Fatal(err)
	}
}

// counted returns the directory with a counter of the files that are opened in it.
func (p *project) counted() (*safefile.Dir, *atomic.Int32) {
	var opened atomic.Int32
	return p.dir.WithFaults(func(op safefile.Op, name string) error {
		if op == safefile.OpOpen && filepath.Ext(name) == ".png" {
			opened.Add(1)
		}
		return nil
	}), &opened
}

func TestInspect(t *testing.T) {
	t.Parallel()
	path := testImage(1).Output.Path
	tests := map[string]struct {
		change func(t *testing.T, p *project)
		want   FileStatus
		// opened is how often the file is read to find out.
		opened int32
	}{
		"nothing": {func(*testing.T, *project) {}, Present, 0},
		"touched": {func(t *testing.T, p *project) {
			t.Helper()
			p.age(t, path, time.Minute)
		}, Present, 1},
		"other size": {func(t *testing.T, p *project) {
			t.Helper()
			p.write(t, path, "longer content")
		}, Changed, 0},
		"same size": {func(t *testing.T, p *project) {
			t.Helper()
			p.write(t, path, "CONTENT")
		}, Changed, 1},
		"removed": {func(t *testing.T, p *project) {
			t.Helper()
			if err := p.dir.Remove(path); err != nil {
				t.Fatal(err)
			}
		}, Missing, 0},
		"a directory": {func(t *testing.T, p *project) {
			t.Helper()
			if err := errors.Join(p.dir.Remove(path), p.dir.MkdirAll(path, 0o755)); err != nil {
				t.Fatal(err)
			}
		}, Changed, 0},
		"directory gone": {func(t *testing.T, p *project) {
			t.Helper()
			if err := os.RemoveAll(filepath.Join(p.dir.Path(), "images")); err != nil {
				t.Fatal(err)
			}
		}, Missing, 0},
		"a file above": {func(t *testing.T, p *project) {
			t.Helper()
			if err := os.RemoveAll(filepath.Join(p.dir.Path(), "images")); err != nil {
				t.Fatal(err)
			}
			p.write(t, "images", "")
		}, Missing, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProject(t)
			img := p.image(t, 1, "content")
			p.age(t, path, time.Hour)
			if got, err := p.local.Index().Inspect(p.dir, img); got != Present || err != nil {
				t.Fatalf("at first the file is %v, %v", got, err)
			}
			if err := p.local.Index().Save(nil); err != nil {
				t.Fatal(err)
			}
			p.reopen(t)
			test.change(t, p)
			dir, opened := p.counted()
			got, err := p.local.Index().Inspect(dir, img)
			if got != test.want || err != nil {
				t.Errorf("the file is %v, %v, want %v", got, err, test.want)
			}
			if opened.Load() != test.opened {
				t.Errorf("it was opened %d times, want %d", opened.Load(), test.opened)
			}
			all := map[addrs.Image]*Image{nth(0): img}
			want := map[addrs.Image]FileStatus{}
			if test.want != Present {
				want[nth(0)] = test.want
			}
			drifted, err := p.local.Index().InspectAll(t.Context(), p.dir, ImagesOf(all))
			if diff := cmp.Diff(want, drifted, sameState); diff != "" || err != nil {
				t.Errorf("InspectAll: %v\n%s", err, diff)
			}
		})
	}
}

// A file that is changed again within the same step of the clock looks as it did. It must have been
// read again.
func TestRacyFilesAreReadAgain(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	img := p.image(t, 1, "content")
	full := filepath.Join(p.dir.Path(), img.Output.Path)
	// A file of a time to come is read in the same step of the clock, however long this machine takes.
	now := time.Now().Add(time.Hour)
	if err := os.Chtimes(full, now, now); err != nil {
		t.Fatal(err)
	}
	if got, err := p.local.Index().Inspect(p.dir, img); got != Present || err != nil {
		t.Fatalf("at first the file is %v, %v", got, err)
	}
	p.write(t, img.Output.Path, "CONTENT")
	if err := os.Chtimes(full, now, now); err != nil {
		t.Fatal(err)
	}
	if got, err := p.local.Index().Inspect(p.dir, img); got != Changed || err != nil {
		t.Errorf("after the change within the same tick it is %v, %v", got, err)
	}
}

func TestRacy(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 2, 3, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		modTime time.Time
		after   time.Duration
		want    bool
	}{
		{noon, 0, true},
		{noon, time.Second, true},
		{noon, 2 * time.Second, false},
		{noon.Add(time.Nanosecond), time.Millisecond, true},
		{noon.Add(time.Nanosecond), 19 * time.Millisecond, true},
		{noon.Add(time.Nanosecond), 20 * time.Millisecond, false},
		{noon.Add(time.Nanosecond), -time.Hour, true}, // a clock that is behind
	} {
		if got := racy(test.modTime, test.modTime.Add(test.after)); got != test.want {
			t.Errorf("modified at %v, read %v later: racy is %v", test.modTime, test.after, got)
		}
	}
}

// Files that are written here are dated back, so that the index can trust them at once.
func TestSettledFilesAreTrusted(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	img := p.image(t, 1, "content")
	if err := p.dir.Remove(img.Output.Path); err != nil {
		t.Fatal(err)
	}
	pending, err := p.dir.Create(img.Output.Path, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pending.Write([]byte("content")); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(pending.Settle(), pending.Commit()); err != nil {
		t.Fatal(err)
	}
	info, err := p.dir.Stat(img.Output.Path)
	if err != nil {
		t.Fatal(err)
	}
	p.local.Index().Record(img.Output.Path, info, img.Output.SHA256)
	dir, opened := p.counted()
	if got, err := p.local.Index().Inspect(dir, img); got != Present || err != nil || opened.Load() > 0 {
		t.Errorf("the file is %v, %v, and was opened %d times", got, err, opened.Load())
	}
	p.write(t, img.Output.Path, "CONTENT")
	if got, err := p.local.Index().Inspect(p.dir, img); got != Changed || err != nil {
		t.Errorf("changed at once it is %v, %v", got, err)
	}
}

func TestInspectAll(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	images, want := map[addrs.Image]*Image{}, map[addrs.Image]FileStatus{}
	for n := range 3000 {
		img := p.image(t, n, fmt.Sprint("image ", n))
		images[nth(n)] = img
		if n%100 == 0 {
			want[nth(n)] = Missing
			if err := os.Remove(filepath.Join(p.dir.Path(), img.Output.Path)); err != nil {
				t.Fatal(err)
			}
		}
		if n%100 == 1 {
			want[nth(n)] = Changed
			p.write(t, img.Output.Path, fmt.Sprint("IMAGE ", n))
		}
		if n%100 > 0 {
			p.age(t, img.Output.Path, time.Hour)
		}
	}
	for _, reads := range []int32{2970, 0} {
		dir, opened := p.counted()
		got, err := p.local.Index().InspectAll(t.Context(), dir, ImagesOf(images))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, sameState); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if opened.Load() != reads {
			t.Errorf("%d files were read, want %d", opened.Load(), reads)
		}
		if err := p.local.Index().Save(&State{Images: ImagesOf(images)}); err != nil {
			t.Fatal(err)
		}
		p.reopen(t)
	}
	failure := errors.New("input/output error")
	broken := p.dir.WithFaults(func(op safefile.Op, name string) error {
		if op == safefile.OpStat && name == images[nth(7)].Output.Path {
			return failure
		}
		return nil
	})
	if _, err := p.local.Index().InspectAll(t.Context(), broken, ImagesOf(images)); !errors.Is(err, failure) {
		t.Errorf("InspectAll returns %v, want %v", err, failure)
	}
}

func TestInspectStaysInside(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	img := p.image(t, 1, "content")
	outside := t.TempDir()
	images := filepath.Join(p.dir.Path(), "images")
	if err := errors.Join(os.RemoveAll(images), os.Symlink(outside, images)); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	if _, err := p.local.Index().Inspect(p.dir, img); !errors.Is(err, safefile.ErrOutside) {
		t.Errorf("Inspect returns %v, want ErrOutside", err)
	}
	if _, err := p.local.Index().InspectAll(t.Context(), p.dir, ImagesOf(map[addrs.Image]*Image{nth(0): img})); !errors.Is(err, safefile.ErrOutside) {
		t.Errorf("InspectAll returns %v, want ErrOutside", err)
	}
	if err := p.local.Store().Put(p.dir, nth(0), img); !errors.Is(err, safefile.ErrOutside) {
		t.Errorf("Put returns %v, want ErrOutside", err)
	}
}

func TestIndexFile(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	images := map[addrs.Image]*Image{}
	for n := range 3 {
		images[nth(n)] = p.image(t, n, fmt.Sprint("image ", n))
		p.age(t, images[nth(n)].Output.Path, time.Hour)
	}
	p.write(t, "refs/bottle of été.png", "reference")
	p.age(t, "refs/bottle of été.png", time.Hour)
	if _, err := p.local.Index().InspectAll(t.Context(), p.dir, ImagesOf(images)); err != nil {
		t.Fatal(err)
	}
	if got, err := p.local.Index().Hash(p.dir, "refs/bottle of été.png"); got != sum("reference") || err != nil {
		t.Errorf("the reference's hash is %s, %v", got, err)
	}
	if _, err := p.local.Index().Hash(p.dir, "refs/missing.png"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing reference: %v", err)
	}
	if err := p.local.Index().Save(&State{Images: ImagesOf(images)}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(p.dir.Path(), indexFile)
	good := content(t, file)
	p.reopen(t)
	// Only what is asked for or in the state is kept.
	delete(images, nth(1))
	dir, opened := p.counted()
	if got, err := p.local.Index().Hash(dir, "refs/bottle of été.png"); got != sum("reference") || err != nil || opened.Load() > 0 {
		t.Errorf("the reference's hash is %s, %v; it was read %d times", got, err, opened.Load())
	}
	if err := p.local.Index().Save(&State{Images: ImagesOf(images)}); err != nil {
		t.Fatal(err)
	}
	entries, ok := parseIndex([]byte(content(t, file)))
	if !ok || len(entries) != 3 || slices.ContainsFunc(entries, func(l indexLine) bool { return l.path == testImage(1).Output.Path }) {
		t.Errorf("the pruned index has %v", entries)
	}
	// Any damage makes it as good as missing.
	for n := range len(good) {
		bad := []byte(good)
		bad[n] ^= 1
		if entries, ok := parseIndex(bad); ok {
			t.Fatalf("with byte %d changed it is read as %v", n, entries)
		}
		if entries, ok := parseIndex([]byte(good[:n])); ok {
			t.Fatalf("cut after %d bytes it is read as %v", n, entries)
		}
	}
	if err := os.WriteFile(file, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.reopen(t)
	p.local.index.mu.Lock()
	defer p.local.index.mu.Unlock()
	if len(p.local.index.lines) > 0 {
		t.Error("a damaged index is believed")
	}
}
