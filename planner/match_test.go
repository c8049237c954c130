package planner

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/state"
)

// seeded gives an image a seed.
func seeded(img *image.Image, seed int64) *image.Image {
	img.Arguments = slices.DeleteFunc(slices.Clone(img.Arguments), func(a bfl.Argument) bool { return a.Name == "seed" })
	img.Arguments = append(img.Arguments, bfl.Argument{Name: "seed", Value: seed})
	bfl.SortArguments(img.Arguments)
	return img
}

// sources renders where the images of a plan come from: "address origin from-where".
func sources(p *Plan) []string {
	var out []string
	for _, c := range p.Changes {
		line := c.Address.String() + " " + cmp.Or(c.Origin.String(), c.Action.String())
		switch {
		case c.Donor() != nil:
			line += " " + c.Donor().String()
		case c.Twin() != nil:
			line += " as " + c.Twin().String()
		case c.Task() != nil:
			line += " " + c.Task().ID
		case c.Kept() != nil:
			line += " the store"
		}
		if c.Cost > 0 {
			line += " " + c.Cost.Dollars()
		}
		out = append(out, line)
	}
	for i := range p.Abandoned {
		out = append(out, "abandoned "+p.Abandoned[i].Task.ID)
	}
	return out
}

// oneMade has two images of one request without a seed, of which only the first is made.
func (w *world) oneMade(t *testing.T, first, second string) {
	t.Helper()
	w.image(t, first, "a card")
	w.make(t)
	w.image(t, second, "a card")
}

// What somebody has made already, under whatever address, is not bought.
func TestNothingIsBoughtTwice(t *testing.T) {
	t.Parallel()
	kept := func(images ...*state.Image) func(addrs.Image, string, bool) []*state.Image {
		return func(_ addrs.Image, fingerprint string, _ bool) []*state.Image {
			return slices.DeleteFunc(slices.Clone(images), func(img *state.Image) bool { return img.Fingerprint != fingerprint })
		}
	}
	tests := []struct {
		name  string
		world func(t *testing.T, w *world) Options
		want  []string
	}{
		{
			"an image renamed while its task is under way", func(t *testing.T, w *world) Options {
				t.Helper()
				card := w.image(t, "image.new", "a card")
				w.submitted(addr(t, "image.old"), card.Request().Fingerprint(), "paid")
				return Options{}
			},
			[]string{"image.new resume paid"},
		},
		{
			"an image that gets keys while its task is under way", func(t *testing.T, w *world) Options {
				t.Helper()
				card := w.image(t, `image.card["a"]`, "a card")
				w.image(t, `image.card["b"]`, "a card")
				w.submitted(addr(t, "image.card"), card.Request().Fingerprint(), "paid")
				return Options{}
			},
			[]string{`image.card["a"] resume paid`, `image.card["b"] generate $0.03`},
		},
		{
			"a task whose own address wants it stays there", func(t *testing.T, w *world) Options {
				t.Helper()
				w.image(t, "image.a", "a card")
				card := w.image(t, "image.b", "a card")
				w.submitted(card.Address, card.Request().Fingerprint(), "paid")
				return Options{}
			},
			[]string{"image.a generate $0.03", "image.b resume paid"},
		},
		{
			"two open tasks that swap their images", func(t *testing.T, w *world) Options {
				t.Helper()
				a, b := w.image(t, "image.a", "one"), w.image(t, "image.b", "two")
				w.submitted(a.Address, b.Request().Fingerprint(), "two")
				w.submitted(b.Address, a.Request().Fingerprint(), "one")
				return Options{}
			},
			[]string{"image.a resume one", "image.b resume two"},
		},
		{
			"a replace whose picture leaves in the same plan", func(t *testing.T, w *world) Options {
				t.Helper()
				card, try := seeded(w.image(t, "image.card", "a card"), 1), seeded(w.image(t, "image.try", "a card"), 2)
				w.make(t)
				w.images = w.images[:1]
				_, _ = seeded(card, 2), try
				return Options{}
			},
			[]string{"image.card restore image.try", "image.try destroy"},
		},
		{
			"two seeds swapped", func(t *testing.T, w *world) Options {
				t.Helper()
				a, b := seeded(w.image(t, "image.a", "a card"), 1), seeded(w.image(t, "image.b", "a card"), 2)
				w.make(t)
				seeded(a, 2)
				seeded(b, 1)
				return Options{}
			},
			[]string{"image.a restore image.b", "image.b restore image.a"},
		},
		{
			"two prompts swapped, without seeds, and what is made from them", func(t *testing.T, w *world) Options {
				t.Helper()
				a, b := w.image(t, "image.a", "one"), w.image(t, "image.b", "two")
				w.image(t, "image.of_a", "framed", "image.a")
				w.image(t, "image.of_b", "framed", "image.b")
				w.make(t)
				a.Arguments, b.Arguments = b.Arguments, a.Arguments
				return Options{}
			},
			[]string{"image.a restore image.b", "image.b restore image.a", "image.of_a restore image.of_b", "image.of_b restore image.of_a"},
		},
		{
			"the first element of a list removed", func(t *testing.T, w *world) Options {
				t.Helper()
				for i, prompt := range []string{"x", "y", "z"} {
					w.image(t, addrs.Image{Name: "card", Key: addrs.IntKey(i)}.String(), prompt)
				}
				w.make(t)
				w.images = nil
				for i, prompt := range []string{"y", "z"} {
					img := w.image(t, addrs.Image{Name: "card", Key: addrs.IntKey(i)}.String(), prompt)
					img.Output = w.prior.Images.Get(img.Address).Output.Path
				}
				return Options{}
			},
			[]string{"image.card[0] restore image.card[1]", "image.card[1] restore image.card[2]", "image.card[2] destroy"},
		},
		{
			"a seeded request that another image has made, and keeps", func(t *testing.T, w *world) Options {
				t.Helper()
				seeded(w.image(t, "image.a", "a card"), 7)
				w.make(t)
				seeded(w.image(t, "image.b", "a card"), 7)
				return Options{}
			},
			[]string{"image.a no-op", "image.b restore image.a"},
		},
		{
			"but without a seed two images are two throws", func(t *testing.T, w *world) Options {
				t.Helper()
				w.oneMade(t, "image.a", "image.b")
				return Options{}
			},
			[]string{"image.a no-op", "image.b generate $0.03"},
		},
		{
			"two new images with one seeded request", func(t *testing.T, w *world) Options {
				t.Helper()
				seeded(w.image(t, "image.b", "a card"), 7)
				seeded(w.image(t, "image.a", "a card"), 7)
				return Options{}
			},
			[]string{"image.a restore as image.b", "image.b generate $0.03"},
		},
		{
			"two new images with one seeded request, one of which is paid for", func(t *testing.T, w *world) Options {
				t.Helper()
				b := seeded(w.image(t, "image.b", "a card"), 7)
				seeded(w.image(t, "image.a", "a card"), 7)
				w.submitted(b.Address, b.Request().Fingerprint(), "paid")
				return Options{}
			},
			[]string{"image.a restore as image.b", "image.b resume paid"},
		},
		{
			"a stored picture that another image shows is no throw of its own", func(t *testing.T, w *world) Options {
				t.Helper()
				w.oneMade(t, "image.card[0]", "image.card[1]")
				return Options{Stored: kept(w.prior.Images.Get(addr(t, "image.card[0]")))}
			},
			[]string{"image.card[0] no-op", "image.card[1] generate $0.03"},
		},
		{
			"one that nobody shows is", func(t *testing.T, w *world) Options {
				t.Helper()
				one, two := w.image(t, "image.card[0]", "a card"), w.image(t, "image.card[1]", "a card")
				w.make(t)
				other := *w.prior.Images.Get(two.Address)
				other.Output.SHA256 = other.Output.SHA256[1:] + "0"
				w.prior.Images.Delete(two.Address)
				return Options{Stored: kept(w.prior.Images.Get(one.Address), &other)}
			},
			[]string{"image.card[0] no-op", "image.card[1] restore the store"},
		},
		{
			"the image that goes wins over an older throw in the store", func(t *testing.T, w *world) Options {
				t.Helper()
				old := w.image(t, "image.old", "a card")
				w.make(t)
				throw := *w.prior.Images.Get(old.Address)
				throw.Output.SHA256 = throw.Output.SHA256[1:] + "0"
				w.images = nil
				w.image(t, "image.new", "a card")
				return Options{Stored: kept(&throw)}
			},
			[]string{"image.new restore image.old", "image.old destroy"},
		},
		{
			"candidates of which some are in the store, and one goes", func(t *testing.T, w *world) Options {
				t.Helper()
				img := w.image(t, "image.new", "a card")
				img.Rare().Candidates = 2
				w.make(t)
				goes := w.prior.Images.Get(img.Address)
				stored := *goes
				stored.Output.SHA256 = stored.Output.SHA256[1:] + "0"
				w.prior.Images.Delete(img.Address)
				w.prior.Images.Set(addr(t, "image.old").Nth(2), goes)
				return Options{Stored: kept(&stored)}
			},
			[]string{"image.new restore image.old.candidate[2]", "image.new.candidate[1] restore image.old.candidate[2]", "image.new.candidate[2] restore the store", "image.old.candidate[2] destroy"},
		},
		{
			"what may stay after all gives nothing", func(t *testing.T, w *world) Options {
				t.Helper()
				logo := w.image(t, "image.logo", "a logo")
				w.image(t, "image.of_logo", "framed", "image.logo")
				w.make(t)
				logo.Arguments[1].Value = "another logo"
				other := w.image(t, "image.other", "framed")
				other.References = []image.Reference{{Input: bfl.Input{
					Field: other.Model.Inputs.References[0], SHA256: w.prior.Images.Get(logo.Address).Output.SHA256, Size: bfl.Size{Width: 1024, Height: 1024},
				}}}
				return Options{}
			},
			[]string{"image.logo generate $0.03", "image.of_logo generate $0.045", "image.other generate $0.045"},
		},
		{
			"one that is made anew on request takes nothing", func(t *testing.T, w *world) Options {
				t.Helper()
				a := seeded(w.image(t, "image.a", "a card"), 7)
				seeded(w.image(t, "image.b", "a card"), 7)
				w.make(t)
				return Options{Replace: []addrs.Image{a.Address}}
			},
			[]string{"image.a generate $0.03", "image.b no-op"},
		},
		{
			"what is given up is bought", func(t *testing.T, w *world) Options {
				t.Helper()
				card := w.image(t, "image.card", "a card")
				w.submitted(card.Address, card.Request().Fingerprint(), "hopeless")
				return Options{Abandon: []addrs.Image{card.Address}}
			},
			[]string{"image.card generate $0.03", "abandoned hopeless"},
		},
		{
			"what is lost is bought, and told", func(t *testing.T, w *world) Options {
				t.Helper()
				card := w.image(t, "image.card", "a card")
				w.submitted(card.Address, card.Request().Fingerprint(), "lost").Lost = "failed"
				return Options{}
			},
			[]string{"image.card generate $0.03", "abandoned lost"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			o := tt.world(t, w)
			plan, diags := w.plan(t, o)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			if diff := gocmp.Diff(tt.want, sources(plan)); diff != "" {
				t.Errorf("the images come from elsewhere (-want +got):\n%s", diff)
			}
		})
	}
}

// A request whose answer was lost is told once: with the image that is asked for again, or for
// itself.
func TestUnansweredIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld()
	logo := w.image(t, "image.logo", "a logo")
	w.image(t, "image.of_logo", "framed", "image.logo")
	w.make(t)
	logo.Arguments[1].Value = "another logo"
	same := w.submitted(addr(t, "image.former"), logo.Request().Fingerprint(), "")
	unknown := w.submitted(addr(t, "image.of_logo"), "0f", "")
	other := w.submitted(addr(t, "image.gone"), "0e", "")
	plan, _ := w.plan(t, Options{})
	got := map[string][]string{}
	for _, c := range plan.Changes {
		for _, task := range c.Unanswered() {
			got[c.Address.String()] = append(got[c.Address.String()], task.Key)
		}
	}
	for _, a := range plan.Abandoned {
		got["nobody"] = append(got["nobody"], a.Task.Key)
	}
	want := map[string][]string{"image.logo": {same.Key}, "image.of_logo": {unknown.Key}, "nobody": {other.Key}}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("told otherwise (-want +got):\n%s", diff)
	}
}

// A file with the recorded bytes at the path where its image is to be is the image, and costs
// nothing without a store.
func TestMovedByHand(t *testing.T) {
	t.Parallel()
	for _, isThere := range []bool{true, false} {
		w := newWorld()
		logo := w.image(t, "image.logo", "a logo")
		w.image(t, "image.of_logo", "framed", "image.logo")
		w.make(t)
		logo.Output = "images/mark.png"
		w.files[logo.Address] = state.Missing
		plan, _ := w.plan(t, Options{Holds: func(path, sha256 string) bool {
			return isThere && path == "images/mark.png" && sha256 == w.prior.Images.Get(logo.Address).Output.SHA256
		}})
		want := []string{"image.logo update", "image.of_logo no-op"}
		if !isThere {
			want = []string{"image.logo generate $0.03", "image.of_logo generate $0.045"}
		}
		if diff := gocmp.Diff(want, sources(plan)); diff != "" {
			t.Errorf("there: %t (-want +got):\n%s", isThere, diff)
		}
	}
}

// TestRenamedBlocks changes the names of blocks with several instances.
func TestRenamedBlocks(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		after map[string]string // prompts by address
		lost  string
		want  []string
	}{
		{"as a whole", map[string]string{`image.new["a"]`: "a", `image.new["b"]`: "b", `image.new["c"]`: "c"}, "", []string{"image.card -> image.new (3)"}},
		{"with another row", map[string]string{`image.new["a"]`: "a", `image.new["b"]`: "b", `image.new["d"]`: "d"}, "", []string{"image.card -> image.new (2)"}},
		{
			"with other keys",
			map[string]string{`image.new["x"]`: "a", `image.new["b"]`: "b"},
			"",
			[]string{`image.card["b"] -> image.new["b"]`, `image.card["a"] -> image.new["x"]`},
		},
		{
			"in part",
			map[string]string{`image.new["a"]`: "a", `image.new["b"]`: "b", `image.card["c"]`: "c"},
			"",
			[]string{`image.card["a"] -> image.new["a"]`, `image.card["b"] -> image.new["b"]`},
		},
		{
			"to two blocks",
			map[string]string{`image.new["a"]`: "a", `image.other["b"]`: "b"},
			"",
			[]string{`image.card["a"] -> image.new["a"]`, `image.card["b"] -> image.other["b"]`},
		},
		{"one of many", map[string]string{`image.new["a"]`: "a"}, "", []string{`image.card["a"] -> image.new["a"]`}},
		{"with a lost file", map[string]string{`image.new["a"]`: "a", `image.new["b"]`: "b"}, `image.card["b"]`, []string{"image.card -> image.new (2) lost"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			for _, key := range []string{"a", "b", "c"} {
				w.image(t, fmt.Sprintf("image.card[%q]", key), key)
			}
			w.make(t)
			w.images = nil
			for _, address := range slices.Sorted(maps.Keys(tt.after)) {
				w.image(t, address, tt.after[address])
			}
			if tt.lost != "" {
				w.files[addr(t, tt.lost)] = state.Missing
			}
			plan, _ := w.plan(t, Options{})
			var got []string
			for _, r := range plan.Renamed {
				line := fmt.Sprintf("%s -> %s", r.From, r.To)
				if r.Instances > 0 {
					line += fmt.Sprintf(" (%d)", r.Instances)
				}
				if r.Lost {
					line += " lost"
				}
				got = append(got, line)
			}
			if diff := gocmp.Diff(tt.want, got); diff != "" {
				t.Errorf("renamed (-want +got):\n%s", diff)
			}
		})
	}
}

// Each lost image is asked for with the seed that made it, and not with that of another one that
// goes and asked for the same.
func TestLostImagesKeepTheirSeeds(t *testing.T) {
	t.Parallel()
	w := newWorld()
	one, two := w.image(t, "image.card[0]", "a card"), w.image(t, "image.card[1]", "a card")
	w.make(t)
	w.prior.Images.Get(one.Address).Result.Seed, w.prior.Images.Get(two.Address).Result.Seed = new(int64(1)), new(int64(2))
	w.files[one.Address], w.files[two.Address] = state.Changed, state.Changed
	w.submitted(two.Address, two.Request().Fingerprint(), "paid")
	plan, _ := w.plan(t, Options{})
	if c := plan.Changes[0]; c.RecordedSeed() == nil || *c.RecordedSeed() != 1 {
		t.Errorf("image.card[0] is asked for with the seed %v", c.RecordedSeed())
	}
}

// No simulator's picture goes to an image of a provider that is none, in the same plan either.
func TestTwinsOfASimulator(t *testing.T) {
	t.Parallel()
	w := newWorld()
	seeded(w.image(t, "image.x", "a card"), 7).Provider = "bfl.simulator"
	seeded(w.image(t, "image.y", "a card"), 7)
	plan, _ := w.plan(t, Options{Simulator: func(provider string) bool { return provider == "bfl.simulator" }})
	if diff := gocmp.Diff([]string{"image.x generate $0.03", "image.y generate $0.03"}, sources(plan)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
