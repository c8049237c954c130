package view

import (
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/planner"
)

// MayStay reports whether only the images upstream decide whether a replacement is needed: nothing
// about it is certain to differ.
func MayStay(c *planner.Change) bool {
	if !c.Conditional() || c.Withheld() {
		return false
	}
	for _, r := range c.Reasons {
		if !r.IsUpstream() && r.Kind != planner.RequestChanged {
			return false
		}
	}
	all := c.Attributes()
	for i := range all {
		if a := &all[i]; a.Forces && certain(c, a) {
			return false
		}
	}
	return len(c.Reasons) > 0
}

// certain reports whether an attribute differs whatever the images upstream will be.
func certain(c *planner.Change, a *image.Attribute) bool {
	switch {
	case !a.Changed(), a.MayDiffer:
		return false
	case !isReference(a):
		return !a.Unknown
	case openReferences(c):
		return false
	default:
		// One image more is another request, whatever it shows.
		return !a.Unknown || a.Before == nil
	}
}

// openReferences reports whether it is known only after apply which references there are: any of
// them may then move up or be left out.
func openReferences(c *planner.Change) bool {
	return c.Desired != nil && c.Desired.OpenReferences()
}
