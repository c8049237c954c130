package planner

import (
	"slices"
	"strings"
	"testing"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/state"
)

// cut puts a rendition of an image on record, as made of the picture that the image has.
func (w *world) cut(of *image.Image, name string) addrs.Rendition {
	of.Rare().Renditions = append(of.Renditions(), image.Rendition{
		Name: name, Recipe: &image.Recipe{Width: 512, Height: 512, Fit: image.Cover, Format: "png"}, Output: strings.TrimSuffix(of.Output, ".png") + "-" + name + ".png",
	})
	at, r := addrs.Rendition{Of: of.Address, Name: name}, &of.Renditions()[len(of.Renditions())-1]
	img := w.prior.Images.Get(of.Address)
	if w.prior.Renditions == nil {
		w.prior.Renditions = map[addrs.Rendition]*state.Rendition{}
	}
	w.prior.Renditions[at] = &state.Rendition{
		From: []string{img.Output.Identity()}, Arguments: r.Key(state.MarkOf(r.Recipe, img), nil), Maker: image.Maker,
		Files: []state.File{{Path: r.Output, SHA256: "c" + img.Output.SHA256[1:], Bytes: 5, Width: 512, Height: 512, Format: "png"}},
	}
	return at
}

// TestDerived: an image that is made from a rendition stays as long as that does, and is known to
// change only after apply where the rendition does.
func TestDerived(t *testing.T) {
	t.Parallel()
	const stays, changes = "no-op image.hero", "replace image.hero rendition_changes $0.045"
	crop := addrs.Rendition{Of: addrs.Image{Name: "logo"}, Name: "crop"}
	recipe := func(change func(*image.Recipe)) func(*world, *image.Image, *Options) {
		return func(_ *world, logo *image.Image, _ *Options) {
			other := *logo.Renditions()[0].Recipe
			change(&other)
			logo.Renditions()[0].Recipe = &other
		}
	}
	tests := []struct {
		name   string
		change func(w *world, logo *image.Image, o *Options)
		want   string
	}{
		{"nothing changed", func(*world, *image.Image, *Options) {}, stays},
		{"the image is another", func(_ *world, logo *image.Image, _ *Options) { logo.Arguments[1].Value = "another logo" }, "replace image.hero upstream_changes(image.logo) $0.045"},
		{"an argument is another", recipe(func(r *image.Recipe) { r.Width = 400 }), changes},
		{"the path is another", func(_ *world, logo *image.Image, _ *Options) { logo.Renditions()[0].Output = "elsewhere.png" }, stays},
		{"the file is lost", func(_ *world, _ *image.Image, o *Options) {
			o.Made = map[addrs.Rendition]state.FileStatus{crop: state.Missing}
		}, stays},
		{"the file was edited", func(_ *world, _ *image.Image, o *Options) {
			o.Made = map[addrs.Rendition]state.FileStatus{crop: state.Changed}
		}, stays},
		{"the maker is another", func(w *world, _ *image.Image, _ *Options) { w.prior.Renditions[crop].Maker++ }, changes},
		{"it was made of another picture", func(w *world, _ *image.Image, _ *Options) { w.prior.Renditions[crop].From = []string{"x"} }, changes},
		{"it is not on record", func(w *world, _ *image.Image, _ *Options) { delete(w.prior.Renditions, crop) }, changes},
		{"the image moves", func(w *world, logo *image.Image, o *Options) {
			o.Moves = []addrs.Move{{From: addrs.Endpoint{Name: "old"}, To: addrs.Endpoint{Name: "logo"}}}
			old := addrs.Image{Name: "old"}
			w.prior.Images.Set(old, w.prior.Images.Get(logo.Address))
			w.prior.Renditions[addrs.Rendition{Of: old, Name: "crop"}] = w.prior.Renditions[crop]
			w.prior.Images.Delete(logo.Address)
			delete(w.prior.Renditions, crop)
		}, stays},
		{"it has another name", func(w *world, _ *image.Image, _ *Options) {
			w.prior.Renditions[addrs.Rendition{Of: crop.Of, Name: "former"}] = w.prior.Renditions[crop]
			delete(w.prior.Renditions, crop)
		}, stays},
		{"the limits of a plan are others", func(_ *world, _ *image.Image, o *Options) {
			o.Only = map[addrs.Image]bool{{Name: "hero"}: true}
		}, stays},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			logo := w.image(t, "image.logo", "a logo")
			w.make(t)
			at := w.cut(logo, "crop")
			hero := w.image(t, "image.hero", "a hero", "image.logo")
			hero.References[0].Derived = &image.Derived{Address: at, Rendition: &logo.Renditions()[0]}
			w.make(t)
			var o Options
			tt.change(w, logo, &o)
			plan, diags := w.plan(t, o)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			if got := lines(plan); !slices.Contains(got, tt.want) {
				t.Errorf("%q, want %s", got, tt.want)
			}
		})
	}
}

// TestDerivedExtent: what the arguments decide on is known of a rendition before it is made.
func TestDerivedExtent(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		recipe  image.Recipe
		of      bfl.Size
		want    bfl.Size
		isExact bool
	}{
		{image.Recipe{Width: 512, Height: 256, Fit: image.Cover}, bfl.Size{}, bfl.Size{Width: 512, Height: 256}, true},
		{image.Recipe{Width: 512, Height: 256, Fit: image.Inside}, bfl.Size{}, bfl.Size{}, false},
		{image.Recipe{Width: 512, Fit: image.Cover}, bfl.Size{}, bfl.Size{}, false},
		{image.Recipe{Width: 512, Fit: image.Cover}, bfl.Size{Width: 1024, Height: 2048}, bfl.Size{Width: 512, Height: 1024}, false},
	} {
		if got := derivedSize(&tt.recipe, tt.of); got != tt.want || tt.recipe.IsExact() != tt.isExact {
			t.Errorf("%+v of %v is %v, want %v", tt.recipe, tt.of, got, tt.want)
		}
	}
}

// TestDerivedOfFrozen: nothing is bought from a rendition that cannot be made, since its picture is
// lost and does not come back.
func TestDerivedOfFrozen(t *testing.T) {
	t.Parallel()
	for lost, want := range map[bool]string{true: "Frozen image is missing", false: ""} {
		w := newWorld()
		logo := w.image(t, "image.logo", "a logo")
		logo.Rare().Lifecycle.Frozen = true
		w.make(t)
		at := w.cut(logo, "crop")
		hero := w.image(t, "image.hero", "a hero", "image.logo")
		hero.References[0].Derived = &image.Derived{Address: at, Rendition: &logo.Renditions()[0]}
		w.files[logo.Address] = state.Missing
		var o Options
		if lost {
			o.Made = map[addrs.Rendition]state.FileStatus{at: state.Missing}
		}
		_, diags := w.plan(t, o)
		got := ""
		if diags.HasErrors() {
			got = diags[0].Summary
		}
		if got != want {
			t.Errorf("with its rendition lost %v: %q, want %q", lost, got, want)
		}
	}
}

// TestAssetDerived: a rendition of a file that an image is made from is made also where the plan is
// limited to that image.
func TestAssetDerived(t *testing.T) {
	t.Parallel()
	w := newWorld()
	hero := w.image(t, "image.hero", "a hero")
	w.image(t, "image.other", "another")
	asset := &image.Asset{
		Address: addrs.Image{Name: "seal"}, SHA256: "s", Content: "c", Width: 300, Height: 200,
		Renditions: []image.Rendition{{Name: "icon", Recipe: &image.Recipe{Width: 96, Fit: image.Cover, Format: "png"}, Output: "images/seal-icon.png"}},
	}
	at := addrs.Rendition{Kind: addrs.OfAsset, Of: asset.Address, Name: "icon"}
	hero.References = []image.Reference{{
		Input: bfl.Input{Field: "input_image"}, Derived: &image.Derived{Address: at, Rendition: &asset.Renditions[0], Asset: asset},
	}}
	plan, _ := w.plan(t, Options{Only: map[addrs.Image]bool{hero.Address: true}})
	if len(plan.Renditions) != 1 || plan.Renditions[0].Address != at || plan.Renditions[0].Action != Create {
		t.Errorf("%+v is made, want %s", plan.Renditions, at)
	}
	if size := plan.Change(hero.Address).Desired.References[0].Size; size != (bfl.Size{Width: 96, Height: 64}) {
		t.Errorf("its extent is %v", size)
	}
}
