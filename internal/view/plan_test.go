package view

import (
	"strings"
	"testing"

	"github.com/fluxbatch/fluxbatch/internal/view/layout"
	"github.com/fluxbatch/fluxbatch/internal/view/viewtest"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

func TestPlan(t *testing.T) {
	t.Parallel()
	folded := &planner.Plan{Changes: append(append(viewtest.Cards(100), viewtest.ReplaceLogo()), viewtest.Dragged(214, "image.logo")...)}
	lines := viewtest.ReplaceLogo()
	lines.Listed()[1].Before = "First line\nsecond line of the prompt, which is long enough to be broken somewhere near its end\nthird"
	lines.Listed()[1].After = "First line\nsecond line of the poem, which is long enough to be broken somewhere near its end\nthird\nand more"
	rewritten := viewtest.ReplaceLogo()
	rewritten.Listed()[1].After = strings.Repeat("Completely different words ", 4)
	tests := []struct {
		name string
		plan *planner.Plan
		opts Options
		info PlanInfo
	}{
		{"mixed", viewtest.MixedPlan(), Options{}, PlanInfo{}},
		{"every", viewtest.EveryPlan(), Options{}, PlanInfo{}},
		{"mixed_200", viewtest.MixedPlan(), Options{Width: 200}, PlanInfo{}},
		{"mixed_color", viewtest.MixedPlan(), Options{Color: true}, PlanInfo{}},
		{"mixed_concise", viewtest.MixedPlan(), Options{Concise: true, Width: 80}, PlanInfo{}},
		{"mixed_concise_piped", viewtest.MixedPlan(), Options{Concise: true}, PlanInfo{}},
		{"simulated_saved", &planner.Plan{Changes: []*planner.Change{viewtest.CreateLogo()}}, Options{}, PlanInfo{Simulated: true, SavedAs: "my plan", Again: "fluxbatch apply 'my plan'"}},
		{"empty", &planner.Plan{Changes: []*planner.Change{viewtest.Unchanged("image.same")}, Outputs: []planner.OutputChange{}}, Options{}, PlanInfo{}},
		{"empty_limited", &planner.Plan{Changes: []*planner.Change{viewtest.Unchanged("image.same")}}, Options{}, PlanInfo{}},
		{"empty_refresh_only", &planner.Plan{RefreshOnly: true}, Options{}, PlanInfo{}},
		{"outputs_only", &planner.Plan{Changes: []*planner.Change{viewtest.Unchanged("image.same")}, Outputs: viewtest.SomeOutputs()}, Options{}, PlanInfo{}},
		{"folded", folded, Options{}, PlanInfo{}},
		{"folded_concise", folded, Options{Concise: true, Width: 80}, PlanInfo{}},
		{"file_missing", &planner.Plan{Changes: []*planner.Change{viewtest.CreateGone()}}, Options{}, PlanInfo{}},
		{"many_lines", &planner.Plan{Changes: []*planner.Change{lines}}, Options{}, PlanInfo{}},
		{"rewritten", &planner.Plan{Changes: []*planner.Change{rewritten}}, Options{}, PlanInfo{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			v, screen := newTestView(test.opts)
			v.Plan(test.plan, test.info)
			viewtest.Golden(t, "plan/"+test.name, screen.String())
		})
	}
}

// Addresses are copied from plans, so that none is broken in two, whatever spaces its key has.
func TestAddressesAreNotBroken(t *testing.T) {
	t.Parallel()
	long := `image.card["the winter sale of the whole country"]`
	change := viewtest.Dragged(1, long)[0]
	change.Rare().From = new(viewtest.Addr(`image.former["a key with many words in it, really"]`))
	p := &planner.Plan{
		Changes:   []*planner.Change{change, viewtest.Imported(`image.old["one two three four five six seven"]`, "old art/of the first and the second year.png")},
		Abandoned: []planner.Abandoned{{Address: viewtest.Addr(`image.gone["eight nine ten eleven"]`), Task: &state.Task{}}},
	}
	for _, opts := range []Options{{Width: 60}, {Width: 60, Concise: true}} {
		v, screen := newTestView(opts)
		v.Plan(p, PlanInfo{Command: "plan", Again: "fluxbatch apply", SavedAs: "the plan of the first week of the second month.plan"})
		v.PlanMarkdown(p, PlanInfo{})
		for _, whole := range []string{
			long, change.From().String(), p.Changes[1].Address.String(), `"old art/of the first and the second year.png"`,
			p.Abandoned[0].Address.String(), `"the plan of the first week of the second month.plan"`,
		} {
			if !strings.Contains(screen.String(), whole) {
				t.Errorf("%s is broken in\n%s", whole, screen)
			}
		}
		if strings.Contains(screen.String(), layout.HardSpace) {
			t.Error("a space is not a plain one")
		}
	}
}
