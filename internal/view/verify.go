package view

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/internal/diag"
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
		if d := unpicked(plan, c); d != nil {
			diags = append(diags, d)
			continue
		}
		if c.Action == planner.NoOp && !c.Frozen {
			continue
		}
		d := &hcl.Diagnostic{
			Severity: hcl.DiagError, Summary: "Image does not match", Detail: c.Address.String() + " " + mismatch(c), Extra: caseOf(c),
		}
		if c.Frozen && !hasDrifted(c) {
			d.Severity, d.Summary = hcl.DiagWarning, "Frozen image does not match"
		}
		if c.Desired != nil {
			d.Subject = plan.Where(c.Address)
		}
		diags = append(diags, d)
	}
	return append(diags, renditionMismatches(plan)...)
}

// unpicked says that somebody has to choose, nil where nobody has.
func unpicked(plan *planner.Plan, c *planner.Change) *hcl.Diagnostic {
	d := &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Nobody has picked", Subject: plan.Where(c.Address)}
	switch {
	case c.NotPicked:
		d.Detail = fmt.Sprintf("%s waits until somebody has picked %s. Run fluxbatch pick.", c.Address, c.Lacks)
	case c.Action == planner.NoOp && c.Desired != nil && c.Desired.Lifecycle.RequirePick && c.Desired.HasChoice() && !c.Desired.Picked:
		d.Detail = fmt.Sprintf("%s has candidates to choose from, and its block says that somebody has to. Run fluxbatch pick.", c.Address)
	default:
		return nil
	}
	return d
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

// caseOf tells images apart that have different ways out.
func caseOf(c *planner.Change) diag.Case {
	cause := string(c.Action)
	if len(c.Reasons) > 0 {
		cause += " " + string(c.Reasons[0].Kind)
	}
	return diag.Case{Subject: c.Address.String(), Cause: cause}
}

// hasDrifted reports whether the image's file is gone or has other bytes than the recorded ones.
func hasDrifted(c *planner.Change) bool {
	return slices.ContainsFunc(c.Reasons, func(r planner.Reason) bool { return r.Kind == planner.FileMissing || r.Kind == planner.FileChanged })
}

func mismatch(c *planner.Change) string {
	switch c.Action {
	case planner.Update, planner.Move:
		return "has another address, path, label or provider on record than in the configuration. Run fluxbatch apply, which updates it for free."
	case planner.Import:
		return "is to be imported. Run fluxbatch apply, which imports it for free."
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
		return "is declared but does not exist. Run fluxbatch plan to see what it would cost."
	case planner.NotInConfiguration:
		return "is on record but no longer declared. Run fluxbatch apply, which moves it into the store, or declare it again."
	case planner.FileMissing:
		if c.Frozen {
			return fmt.Sprintf("is frozen, but its file %s is missing. Check it out again, or run fluxbatch apply, which restores it if the store has it.", c.Prior.Output.Path)
		}
		return fmt.Sprintf("is on record, but its file %s is missing. Check it out again, or run fluxbatch apply, which brings it back.", c.Prior.Output.Path)
	case planner.FileChanged:
		if c.Frozen {
			return fmt.Sprintf("is frozen, but its file %s is not the one on record. Check it out again, or keep the file as it is now with fluxbatch apply -refresh-only.", c.Prior.Output.Path)
		}
		return fmt.Sprintf("is on record, but its file %s was changed. Check it out again, or run fluxbatch apply, which brings it back. To keep the file as it is now, run fluxbatch apply -refresh-only.", c.Prior.Output.Path)
	case planner.WasSimulated:
		return "was made by a simulator, but its provider is the API now. Run fluxbatch plan to see what it would cost."
	case planner.Interrupted:
		return "was requested again by an interrupted run. Run fluxbatch apply, which fetches what is paid for."
	case planner.UpstreamChanges, planner.Triggered:
		return fmt.Sprintf("depends on %s, which does not match. Run fluxbatch plan to see the difference.", reason.Upstream)
	default:
		return "was made from another request than the configuration has now. Run fluxbatch plan to see the difference."
	}
}
