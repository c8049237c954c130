package view

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/planner"
)

// Verified says that all images are as they should be: those that a plan found nothing to do for,
// of which there are n on record.
func (v *View) Verified(plan *planner.Plan, n int) {
	what := "Every image matches"
	if slices.ContainsFunc(plan.Changes, func(c *planner.Change) bool { return c.Frozen }) {
		what = "Every image matches, or is frozen"
	}
	v.Say(fmt.Sprintf("%s: %d on record, in the configuration, and on disk.", what, n))
}

// Mismatches says of each image that is not as it should be why. That the configuration asks for
// another image is what frozen allows, and so only a warning.
func Mismatches(plan *planner.Plan) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, c := range plan.Changes {
		diags = append(diags, deviations(plan, c)...)
		if c.Action == planner.NoOp && !c.Frozen {
			continue
		}
		d := &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Image does not match", Detail: c.Address.String() + " " + mismatch(c)}
		if c.Frozen && !hasDrifted(c) {
			d.Severity, d.Summary = hcl.DiagWarning, "Frozen image does not match"
		}
		if c.Desired != nil {
			d.Subject = plan.Where(c.Address)
		}
		diags = append(diags, d)
	}
	return diags
}

// deviations warns of an image that is there and not what was asked for.
func deviations(plan *planner.Plan, c *planner.Change) hcl.Diagnostics {
	if c.Prior == nil || c.Action != planner.NoOp {
		return nil
	}
	var diags hcl.Diagnostics
	for _, what := range planner.Deviations(c.Prior) {
		d := &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "Image is not what was asked for", Detail: c.Address.String() + ": " + what}
		if c.Desired != nil {
			d.Subject = plan.Where(c.Address)
		}
		diags = append(diags, d)
	}
	return diags
}

// hasDrifted reports whether the image's file is gone or has other bytes than the recorded ones.
func hasDrifted(c *planner.Change) bool {
	return slices.ContainsFunc(c.Reasons, func(r planner.Reason) bool { return r.Kind == planner.FileMissing || r.Kind == planner.FileChanged })
}

func mismatch(c *planner.Change) string {
	switch c.Action {
	case planner.Update, planner.Move:
		return "has another address, path, label or provider on record than the configuration says. Run fluxbatch apply, which costs nothing for it."
	case planner.Import:
		return "is to be imported. Run fluxbatch apply, which costs nothing for it."
	case planner.Forget:
		return "is to be forgotten, as a removed block says. Run fluxbatch apply, which leaves its file where it is."
	case planner.NoOp, planner.Create, planner.Replace, planner.Destroy:
	}
	reason := c.Reasons[0]
	if c.Frozen && hasDrifted(c) {
		reason = c.Reasons[len(c.Reasons)-1] // Drift is the last.
	}
	switch reason.Kind {
	case planner.NotInState:
		return "is declared and has not been made. Run fluxbatch plan to see what it would cost."
	case planner.NotInConfiguration:
		return "is on record and not declared any more. Run fluxbatch apply, which moves it into the store, or declare it again."
	case planner.FileMissing:
		if c.Frozen {
			return fmt.Sprintf("is frozen, and its file %s is not there. Check it out, or let fluxbatch apply bring it back from the store if it is "+
				"there.", c.Prior.Output.Path)
		}
		return fmt.Sprintf("is on record, and its file %s is not there. Check it out, or let fluxbatch apply bring it back.", c.Prior.Output.Path)
	case planner.FileChanged:
		if c.Frozen {
			return fmt.Sprintf("is frozen, and its file %s has other bytes than those on record. Check it out again, or take it as it is now with "+
				"fluxbatch apply -refresh-only.", c.Prior.Output.Path)
		}
		return fmt.Sprintf("is on record, and its file %s has other bytes. Check it out again, or let fluxbatch apply bring it back.", c.Prior.Output.Path)
	case planner.WasSimulated:
		return "was made by a simulator, and its provider is none any more. Run fluxbatch plan to see what it would cost."
	case planner.Interrupted:
		return "was asked for again by a run that was cut off. Run fluxbatch apply, which fetches what is paid for already."
	case planner.UpstreamChanges, planner.Triggered:
		return fmt.Sprintf("depends on %s, which does not match. Run fluxbatch plan to see the difference.", reason.Upstream)
	default:
		return "was made from another request than the configuration asks for now. Run fluxbatch plan to see the difference."
	}
}
