package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
	"github.com/fluxbatch/fluxbatch/internal/view"
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
	diags = append(diags, view.Mismatches(plan)...)
	a.showDiagnostics(cfg, diags)
	if diags.HasErrors() {
		return exitError(exitFailure)
	}
	a.viewer().Verified(plan, len(prior.Images))
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
