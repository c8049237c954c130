package planner

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
)

// TestListOfReferences plans for a declared model whose references travel in a list: they are
// compared one by one, as those that have fields are.
func TestListOfReferences(t *testing.T) {
	t.Parallel()
	url := func(text string) image.Reference {
		return image.Reference{Input: bfl.Input{Field: "images[2]", URL: text}}
	}
	tests := []struct {
		name   string
		change func(logo, collage *image.Image)
		want   string
		// attributes are those of the collage that force a new image.
		attributes []string
	}{
		{name: "nothing changed", change: func(_, _ *image.Image) {}, want: "no-op image.collage"},
		{
			name: "another order",
			change: func(_, collage *image.Image) {
				collage.References[0].Image, collage.References[1].Image = collage.References[1].Image, collage.References[0].Image
			},
			want: "replace image.collage request_changed $0.048", attributes: []string{"references[0]", "references[1]"},
		},
		{
			name: "another URL", change: func(_, collage *image.Image) {
				collage.References[2] = url("https://example.com/2.png")
			},
			want: "replace image.collage request_changed $0.048", attributes: []string{"references[2]"},
		},
		{
			name: "one less",
			change: func(_, collage *image.Image) {
				collage.References = collage.References[:2]
			},
			want: "replace image.collage request_changed $0.048", attributes: []string{"references[2]"},
		},
		{
			name: "one less, which does not count",
			change: func(_, collage *image.Image) {
				collage.References = collage.References[:2]
				collage.Rare().Lifecycle.IgnoreChanges = []string{"references"}
			},
			want: "no-op image.collage",
		},
		{
			name: "one of them is made anew", change: func(logo, _ *image.Image) { logo.Arguments[1].Value = "another logo" },
			want: "replace image.collage upstream_changes(image.logo) $0.048", attributes: []string{"references[0]"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			logo := w.image(t, "image.logo", "a logo")
			w.image(t, "image.photo", "a photo")
			collage := w.image(t, "image.collage", "both", "image.logo", "image.photo")
			collage.Model = &bfl.Model{
				Name: "newest", Endpoint: "/v1/newest", Custom: true, Inputs: bfl.ReferenceList("images", 3), Price: bfl.Price{Image: 4_800},
			}
			collage.References = append(collage.References, url("https://example.com/1.png"))
			for i := range collage.References {
				collage.References[i].Field = collage.Model.Inputs.References[i]
			}
			w.make(t)
			tt.change(logo, collage)
			plan, diags := w.plan(t, Options{})
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			if got := lines(plan)[0]; got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
			var forcing []string
			for _, a := range plan.Changes[0].Attributes() {
				if a.Forces && plan.Changes[0].Makes() {
					forcing = append(forcing, a.Name)
				}
			}
			if diff := cmp.Diff(tt.attributes, forcing); diff != "" {
				t.Errorf("attributes that force a new image (-want +got):\n%s", diff)
			}
		})
	}
}
