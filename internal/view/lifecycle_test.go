package view

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/view/viewtest"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

func TestLifecycle(t *testing.T) {
	t.Parallel()
	gone, manyGone := viewtest.LostPlan(1), viewtest.LostPlan(12)
	many := &planner.Plan{}
	for i := range 12 {
		many.Changes = append(many.Changes,
			viewtest.Moved(fmt.Sprintf("image.tile[%d]", i), fmt.Sprintf("image.card[%d]", i)),
			viewtest.Imported(fmt.Sprintf("image.imported[%d]", i), fmt.Sprintf("old/%d.png", i)),
			viewtest.Forgotten(fmt.Sprintf("image.old[%d]", i)), viewtest.Frozen(fmt.Sprintf("image.cold[%d]", i)), viewtest.Refused(fmt.Sprintf("image.bad[%d]", i)),
			viewtest.Unmakable(fmt.Sprintf("image.worse[%d]", i), fmt.Sprintf("image.bad[%d]", i)))
		lost := viewtest.CreateLogo()
		lost.Address, lost.Rare().Unanswered = viewtest.Addr(fmt.Sprintf("image.lost[%d]", i)), []*state.Task{{Cost: bfl.CreditsOf(3)}}
		lost.Fingerprint = "f"
		many.Changes = append(many.Changes, lost)
	}
	onlyMoves := &planner.Plan{Changes: []*planner.Change{viewtest.Moved("image.a", "image.b"), viewtest.Moved("image.c", "image.d")}}
	movedFrozen := viewtest.Frozen("image.frozen")
	movedFrozen.Rare().From = new(viewtest.Addr("image.cold"))
	tests := []struct {
		name string
		plan *planner.Plan
		opts Options
	}{
		{"lifecycle", viewtest.LifecyclePlan(), Options{}},
		{"lifecycle_color", viewtest.LifecyclePlan(), Options{Color: true}},
		{"lifecycle_concise", viewtest.LifecyclePlan(), Options{Concise: true, Width: 80}},
		{"lifecycle_folded", many, Options{}},
		{"moves", onlyMoves, Options{}},
		{"lost", gone, Options{}},
		{"lost_folded", manyGone, Options{Concise: true, Width: 80}},
		{"frozen", &planner.Plan{Changes: []*planner.Change{viewtest.Frozen("image.frozen"), viewtest.Unchanged("image.same")}}, Options{}},
		{"frozen_moved", &planner.Plan{Changes: []*planner.Change{movedFrozen}}, Options{}},
		{"frozen_outputs", &planner.Plan{Changes: []*planner.Change{viewtest.Frozen("image.frozen")}, Outputs: viewtest.SomeOutputs()}, Options{}},
		{"refused", &planner.Plan{Changes: []*planner.Change{viewtest.Refused("image.bad", "a \x1b[2J face")}}, Options{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			v, screen := newTestView(test.opts)
			v.Plan(test.plan, PlanInfo{Command: "plan", Again: "fluxbatch apply"})
			viewtest.Golden(t, "plan/"+test.name, screen.String())
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
		v.Plan(viewtest.LifecyclePlan(), info)
		v.AskApprove(viewtest.LifecyclePlan())
		got.WriteString(screen.err.String() + "\n")
	}
	viewtest.Golden(t, "approve", got.String())
}

func TestLifecycleMarkdown(t *testing.T) {
	t.Parallel()
	v, screen := newTestView(Options{})
	v.PlanMarkdown(viewtest.LifecyclePlan(), PlanInfo{})
	viewtest.Golden(t, "markdown/lifecycle", screen.out.String())
	v, screen = newTestView(Options{})
	v.PlanMarkdown(&planner.Plan{Changes: []*planner.Change{viewtest.Frozen("image.frozen")}}, PlanInfo{})
	viewtest.Golden(t, "markdown/frozen", screen.out.String())
}

func TestLifecycleApply(t *testing.T) {
	t.Parallel()
	plan := viewtest.FreePlan()
	v, screen := newTestView(Options{})
	v.StartApply(plan)
	for _, e := range viewtest.LifecycleEvents() {
		v.Event(e)
	}
	v.FinishApply(executor.Summary{Imported: 1, Forgotten: 2}, nil, ApplyInfo{})
	viewtest.Golden(t, "apply/lifecycle", screen.String())
	const last = "Apply complete: 0 created, 0 replaced, 0 updated, 0 destroyed. Cost: $0.00.\n"
	if !strings.HasSuffix(screen.out.String(), "\n"+last) {
		t.Errorf("the last line is not %q", last)
	}
}

// What fails, with moves in the plan, must not claim that they were carried out.
func TestMovesAreOnlyClaimedWhenAllIsDone(t *testing.T) {
	t.Parallel()
	v, screen := newTestView(Options{})
	v.StartApply(viewtest.LifecyclePlan())
	v.FinishApply(executor.Summary{Skipped: 3}, nil, ApplyInfo{})
	if strings.Contains(screen.String(), "moved") {
		t.Errorf("it claims moves:\n%s", screen)
	}
}
