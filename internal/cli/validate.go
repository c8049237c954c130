package cli

import (
	"github.com/spf13/cobra"

	"github.com/fluxbatch/fluxbatch/internal/view/machine"
)

func (a *app) validateCommand() *cobra.Command {
	var o inputOptions
	var asJSON bool
	cmd := directoryCommand("validate", "Check the configuration",
		`Checks the configuration in DIRECTORY (the current one by default): its syntax, its expressions, and every image against what its model takes.
It needs no key and no network, and looks at no state.`,
		`  fluxbatch validate
  fluxbatch validate -json examples/quickstart`,
		func(dir string) error { return a.runValidate(dir, &o, asJSON) })
	o.bind(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the result as JSON, in the form of terraform validate")
	return cmd
}

func (a *app) runValidate(dir string, o *inputOptions, asJSON bool) error {
	cfg, diags := a.load(dir, o)
	diags = a.allDiagnostics(cfg, diags)
	if asJSON {
		machine.WriteValidation(a.out, diags, filesOf(cfg))
	} else {
		a.showDiagnostics(cfg, diags)
	}
	if diags.HasErrors() {
		return exitError(exitFailure)
	}
	if !asJSON {
		a.viewer().Valid()
	}
	return nil
}
