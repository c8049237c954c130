package planner

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/state"
)

// world is a configuration and a state under construction.
type world struct {
	images []*image.Image
	prior  *state.State
	files  map[addrs.Image]state.FileStatus
}

func newWorld() *world {
	return &world{prior: &state.State{Images: new(state.Images)}, files: map[addrs.Image]state.FileStatus{}}
}

func addr(t *testing.T, text string) addrs.Image {
	t.Helper()
	a, err := addrs.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// image declares an image made from others.
func (w *world) image(t *testing.T, name, prompt string, upstream ...string) *image.Image {
	t.Helper()
	img := &image.Image{
		Address: addr(t, name), Provider: "bfl", Output: "images/" + strings.TrimPrefix(name, "image.") + ".png",
		Model: bfl.Lookup("flux-2-pro"),
		Arguments: []bfl.Argument{
			{Name: "height", Value: int64(1024)}, {Name: "prompt", Value: prompt}, {Name: "width", Value: int64(1024)},
		},
	}
	for i, up := range upstream {
		img.References = append(img.References, image.Reference{Input: bfl.Input{Field: img.Model.Inputs.References[i]}, Image: addr(t, up)})
		img.Dependencies = append(img.Dependencies, addr(t, up))
	}
	w.images = append(w.images, img)
	return img
}

// make records all declared images as made.
func (w *world) make(t *testing.T) {
	t.Helper()
	for _, img := range w.images {
		request := img.Request()
		for i, r := range img.References {
			switch {
			case r.Derived != nil:
				request.Inputs[i].SHA256 = w.prior.Renditions[r.Derived.Address].Picture().Identity()
			case r.IsImage():
				request.Inputs[i].SHA256 = w.prior.Images.Get(r.Image).Output.SHA256
			}
		}
		canonical, err := request.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		fingerprint := request.Fingerprint()
		w.prior.Images.Set(img.Address, &state.Image{
			Provider: img.Provider, Model: request.Model.Name, Fingerprint: fingerprint, Request: canonical,
			Output: state.File{
				Path: img.Output, SHA256: "f" + fingerprint[1:], Bytes: 10, Width: 1024, Height: 1024, Format: "png",
			},
			Result:       state.Result{TaskID: "task", Seed: new(int64(99)), Cost: 3000},
			Dependencies: img.Dependencies, Labels: img.Labels,
		})
	}
}

// plan plans the world.
func (w *world) plan(t *testing.T, o Options) (*Plan, hcl.Diagnostics) {
	t.Helper()
	o.Prior, o.Files = w.prior, w.files
	return Settle(o, func(o Options) (*Plan, hcl.Diagnostics) {
		p := New(o)
		for _, img := range w.images {
			// Deciding on an image may change it, and each round evaluates all anew.
			again := *img
			p.Decide(&again)
		}
		return p.Finish(nil, nil)
	})
}

// submitted puts a task on record that an interrupted run left, with an answer of the API where id
// is not "".
func (w *world) submitted(at addrs.Image, fingerprint, id string) *state.Task {
	task := &state.Task{Key: fmt.Sprintf("key-%d", len(w.prior.Tasks)), Address: at, Provider: "bfl", ID: id, Fingerprint: fingerprint, Cost: 3000}
	if w.prior.Tasks == nil {
		w.prior.Tasks = map[string]*state.Task{}
	}
	w.prior.Tasks[task.Key] = task
	return task
}

// lines renders what a plan does: "action address: reasons ($cost)".
func lines(p *Plan) []string {
	var out []string
	for _, c := range p.Changes {
		line := c.Action.String() + " " + c.Address.String()
		for _, r := range c.Reasons {
			line += " " + string(r.Kind)
			if r.Kind == UpstreamChanges {
				line += "(" + r.Upstream.String() + ")"
			}
		}
		if c.Cost > 0 {
			line += " " + c.Cost.Dollars()
		}
		out = append(out, line)
	}
	return out
}

func TestPlan(t *testing.T) {
	t.Parallel()
	// Each case starts from a logo, a hero made from it and a banner made from the hero, all made,
	// and a plain image.
	tests := []struct {
		name   string
		change func(t *testing.T, w *world)
		opts   func(t *testing.T) Options
		want   []string
	}{
		{
			name:   "nothing changed",
			change: func(*testing.T, *world) {},
			want:   []string{"no-op image.banner", "no-op image.hero", "no-op image.logo", "no-op image.plain"},
		},
		{
			name:   "a changed prompt drags along what is made from it, and nothing else",
			change: func(_ *testing.T, w *world) { w.images[0].Arguments[1].Value = "another logo" },
			want: []string{
				"replace image.banner upstream_changes(image.hero) $0.045", "replace image.hero upstream_changes(image.logo) $0.045",
				"replace image.logo request_changed $0.03", "no-op image.plain",
			},
		},
		{
			name: "a zero seed is a seed",
			change: func(_ *testing.T, w *world) {
				plain := w.images[3]
				plain.Arguments = append(slices.Clone(plain.Arguments), bfl.Argument{Name: "seed", Value: int64(0)})
				bfl.SortArguments(plain.Arguments)
			},
			want: []string{
				"no-op image.banner", "no-op image.hero", "no-op image.logo", "replace image.plain request_changed $0.03",
			},
		},
		{
			name:   "what costs nothing is updated",
			change: func(_ *testing.T, w *world) { w.images[0].Output = "images/mark.png" },
			want:   []string{"no-op image.banner", "no-op image.hero", "update image.logo", "no-op image.plain"},
		},
		{
			name:   "an image that is no longer declared goes",
			change: func(_ *testing.T, w *world) { w.images = w.images[:3] },
			want:   []string{"no-op image.banner", "no-op image.hero", "no-op image.logo", "destroy image.plain not_in_configuration"},
		},
		{
			name: "a lost file is made again",
			change: func(t *testing.T, w *world) {
				t.Helper()
				w.files[addr(t, "image.banner")] = state.Missing
			},
			want: []string{"create image.banner file_missing $0.045", "no-op image.hero", "no-op image.logo", "no-op image.plain"},
		},
		{
			name:   "a request of the user's",
			change: func(*testing.T, *world) {},
			opts: func(t *testing.T) Options {
				t.Helper()
				return Options{Replace: []addrs.Image{addr(t, "image.banner")}}
			},
			want: []string{"replace image.banner requested $0.045", "no-op image.hero", "no-op image.logo", "no-op image.plain"},
		},
		{
			name: "an argument that only apply can know",
			change: func(t *testing.T, w *world) {
				t.Helper()
				w.images[0].Arguments[1].Value = "another logo"
				w.images[3].Arguments[1].Value = nil
				w.images[3].Dependencies = []addrs.Image{addr(t, "image.logo")}
			},
			want: []string{
				"replace image.banner upstream_changes(image.hero) $0.045", "replace image.hero upstream_changes(image.logo) $0.045",
				"replace image.logo request_changed $0.03", "replace image.plain upstream_changes(image.logo) request_changed $0.03",
			},
		},
		{
			name: "simulated images do not stand in for real ones",
			change: func(t *testing.T, w *world) {
				t.Helper()
				simulated := *w.prior.Images.Get(addr(t, "image.plain"))
				simulated.Result.Simulated = true
				w.prior.Images.Set(addr(t, "image.plain"), &simulated)
			},
			opts: func(*testing.T) Options { return Options{Simulator: func(string) bool { return false }} },
			want: []string{"no-op image.banner", "no-op image.hero", "no-op image.logo", "replace image.plain was_simulated $0.03"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			w.image(t, "image.logo", "a logo")
			w.image(t, "image.hero", "the logo on a bottle", "image.logo")
			w.image(t, "image.banner", "the bottle in the sun", "image.hero")
			w.image(t, "image.plain", "a plain image")
			w.make(t)
			tt.change(t, w)
			var o Options
			if tt.opts != nil {
				o = tt.opts(t)
			}
			plan, diags := w.plan(t, o)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			if diff := cmp.Diff(tt.want, lines(plan)); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPlanIsTheSameEveryTime(t *testing.T) {
	t.Parallel()
	w := newWorld()
	for _, name := range []string{"image.c", "image.a", "image.b[10]", "image.b[9]", `image.b["x"]`} {
		w.image(t, name, name)
	}
	first, _ := w.plan(t, Options{})
	for range 20 {
		again, _ := w.plan(t, Options{})
		if diff := cmp.Diff(lines(first), lines(again)); diff != "" {
			t.Fatalf("two plans of one world differ:\n%s", diff)
		}
	}
	want := []string{"image.a", "image.b[9]", "image.b[10]", `image.b["x"]`, "image.c"}
	for i, c := range first.Changes {
		if c.Address.String() != want[i] {
			t.Errorf("change %d is %s, want %s", i, c.Address, want[i])
		}
	}
}

func TestLostImageIsMadeWithItsRecordedSeed(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.image(t, "image.plain", "a plain image")
	w.make(t)
	w.files[addr(t, "image.plain")] = state.Missing
	plan, _ := w.plan(t, Options{})
	c := plan.Changes[0]
	if c.RecordedSeed() == nil || *c.RecordedSeed() != 99 {
		t.Errorf("the seed to send is %v, want the recorded 99", c.RecordedSeed())
	}
	if c.Fingerprint != w.prior.Images.Get(c.Address).Fingerprint {
		t.Error("the recorded seed changed the fingerprint, so that the next plan would make the image again")
	}
}

func TestPreventDestroy(t *testing.T) {
	t.Parallel()
	w := newWorld()
	img := w.image(t, "image.plain", "a plain image")
	w.make(t)
	img.Rare().Lifecycle.PreventDestroy = true
	if _, diags := w.plan(t, Options{}); diags.HasErrors() {
		t.Errorf("an unchanged image: %v", diags)
	}
	img.Arguments[1].Value = "another image"
	_, diags := w.plan(t, Options{})
	if !diags.HasErrors() || !strings.Contains(diags.Error(), "protected") {
		t.Errorf("a changed image gave %v, want a refusal", diags)
	}
}

func TestFrozenAndEdited(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		change  func(w *world)
		refused bool
	}{
		{"nothing is made from it", func(*world) {}, false},
		{"an image is made from it", func(w *world) { w.images[1].Arguments[1].Value = "the logo at night" }, true},
		{"a new image is made from it", func(w *world) { w.prior.Images.Delete(w.images[1].Address) }, true},
		{"it is not frozen, and so made again", func(w *world) { w.images[0].Rare().Lifecycle.Frozen = false }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			logo := w.image(t, "image.logo", "a logo")
			w.image(t, "image.hero", "the logo", "image.logo")
			w.make(t)
			logo.Rare().Lifecycle.Frozen = true
			w.files[logo.Address] = state.Changed
			tt.change(w)
			_, diags := w.plan(t, Options{})
			if got := strings.Contains(diags.Error(), "-refresh-only"); got != tt.refused || diags.HasErrors() != tt.refused {
				t.Errorf("got %v, want a refusal: %t", diags, tt.refused)
			}
		})
	}
}

// A frozen image whose file is gone comes back as the bytes that it had, or not at all, whatever
// the configuration asks for by now.
func TestFrozenAndLost(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		stored func(logo *state.Image) []*state.Image
		change func(w *world)
		want   string
		error  string
		place  string // where it comes back, "" where it was
	}{
		{
			"it is in the store, and has another path", func(logo *state.Image) []*state.Image { return []*state.Image{logo} },
			func(w *world) { w.images[0].Output = "images/new.png" }, "create image.logo file_missing", "", "images/new.png",
		},
		{
			"it is in the store, and another is configured, at another path", func(logo *state.Image) []*state.Image { return []*state.Image{logo} },
			func(w *world) {
				set(w.images[0], "prompt", "another")
				w.images[0].Output = "images/new.png"
			}, "create image.logo file_missing", "", "",
		},
		{"it is in the store", func(logo *state.Image) []*state.Image { return []*state.Image{logo} }, func(*world) {}, "create image.logo file_missing", "", ""},
		{
			"it is in the store, and another is configured", func(logo *state.Image) []*state.Image { return []*state.Image{logo} },
			func(w *world) { set(w.images[0], "prompt", "another") }, "create image.logo file_missing", "", "",
		},
		{
			"the store has another throw of the dice", func(logo *state.Image) []*state.Image {
				other := *logo
				other.Output.SHA256 = strings.Repeat("0", 64)
				return []*state.Image{&other}
			},
			func(*world) {}, "no-op image.logo file_missing", "", "",
		},
		{"it is nowhere", nil, func(w *world) { set(w.images[0], "prompt", "another") }, "no-op image.logo request_changed file_missing", "", ""},
		{
			"an image is made from it", nil, func(w *world) { set(w.images[1], "prompt", "the logo at night") }, "no-op image.logo file_missing",
			"Frozen image is missing", "",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			logo := w.image(t, "image.logo", "a logo")
			w.image(t, "image.hero", "the logo", "image.logo")
			w.make(t)
			logo.Rare().Lifecycle.Frozen = true
			w.files[logo.Address] = state.Missing
			tt.change(w)
			prior := w.prior.Images.Get(logo.Address)
			plan, diags := w.plan(t, Options{Stored: func(addr addrs.Image, fingerprint string, _ bool) []*state.Image {
				if tt.stored == nil || addr != logo.Address || fingerprint != prior.Fingerprint {
					return nil
				}
				return tt.stored(prior)
			}})
			if diags.HasErrors() != (tt.error != "") || !strings.Contains(diags.Error(), tt.error) {
				t.Fatalf("got %v, want %q", diags, tt.error)
			}
			i := slices.IndexFunc(plan.Changes, func(c *Change) bool { return c.Address == logo.Address })
			if got := lines(plan)[i]; got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			place := tt.place
			if place == "" {
				place = prior.Output.Path
			}
			if c := plan.Changes[i]; c.Makes() && (c.Origin != Restore || c.Kept() != prior || c.Desired.Output != place) {
				t.Errorf("it comes from %q to %s", c.Origin, c.Desired.Output)
			}
		})
	}
}

func TestAttributes(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.image(t, "image.logo", "a logo")
	hero := w.image(t, "image.hero", "the logo", "image.logo")
	w.make(t)
	hero.Arguments = []bfl.Argument{
		{Name: "height", Value: int64(1024)}, {Name: "prompt", Value: "the new logo"}, {Name: "width", Value: nil},
	}
	hero.Labels = map[string]string{"season": "winter"}
	plan, _ := w.plan(t, Options{})
	var got []string
	for _, a := range plan.Changes[0].Attributes() {
		line := a.Name
		if a.Changed() {
			line += " changed"
		}
		if a.Forces {
			line += " forces"
		}
		if a.Unknown {
			line += " unknown"
		}
		got = append(got, line)
	}
	want := []string{
		"model", "prompt changed forces", "references[0]", "width changed forces unknown", "height", "output",
		`labels["season"] changed`, "provider",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
	reference := plan.Changes[0].Attributes()[2]
	if r, ok := reference.Before.(image.Reference); !ok || r.Name() != "image.logo" {
		t.Errorf("the recorded reference is shown as %v, want image.logo", reference.Before)
	}
}

// An input of which it is not known yet what it will be is no URL.
func TestUnknownSource(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.image(t, "image.logo", "a logo")
	hero := w.image(t, "image.hero", "the logo", "image.logo")
	w.make(t)
	hero.References[0] = image.Reference{Input: hero.References[0].Input, Unknown: true}
	plan, _ := w.plan(t, Options{})
	got := plan.Changes[0].Attributes()[2]
	in := bfl.Input{Field: "input_image", SHA256: w.prior.Images.Get(addr(t, "image.logo")).Output.SHA256}
	want := image.Attribute{
		Name: "references[0]", Before: image.Reference{Input: in, Image: addr(t, "image.logo")},
		After: image.Reference{Input: bfl.Input{Field: "input_image"}, Unknown: true}, Unknown: true, Forces: true,
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(addrs.Key{})); diff != "" {
		t.Errorf("the reference (-want +got):\n%s", diff)
	}
}

// References have the language's names also where the model is not in the catalogue.
func TestAttributesOfDeclaredModel(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.image(t, "image.logo", "a logo")
	hero := w.image(t, "image.hero", "the logo", "image.logo")
	declared := *hero.Model
	declared.Name, declared.Endpoint = "flux-9", "/v1/flux-9"
	hero.Model = &declared
	w.make(t)
	plan, _ := w.plan(t, Options{})
	for _, a := range plan.Changes[0].Attributes() {
		if a.Changed() {
			t.Errorf("%s of an image that did not change is %v before and %v after", a.Name, a.Before, a.After)
		}
	}
}

func TestOutputs(t *testing.T) {
	t.Parallel()
	prior := map[string]state.OutputValue{
		"gone":   {Value: []byte(`1`), Type: []byte(`"number"`)},
		"same":   {Value: []byte(`"x"`), Type: []byte(`"string"`)},
		"edited": {Value: []byte(`"x"`), Type: []byte(`"string"`)},
		"secret": {Value: []byte(`null`), Type: []byte(`"dynamic"`), Sensitive: true},
	}
	changes := outputChanges(prior, []config.Output{
		{Name: "same", Value: cty.StringVal("x")},
		{Name: "edited", Value: cty.StringVal("y")},
		{Name: "new", Value: cty.UnknownVal(cty.String)},
		{Name: "secret", Value: cty.StringVal("hush").Mark("sensitive"), Sensitive: true},
	})
	got := map[string]bool{}
	for _, c := range changes {
		got[c.Name] = c.Changed
	}
	want := map[string]bool{"gone": true, "same": false, "edited": true, "new": true, "secret": false}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("changed outputs (-want +got):\n%s", diff)
	}
}

// What is there already is taken before anything is bought.
func TestWhatIsThereIsTaken(t *testing.T) {
	t.Parallel()
	t.Run("of two images that go, the one whose file is there", func(t *testing.T) {
		t.Parallel()
		w := newWorld()
		lost, there := w.image(t, "image.lost", "one"), w.image(t, "image.there", "one")
		w.make(t)
		w.images = nil
		w.image(t, "image.new", "one")
		w.files[lost.Address] = state.Missing
		plan, _ := w.plan(t, Options{})
		if want := []Rename{{From: there.Address, To: addr(t, "image.new")}}; !slices.Equal(plan.Renamed, want) {
			t.Errorf("taken over is %v, want %v", plan.Renamed, want)
		}
	})
	t.Run("the image on record, where only what is ignored differs", func(t *testing.T) {
		t.Parallel()
		w := newWorld()
		logo := w.image(t, "image.logo", "a logo")
		logo.References = []image.Reference{{Input: bfl.Input{Field: logo.Model.Inputs.References[0], SHA256: strings.Repeat("1", 64)}}}
		logo.Rare().Lifecycle.IgnoreChanges = []string{"references"}
		w.make(t)
		prior := w.prior.Images.Get(logo.Address)
		logo.References = slices.Clone(logo.References)
		logo.References[0].SHA256 = strings.Repeat("2", 64)
		w.files[logo.Address] = state.Missing
		plan, _ := w.plan(t, Options{Stored: func(_ addrs.Image, fingerprint string, _ bool) []*state.Image {
			if fingerprint == prior.Fingerprint {
				return []*state.Image{prior}
			}
			return nil
		}})
		if c := plan.Changes[0]; c.Origin != Restore || c.Kept() != prior {
			t.Errorf("it comes from %q", c.Origin)
		}
	})
	t.Run("a real image, whatever a simulator was asked for", func(t *testing.T) {
		t.Parallel()
		w := newWorld()
		logo := w.image(t, "image.logo", "a logo")
		w.make(t)
		w.submitted(logo.Address, logo.Request().Fingerprint(), "task").Simulated = true
		plan, _ := w.plan(t, Options{Simulator: func(string) bool { return false }})
		if got := lines(plan)[0]; got != "no-op image.logo" {
			t.Errorf("got %s", got)
		}
	})
	t.Run("but no seed, where another image is wanted", func(t *testing.T) {
		t.Parallel()
		w := newWorld()
		w.image(t, "image.old", "one")
		w.make(t)
		w.images = nil
		renamed := w.image(t, "image.new", "one")
		plan, _ := w.plan(t, Options{Replace: []addrs.Image{renamed.Address}})
		if c := plan.Changes[0]; c.Origin != Generate || c.RecordedSeed() != nil {
			t.Errorf("it comes from %q with the seed %v", c.Origin, c.RecordedSeed())
		}
	})
}

// A provider on this machine may be the simulator, or a proxy of the real API. What is real counts
// there, and what is simulated counts only there.
func TestSimulated(t *testing.T) {
	t.Parallel()
	for _, made := range []bool{false, true} { // by a simulator
		for _, may := range []bool{false, true} { // the provider be one
			t.Run(fmt.Sprintf("made=%t may=%t", made, may), func(t *testing.T) {
				t.Parallel()
				w := newWorld()
				task := w.image(t, "image.task", "a task")
				stored := w.image(t, "image.stored", "in the store")
				renamed := w.image(t, "image.renamed", "renamed")
				w.make(t)
				old := w.prior.Images.Get(renamed.Address)
				old.Result.Simulated = made
				w.prior.Images = state.ImagesOf(map[addrs.Image]*state.Image{addr(t, "image.old"): old})
				w.submitted(task.Address, task.Request().Fingerprint(), "task").Simulated = made
				plan, diags := w.plan(t, Options{
					Simulator: func(string) bool { return may },
					Stored: func(a addrs.Image, fingerprint string, simulated bool) []*state.Image {
						if a != stored.Address || made && !simulated {
							return nil
						}
						return []*state.Image{{Fingerprint: fingerprint, Output: state.File{SHA256: "00"}, Result: state.Result{Simulated: made}}}
					},
				})
				if diags.HasErrors() {
					t.Fatal(diags)
				}
				got := map[string]Origin{}
				for _, c := range plan.Changes {
					if c.Action == Create {
						got[c.Address.Name] = c.Origin
					}
				}
				want := map[string]Origin{"task": Resume, "stored": Restore, "renamed": Restore}
				if made && !may {
					want = map[string]Origin{"task": Generate, "stored": Generate, "renamed": Generate}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("origins (-want +got):\n%s", diff)
				}
			})
		}
	}
}
