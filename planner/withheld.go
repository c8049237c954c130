package planner

import "github.com/fluxbatch/fluxbatch/internal/addrs"

// Withheld reports whether an image will not be made although the configuration asks for it:
// moderation refused its request before, or it needs an image of which that is so. Apply fails for
// the former and skips the latter.
func (c *Change) Withheld() bool {
	return c.Origin == Refused || c.Origin == Skipped || c.Origin == Rejected
}

// skip withholds an image that would be generated from one that will not be there, so that no price
// is asked for it. What is paid for already is had all the same.
func (p *Planner) skip(c *decision) {
	if c.Origin != Generate {
		return
	}
	if upstream, waits := p.waitsForPick(c.Desired); waits {
		c.lack(upstream)
		c.NotPicked = true
		return
	}
	for _, upstream := range c.Desired.Dependencies {
		if up := p.change(upstream); up != nil && up.Withheld() {
			c.lack(upstream)
			c.NotPicked = up.NotPicked
			return
		}
	}
}

// lack withholds an image that needs another one which will not be there.
func (c *Change) lack(upstream addrs.Image) {
	c.Origin, c.Rare().Lacks = Skipped, new(upstream)
	c.Cost, c.CostUnknown, c.PriceUnknown, c.Uncapped = 0, false, false, false
	c.Rare().RecordedSeed = nil
}
