package cli

import (
	"github.com/spf13/cobra"

	"github.com/fluxbatch/fluxbatch/internal/view"
	"github.com/fluxbatch/fluxbatch/internal/view/machine"
	"github.com/fluxbatch/fluxbatch/internal/workspace"
)

type verifyOptions struct {
	planOptions
	provenance bool
}

func (a *app) verifyCommand() *cobra.Command {
	var o verifyOptions
	var asJSON bool
	cmd := directoryCommand("verify", "Check that every image matches the configuration and the state",
		`Checks, without a key, a network or a lock, that each image which the configuration declares is on record, was made from the request that the
configuration asks for, and that its file has the recorded bytes. A frozen image that was made from another request is only a warning. Every file
is read. It is for the checks of a project that commits its images.

With -provenance it also fails where a rendition or a sheet lost the mark that says that it was generated, as happens when another program goes
over it.`,
		`  fluxbatch verify
  fluxbatch verify -json
  fluxbatch verify -provenance
  fluxbatch verify -simulate examples/quickstart`,
		func(dir string) error { return a.runVerify(dir, &o, asJSON) })
	o.inputOptions.bind(cmd.Flags())
	cmd.Flags().BoolVar(&o.Simulate, "simulate", false, "verify the simulation's images")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the result as JSON, with the images that wait for somebody to pick")
	cmd.Flags().BoolVar(&o.provenance, "provenance", false, "check that what was made here says that it was generated")
	cmd.Flags().BoolVar(&o.noConcise, "no-concise", false, "print every image, however many have the same problem")
	return cmd
}

func (a *app) runVerify(dir string, o *verifyOptions, asJSON bool) error {
	a.show(&o.planOptions)
	cfg, diags := a.load(dir, &o.inputOptions)
	if asJSON && (cfg == nil || diags.HasErrors()) {
		machine.WriteVerification(a.out, machine.Verification{Diagnostics: diags, Files: filesOf(cfg)})
		return exitError(exitFailure)
	}
	if cfg == nil || diags.HasErrors() {
		return a.invalid(cfg, diags)
	}
	plan, prior, planDiags, err := workspace.Verify(a.env.Abort, dir, cfg, o.Simulate)
	if err != nil {
		return err
	}
	diags = append(diags, planDiags...)
	if !diags.HasErrors() {
		diags = append(diags, view.Mismatches(plan)...)
		if o.provenance {
			lost, err := workspace.FindUnmarked(a.env.Abort, dir, cfg, o.Simulate)
			if err != nil {
				return err
			}
			for _, l := range lost {
				diags = append(diags, view.LostMark(l.Address, l.Path))
			}
		}
	}
	if asJSON {
		machine.WriteVerification(a.out, machine.Verification{Plan: plan, Prior: prior, Diagnostics: diags, Files: filesOf(cfg)})
	} else {
		a.showDiagnostics(cfg, diags)
	}
	if diags.HasErrors() {
		return exitError(exitFailure)
	}
	if !asJSON {
		a.viewer().Verified(plan, prior)
	}
	return nil
}
