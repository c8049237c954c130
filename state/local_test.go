package state

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/safefile"
)

// project is a directory with images and a local directory.
type project struct {
	dir   *safefile.Dir
	local *Local
}

func newProject(tb testing.TB) *project {
	tb.Helper()
	dir, err := safefile.Open(tb.TempDir())
	if err != nil {
		tb.Fatal(err)
	}
	p := &project{dir: dir}
	p.reopen(tb)
	tb.Cleanup(func() {
		if err := errors.Join(p.local.Close(), dir.Close()); err != nil {
			tb.Error(err)
		}
	})
	return p
}

// reopen does what the next run does.
func (p *project) reopen(tb testing.TB) {
	tb.Helper()
	if p.local != nil {
		if err := p.local.Close(); err != nil {
			tb.Error(err)
		}
	}
	var err error
	if p.local, err = OpenLocal(p.dir); err != nil {
		tb.Fatal(err)
	}
}

func (p *project) write(tb testing.TB, name, content string) {
	tb.Helper()
	path := filepath.Join(p.dir.Path(), name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o750), os.WriteFile(path, []byte(content), 0o600)); err != nil {
		tb.Fatal(err)
	}
}

// image writes a file and returns the record of an image with it.
func (p *project) image(tb testing.TB, n int, content string) *Image {
	tb.Helper()
	img := testImage(n)
	img.Output.SHA256, img.Output.Bytes = sum(content), int64(len(content))
	p.write(tb, img.Output.Path, content)
	return img
}

func sum(content string) string {
	h := sha256.Sum256([]byte(content))
	return hex.EncodeToString(h[:])
}

// tree returns the files of the project with their content, except the .gitignore and the recipes.
func (p *project) tree(tb testing.TB) map[string]string {
	tb.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(p.dir.Path(), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || e.Name() == ".gitignore" || e.Name() == "recipes" {
			return err
		}
		data, err := os.ReadFile(path)
		rel, relErr := filepath.Rel(p.dir.Path(), path)
		files[filepath.ToSlash(rel)] = string(data)
		return errors.Join(err, relErr)
	})
	if err != nil {
		tb.Fatal(err)
	}
	return files
}

func wantTree(tb testing.TB, p *project, want map[string]string) {
	tb.Helper()
	if diff := cmp.Diff(want, p.tree(tb)); diff != "" {
		tb.Errorf("files (-want +got):\n%s", diff)
	}
}

func wantFound(tb testing.TB, p *project, img *Image, want bool) {
	tb.Helper()
	found, ok := first(p.local.Store().Candidates(nth(0), img.Fingerprint, img.Result.Simulated))
	if ok != want {
		tb.Errorf("Candidates(%.4s...) reports %v, want %v", img.Fingerprint, ok, want)
	} else if diff := cmp.Diff(img, found, sameState); ok && diff != "" {
		tb.Error(diff)
	}
}

func TestModerationsAreRemembered(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	path := filepath.Join(p.dir.Path(), "fluxbatch.state.json")
	s := open(t, path, Options{Local: p.local})
	a, b := addr(t, "image.a"), addr(t, "image.b")
	appendAll(t, s, Intent{testTask(a, 1)}, Submitted{Key: key(1), ID: "1"}, Moderated{key(1), []string{"Derivative Works Filter"}, 0},
		Intent{testTask(b, 2)}, Submitted{Key: key(2), ID: "2", Simulated: true}, Moderated{Key: key(2)})
	want := map[string]Moderation{testHash(1): {Reasons: []string{"Derivative Works Filter"}}, testHash(2): {Simulated: true}}
	for range 2 {
		if diff := cmp.Diff(want, s.State().Moderated, sameState); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if err := s.Close(); err != nil { // a crash before the commit: the journal has them
			t.Fatal(err)
		}
		s = open(t, path, Options{Local: p.local})
	}
	if err := errors.Join(s.Commit(nil), s.Close()); err != nil {
		t.Fatal(err)
	}
	p.reopen(t)
	s = open(t, path, Options{Local: p.local})
	if diff := cmp.Diff(want, s.State().Moderated, sameState); diff != "" {
		t.Errorf("after the commit (-want +got):\n%s", diff)
	}
	// -retry-moderated: this time the API made it.
	appendAll(t, s, Intent{testTask(a, 1)}, Stored{a, testImage(1), key(1)})
	if err := errors.Join(s.Commit(nil), s.Close()); err != nil {
		t.Fatal(err)
	}
	p.reopen(t)
	delete(want, testHash(1))
	s = open(t, path, Options{Local: p.local})
	if diff := cmp.Diff(want, s.State().Moderated, sameState); diff != "" {
		t.Errorf("after it was made (-want +got):\n%s", diff)
	}
	p.write(t, moderatedFile, "{ damaged")
	p.reopen(t)
	if len(p.local.moderated) > 0 {
		t.Error("a damaged file is believed")
	}
}

// A store that is there and cannot be opened is no empty one: what is in it would be bought again.
func TestUnreachableStore(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(base string) error{
		"a link to a volume that is away": func(base string) error { return os.Symlink("away", filepath.Join(base, localDir)) },
		"a store that is such a link": func(base string) error {
			return errors.Join(os.MkdirAll(filepath.Join(base, localDir), 0o755), os.Symlink("away", filepath.Join(base, storeDir)))
		},
		"recipes that are such a link": func(base string) error {
			return errors.Join(os.MkdirAll(filepath.Join(base, storeDir), 0o755), os.Symlink("away", filepath.Join(base, recipesFile)))
		},
		"a file": func(base string) error { return os.WriteFile(filepath.Join(base, localDir), nil, 0o644) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			base := t.TempDir()
			if err := spoil(base); err != nil {
				t.Fatal(err)
			}
			root, err := safefile.Open(base)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = root.Close() }()
			if l, err := OpenLocal(root); err == nil {
				_ = l.Close()
				t.Error("it is taken for an empty store")
			}
		})
	}
}

// An image that is there and cannot be looked at is told.
func TestUnreadableImageInStore(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	root, err := safefile.Open(base)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	img := testImage(1)
	sum := sha256.Sum256([]byte("x"))
	img.Output.SHA256, img.Output.Bytes = hex.EncodeToString(sum[:]), 1
	if err := root.WriteFile(img.Output.Path, 0o644, func(w io.Writer) error { _, err := io.WriteString(w, "x"); return err }); err != nil {
		t.Fatal(err)
	}
	failing := false
	l, err := OpenLocal(root.WithFaults(func(op safefile.Op, name string) error {
		if failing && op == safefile.OpStat && strings.HasPrefix(name, storeDir+"/") {
			return syscall.EIO
		}
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	if err := l.Store().KeepFile(root, img.Output.Path, nth(0), img); err != nil {
		t.Fatal(err)
	}
	if found := l.Store().Candidates(nth(0), img.Fingerprint, false); len(found) != 1 || l.Store().Err() != nil {
		t.Fatalf("found %v, %v", found, l.Store().Err())
	}
	failing = true
	if found := l.Store().Candidates(nth(0), img.Fingerprint, false); len(found) != 0 || !errors.Is(l.Store().Err(), syscall.EIO) {
		t.Errorf("found %v, and the error is %v", found, l.Store().Err())
	}
}
