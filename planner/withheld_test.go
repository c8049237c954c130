package planner

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/state"
)

// What needs an image that moderation refused cannot be made, so that no price is asked for it.
func TestSkipped(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		change  func(t *testing.T, w *world, o *Options)
		origins []string
		summary Summary
	}{
		{
			"all that needs it, directly or not", func(*testing.T, *world, *Options) {},
			[]string{
				"image.badge skipped(image.hero) $0.00", "image.hero skipped(image.logo) $0.00", "image.logo refused $0.00", "image.plain generate $0.03",
			},
			Summary{Create: 1, Refused: 1, Skipped: 2, Cost: 3000},
		},
		{
			"not what is there already", func(t *testing.T, w *world, _ *Options) {
				t.Helper()
				w.images[1].References = nil // It only waits for the logo.
				hero := newWorld()
				hero.images = w.images[1:2]
				hero.make(t)
				w.prior.Images = hero.prior.Images
			},
			[]string{"image.badge generate $0.045", "image.hero  $0.00", "image.logo refused $0.00", "image.plain generate $0.03"},
			Summary{Create: 2, Refused: 1, Cost: 7500},
		},
		{
			"not what the store has", func(_ *testing.T, w *world, o *Options) {
				hero := w.images[1]
				hero.References = nil
				o.Stored = func(addr addrs.Image, fingerprint string, _ bool) []*state.Image {
					if addr != hero.Address {
						return nil
					}
					return []*state.Image{{Fingerprint: fingerprint, Output: state.File{SHA256: "00", Width: 1024, Height: 1024}}}
				}
			},
			[]string{"image.badge generate $0.045", "image.hero restore $0.00", "image.logo refused $0.00", "image.plain generate $0.03"},
			Summary{Create: 3, Restored: 1, Refused: 1, Cost: 7500},
		},
		{
			"not what is paid for", func(_ *testing.T, w *world, _ *Options) {
				hero := w.images[1]
				hero.References = nil
				w.submitted(hero.Address, hero.Request().Fingerprint(), "paid")
			},
			[]string{"image.badge generate $0.045", "image.hero resume $0.00", "image.logo refused $0.00", "image.plain generate $0.03"},
			Summary{Create: 3, Resumed: 1, Refused: 1, Cost: 7500},
		},
		{
			"nothing with -retry-moderated", func(_ *testing.T, _ *world, o *Options) { o.RetryModerated = true },
			[]string{"image.badge generate $0.045", "image.hero generate $0.045", "image.logo generate $0.03", "image.plain generate $0.03"},
			Summary{Create: 4, Cost: 15000},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			logo := w.image(t, "image.logo", "a logo")
			w.image(t, "image.hero", "the logo on a bottle", "image.logo")
			w.image(t, "image.badge", "the bottle on a badge", "image.hero")
			w.image(t, "image.plain", "a plain image")
			w.prior.Moderated = map[string]state.Moderation{logo.Request().Fingerprint(): {Reasons: []string{"a face"}}}
			var o Options
			tt.change(t, w, &o)
			plan, diags := w.plan(t, o)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			var got []string
			for _, c := range plan.Changes {
				line := c.Address.String() + " " + c.Origin.String()
				if c.Origin == Skipped {
					line += "(" + c.Lacks().String() + ")"
				}
				got = append(got, line+" "+c.Cost.Dollars())
				if c.Withheld() != slices.Contains([]Origin{Refused, Skipped}, c.Origin) || c.Withheld() && c.Generates() {
					t.Errorf("%s is withheld: %t", line, c.Withheld())
				}
			}
			if diff := cmp.Diff(tt.origins, got); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
			tt.summary.Reserve = tt.summary.Cost // All prices are known.
			if diff := cmp.Diff(tt.summary, plan.Summary()); diff != "" {
				t.Errorf("summary (-want +got):\n%s", diff)
			}
		})
	}
}
