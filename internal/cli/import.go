package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/view"
	"github.com/fluxbatch/fluxbatch/internal/workspace"
)

func (a *app) importCommand() *cobra.Command {
	var o applyOptions
	cmd := &cobra.Command{
		Use: "import ADDRESS FILE", Short: "Take an existing file as an image", Args: cobra.ExactArgs(2),
		Long: `Takes an existing file as the image at ADDRESS, which the configuration in the current directory declares and which was not made yet. Nothing is
generated and nothing is spent. The file is copied to the image's path, unless it is there already. An import block in the configuration does the
same, and shows it to those who read the plan.`,
		Example: `  fluxbatch import image.logo old/logo.png
  fluxbatch import 'image.card["winter"]' winter.png`,
		RunE:              func(_ *cobra.Command, args []string) error { return a.runImport(args[0], args[1], &o) },
		ValidArgsFunction: a.completeImport,
	}
	o.inputOptions.bind(cmd.Flags())
	cmd.Flags().BoolVar(&o.Simulate, "simulate", false, "import into the simulation")
	cmd.Flags().DurationVar(&o.LockTimeout, "lock-timeout", 0, "wait this `long` for another command to release the state, as in 30s")
	return cmd
}

func (a *app) runImport(address, path string, o *applyOptions) (err error) {
	addr, err := addrs.Parse(address)
	if err != nil {
		return err
	}
	imported, err := workspace.ReadImport(addr, path)
	if err != nil {
		return err
	}
	w, err := a.openHere("import", &o.planOptions)
	if err != nil {
		return err
	}
	defer func() { err = firstError(err, w.Close()) }()
	plan, diags, err := w.PlanImport(imported)
	a.showDiagnostics(w.Config, diags)
	switch {
	case errors.Is(err, workspace.ErrExists):
		return fmt.Errorf("%s exists already. To import another file, destroy the image with fluxbatch destroy -target, or forget it with fluxbatch state rm", addr)
	case err != nil:
		return err
	case diags.HasErrors():
		return exitError(exitFailure)
	}
	a.viewer().Plan(plan, view.PlanInfo{Command: "apply", Simulated: o.Simulate})
	return a.apply(w, plan, &workspace.Connections{}, o)
}
