package view

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	tfjson "github.com/hashicorp/terraform-json"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// moved returns an image that only has another address.
func moved(from, to string) *planner.Change {
	c := unchanged(to)
	c.Action, c.From = planner.Move, new(addr(from))
	return c
}

// imported returns an image that is taken from a file.
func imported(address, file string) *planner.Change {
	c := createLogo()
	c.Address, c.Desired = addr(address), &config.Image{Address: addr(address)}
	c.Action, c.Origin, c.Cost = planner.Import, "", 0
	c.Import = &config.Import{To: c.Address, File: file, Name: file, SHA256: shaNew, Size: bfl.Size{Width: 1024, Height: 768}}
	return c
}

func forgotten(address string) *planner.Change {
	c := destroyOld()
	c.Address, c.Action = addr(address), planner.Forget
	return c
}

// lostPlan forgets n images whose files are gone.
func lostPlan(n int) *planner.Plan {
	p := &planner.Plan{RefreshOnly: true}
	for i := range n {
		c := forgotten(fmt.Sprintf("image.gone[%d]", i))
		c.Reasons = []planner.Reason{{Kind: planner.FileMissing}}
		p.Changes = append(p.Changes, c)
	}
	return p
}

// frozen returns an image that stays as it is although its prompt changed.
func frozen(address string) *planner.Change {
	c := replaceLogo()
	c.Address, c.Action, c.Frozen, c.Origin, c.Cost = addr(address), planner.NoOp, true, "", 0
	return c
}

// refused returns an image that moderation refused before.
func refused(address string, reasons ...string) *planner.Change {
	c := createLogo()
	c.Address, c.Desired = addr(address), &config.Image{Address: addr(address)}
	c.Origin, c.Cost, c.Moderation = planner.Refused, 0, state.Moderation{Reasons: reasons}
	return c
}

// unmakable returns an image that needs one that will not be there.
func unmakable(address, lacks string) *planner.Change {
	c := createLogo()
	c.Address, c.Desired = addr(address), &config.Image{Address: addr(address), Dependencies: []addrs.Image{addr(lacks)}}
	c.Origin, c.Cost, c.Lacks = planner.Skipped, 0, addr(lacks)
	return c
}

// lifecyclePlan has what becomes of images besides being made and removed.
func lifecyclePlan() *planner.Plan {
	renamed := updateBanner()
	renamed.From = new(addr("image.banner"))
	stays := frozen("image.frozen")
	stays.From = new(addr("image.was_frozen"))
	uncertain := createLogo()
	uncertain.Address, uncertain.Unanswered = addr("image.lost"), []*state.Task{{Cost: bfl.CreditsOf(3)}}
	uncertain.Fingerprint = "f"
	seeded := createGone()
	seeded.Address, seeded.RecordedSeed = addr("image.seeded"), new(int64(7))
	seeded.Listed = slices.Delete(seeded.Listed, 4, 5)
	conditional := dragged(1, "image.seeded")[0]
	triggered := replaceLogo()
	triggered.Address, triggered.Fingerprint = addr("image.triggered"), shaNew
	triggered.Reasons = []planner.Reason{{Kind: planner.Triggered, Upstream: addr("image.lost")}}
	again := replaceLogo()
	again.Address, again.Origin, again.Cost = addr("image.refused_again"), planner.Refused, 0
	poster := unmakable("image.poster", "image.refused")
	frame := unmakable("image.frame", "image.poster")
	return &planner.Plan{Changes: []*planner.Change{
		forgotten("image.forgotten"), stays, imported("image.imported", "old art/logo.png"), uncertain,
		moved(`image.tile["the sun"]`, `image.card["the sun"]`), poster, frame, conditional,
		refused("image.refused", "Derivative Works Filter", "Violence"), again, seeded, triggered, renamed,
	}}
}

func TestLifecycle(t *testing.T) {
	t.Parallel()
	gone, manyGone := lostPlan(1), lostPlan(12)
	many := &planner.Plan{}
	for i := range 12 {
		many.Changes = append(many.Changes,
			moved(fmt.Sprintf("image.tile[%d]", i), fmt.Sprintf("image.card[%d]", i)),
			imported(fmt.Sprintf("image.imported[%d]", i), fmt.Sprintf("old/%d.png", i)),
			forgotten(fmt.Sprintf("image.old[%d]", i)), frozen(fmt.Sprintf("image.cold[%d]", i)), refused(fmt.Sprintf("image.bad[%d]", i)),
			unmakable(fmt.Sprintf("image.worse[%d]", i), fmt.Sprintf("image.bad[%d]", i)))
		lost := createLogo()
		lost.Address, lost.Unanswered = addr(fmt.Sprintf("image.lost[%d]", i)), []*state.Task{{Cost: bfl.CreditsOf(3)}}
		lost.Fingerprint = "f"
		many.Changes = append(many.Changes, lost)
	}
	onlyMoves := &planner.Plan{Changes: []*planner.Change{moved("image.a", "image.b"), moved("image.c", "image.d")}}
	movedFrozen := frozen("image.frozen")
	movedFrozen.From = new(addr("image.cold"))
	tests := []struct {
		name string
		plan *planner.Plan
		opts Options
	}{
		{"lifecycle", lifecyclePlan(), Options{}},
		{"lifecycle_color", lifecyclePlan(), Options{Color: true}},
		{"lifecycle_concise", lifecyclePlan(), Options{Concise: true, Width: 80}},
		{"lifecycle_folded", many, Options{}},
		{"moves", onlyMoves, Options{}},
		{"lost", gone, Options{}},
		{"lost_folded", manyGone, Options{Concise: true, Width: 80}},
		{"frozen", &planner.Plan{Changes: []*planner.Change{frozen("image.frozen"), unchanged("image.same")}}, Options{}},
		{"frozen_moved", &planner.Plan{Changes: []*planner.Change{movedFrozen}}, Options{}},
		{"frozen_outputs", &planner.Plan{Changes: []*planner.Change{frozen("image.frozen")}, Outputs: someOutputs()}, Options{}},
		{"refused", &planner.Plan{Changes: []*planner.Change{refused("image.bad", "a \x1b[2J face")}}, Options{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			v, screen := newTestView(test.opts)
			v.Plan(test.plan, PlanInfo{Command: "plan", Again: "fluxbatch apply"})
			golden(t, "plan/"+test.name, screen.String())
			if strings.Contains(screen.out.String(), "Every image matches") {
				t.Error("it says that every image matches the configuration")
			}
		})
	}
}

func TestAskApprove(t *testing.T) {
	t.Parallel()
	var got strings.Builder
	for _, info := range []PlanInfo{{Command: "apply"}, {Command: "destroy"}, {Command: "apply", Simulated: true}} {
		v, screen := newTestView(Options{})
		v.Plan(lifecyclePlan(), info)
		v.AskApprove(lifecyclePlan())
		got.WriteString(screen.err.String() + "\n")
	}
	golden(t, "approve", got.String())
}

func TestLifecycleMarkdown(t *testing.T) {
	t.Parallel()
	v, screen := newTestView(Options{})
	v.PlanMarkdown(lifecyclePlan(), PlanInfo{})
	golden(t, "markdown/lifecycle", screen.out.String())
	v, screen = newTestView(Options{})
	v.PlanMarkdown(&planner.Plan{Changes: []*planner.Change{frozen("image.frozen")}}, PlanInfo{})
	golden(t, "markdown/frozen", screen.out.String())
}

// lifecycleEvents is the apply of what asks the API for nothing.
func lifecycleEvents() []executor.Event {
	return []executor.Event{
		executor.Completed{Address: addr("image.gone[0]"), Action: planner.Forget, Elapsed: time.Millisecond},
		executor.Completed{Address: addr("image.forgotten"), Action: planner.Forget, Elapsed: time.Millisecond},
		executor.Completed{
			Address: addr("image.imported"), Action: planner.Import,
			Image: &state.Image{Output: state.File{Path: "images/imported.png", SHA256: shaNew, Width: 1024, Height: 768}},
		},
	}
}

func TestLifecycleApply(t *testing.T) {
	t.Parallel()
	plan := &planner.Plan{Changes: []*planner.Change{
		lostPlan(1).Changes[0], forgotten("image.forgotten"), imported("image.imported", "old art/logo.png"), moved("image.a", "image.b"), moved("image.c", "image.d"),
	}}
	v, screen := newTestView(Options{})
	j, out := newTestJSON()
	for _, o := range []Operation{v, j} {
		o.StartApply(plan)
		for _, e := range lifecycleEvents() {
			o.Event(e)
		}
		o.FinishApply(executor.Summary{Imported: 1, Forgotten: 2}, nil, ApplyInfo{})
	}
	golden(t, "apply/lifecycle", screen.String())
	golden(t, "json/stream_lifecycle_apply", out.String())
	const last = "Apply complete: 0 created, 0 replaced, 0 updated, 0 destroyed. Cost: $0.00.\n"
	if !strings.HasSuffix(screen.out.String(), "\n"+last) {
		t.Errorf("the last line is not %q", last)
	}
}

// What fails, with moves in the plan, must not claim that they were carried out.
func TestMovesAreOnlyClaimedWhenAllIsDone(t *testing.T) {
	t.Parallel()
	v, screen := newTestView(Options{})
	v.StartApply(lifecyclePlan())
	v.FinishApply(executor.Summary{Skipped: 3}, nil, ApplyInfo{})
	if strings.Contains(screen.String(), "moved") {
		t.Errorf("it claims moves:\n%s", screen)
	}
}

func TestLifecycleJSON(t *testing.T) {
	t.Parallel()
	j, out := newTestJSON()
	j.Plan(lifecyclePlan(), PlanInfo{})
	golden(t, "json/stream_lifecycle", out.String())

	v, screen := newTestView(Options{})
	v.PlanJSON(PlanDocument{Plan: lifecyclePlan(), Version: "0.1.0"})
	golden(t, "json/plan_lifecycle", screen.out.String())
	decoded := roundTrip[tfjson.Plan](t, screen.out.String())
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
