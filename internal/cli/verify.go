package cli

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

func (a *app) verifyCommand() *cobra.Command {
	var o planOptions
	cmd := directoryCommand("verify", "Check that every image matches the configuration and the state",
		`Checks, without a key, a network or a lock, that each image which the configuration declares is on record, was made from the request that the
configuration asks for, and that its file has the recorded bytes. That a frozen image was made from another request is only a warning. Every file
is read. It is for the checks of a project that commits its images.`,
		`  fluxbatch verify
  fluxbatch verify -simulate examples/quickstart`,
		func(dir string) error { return a.runVerify(dir, &o) })
	o.inputOptions.bind(cmd.Flags())
	cmd.Flags().BoolVar(&o.simulate, "simulate", false, "verify the simulation's images")
	return cmd
}

func (a *app) runVerify(dir string, o *planOptions) error {
	cfg, diags := a.load(dir, &o.inputOptions)
	if cfg == nil || diags.HasErrors() {
		return a.invalid(cfg, diags)
	}
	w := &workspace{app: a, dir: dir, base: baseOf(dir, o.simulate), simulate: o.simulate, config: cfg}
	prior, err := state.Read(statePathOf(dir, cfg, o.simulate))
	if err != nil {
		return err
	}
	files, err := inspectAll(w.base, prior)
	if err != nil {
		return err
	}
	plan, planDiags := planner.Compare(cfg, planner.Options{Prior: prior, Files: files, Simulator: w.isSimulator})
	diags = append(diags, planDiags...)
	if diags.HasErrors() {
		a.showDiagnostics(cfg, diags)
		return exitError(exitFailure)
	}
	diags = append(diags, mismatches(plan)...)
	a.showDiagnostics(cfg, diags)
	if diags.HasErrors() {
		return exitError(exitFailure)
	}
	what := "Every image matches"
	if slices.ContainsFunc(plan.Changes, func(c *planner.Change) bool { return c.Frozen }) {
		what = "Every image matches, or is frozen"
	}
	a.viewer().Say(fmt.Sprintf("%s: %d on record, in the configuration, and on disk.", what, len(prior.Images)))
	return nil
}

// inspectAll reads every recorded file. A cache of this machine's would only save time, and could be wrong.
func inspectAll(base string, prior *state.State) (map[addrs.Image]state.FileStatus, error) {
	dir, err := safefile.Open(base)
	if err != nil {
		return nil, err
	}
	defer func() { _ = dir.Close() }() // only read
	statuses := map[addrs.Image]state.FileStatus{}
	for addr, img := range prior.Images {
		status, err := state.Compare(dir, img)
		if err != nil {
			return nil, fmt.Errorf("looking at the file of %s: %w", addr, err)
		}
		if status != state.Present {
			statuses[addr] = status
		}
	}
	return statuses, nil
}

// mismatches says of each image that is not as it should be why. That the configuration asks for another image is what frozen allows, and so only
// a warning.
func mismatches(plan *planner.Plan) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, c := range plan.Changes {
		diags = append(diags, deviations(c)...)
		if c.Action == planner.NoOp && !c.Frozen {
			continue
		}
		d := &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Image does not match", Detail: c.Address.String() + " " + mismatch(c)}
		if c.Frozen && !hasDrifted(c) {
			d.Severity, d.Summary = hcl.DiagWarning, "Frozen image does not match"
		}
		if c.Desired != nil {
			d.Subject = c.Desired.Range.Ptr()
		}
		diags = append(diags, d)
	}
	return diags
}

// deviations warns of an image that is there and not what was asked for.
func deviations(c *planner.Change) hcl.Diagnostics {
	if c.Prior == nil || c.Action != planner.NoOp {
		return nil
	}
	var diags hcl.Diagnostics
	for _, what := range planner.Deviations(c.Prior) {
		d := &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "Image is not what was asked for", Detail: c.Address.String() + ": " + what}
		if c.Desired != nil {
			d.Subject = c.Desired.Range.Ptr()
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
