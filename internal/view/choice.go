package view

import (
	"fmt"

	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
	"github.com/fluxbatch/fluxbatch/planner"
)

// choiceText says what the candidates of an image cost: those that are bought, and how many are
// free.
func choiceText(c *planner.Change) string {
	bought, free := 0, 0
	for _, candidate := range c.Candidates {
		switch {
		case candidate.Generates():
			bought++
		case candidate.Makes():
			free++
		}
	}
	switch {
	case bought == 0 && free == 0 && c.Action == planner.NoOp:
		return ""
	case bought == 0 && free == 0 && c.Judges:
		return "gates judge its candidates" + moreText(c)
	case bought == 0 && free == 0:
		return fmt.Sprintf("candidate %d, free", c.Desired.Candidate)
	}
	text := layout.Count(bought+free, "candidate")
	if c.Prior != nil && bought+free < len(c.Candidates) {
		text = layout.Count(bought+free, "more candidate")
	}
	switch {
	case bought == 0:
		return text + ", free"
	case free > 0:
		text += fmt.Sprintf(", %d of them free", free)
	}
	return text + ", " + estimateOf(c).String() + moreText(c)
}

// moreText says what may be bought besides while no candidate passes.
func moreText(c *planner.Change) string {
	if !c.Judges || c.More == 0 {
		return ""
	}
	return fmt.Sprintf(", and up to %d more while none passes, %s each", c.More, c.MoreCost.Dollars())
}

// Verdicts says what gates said of a candidate, as in "passed looks and refused by ocr (no SALE)".
func Verdicts(verdicts []image.Verdict) string {
	var all []string
	for _, v := range verdicts {
		text := "passed " + v.Gate
		if !v.Passed {
			text = "refused by " + v.Gate
		}
		if v.Reason != "" {
			text += " (" + layout.Harmless(v.Reason) + ")"
		}
		all = append(all, text)
	}
	return layout.List(all)
}
