package executor

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/state"
)

// cropped declares image.logo with a rendition, and image.hero made from that. Widths of 4 and up
// differ in their pixels.
func cropped(t *testing.T, width int) (r *rig, logo *image.Image) {
	t.Helper()
	r = newRig(t, 2)
	r.prior.Renditions = map[addrs.Rendition]*state.Rendition{}
	logo = r.image(t, "logo")
	logo.Rare().Renditions = []image.Rendition{{
		Name: "crop", Recipe: &image.Recipe{Width: width, Height: 4, Fit: image.Cover, Format: "png"}, Output: "images/logo-crop.png",
	}}
	hero := r.image(t, "hero")
	hero.Dependencies = []addrs.Image{logo.Address}
	hero.References = []image.Reference{{
		Input: bfl.Input{Field: "input_image"}, Image: logo.Address,
		Derived: &image.Derived{Address: addrs.Rendition{Of: logo.Address, Name: "crop"}, Rendition: &logo.Renditions()[0]},
	}}
	return r, logo
}

// keep puts on record what an apply recorded.
func (r *rig) keep() {
	for _, record := range r.journal.records {
		switch record := record.(type) {
		case state.Stored:
			r.prior.Images.Set(record.Address, record.Image)
		case state.Made:
			r.prior.Renditions[record.Address] = record.Rendition
		}
	}
	r.journal.records, r.events, r.api.order = nil, nil, nil
}

func TestImagesAreMadeFromRenditions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, _ := cropped(t, 4)
		if _, err := r.apply(t); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"logo", "hero"}, r.api.order); diff != "" {
			t.Errorf("the order of submission (-want +got):\n%s", diff)
		}
		sent := base64.StdEncoding.EncodeToString([]byte(r.file(t, "images/logo-crop.png")))
		if body := string(r.api.tasks[1].body); !strings.Contains(body, sent) {
			t.Errorf("the request for the hero does not carry the rendition: %.200s", body)
		}
		r.keep()
		if s, err := r.apply(t); err != nil || len(r.api.order) > 0 || s != (Summary{}) {
			t.Errorf("a second apply did %+v and asked for %v, %v", s, r.api.order, err)
		}
	})
}

// TestRenditionWithTheSamePixels: another recipe that comes out as before has nothing bought.
func TestRenditionWithTheSamePixels(t *testing.T) {
	t.Parallel()
	for width, want := range map[int][]string{4: nil, 5: {"hero"}} {
		synctest.Test(t, func(t *testing.T) {
			r, logo := cropped(t, 4)
			if _, err := r.apply(t); err != nil {
				t.Fatal(err)
			}
			r.keep()
			logo.Renditions()[0].Recipe = &image.Recipe{Width: width, Height: 4, Fit: image.Cover, Format: "png", Background: "#ffffff"}
			if _, err := r.apply(t); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, r.api.order); diff != "" {
				t.Errorf("with a width of %d (-want +got):\n%s", width, diff)
			}
		})
	}
}

// TestLostRenditionIsMadeFirst: the plan did not see that a rendition's file is lost or edited, and
// what goes into the request is the rendition all the same.
func TestLostRenditionIsMadeFirst(t *testing.T) {
	t.Parallel()
	for _, content := range []string{"", "edited"} {
		synctest.Test(t, func(t *testing.T) {
			r, _ := cropped(t, 4)
			if _, err := r.apply(t); err != nil {
				t.Fatal(err)
			}
			r.keep()
			crop := r.file(t, "images/logo-crop.png")
			path := filepath.Join(r.dir.Path(), "images", "logo-crop.png")
			err := os.Remove(path)
			if content != "" {
				err = os.WriteFile(path, []byte(content), 0o644)
			}
			if err != nil {
				t.Fatal(err)
			}
			r.replace = []addrs.Image{parse(t, "image.hero")}
			if _, err := r.apply(t); err != nil {
				t.Fatal(err)
			}
			sent := base64.StdEncoding.EncodeToString([]byte(crop))
			if body := string(r.api.tasks[len(r.api.tasks)-1].body); !strings.Contains(body, sent) || r.file(t, "images/logo-crop.png") != crop {
				t.Errorf("with the file %q, what was sent is not the rendition: %.200s", content, body)
			}
		})
	}
}

// TestFailedRenditionSkips: what is made from a rendition that cannot be made is not bought.
func TestFailedRenditionSkips(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, _ := cropped(t, 4)
		if err := os.MkdirAll(filepath.Join(r.dir.Path(), "images", "logo-crop.png", "in-the-way"), 0o755); err != nil {
			t.Fatal(err)
		}
		s, err := r.apply(t)
		if err == nil || s.RenditionsFailed != 1 || s.Skipped != 1 {
			t.Errorf("%+v, %v", s, err)
		}
		if diff := cmp.Diff([]string{"logo"}, r.api.order); diff != "" {
			t.Errorf("what was bought (-want +got):\n%s", diff)
		}
		for _, e := range r.events {
			if e, isSkipped := e.(Skipped); isSkipped && e.Lack() != "image.logo.rendition.crop" {
				t.Errorf("it was skipped for want of %q", e.Lack())
			}
		}
	})
}
