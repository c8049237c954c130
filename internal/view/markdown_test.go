package view

import (
	"strings"
	"testing"

	"github.com/fluxbatch/fluxbatch/planner"
)

func TestPlanMarkdown(t *testing.T) {
	t.Parallel()
	odd := replaceLogo()
	odd.Address = addr(`image.odd["a|b <c> @team"]`)
	odd.Listed[1].After = logoPrompt + ", <script>alert(1)</script> for @everyone"
	folded := append(append(cards(100), replaceLogo(), odd), dragged(214, "image.logo")...)
	tests := map[string]*planner.Plan{
		"every":  everyPlan(),
		"folded": {Changes: folded},
		"empty":  {Changes: []*planner.Change{unchanged("image.same")}, Outputs: []planner.OutputChange{}},
	}
	for name, plan := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, screen := newTestView(Options{Color: true})
			v.PlanMarkdown(plan, PlanInfo{Simulated: name == "folded"})
			golden(t, "markdown/"+name, screen.out.String())
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
	v.PlanMarkdown(&planner.Plan{Changes: cards(5000)}, PlanInfo{})
	if n := screen.out.Len(); n > 65_536 {
		t.Errorf("the report has %d bytes", n)
	}
	if !strings.Contains(screen.out.String(), "not shown in full") {
		t.Error("the report does not say what it leaves out")
	}
}
