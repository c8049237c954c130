package view

import (
	"fmt"
	"slices"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// choiceText says what the candidates of an image cost: those that are bought, and how many are
// free.
func choiceText(c *planner.Change) string {
	bought, free, stored := 0, 0, 0
	for _, candidate := range c.Candidates() {
		switch {
		case candidate.Generates():
			bought++
		case candidate.Makes():
			free++
		}
		if isStored(candidate) {
			stored++
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
	switch {
	case bought+free == len(c.Candidates()):
	case slices.ContainsFunc(c.Candidates(), isMadeAgain):
		text = fmt.Sprintf("%d of %d candidates", bought+free, len(c.Candidates()))
	default:
		text = layout.Count(bought+free, "more candidate")
	}
	switch {
	case bought == 0 && stored == free:
		return text + ", restored from the store, free"
	case bought == 0:
		return text + ", free"
	case free > 0:
		text += fmt.Sprintf(", %d of them free", free)
	}
	return text + ", " + estimateOf(c).String() + moreText(c)
}

// moreText says what may be bought besides while no candidate passes.
func moreText(c *planner.Change) string {
	if !c.Judges || c.More() == 0 {
		return ""
	}
	return fmt.Sprintf(", and up to %d more while none passes, %s each", c.More(), c.MoreCost().Dollars())
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

// recordedChoice lists what is on record of the choice that an image has, or what gates said of a
// candidate.
func recordedChoice(s *state.State, addr addrs.Image, img *state.Image) []argument {
	if img.Candidate == 0 {
		if len(img.Verdicts) == 0 {
			return nil
		}
		return []argument{{"verdicts", rawText(Verdicts(img.Verdicts))}}
	}
	taken := fmt.Sprintf("%d # nobody has picked", img.Candidate)
	if img.Picked {
		taken = fmt.Sprintf("%d # picked", img.Candidate)
	}
	all := []argument{{"candidate", rawText(taken)}}
	for n := 1; n <= image.MaxCandidates; n++ {
		if c := s.Images.Get(addr.Nth(n)); c != nil {
			all = append(all, argument{fmt.Sprintf("candidates[%d]", n-1), rawText(CandidateText(c))})
		}
	}
	if img.Made != nil {
		all = append(all, argument{"generated_sha256", img.Made.SHA256})
	}
	return all
}

// CandidateText says of a candidate what one chooses by: "seed 7, $0.03, passed ocr".
func CandidateText(c *state.Image) string {
	seed := "no seed"
	if c.Result.Seed != nil {
		seed = fmt.Sprintf("seed %d", *c.Result.Seed)
	}
	text := seed + ", " + c.Result.Cost.Dollars()
	if len(c.Verdicts) > 0 {
		text += ", " + Verdicts(c.Verdicts)
	}
	return text
}

// isStored reports whether the store has a candidate that is not there.
func isStored(c *planner.Change) bool {
	return c.Makes() && c.Origin == planner.Restore && c.Donor() == nil && c.Twin() == nil
}

// isMadeAgain reports whether a candidate is on record, and is not there as it is recorded.
func isMadeAgain(c *planner.Change) bool { return c.Makes() && c.Prior != nil }

// isBought reports whether a candidate is generated, and not on record or free.
func isBought(c *planner.Change) bool { return c.Makes() && c.Origin == planner.Generate }
