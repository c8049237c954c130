package view

import (
	"strings"
	"testing"

	"github.com/fluxbatch/fluxbatch/internal/view/viewtest"
	"github.com/fluxbatch/fluxbatch/planner"
)

func TestPlanMarkdown(t *testing.T) {
	t.Parallel()
	odd := viewtest.ReplaceLogo()
	odd.Address = viewtest.Addr(`image.odd["a|b <c> @team"]`)
	odd.Listed()[1].After = viewtest.LogoPrompt + ", <script>alert(1)</script> for @everyone"
	folded := append(append(viewtest.Cards(100), viewtest.ReplaceLogo(), odd), viewtest.Dragged(214, "image.logo")...)
	tests := map[string]*planner.Plan{
		"every":  viewtest.EveryPlan(),
		"folded": {Changes: folded},
		"empty":  {Changes: []*planner.Change{viewtest.Unchanged("image.same")}, Outputs: []planner.OutputChange{}},
	}
	for name, plan := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, screen := newTestView(Options{Color: true})
			v.PlanMarkdown(plan, PlanInfo{Simulated: name == "folded"})
			viewtest.Golden(t, "markdown/"+name, screen.out.String())
			if strings.Contains(screen.out.String(), "<script>") {
				t.Error("the report has a prompt's tags as they were")
			}
		})
	}
}

// A comment of a pull request takes 65,536 characters.
func TestPlanMarkdownIsBounded(t *testing.T) {
	t.Parallel()
	v, screen := newTestView(Options{Unfolded: true})
	v.PlanMarkdown(&planner.Plan{Changes: viewtest.Cards(5000)}, PlanInfo{})
	if n := screen.out.Len(); n > 65_536 {
		t.Errorf("the report has %d bytes", n)
	}
	if !strings.Contains(screen.out.String(), "not shown in full") {
		t.Error("the report does not say what it leaves out")
	}
}
