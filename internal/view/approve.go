package view

import (
	"fmt"

	"github.com/fluxbatch/fluxbatch/internal/view/layout"
	"github.com/fluxbatch/fluxbatch/planner"
)

// The commands by which PlanInfo tells who shows a plan, where that makes a difference.
const (
	commandPlan    = "plan"
	commandDestroy = "destroy"
)

// AskApprove asks whether to go on with the plan that Plan showed last. The caller reads the
// answer.
func (v *View) AskApprove(p *planner.Plan) {
	v.mu.Lock()
	defer v.mu.Unlock()
	question, text := "Do you want to perform these actions?", "fluxbatch will perform the actions described above."
	if v.planned.Command == commandDestroy {
		question = "Do you really want to destroy these images?"
		text = "fluxbatch will take the images above off record. Their files move into the store."
	}
	const margin = "  "
	text = layout.Wrap(text+" "+v.chargeText(p), v.opts.Width-len(margin)) + "\nOnly 'yes' will be accepted to approve."
	v.stderr("\n" + v.colours.Strong.Styled(question) + "\n" + layout.Indent(text, margin) + "\n\n" +
		margin + v.colours.Strong.Styled("Enter a value:") + " ")
}

// chargeText says what a plan costs.
func (v *View) chargeText(p *planner.Plan) string {
	t := TallyOf(p)
	if v.planned.Simulated {
		return "This is a simulation, and costs nothing."
	}
	if t.Cost == 0 && !t.CostUnknown && t.Unpriced == 0 {
		return "This costs nothing."
	}
	text := fmt.Sprintf("This will cost %s.", estimateText(t.Summary))
	if t.Charged > 0 {
		text += fmt.Sprintf(" An interrupted run may have been charged %s for the same images already.", t.Charged.Dollars())
	}
	return text
}

func estimateText(s planner.Summary) string {
	text := "about " + s.Cost.Dollars()
	if s.CostUnknown {
		text = "at least " + s.Cost.Dollars()
	}
	if s.Unpriced > 0 {
		text += " plus " + unpricedText(s.Unpriced)
	}
	return text
}
