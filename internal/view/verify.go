package view

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// Verified says that all images on record are as they should be: those that a plan found nothing to
// do for.
func (v *View) Verified(plan *planner.Plan, prior *state.State) {
	n := Recorded(prior)
	what := "Every image matches"
	if slices.ContainsFunc(plan.Changes, func(c *planner.Change) bool { return c.Frozen }) {
		what = "Every image matches, or is frozen"
	}
	v.Say(fmt.Sprintf("%s: %d on record, in the configuration, and on disk.", what, n))
}

// Recorded counts the images on record, without those that they were picked from.
func Recorded(s *state.State) int {
	n := 0
	for addr := range s.Images.Addresses() {
		if addr.Candidate == 0 {
			n++
		}
	}
	return n
}

// Mismatches says of each image that is not as it should be why. That the configuration asks for
// another image is what frozen allows, and so only a warning.
func Mismatches(plan *planner.Plan) hcl.Diagnostics {
	diags := unpicked(plan)
	for _, c := range plan.Changes {
		diags = append(diags, deviations(plan, c)...)
		if c.NotPicked || c.Action == planner.NoOp && !c.Frozen || isSaidOfImage(plan, c) {
			continue
		}
		d := &hcl.Diagnostic{
			Severity: hcl.DiagError, Summary: "Image does not match", Detail: c.Address.String() + " " + mismatch(c), Extra: caseOf(c),
		}
		if c.Frozen && !hasDrifted(c) {
			d.Severity, d.Summary = hcl.DiagWarning, "Frozen image does not match"
			if isEdited(c) {
				d.Summary = "Edited image does not match"
			}
		}
		if c.Desired != nil {
			d.Subject = plan.Where(c.Address)
		}
		diags = append(diags, d)
	}
	return append(diags, renditionMismatches(plan)...)
}

// isEdited reports whether an image stays as it is since somebody's edit of it was accepted.
func isEdited(c *planner.Change) bool { return c.Frozen && c.Prior.Made != nil }

// isSaidOfImage reports whether a change is that of a candidate, and what is wrong is said of its
// image.
func isSaidOfImage(plan *planner.Plan, c *planner.Change) bool {
	if c.Address.Candidate == 0 {
		return false
	}
	of := plan.Change(c.Address.Of())
	return of != nil && (of.Action != planner.NoOp || of.Frozen)
}

// unpicked says where somebody has to choose, and what waits for that.
func unpicked(plan *planner.Plan) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, u := range plan.Unpicked() {
		waits := ""
		if n := len(u.Waiting); n > 0 {
			waits = fmt.Sprintf(" %s made from it waits for that.", u.Waiting[0])
			if n > 1 {
				waits = fmt.Sprintf(" %d images made from it wait for that, such as %s.", n, u.Waiting[0])
			}
		}
		diags = append(diags, &hcl.Diagnostic{
			Severity: hcl.DiagError, Summary: "Nobody has picked", Subject: plan.Where(u.Address),
			Detail: fmt.Sprintf("%s has candidates, and lifecycle.require_pick asks somebody to choose one.%s To see them, and then to pick one, run:\n\n    fluxbatch pick %s",
				u.Address, waits, layout.ShellWord(u.Address.String())),
			Extra: diag.Case{Subject: u.Address.String(), Cause: "unpicked"},
		})
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

// caseOf tells images apart that have different ways out.
func caseOf(c *planner.Change) diag.Case {
	cause := c.Action.String()
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
		switch {
		case hasReason(c, planner.Unjudged):
			return "has candidates that its gates have not judged. Run fluxbatch apply, which has them judged."
		case hasReason(c, planner.Picked):
			return "has the picture of another candidate than the one that is picked. Run fluxbatch apply, which changes it for free."
		case slices.ContainsFunc(c.Candidates(), (*planner.Change).Makes):
			return "has fewer candidates on record than the configuration asks for. Run fluxbatch plan to see what they would cost."
		}
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
		switch {
		case isEdited(c):
			return fmt.Sprintf("was edited by hand and is kept, but its file %s is missing. Check it out again, or run fluxbatch apply, which restores it if the store has it.", c.Prior.Output.Path)
		case c.Frozen:
			return fmt.Sprintf("is frozen, but its file %s is missing. Check it out again, or run fluxbatch apply, which restores it if the store has it.", c.Prior.Output.Path)
		}
		return fmt.Sprintf("is on record, but its file %s is missing. Check it out again, or run fluxbatch apply, which brings it back.", c.Prior.Output.Path)
	case planner.FileChanged:
		switch {
		case isEdited(c):
			return fmt.Sprintf("was edited by hand and is kept, but its file %s is not the one on record. Check it out again, or keep the file as it is now with fluxbatch accept %s.",
				c.Prior.Output.Path, layout.ShellWord(c.Address.String()))
		case c.Frozen:
			return fmt.Sprintf("is frozen, but its file %s is not the one on record. Check it out again, or keep the file as it is now with fluxbatch apply -refresh-only.", c.Prior.Output.Path)
		}
		return fmt.Sprintf("is on record, but its file %s was changed. Check it out again, or run fluxbatch apply, which brings it back. To keep the file as it is now, run fluxbatch apply -refresh-only.", c.Prior.Output.Path)
	case planner.WasSimulated:
		return "was made by a simulator, but its provider is the API now. Run fluxbatch plan to see what it would cost."
	case planner.Interrupted:
		return "was requested again by an interrupted run. Run fluxbatch apply, which fetches what is paid for."
	case planner.RenditionChanges:
		return fmt.Sprintf("depends on %s, which does not match. Run fluxbatch plan to see the difference.", reason.Rendition)
	case planner.UpstreamChanges, planner.Triggered:
		return fmt.Sprintf("depends on %s, which does not match. Run fluxbatch plan to see the difference.", reason.Upstream)
	default:
		return "was made from another request than the configuration has now. Run fluxbatch plan to see the difference."
	}
}
