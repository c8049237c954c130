package image

import (
	"testing"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

func TestNth(t *testing.T) {
	t.Parallel()
	img := &Image{
		Address: addrs.Image{Name: "hero"}, Model: bfl.Lookup("flux-2-pro"), Output: "images/hero.v1.png",
		Arguments: []bfl.Argument{{Name: "prompt", Value: "x"}, {Name: "seed", Value: int64(7)}},
		rare:      &Rare{Candidates: 4, Pick: 2, Lifecycle: Lifecycle{PreventDestroy: true}},
	}
	third := img.Nth(3)
	if third.Address.String() != "image.hero.candidate[3]" || third.Output != ".fluxbatch/candidates/images/hero.v1-3.png" {
		t.Errorf("the third candidate is %s at %s", third.Address, third.Output)
	}
	if third.Request().Value("seed") != int64(9) || img.Request().Value("seed") != int64(7) || third.HasChoice() || third.Lifecycle().PreventDestroy || !img.Lifecycle().PreventDestroy {
		t.Errorf("the third candidate is %+v", third)
	}
	if first := img.Nth(1); first.Request().Fingerprint() != img.Request().Fingerprint() {
		t.Error("the first candidate asks for something else than the image without candidates")
	}
	img.Arguments = []bfl.Argument{{Name: "prompt", Value: "x"}, {Name: "seed"}}
	if late := img.Nth(2); late.Request().Has("seed") != true || late.Request().Value("seed") != nil {
		t.Error("a seed that is known only later is known in a candidate")
	}
}

func TestJudged(t *testing.T) {
	t.Parallel()
	img := &Image{rare: &Rare{Gates: []Gate{{Name: "a", NotBlank: true}, {Name: "b", Command: []string{"x"}, Retries: 3}}}}
	said := func(gate int, passed bool) Verdict {
		return Verdict{Gate: img.Gates()[gate].Name, Key: img.Gates()[gate].Key(), Passed: passed}
	}
	for _, tt := range []struct {
		verdicts      []Verdict
		known, passed bool
	}{
		{nil, false, false},
		{[]Verdict{said(0, true)}, false, false},
		{[]Verdict{said(0, true), said(1, true)}, true, true},
		{[]Verdict{said(1, false), said(0, true)}, true, false},
		{[]Verdict{said(0, true), {Gate: "b", Key: "another command", Passed: true}}, false, false},
	} {
		if known, passed := img.Judged(tt.verdicts); known != tt.known || passed != tt.passed {
			t.Errorf("%v: known %v, passed %v", tt.verdicts, known, passed)
		}
	}
	if img.Retries() != 3 || img.Gates()[0].Key() == img.Gates()[1].Key() {
		t.Error("gates are not told apart")
	}
	tireless := img.Gates()[1]
	tireless.Retries, tireless.Timeout = 9, 5
	if tireless.Key() != img.Gates()[1].Key() {
		t.Error("how often a gate may ask for more changes its verdict")
	}
}
