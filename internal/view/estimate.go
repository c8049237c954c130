package view

import (
	"fmt"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
	"github.com/fluxbatch/fluxbatch/planner"
)

// estimate is what changes are estimated to cost together.
type estimate struct {
	cost bfl.Credits
	// atLeast says that cost is a lower bound.
	atLeast bool
	// unpriced counts those whose price is unknown, which are not in cost.
	unpriced int
	// priced says that there are others.
	priced bool
}

func estimateOf(c *planner.Change) estimate {
	var e estimate
	e.add(c)
	return e
}

func (e *estimate) add(c *planner.Change) {
	for _, candidate := range c.Candidates() {
		if candidate.Generates() {
			e.add(candidate)
		}
	}
	if len(c.Candidates()) > 0 {
		return
	}
	if c.PriceUnknown {
		e.unpriced++
		return
	}
	e.cost += c.Cost
	e.atLeast = e.atLeast || c.CostUnknown
	e.priced = true
}

// String implements fmt.Stringer: "$0.04", "at least $0.04", "price unknown", "$0.04 plus 2 images
// whose price is unknown".
func (e estimate) String() string {
	text := e.cost.Dollars()
	if e.atLeast {
		text = "at least " + text
	}
	switch {
	case e.unpriced == 0:
		return text
	case !e.priced:
		return "price unknown"
	default:
		return text + " plus " + unpricedText(e.unpriced)
	}
}

// unpricedText speaks of images whose price is unknown.
func unpricedText(n int) string {
	return fmt.Sprintf("%s whose price is unknown", layout.Count(n, "image"))
}
