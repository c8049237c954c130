package view

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/view/viewtest"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// An image that may be paid for twice is named, however many there are and however a plan is shown:
// nobody could tell otherwise which of the account's charges was the first one.
func TestChargedAreNamed(t *testing.T) {
	t.Parallel()
	const images = 40
	shows := map[string]func(*View, *planner.Plan){
		"text":     func(v *View, p *planner.Plan) { v.Plan(p, PlanInfo{Command: "plan"}) },
		"markdown": func(v *View, p *planner.Plan) { v.PlanMarkdown(p, PlanInfo{}) },
	}
	for name, show := range shows {
		for _, opts := range []Options{{Width: 80}, {Width: 80, Concise: true}, {Width: 80, Unfolded: true}} {
			for _, ofCandidates := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s %+v %t", name, opts, ofCandidates), func(t *testing.T) {
					t.Parallel()
					v, screen := newTestView(opts)
					show(v, chargedPlan(images, ofCandidates))
					said := strings.Join(strings.Fields(screen.out.String()), " ")
					for i := range images {
						if addr := fmt.Sprintf("image.lost[%d]", i); !strings.Contains(said, addr) {
							t.Fatalf("%s is not named:\n%s", addr, screen.out.String())
						}
					}
					if n := strings.Count(said, "may have been charged"); ofCandidates && n < images {
						t.Errorf("%d of %d candidates are told of:\n%s", n, images, screen.out.String())
					}
				})
			}
		}
	}
}

// chargedPlan makes images that an interrupted run may have been charged for, or one of the two
// candidates of each.
func chargedPlan(images int, ofCandidates bool) *planner.Plan {
	plan := &planner.Plan{}
	for i := range images {
		c := viewtest.CreateLogo()
		c.Address, c.Fingerprint = viewtest.Addr(fmt.Sprintf("image.lost[%d]", i)), "f"
		unanswered := []*state.Task{{Cost: bfl.CreditsOf(3)}}
		if !ofCandidates {
			c.Rare().Unanswered = unanswered
			plan.Changes = append(plan.Changes, c)
			continue
		}
		for n := range 2 {
			candidate := viewtest.CreateLogo()
			candidate.Address, candidate.Fingerprint = c.Address, "f"
			candidate.Address.Candidate = n + 1
			c.Rare().Candidates = append(c.Candidates(), candidate)
		}
		c.Candidates()[1].Rare().Unanswered = unanswered
		plan.Changes = append(append(plan.Changes, c), c.Candidates()...)
	}
	return plan
}

// Those that a long table of a pull request has no rows for are named below it, and only those that
// may be paid for twice.
func TestChargedAreNamedBelowTable(t *testing.T) {
	t.Parallel()
	for _, ofCandidates := range []bool{false, true} {
		for _, opts := range []Options{{Width: 80}, {Width: 80, Unfolded: true}} {
			plan := chargedPlan(markdownRows+40, ofCandidates)
			for i := range markdownRows + 20 {
				c := viewtest.CreateLogo()
				c.Address, c.Fingerprint = viewtest.Addr(fmt.Sprintf("image.new%d", i)), "f"
				plan.Changes = append(plan.Changes, c)
			}
			v, screen := newTestView(opts)
			v.PlanMarkdown(plan, PlanInfo{})
			table, _, _ := strings.Cut(screen.out.String(), "<details>")
			for i := range markdownRows + 40 {
				name := fmt.Sprintf("<code>image.lost[%d]</code>", i)
				if ofCandidates && !strings.Contains(table, name) {
					name = fmt.Sprintf("<code>%s</code>", plan.Changes[3*i+2].Address)
				}
				if !strings.Contains(table, name) {
					t.Fatalf("%+v, candidates %t: %s is not named:\n%s", opts, ofCandidates, name, table)
				}
			}
			_, below, _ := strings.Cut(table, " more row")
			if strings.Contains(below, "image.new") {
				t.Errorf("%+v, candidates %t: others are named:\n%s", opts, ofCandidates, below)
			}
		}
	}
}
