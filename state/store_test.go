package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
)

func TestStore(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	wantTree(t, p, map[string]string{})
	a := addr(t, "image.a")
	first, second := p.image(t, 1, "the first"), p.image(t, 2, "the second")
	wantFound(t, p, first, false)
	for _, img := range []*Image{first, second} {
		if err := p.local.Store().Put(p.dir, a, img); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]string{blobName(sum("the first")): "the first", blobName(sum("the second")): "the second"}
	wantTree(t, p, want)
	if got := content(t, filepath.Join(p.dir.Path(), localDir, ".gitignore")); got != "*\n" {
		t.Errorf("the .gitignore has %q", got)
	}
	for range 2 {
		wantFound(t, p, first, true)
		wantFound(t, p, second, true)
		p.reopen(t)
	}
	if err := p.local.Store().Restore(first.Output.SHA256, p.dir, "restored/a.png"); err != nil {
		t.Fatal(err)
	}
	restored := *first
	restored.Output.Path = "restored/a.png"
	dir, opened := p.counted()
	if got, err := p.local.Index().Inspect(dir, &restored); got != Present || err != nil || opened.Load() > 0 {
		t.Errorf("the restored file is %v, %v, and was read %d times to find out", got, err, opened.Load())
	}
	want["restored/a.png"] = "the first"
	wantTree(t, p, want)
	history, err := p.local.Store().History(a)
	if err != nil {
		t.Fatal(err)
	}
	wantHistory := []Generation{{Number: 1, Image: first, Available: true}, {Number: 2, Image: second, Available: true}}
	if diff := cmp.Diff(wantHistory, history, sameState, cmpopts.IgnoreFields(Generation{}, "Path", "Kept")); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	if history, err := p.local.Store().History(addr(t, "image.b")); len(history) > 0 || err != nil {
		t.Errorf("another address has the history %v, %v", history, err)
	}
	// All of it can be deleted, also between two steps of one run.
	if err := os.RemoveAll(filepath.Join(p.dir.Path(), localDir)); err != nil {
		t.Fatal(err)
	}
	wantFound(t, p, first, false)
	if err := p.local.Store().Restore(first.Output.SHA256, p.dir, "x.png"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Restore of what is not there: %v", err)
	}
	p.reopen(t)
	if err := p.local.Store().Put(p.dir, a, p.image(t, 3, "the third")); err != nil {
		t.Error(err)
	}
}

func TestStoreEditedFile(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	a := addr(t, "image.a")
	img := p.image(t, 1, "as generated")
	p.write(t, img.Output.Path, "touched up by hand")
	if err := p.local.Store().Put(p.dir, a, img); err != nil {
		t.Fatal(err)
	}
	wantTree(t, p, map[string]string{blobName(sum("touched up by hand")): "touched up by hand"})
	p.reopen(t)
	wantFound(t, p, img, false)
	history, err := p.local.Store().History(a)
	if err != nil || len(history) != 1 || !history[0].Edited || history[0].Image.Output.SHA256 != sum("touched up by hand") {
		t.Errorf("the history is %+v, %v", history, err)
	}
}

// Many programs write into a file rather than replace it. What the store keeps is its own.
func TestStoreKeepsWhatIsEditedInPlace(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	img := p.image(t, 1, "the picture")
	if err := p.local.Store().KeepFile(p.dir, img.Output.Path, addr(t, "image.a"), img); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(filepath.Join(p.dir.Path(), img.Output.Path), os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("edited"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if !p.local.Store().Whole(img.Output.SHA256) {
		t.Error("the store's copy was edited with the file")
	}
}

func TestStoreSameBytesTwice(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	first, second := p.image(t, 1, "same"), p.image(t, 2, "same")
	for n, img := range []*Image{first, second, first} {
		if n == 2 {
			p.write(t, img.Output.Path, "same") // restored, and replaced once more
		}
		if err := p.local.Store().Put(p.dir, nth(n%2), img); err != nil {
			t.Fatal(err)
		}
	}
	wantTree(t, p, map[string]string{blobName(sum("same")): "same"})
	wantFound(t, p, first, true)
	wantFound(t, p, second, true)
	if history, err := p.local.Store().History(nth(0)); len(history) != 1 || err != nil {
		t.Errorf("the history is %v, %v", history, err)
	}
}

// An image that was paid for and that nobody wants any more goes into the store from where it was
// downloaded to.
func TestStoreFromAnotherFile(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	current := p.image(t, 1, "the current one")
	img := *testImage(1)
	img.Output.SHA256, img.Output.Bytes = sum("unwanted"), 8
	p.write(t, "images/.fluxbatch-tmp-x", "unwanted")
	if err := p.local.Store().PutFile(p.dir, "images/.fluxbatch-tmp-x", nth(0), &img); err != nil {
		t.Fatal(err)
	}
	wantFound(t, p, &img, true)
	wantTree(t, p, map[string]string{blobName(sum("unwanted")): "unwanted", current.Output.Path: "the current one"})
}

// Of several images of one request the newest is found, unless its bytes are gone.
func TestStoreFindsTheNewest(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	var images []*Image
	for n := range 3 {
		img := p.image(t, 1, fmt.Sprintf("attempt %d", n))
		images = append(images, img)
		if err := p.local.Store().Put(p.dir, nth(0), img); err != nil {
			t.Fatal(err)
		}
	}
	for n := 2; n >= 0; n-- {
		wantFound(t, p, images[n], true)
		if err := p.dir.Remove(blobName(images[n].Output.SHA256)); err != nil {
			t.Fatal(err)
		}
	}
	wantFound(t, p, images[0], false)
}

// Candidates are each content once, those of the address first.
func TestStoreCandidates(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	var want []*Image
	for _, put := range []struct {
		at      addrs.Image
		content string
	}{{nth(0), "a"}, {nth(1), "b"}, {nth(0), "c"}, {nth(1), "c"}, {nth(1), "gone"}, {nth(1), "d"}} {
		img := p.image(t, 1, put.content)
		if err := p.local.Store().Put(p.dir, put.at, img); err != nil {
			t.Fatal(err)
		}
		want = append(want, img)
	}
	p.write(t, blobName(sum("gone")), "damaged")
	got := p.local.Store().Candidates(nth(0), testHash(1), false)
	if diff := cmp.Diff([]*Image{want[2], want[0], want[5], want[1]}, got, sameState); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	damaged := []*BlobError{{SHA256: sum("gone"), Path: blobName(sum("gone"))}}
	if diff := cmp.Diff(damaged, p.local.Store().Damaged()); diff != "" {
		t.Errorf("damaged (-want +got):\n%s", diff)
	}
	if again := p.local.Store().Damaged(); len(again) > 0 {
		t.Errorf("told twice of %v", again)
	}
}

func TestStoreKeepsSimulatedApart(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	img := p.image(t, 1, "drawn by the simulator")
	img.Result.Simulated = true
	if err := p.local.Store().Put(p.dir, nth(0), img); err != nil {
		t.Fatal(err)
	}
	if found, ok := first(p.local.Store().Candidates(nth(0), img.Fingerprint, false)); ok {
		t.Errorf("a simulated image is found for a real one: %+v", found)
	}
	wantFound(t, p, img, true)
	realOne := p.image(t, 1, "made by the API")
	if err := p.local.Store().Put(p.dir, nth(0), realOne); err != nil {
		t.Fatal(err)
	}
	wantFound(t, p, realOne, true)
	// A real image is good for a simulator as well: it may be a proxy that made both.
	got := p.local.Store().Candidates(nth(0), img.Fingerprint, true)
	if diff := cmp.Diff([]*Image{realOne, img}, got, sameState); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestStoreDamagedBlob(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	img := p.image(t, 1, "whole")
	if err := p.local.Store().Put(p.dir, nth(0), img); err != nil {
		t.Fatal(err)
	}
	wantFound(t, p, img, true)
	p.write(t, blobName(img.Output.SHA256), "damaged")
	wantFound(t, p, img, false)
	var bad *BlobError
	if err := p.local.Store().Restore(img.Output.SHA256, p.dir, img.Output.Path); !errors.As(err, &bad) {
		t.Errorf("Restore returns %v, want a BlobError", err)
	}
	wantTree(t, p, map[string]string{blobName(sum("whole")): "damaged"})
	p.write(t, img.Output.Path, "whole")
	if err := p.local.Store().Put(p.dir, nth(0), img); err != nil {
		t.Fatal(err)
	}
	wantTree(t, p, map[string]string{blobName(sum("whole")): "whole"})
}

func TestStoreMissingFile(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	img := p.image(t, 1, "x")
	if err := p.dir.Remove(img.Output.Path); err != nil {
		t.Fatal(err)
	}
	if err := p.local.Store().Put(p.dir, nth(0), img); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Put of a missing file: %v", err)
	}
	p.write(t, img.Output.Path, "x")
	for range 2 { // the second finds it there already
		if err := p.local.Store().Put(p.dir, nth(0), img); err != nil {
			t.Error(err)
		}
	}
}

func TestRestoreOverwritesNothing(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	img := p.image(t, 1, "generated")
	if err := p.local.Store().Put(p.dir, nth(0), img); err != nil {
		t.Fatal(err)
	}
	p.write(t, "a.png", "of the user")
	p.write(t, "b.png", "generated")
	if err := p.local.Store().Restore(img.Output.SHA256, p.dir, "a.png"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over another file: %v", err)
	}
	if err := p.local.Store().Restore(img.Output.SHA256, p.dir, "b.png"); err != nil {
		t.Errorf("over the same bytes: %v", err)
	}
	for _, sum := range []string{"", "../../../etc/passwd", strings.Repeat("A", 64)} {
		if err := p.local.Store().Restore(sum, p.dir, "c.png"); err == nil {
			t.Errorf("Restore(%q) succeeds", sum)
		}
	}
	wantTree(t, p, map[string]string{blobName(sum("generated")): "generated", "a.png": "of the user", "b.png": "generated"})
}

// Where no second name can be given to a file, or where it is a link, its bytes are copied.
func TestStoreCopies(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	img := p.image(t, 1, "x")
	noLinks := p.dir.WithFaults(func(op safefile.Op, _ string) error {
		if op == safefile.OpLink {
			return errors.ErrUnsupported
		}
		return nil
	})
	local, err := OpenLocal(noLinks)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(local.Store().Put(noLinks, nth(0), img), local.Close()); err != nil {
		t.Error(err)
	}
	wantTree(t, p, map[string]string{blobName(sum("x")): "x"})

	p.reopen(t)
	linked := p.image(t, 2, "y")
	if err := errors.Join(
		os.Rename(filepath.Join(p.dir.Path(), linked.Output.Path), filepath.Join(p.dir.Path(), "target.png")),
		os.Symlink("../target.png", filepath.Join(p.dir.Path(), linked.Output.Path)),
	); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	if err := p.local.Store().Put(p.dir, nth(1), linked); err != nil {
		t.Error(err)
	}
	wantTree(t, p, map[string]string{blobName(sum("x")): "x", blobName(sum("y")): "y", "target.png": "y"})

	elsewhere := newProject(t)
	foreign := elsewhere.image(t, 3, "z")
	if err := p.local.Store().Put(elsewhere.dir, nth(2), foreign); err != nil {
		t.Error(err)
	}
	wantTree(t, elsewhere, map[string]string{})
	if err := p.local.Store().Restore(foreign.Output.SHA256, elsewhere.dir, "back.png"); err != nil {
		t.Error(err)
	}
	wantTree(t, elsewhere, map[string]string{"back.png": "z"})
}

func TestDamagedRecipes(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	images := []*Image{p.image(t, 1, "one"), p.image(t, 2, "two"), p.image(t, 3, "three")}
	for n, img := range images[:2] {
		if err := p.local.Store().Put(p.dir, nth(n), img); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(p.dir.Path(), recipesFile)
	recipes := content(t, path)
	// The first line is damaged, the last one torn.
	if err := os.WriteFile(path, []byte("x"+recipes[1:]+recipes[:100]), 0o600); err != nil {
		t.Fatal(err)
	}
	p.reopen(t)
	wantFound(t, p, images[0], false)
	wantFound(t, p, images[1], true)
	if err := p.local.Store().Put(p.dir, nth(2), images[2]); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		wantFound(t, p, images[1], true)
		wantFound(t, p, images[2], true)
		p.reopen(t)
	}
}
