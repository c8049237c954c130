package planner

import (
	"slices"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// Summary counts a plan's changes.
type Summary struct {
	Create, Replace, Update, Destroy int
	// Restored and Resumed count those of Create and Replace that are free.
	Restored, Resumed int
	// Moved, Imported and Forgotten count changes that are free, and in none of the counts above
	// unless something else about the image changes.
	Moved, Imported, Forgotten int
	// Refused counts images that are not asked for because moderation refused them before, Skipped
	// those that need one of these. They are in none of the other counts. Waiting counts those that
	// wait until somebody has picked what they are made from.
	Refused, Skipped, Waiting int
	// Rejected counts images none of whose candidates passes their gates. They are in no other
	// count either.
	Rejected int
	// Cost is the estimated price of all of them but those that Unpriced counts.
	Cost bfl.Credits
	// CostUnknown says that Cost is a lower bound.
	CostUnknown bool
	// Unpriced counts images whose price is unknown.
	Unpriced int
	// Reserve is what counts against a cap: Cost, and for what Unpriced counts the highest price
	// that is known of each one's model.
	Reserve bfl.Credits
	// Uncapped is the first of the changes of whose model no price is known at all, nil where there
	// is none. With it no cap can be kept.
	Uncapped *Change
}

// Summary returns the plan's counts.
func (p *Plan) Summary() Summary {
	var s Summary
	for _, c := range p.Changes {
		switch {
		case c.isCandidate():
			s.add(c) // It belongs to its image, but for what it costs.
		case !s.countUnmade(c):
			s.count(c)
			s.add(c)
		}
	}
	return s
}

// countUnmade counts an image that is not asked for, and answers false for others.
func (s *Summary) countUnmade(c *Change) bool {
	switch c.Origin {
	case Refused:
		s.Refused++
	case Rejected:
		s.Rejected++
	case Skipped:
		if c.NotPicked {
			s.Waiting++
		} else {
			s.Skipped++
		}
	default:
		return false
	}
	return true
}

func (s *Summary) count(c *Change) {
	switch c.Action {
	case Create:
		s.Create++
	case Replace:
		s.Replace++
	case Update:
		s.Update++
	case Destroy:
		s.Destroy++
	case Import:
		s.Imported++
	case Forget:
		s.Forgotten++
	case NoOp, Move:
	}
	if c.From() != nil {
		s.Moved++
	}
	switch c.Origin {
	case Restore:
		if len(c.Candidates()) == 0 || c.restoresCandidates() {
			s.Restored++
		}
	case Resume:
		s.Resumed++
	case Generate, Refused, Rejected, Skipped:
	}
}

// restoresCandidates reports whether an image with candidates has those that are not there for
// nothing. Where all are there, it takes one of its own.
func (c *Change) restoresCandidates() bool {
	return slices.ContainsFunc(c.Candidates(), (*Change).Makes) && !slices.ContainsFunc(c.Candidates(), (*Change).Generates)
}

// add adds what a change is estimated to cost.
func (s *Summary) add(c *Change) {
	s.Reserve += c.Cost
	if c.PriceUnknown {
		s.Unpriced++
	} else {
		s.Cost += c.Cost
	}
	if c.Uncapped && s.Uncapped == nil {
		s.Uncapped = c
	}
	s.CostUnknown = s.CostUnknown || c.CostUnknown
}
