package planner

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// TestParametersAreCompared makes sure that a field which the catalogue does not know is said to
// change only when it does.
func TestParametersAreCompared(t *testing.T) {
	t.Parallel()
	w := newWorld()
	img := w.image(t, "image.plain", "a plain image")
	parameters := func(resolution string) []bfl.Argument {
		return []bfl.Argument{
			{Name: "grounding", Value: json.RawMessage("false")},
			{Name: "prompt", Value: "a plain image"},
			{Name: "resolution", Value: json.RawMessage(resolution)},
			{Name: "weights", Value: json.RawMessage(`[1, {"b": 2.5}]`)},
		}
	}
	img.Arguments = parameters(`"1k"`)
	w.make(t)
	if new(Planner).requestChanged(img, w.prior.Images.Get(img.Address)) {
		t.Error("the request that was recorded is said to have changed")
	}
	img.Arguments = parameters(`"2k"`)
	if !new(Planner).requestChanged(img, w.prior.Images.Get(img.Address)) {
		t.Error("a request with another resolution is said to be the recorded one")
	}
	plan, _ := w.plan(t, Options{})
	changed := map[string][2]any{}
	for _, a := range plan.Changes[0].Attributes() {
		if a.Changed() {
			changed[a.Name] = [2]any{a.Before, a.After}
		}
	}
	if diff := cmp.Diff(map[string][2]any{"resolution": {"1k", "2k"}}, changed); diff != "" {
		t.Errorf("attributes that change (-want +got):\n%s", diff)
	}
}
