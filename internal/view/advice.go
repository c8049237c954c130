package view

import (
	"slices"
	"strings"

	"github.com/fluxbatch/fluxbatch/internal/view/layout"
	"github.com/fluxbatch/fluxbatch/planner"
)

// advice writes what else can be done about a change that is probably not meant as it is, with the
// commands to type.
func (pp *planPage) advice(c *planner.Change) {
	switch {
	case c.Frozen || pp.opts.Concise || c.Prior == nil:
	case sameSeed(c):
		pp.note("The seed stays the same, so the same picture is likely. To draw a new seed:", commentLead)
		pp.typed(c, "apply", "-reroll")
	case len(c.Candidates()) > 0 && hasReason(c, planner.Requested) && sameSeed(c.Candidates()[0]):
		pp.note("The seeds stay the same, so the same pictures are likely. To have further candidates beside them:", commentLead)
		pp.typed(c, "pick", "-reroll")
	case hasReason(c, planner.FileChanged) && c.Makes():
		what := "Apply restores the recorded file from the store."
		if c.Origin == planner.Generate {
			what = "Apply generates the picture again."
		}
		pp.note("The file was changed after it was made. "+what+" It keeps the changed file in the store.", commentLead)
		pp.edited(c)
	}
}

// edited writes the ways out for an image whose file somebody changed. What a simulation makes is
// in no version control.
func (pp *planPage) edited(c *planner.Change) {
	if pp.simulated {
		pp.note("To keep the changed file, or to generate the image again:", commentLead)
	} else {
		pp.note("To keep the changed file, to bring the recorded one back, or to generate it again:", commentLead)
	}
	pp.typed(c, "accept")
	if !pp.simulated {
		pp.write(commentLead, "  git checkout -- ", layout.ShellWord(c.Prior.Output.Path), "\n")
	}
	pp.typed(c, "apply", "-replace")
}

// typed writes a command about an image on a line of its own above a change. It is never broken.
func (pp *planPage) typed(c *planner.Change, command ...string) {
	if pp.simulated {
		command = slices.Insert(command, 1, "-simulate")
	}
	pp.write(commentLead, "  fluxbatch ", strings.Join(command, " "), " ", layout.ShellWord(c.Address.String()), "\n")
}

// sameSeed reports whether an image is replaced although nothing of its request changed, and a seed
// makes the same request give the same picture.
func sameSeed(c *planner.Change) bool {
	return hasReason(c, planner.Requested) && c.Desired != nil && c.Prior != nil && c.Desired.Request().Has("seed") &&
		c.Fingerprint == c.Prior.Fingerprint && c.Origin == planner.Generate
}

func hasReason(c *planner.Change, kind planner.ReasonKind) bool {
	return slices.ContainsFunc(c.Reasons, func(r planner.Reason) bool { return r.Kind == kind })
}
