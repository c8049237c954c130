package planner

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/state"
)

func TestSelect(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.image(t, "image.logo", "")
	w.image(t, "image.hero", "", "image.logo")
	w.image(t, "image.banner", "", "image.hero")
	w.image(t, `image.card["a"]`, "").Labels = map[string]string{"season": "winter"}
	w.image(t, `image.card["b"]`, "").Labels = map[string]string{"season": "windy, wild", "use": "web"}
	w.image(t, `image.tag["b,*"]`, "").Output = "images/tag-b.png"
	w.image(t, "module.brand.image.mark", "")
	tests := []struct {
		name              string
		targets, excludes []string
		want              []string
		unmatched         []string
	}{
		{name: "what it needs comes along", targets: []string{"image.hero"}, want: []string{"image.hero", "image.logo"}},
		{name: "a block is all its instances", targets: []string{"image.card"}, want: []string{`image.card["a"]`, `image.card["b"]`}},
		{name: "one instance", targets: []string{`image.card["a"]`}, want: []string{`image.card["a"]`}},
		{name: "a pattern", targets: []string{"image.*o"}, want: []string{"image.hero", "image.logo"}},
		{name: "a module", targets: []string{"module.brand"}, want: []string{"module.brand.image.mark"}},
		{name: "a label", targets: []string{"label.season=winter"}, want: []string{`image.card["a"]`}},
		{
			name: "what needs it goes along", excludes: []string{"image.hero", "module.*"},
			want: []string{`image.card["a"]`, `image.card["b"]`, "image.logo", `image.tag["b,*"]`},
		},
		{
			name: "both", targets: []string{"image.banner", "image.card"}, excludes: []string{"image.hero"},
			want: []string{`image.card["a"]`, `image.card["b"]`, "image.logo"},
		},
		{name: "a label's pattern", targets: []string{"label.season=win*"}, want: []string{`image.card["a"]`, `image.card["b"]`}},
		{name: "a label's value with a comma", targets: []string{"label.season=windy, wild"}, want: []string{`image.card["b"]`}},
		{name: "two labels", targets: []string{"label.season=win*,label.use=web"}, want: []string{`image.card["b"]`}},
		{name: "an address and a label", targets: []string{"image.card*, label.season=winter"}, want: []string{`image.card["a"]`}},
		{name: "what never holds at once", targets: []string{"image.tag,label.season=*"}, unmatched: []string{"image.tag,label.season=*"}},
		{name: "a comma in a key", targets: []string{`image.tag["b,*"]`}, want: []string{`image.tag["b,*"]`}},
		{name: "a file", targets: []string{"./images/tag-b.png"}, want: []string{`image.tag["b,*"]`}},
		{name: "files", targets: []string{"images/tag*.png"}, want: []string{`image.tag["b,*"]`}},
		{name: "a name is not a prefix", targets: []string{"image.car"}, unmatched: []string{"image.car"}},
		{name: "nothing", targets: []string{"image.nowhere", "image.logo"}, want: []string{"image.logo"}, unmatched: []string{"image.nowhere"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			only, unmatched := Select(w.images, w.prior, parse(t, tt.targets), parse(t, tt.excludes))
			var got, left []string
			for a := range only {
				got = append(got, a.String())
			}
			slices.Sort(got)
			for _, s := range unmatched {
				left = append(left, s.String())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("selected (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.unmatched, left); diff != "" {
				t.Errorf("unmatched (-want +got):\n%s", diff)
			}
		})
	}
}

// parse reads selectors.
func parse(t *testing.T, texts []string) (selectors []Selector) {
	t.Helper()
	for _, text := range texts {
		s, err := ParseSelector(text)
		if err != nil {
			t.Fatal(err)
		}
		selectors = append(selectors, s)
	}
	return selectors
}

func TestParseSelectorRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "logo", "label.x", "label.=y", "image.card[", "image.logo.path", "image.logo,", ",image.logo", "image.logo,card", "image.logo,label.x"} {
		if s, err := ParseSelector(text); err == nil {
			t.Errorf("ParseSelector(%q) = %v, want an error", text, s)
		}
	}
}

func TestPlanLimitedToSomeImagesLeavesTheOthers(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.image(t, "image.logo", "a logo")
	w.image(t, "image.hero", "a hero", "image.logo")
	w.image(t, "image.gone", "gone")
	w.make(t)
	w.images = w.images[:2]
	for _, img := range w.images {
		img.Arguments[1].Value = "changed"
	}
	only, _ := Select(w.images, w.prior, parse(t, []string{"image.logo"}), nil)
	plan, _ := w.plan(t, Options{Only: only})
	if diff := cmp.Diff([]string{"replace image.logo request_changed $0.03"}, lines(plan)); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
	result := New(Options{Prior: w.prior, Only: only}).Decide(&image.Image{Address: addr(t, "image.hero")})
	if result == nil || result.SHA256 != w.prior.Images.Get(addr(t, "image.hero")).Output.SHA256 {
		t.Errorf("an image outside the plan is told as %v, want as recorded", result)
	}
	w.files[addr(t, "image.hero")] = state.Missing
	o := Options{Prior: w.prior, Files: w.files, Only: only}
	if result := New(o).Decide(&image.Image{Address: addr(t, "image.hero")}); result != nil {
		t.Errorf("an image outside the plan whose file is lost is told as %v, want as unknown", result)
	}
}
