package planner

// Withheld reports whether an image will not be made although the configuration asks for it: moderation refused its request before, or it needs an
// image of which that is so. Apply fails for the former and skips the latter.
func (c *Change) Withheld() bool { return c.Origin == Refused || c.Origin == Skipped }

// skip withholds an image that would be generated from one that will not be there, so that no price is asked for it. What is paid for already is
// had all the same.
func (p *Planner) skip(c *Change) {
	if c.Origin != Generate {
		return
	}
	for _, upstream := range c.Desired.Dependencies {
		if up := p.change(upstream); up != nil && up.Withheld() {
			c.Origin, c.Lacks = Skipped, upstream
			c.Cost, c.CostUnknown, c.PriceUnknown, c.Uncapped, c.RecordedSeed = 0, false, false, false, nil
			return
		}
	}
}
