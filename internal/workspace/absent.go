package workspace

import (
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/planner"
)

// absent warns where other machines share the state and not the images, and a plan would pay for
// pictures that are on record: the machine that made them has them.
func (w *Workspace) absent(plan *planner.Plan) hcl.Diagnostics {
	isLost := func(c *planner.Change) bool { return c.OnlyDrifted() && c.Generates() && c.Task() == nil }
	if !w.IsShared() || w.local.Store().IsShared() || !slices.ContainsFunc(plan.Changes, isLost) {
		return nil
	}
	return hcl.Diagnostics{{
		Severity: hcl.DiagWarning, Summary: "Pictures of the shared state are not on this machine",
		Detail: "Images that are on record would be paid for again, since their files are not here as they were made. The machine that made them has them: copy its output folder, or check it out again, and plan once more. With images \"s3\" in the fluxbatch block each machine has what another one made for nothing.",
	}}
}
