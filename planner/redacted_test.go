package planner

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
)

// TestWhatIsNotOnRecord plans a poster of which sensitive values are not on record. The fingerprint
// tells whether they are what they were: of one, or that of several none differs.
func TestWhatIsNotOnRecord(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		sensitive []string
		ignore    []string
		change    func(logo, poster *image.Image)
		want      string
		// attributes are those of the poster that differ, or may.
		attributes []string
	}{
		{
			"nothing changed",
			[]string{"prompt", "seed"},
			nil, func(_, _ *image.Image) {},
			"no-op image.poster", nil,
		},
		{
			"an image upstream",
			[]string{"seed"},
			nil,
			func(logo, _ *image.Image) { set(logo, "prompt", "another") },
			"replace image.poster upstream_changes(image.logo) $0.06",
			[]string{"references[0] forces"},
		},
		{
			"an argument that is on record",
			[]string{"prompt", "seed", "references[1]"},
			nil,
			func(_, poster *image.Image) { set(poster, "width", int64(512)) },
			"replace image.poster request_changed $0.06",
			[]string{"width forces"},
		},
		{
			"the only sensitive one",
			[]string{"seed"},
			nil,
			func(_, poster *image.Image) { set(poster, "seed", int64(8)) },
			"replace image.poster request_changed $0.06",
			[]string{"seed forces"},
		},
		{
			"the only sensitive one, and an image upstream",
			[]string{"seed"},
			nil,
			func(logo, poster *image.Image) {
				set(logo, "prompt", "another")
				set(poster, "seed", int64(8))
			},
			"replace image.poster upstream_changes(image.logo) request_changed $0.06",
			[]string{"references[0] forces", "seed forces"},
		},
		{
			"one of two",
			[]string{"prompt", "seed"},
			nil,
			func(_, poster *image.Image) { set(poster, "seed", int64(8)) },
			"replace image.poster request_changed $0.06",
			[]string{"prompt may", "seed may"},
		},
		{
			"one that is not given any more",
			[]string{"prompt", "seed"},
			nil,
			func(_, poster *image.Image) {
				poster.Arguments = slices.Delete(poster.Arguments, 2, 3)
			},
			"replace image.poster request_changed $0.06",
			[]string{"prompt may", "seed forces"},
		},
		{
			"one that only apply can know",
			[]string{"prompt", "seed"},
			nil,
			func(_, poster *image.Image) { set(poster, "prompt", nil) },
			"replace image.poster request_changed $0.06",
			[]string{"prompt forces", "seed may"},
		},
		{
			"one that does not count",
			[]string{"seed"},
			[]string{"seed"},
			func(_, poster *image.Image) {
				set(poster, "seed", int64(8))
				poster.Labels = map[string]string{"team": "sales"}
			},
			"update image.poster",
			[]string{"labels[\"team\"]", "seed"},
		},
		{
			"another model",
			[]string{"seed"},
			nil,
			func(_, poster *image.Image) { poster.Model = bfl.Lookup("flux-2-max") },
			"replace image.poster request_changed $0.13",
			[]string{"model forces"},
		},
		{
			"a URL",
			[]string{"references[1]"},
			nil,
			func(_, poster *image.Image) { poster.References[1].URL = "https://example.com/2.png" },
			"replace image.poster request_changed $0.06",
			[]string{"references[1] forces"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			logo := w.image(t, "image.logo", "a logo")
			poster := w.image(t, "image.poster", "a poster", "image.logo")
			fields := poster.Model.Inputs.References
			poster.Arguments = slices.Insert(poster.Arguments, 2, bfl.Argument{Name: "seed", Value: int64(7)})
			poster.References = append(poster.References, image.Reference{Input: bfl.Input{Field: fields[1], URL: "https://example.com/1.png"}})
			poster.Rare().Lifecycle.IgnoreChanges = tt.ignore
			w.make(t)
			w.redact(t, poster, tt.sensitive)
			tt.change(logo, poster)
			plan, diags := w.plan(t, Options{})
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			if got := lines(plan)[1]; got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
			var got []string
			for _, a := range plan.Changes[1].Attributes() {
				switch {
				case a.Forces:
					got = append(got, a.Name+" forces")
				case a.MayDiffer:
					got = append(got, a.Name+" may")
				case a.Changed():
					got = append(got, a.Name)
				}
				if want := slices.Contains(tt.sensitive, a.Name); a.Sensitive != want {
					t.Errorf("%s is sensitive: %t, want %t", a.Name, a.Sensitive, want)
				}
			}
			slices.Sort(got)
			if diff := cmp.Diff(tt.attributes, got); diff != "" {
				t.Errorf("attributes that differ (-want +got):\n%s", diff)
			}
		})
	}
}

// redact takes the values of sensitive attributes off the record. An image among them stays: it is
// no value.
func (w *world) redact(t *testing.T, img *image.Image, sensitive []string) {
	t.Helper()
	prior := w.prior.Images.Get(img.Address)
	for _, a := range img.Arguments {
		if slices.Contains(sensitive, a.Name) {
			img.Rare().Sensitive = append(img.Sensitive(), a.Name)
		}
	}
	made := *img
	made.References = slices.Clone(img.References)
	for i := range made.References {
		r := &made.References[i]
		if r.IsImage() {
			r.SHA256 = w.prior.Images.Get(r.Image).Output.SHA256
		}
		// A list of references is sensitive as a whole.
		if r.IsImage() || slices.Contains(sensitive, fmt.Sprintf("references[%d]", i)) {
			img.Rare().Sensitive = append(img.Sensitive(), r.Field)
		}
	}
	made.Rare().Sensitive = img.Sensitive()
	prior.Request = made.Record()
}
