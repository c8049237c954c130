package planner

import (
	"slices"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
)

// Unpicked is an image whose block says that somebody has to pick, and nobody has.
type Unpicked struct {
	Address addrs.Image
	// Waiting are the images made from it, sorted, which are not made before somebody picks.
	Waiting []addrs.Image
}

// Unpicked returns the images that have pictures to choose from and wait for somebody to do so,
// sorted.
func (p *Plan) Unpicked() []Unpicked {
	waiting := map[addrs.Image][]addrs.Image{}
	for _, c := range p.Changes {
		if c.NotPicked {
			waiting[*c.Lacks()] = append(waiting[*c.Lacks()], c.Address)
		}
	}
	var all []Unpicked
	for _, c := range p.Changes {
		if c.mustBePicked() {
			all = append(all, Unpicked{c.Address, waiting[c.Address]})
		}
	}
	return all
}

// mustBePicked reports whether there are pictures, and somebody still has to pick one of them.
func (c *Change) mustBePicked() bool {
	return c.Desired != nil && c.Desired.Lifecycle().RequirePick && c.Desired.HasChoice() && !c.Desired.Picked &&
		slices.ContainsFunc(c.Candidates(), func(one *Change) bool { return one.Prior != nil })
}
