package planner

// Leaving returns the changes whose images on record go from their paths when the plan is carried
// out, by these paths: what is destroyed, and what has another path now.
func (p *Plan) Leaving() map[string]*Change {
	leaving := map[string]*Change{}
	for _, c := range p.Changes {
		if c.Prior == nil || c.Frozen || c.Withheld() {
			continue
		}
		from := c.Prior.Output.Path
		switch c.Action {
		case NoOp, Move, Forget:
		case Destroy:
			leaving[from] = c
		case Create, Replace, Update, Import:
			// With -refresh-only a file is taken as it is, and nothing is desired of the image.
			if c.Desired != nil && c.Desired.Output != from {
				leaving[from] = c
			}
		}
	}
	return leaving
}
