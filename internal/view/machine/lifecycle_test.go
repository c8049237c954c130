package machine

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	tfjson "github.com/hashicorp/terraform-json"

	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/view"
	"github.com/fluxbatch/fluxbatch/internal/view/viewtest"
)

func TestLifecycleJSON(t *testing.T) {
	t.Parallel()
	j, out := newTestJSON()
	j.Plan(viewtest.LifecyclePlan(), view.PlanInfo{})
	viewtest.Golden(t, "json/stream_lifecycle", out.String())

	screen := &strings.Builder{}
	WritePlan(screen, PlanDocument{Plan: viewtest.LifecyclePlan(), Version: "0.1.0"})
	viewtest.Golden(t, "json/plan_lifecycle", screen.String())
	decoded := roundTrip[tfjson.Plan](t, screen.String())
	type facts struct {
		Actions   tfjson.Actions
		Previous  string
		Importing string
	}
	noop := tfjson.Actions{tfjson.ActionNoop}
	want := map[string]facts{
		"image.forgotten":                 {Actions: tfjson.Actions{tfjson.ActionForget}},
		"image.frozen":                    {Actions: noop, Previous: "image.was_frozen"},
		"image.imported":                  {Actions: noop, Importing: "old art/logo.png"},
		`image.card["the sun"]`:           {Actions: noop, Previous: `image.tile["the sun"]`},
		"image.refused":                   {Actions: noop},
		"image.refused_again":             {Actions: noop},
		"image.frame":                     {Actions: noop},
		`module.brand["eu"].image.banner`: {Actions: tfjson.Actions{tfjson.ActionUpdate}, Previous: "image.banner"},
	}
	got := map[string]facts{}
	for _, c := range decoded.ResourceChanges {
		f := facts{Actions: c.Change.Actions, Previous: c.PreviousAddress}
		if c.Change.Importing != nil {
			f.Importing = c.Change.Importing.ID
		}
		if _, ok := want[c.Address]; ok {
			got[c.Address] = f
		}
		if c.Change.Actions.NoOp() && c.Change.Before != nil {
			before, after := withoutOurs(t, c.Change.Before), withoutOurs(t, c.Change.After)
			if diff := cmp.Diff(before, after); diff != "" && !strings.Contains(c.Address, "refused") {
				t.Errorf("%s is a no-op that changes (-before +after):\n%s", c.Address, diff)
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, r := range decoded.PlannedValues.RootModule.Resources {
		if r.Address == "image.refused" || r.Address == "image.frame" {
			t.Errorf("%s is among the planned values, and will not be there", r.Address)
		}
	}
}

// withoutOurs returns an image's values without what Terraform's format does not have.
func withoutOurs(t *testing.T, values any) map[string]any {
	t.Helper()
	encoded, err := json.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]any
	if err := json.Unmarshal(encoded, &all); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"estimated_cost", "frozen", "configured"} {
		delete(all, name)
	}
	return all
}

func TestLifecycleApplyStream(t *testing.T) {
	t.Parallel()
	j, out := newTestJSON()
	j.StartApply(viewtest.FreePlan())
	for _, e := range viewtest.LifecycleEvents() {
		j.Event(e)
	}
	j.FinishApply(executor.Summary{Imported: 1, Forgotten: 2}, nil, view.ApplyInfo{})
	viewtest.Golden(t, "json/stream_lifecycle_apply", out.String())
}
