package view

import (
	"slices"

	"github.com/fluxbatch/fluxbatch/internal/view/layout"
	"github.com/fluxbatch/fluxbatch/planner"
)

// advice writes what else can be done about a change that is probably not meant as it is, with the
// commands to type.
func (pp *planPage) advice(c *planner.Change) {
	word := layout.ShellWord(c.Address.String())
	switch {
	case c.Frozen || pp.opts.Concise || c.Prior == nil:
	case sameSeed(c):
		pp.note("The seed stays the same, so the same picture is likely. To draw a new seed:", commentLead)
		pp.typed("fluxbatch apply -reroll " + word)
	case hasReason(c, planner.FileChanged):
		what := "Apply restores the recorded file from the store."
		if c.Origin == planner.Generate {
			what = "Apply generates the picture again."
		}
		path := layout.ShellWord(c.Prior.Output.Path)
		pp.note("The file was changed after it was made. "+what+" It keeps the changed file in the store.", commentLead)
		pp.note("To keep the changed file, to bring the recorded one back, or to generate it again:", commentLead)
		pp.typed("fluxbatch accept " + word)
		pp.typed("git checkout -- " + path)
		pp.typed("fluxbatch apply -replace " + word)
	}
}

// typed writes a command on a line of its own above a change. It is never broken.
func (pp *planPage) typed(command string) { pp.write(commentLead, "  ", command, "\n") }

// sameSeed reports whether an image is replaced although nothing of its request changed, and a seed
// makes the same request give the same picture.
func sameSeed(c *planner.Change) bool {
	return hasReason(c, planner.Requested) && c.Desired != nil && c.Desired.Request().Has("seed") &&
		c.Fingerprint == c.Prior.Fingerprint && c.Origin == planner.Generate
}

func hasReason(c *planner.Change, kind planner.ReasonKind) bool {
	return slices.ContainsFunc(c.Reasons, func(r planner.Reason) bool { return r.Kind == kind })
}
