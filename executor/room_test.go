package executor

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
)

// Files of ours make way for folders, and folders of ours for files, before anything is bought, and
// none is lost.
func TestRoom(t *testing.T) {
	t.Parallel()
	again := func(img *image.Image) { img.Arguments = []bfl.Argument{{Name: "prompt", Value: "again"}} }
	for name, tt := range map[string]struct {
		before, after string
		change        func(r *rig, img *image.Image)
		bought        int
	}{
		"a file becomes a folder":                            {before: "images/p.png", after: "images/p.png/x.png"},
		"a folder becomes a file":                            {before: "images/p.png/x.png", after: "images/p.png"},
		"a deep folder becomes a file":                       {before: "images/p.png/a/b/x.png", after: "images/p.png"},
		"a file becomes a deep folder":                       {before: "images/p.png", after: "images/p.png/a/b/x.png"},
		"a file becomes a folder, and its image another one": {"images/p.png", "images/p.png/x.png", func(_ *rig, img *image.Image) { again(img) }, 1},
		"a folder becomes a file, and its image another one": {"images/p.png/x.png", "images/p.png", func(_ *rig, img *image.Image) { again(img) }, 1},
		"a file goes, and another image needs the folder": {"images/p.png", "images/p.png/x.png", func(r *rig, img *image.Image) {
			again(img)
			img.Address.Name = "other"
		}, 1},
		"a folder goes, and another image needs the path": {"images/p.png/x.png", "images/p.png", func(r *rig, img *image.Image) {
			again(img)
			img.Address.Name = "other"
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, 1)
			r.stored = r.store.candidates
			img := r.image(t, "a")
			img.Output = tt.before
			made := r.made(t, img)
			was := r.file(t, tt.before)
			img.Output = tt.after
			if tt.change != nil {
				tt.change(r, img)
			}
			summary, err := r.apply(t)
			if err != nil || len(r.warnings()) > 0 {
				t.Fatalf("Apply = %+v, %v, %v, warned %q", summary, err, r.failures(), r.warnings())
			}
			now := r.file(t, tt.after)
			if now == "" || (now == was) != (tt.bought == 0) || r.api.attempts["again"] != tt.bought {
				t.Errorf("bought %v, and the file is the old one: %t", r.api.attempts, now == was)
			}
			if !r.store.Whole(made.Output.SHA256) {
				t.Error("the old file is lost")
			}
		})
	}
}

// What is not ours stays, whatever it is in the way of.
func TestNoRoom(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	img := r.image(t, "a")
	img.Output = "images/p.png/x.png"
	r.made(t, img)
	notes := filepath.Join(r.dir.Path(), "images", "p.png", "notes.txt")
	if err := os.WriteFile(notes, []byte("somebody's work"), 0o600); err != nil {
		t.Fatal(err)
	}
	img.Output = "images/p.png"
	if _, err := r.apply(t); err == nil {
		t.Error("a folder with a file in it made way")
	}
	if _, err := os.Stat(notes); err != nil {
		t.Error(err)
	}
}
