package planner

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/state"
)

// set gives an argument another value.
func set(img *image.Image, name string, value any) {
	i := slices.IndexFunc(img.Arguments, func(a bfl.Argument) bool { return a.Name == name })
	img.Arguments[i].Value = value
}

// TestIgnoreChanges changes a poster whose prompt is sensitive, so that it is not on record.
func TestIgnoreChanges(t *testing.T) {
	t.Parallel()
	const first, second, oldURL, newURL = "a secret", "another secret", "https://example.com/1.png?key=1", "https://example.com/1.png?key=2"
	tests := []struct {
		name   string
		ignore []string
		// secretURL says that not the prompt is sensitive but the URL of the second reference.
		secretURL bool
		change    func(t *testing.T, w *world, poster *image.Image)
		want      string
		// prompt is the one of the request, "" for that of the configuration.
		prompt string
	}{
		{"nothing changes", []string{"prompt"}, false, func(*testing.T, *world, *image.Image) {}, "no-op image.poster", first},
		{
			"a sensitive argument",
			[]string{"prompt"},
			false,
			func(_ *testing.T, _ *world, poster *image.Image) { set(poster, "prompt", second) },
			"no-op image.poster", second,
		},
		{
			"a sensitive argument that only apply can know",
			[]string{"prompt"},
			false,
			func(_ *testing.T, _ *world, poster *image.Image) { set(poster, "prompt", nil) },
			"no-op image.poster", "",
		},
		{
			"a sensitive argument that counts",
			[]string{"width"},
			false,
			func(_ *testing.T, _ *world, poster *image.Image) { set(poster, "prompt", second) },
			"replace image.poster request_changed $0.06", second,
		},
		{
			"another argument too",
			[]string{"prompt"},
			false,
			func(_ *testing.T, _ *world, poster *image.Image) {
				set(poster, "prompt", second)
				set(poster, "width", int64(512))
			},
			"replace image.poster request_changed $0.06", second,
		},
		{
			"one argument more",
			[]string{"prompt"},
			false,
			func(_ *testing.T, _ *world, poster *image.Image) {
				set(poster, "prompt", second)
				poster.Arguments = append(poster.Arguments, bfl.Argument{Name: "seed", Value: int64(1)})
			},
			"replace image.poster request_changed $0.06", second,
		},
		{
			"one argument less",
			[]string{"prompt"},
			false,
			func(_ *testing.T, _ *world, poster *image.Image) {
				set(poster, "prompt", second)
				poster.Arguments = slices.DeleteFunc(poster.Arguments, func(a bfl.Argument) bool { return a.Name == "width" })
			},
			"replace image.poster request_changed $0.06", second,
		},
		{
			"another file in the first reference",
			[]string{"prompt"},
			false,
			func(_ *testing.T, _ *world, poster *image.Image) {
				set(poster, "prompt", second)
				poster.References[0].SHA256 = "bb"
			},
			"replace image.poster request_changed $0.06", second,
		},
		{
			"references",
			[]string{"references"},
			false,
			func(_ *testing.T, _ *world, poster *image.Image) {
				poster.References[0].SHA256, poster.References[1].URL = "bb", newURL
			},
			"no-op image.poster", first,
		},
		{
			"a sensitive reference",
			[]string{"references"},
			true,
			func(_ *testing.T, _ *world, poster *image.Image) { poster.References[1].URL = newURL },
			"no-op image.poster", first,
		},
		{
			"a sensitive reference, and an argument that counts",
			[]string{"references"},
			true,
			func(_ *testing.T, _ *world, poster *image.Image) {
				poster.References[1].URL = newURL
				set(poster, "prompt", second)
			},
			"replace image.poster request_changed $0.06", second,
		},
		{
			"a sensitive argument and references",
			[]string{"prompt", "references"},
			false,
			func(_ *testing.T, _ *world, poster *image.Image) {
				set(poster, "prompt", second)
				poster.References[0].SHA256, poster.References[1].URL = "bb", newURL
			},
			"no-op image.poster", second,
		},
		{
			"all", nil, false,
			func(_ *testing.T, _ *world, poster *image.Image) {
				poster.Rare().Lifecycle.IgnoreAll = true
				set(poster, "prompt", second)
				set(poster, "width", int64(512))
				poster.References[0].SHA256 = "bb"
			},
			"no-op image.poster", second,
		},
		{
			"the file is lost",
			[]string{"prompt"},
			false,
			func(_ *testing.T, w *world, poster *image.Image) {
				set(poster, "prompt", second)
				w.files[poster.Address] = state.Missing
			},
			"create image.poster file_missing $0.06", second,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			poster := w.image(t, "image.poster", first)
			fields := poster.Model.Inputs.References
			poster.References = []image.Reference{
				{Input: bfl.Input{Field: fields[0], SHA256: "aa"}, Path: "a.png", File: "a.png"}, {Input: bfl.Input{Field: fields[1], URL: oldURL}},
			}
			w.make(t)
			prior := w.prior.Images.Get(poster.Address)
			secret := first
			poster.Rare().Sensitive = []string{"prompt"}
			if tt.secretURL {
				secret, poster.Rare().Sensitive = oldURL, []string{fields[1]}
			}
			quoted, err := json.Marshal(secret)
			if err != nil {
				t.Fatal(err)
			}
			open := prior.Request
			prior.Request = bytes.ReplaceAll(open, quoted, []byte(`"`+image.Redacted+`"`))
			if bytes.Equal(prior.Request, open) {
				t.Fatalf("%s is not in %s", quoted, open)
			}
			poster.Rare().Lifecycle.IgnoreChanges = tt.ignore
			tt.change(t, w, poster)
			plan, diags := w.plan(t, Options{})
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			if got := lines(plan)[0]; got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
			if prompt, _ := plan.Changes[0].Desired.Request().Value("prompt").(string); prompt != tt.prompt {
				t.Errorf("the request's prompt is %q, want %q", prompt, tt.prompt)
			}
		})
	}
}

// Ignoring the model ignores nothing else.
func TestIgnoredModel(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(img *image.Image)
		want   Action
	}{
		"the model alone": {func(*image.Image) {}, NoOp},
		"and the prompt":  {func(img *image.Image) { img.Arguments[1].Value = "another" }, Replace},
		"and a reference": {func(img *image.Image) { img.References[0].SHA256 = strings.Repeat("2", 64) }, Replace},
		"and the prompt, ignored too": {func(img *image.Image) {
			img.Arguments[1].Value = "another"
			img.Rare().Lifecycle.IgnoreChanges = []string{"model", "prompt"}
		}, NoOp},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, model := range []string{"flux-2-max", "flux-kontext-max"} {
				w := newWorld()
				img := w.image(t, "image.logo", "a logo")
				img.References = []image.Reference{{Input: bfl.Input{Field: img.Model.Inputs.References[0], SHA256: strings.Repeat("1", 64)}}}
				img.Arguments = slices.DeleteFunc(img.Arguments, func(a bfl.Argument) bool {
					return bfl.Lookup(model).Param(a.Name) == nil
				})
				for len(img.Arguments) < 2 {
					img.Arguments = append([]bfl.Argument{{Name: "output_format", Value: "png"}}, img.Arguments...)
				}
				w.make(t)
				img.Model = bfl.Lookup(model)
				img.References = []image.Reference{{Input: bfl.Input{Field: img.Model.Inputs.References[0], SHA256: strings.Repeat("1", 64)}}}
				img.Rare().Lifecycle.IgnoreChanges = []string{"model"}
				img.Arguments = slices.Clone(img.Arguments)
				tt.change(img)
				plan, _ := w.plan(t, Options{})
				c := plan.Changes[0]
				if c.Action != tt.want {
					t.Errorf("with %s: %s, want %s", model, c.Action, tt.want)
				}
				if c.Makes() && c.Desired.Model.Name != "flux-2-pro" {
					t.Errorf("made with %s, and the recorded model is to be kept", c.Desired.Model.Name)
				}
			}
		})
	}
}

// TestIgnoreLabels changes labels, of which one does not count.
func TestIgnoreLabels(t *testing.T) {
	t.Parallel()
	type labels = map[string]string
	ignored := []string{image.LabelName("season")}
	tests := []struct {
		name                    string
		ignore                  []string
		recorded, desired, want labels
	}{
		{"another value", ignored, labels{"season": "winter", "use": "web"}, labels{"season": "summer", "use": "web"}, labels{"season": "winter", "use": "web"}},
		{"a new label", ignored, labels{"use": "web"}, labels{"season": "summer", "use": "print"}, labels{"use": "print"}},
		{"a label that goes", ignored, labels{"season": "winter", "use": "web"}, labels{"use": "web"}, labels{"season": "winter", "use": "web"}},
		{"all labels go", ignored, labels{"season": "winter", "use": "web"}, nil, labels{"season": "winter"}},
		{"it is the same", ignored, labels{"season": "winter"}, labels{"season": "winter"}, labels{"season": "winter"}},
		{"another label counts", ignored, labels{"use": "web"}, labels{"use": "print"}, labels{"use": "print"}},
		{"all labels", []string{"labels"}, labels{"use": "web"}, labels{"season": "summer"}, labels{"use": "web"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			before := maps.Clone(tt.desired)
			img := &image.Image{Labels: tt.desired, Model: bfl.Lookup("flux-2-pro")}
			img.Rare().Lifecycle.IgnoreChanges = tt.ignore
			Ignore(img, &state.Image{Model: "flux-2-pro", Labels: tt.recorded})
			if diff := cmp.Diff(tt.want, img.Labels); diff != "" {
				t.Errorf("labels (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(before, tt.desired); diff != "" {
				t.Errorf("the labels of other images changed (-want +got):\n%s", diff)
			}
		})
	}
}
