package view

import (
	"fmt"

	"github.com/fluxbatch/fluxbatch/internal/view/layout"
	"github.com/fluxbatch/fluxbatch/planner"
)

// choiceText says what the candidates of an image cost: those that are bought, and how many are free.
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
	return text + ", " + estimateOf(c).String()
}
