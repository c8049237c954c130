package cli

import (
	"github.com/spf13/cobra"

	"github.com/fluxbatch/fluxbatch/internal/costs"
	"github.com/fluxbatch/fluxbatch/internal/view/machine"
	"github.com/fluxbatch/fluxbatch/internal/workspace"
)

type costsOptions struct {
	by             string
	json, simulate bool
}

func (a *app) costsCommand() *cobra.Command {
	var o costsOptions
	cmd := directoryCommand("costs", "Add up what was charged, by month, model, module or label",
		`Adds up what the API has charged for the images of the configuration in DIRECTORY (the current one by default): what the plans estimated, what was
charged, and how much of that gave no image, because the task was lost or moderated.

The figures come from the ledger, `+costs.FileName+`, to which each apply adds a line a charged task. Commit it with the state. Git merges it by union,
where .gitattributes says so, as fluxbatch init writes it.`,
		`  fluxbatch costs
  fluxbatch costs -by model
  fluxbatch costs -by label.team -json`,
		func(dir string) error { return a.runCosts(dir, &o) })
	cmd.Flags().StringVar(&o.by, "by", "month", "add up by `what`: month, model, module or label.NAME")
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON")
	cmd.Flags().BoolVar(&o.simulate, "simulate", false, "add up what the simulation would have been charged")
	return cmd
}

func (a *app) runCosts(dir string, o *costsOptions) error {
	by := costs.Grouping(o.by)
	if !by.Valid() {
		return explain("-by cannot be %q.\nUse month, model, module or label.NAME.", o.by)
	}
	entries, err := costs.Read(workspace.LedgerPath(dir, o.simulate))
	if err != nil {
		return err
	}
	sums, total := costs.Add(entries, by)
	if o.json {
		machine.WriteCosts(a.out, o.by, sums, total)
		return nil
	}
	a.viewer().Costs(o.by, sums, total)
	return nil
}
