package cli

import (
	"errors"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/fluxbatch/fluxbatch/internal/slots"
	"github.com/fluxbatch/fluxbatch/internal/view"
	"github.com/fluxbatch/fluxbatch/internal/view/machine"
	"github.com/fluxbatch/fluxbatch/internal/workspace"
)

type slotsOptions struct {
	inputOptions
	json bool
}

func (a *app) slotsCommand() *cobra.Command {
	var o slotsOptions
	cmd := directoryCommand("slots", "Say who is using the slots of shared accounts",
		`Lists the tasks that all who use an account have under way: who has a slot since when, for which image. It asks the broker that the slots block of each provider
in DIRECTORY (the current one by default) names.`,
		`  fluxbatch slots
  fluxbatch slots -json`,
		func(dir string) error { return a.runSlots(dir, &o) })
	o.bind(cmd.Flags())
	cmd.Flags().BoolVar(&o.json, "json", false, "print a JSON list of the slots in use")
	return cmd
}

func (a *app) runSlots(dir string, o *slotsOptions) error {
	cfg, diags := a.load(dir, &o.inputOptions)
	a.showDiagnostics(cfg, diags)
	if cfg == nil || diags.HasErrors() {
		return exitError(exitFailure)
	}
	found := []view.Slot{}
	isShared := false
	for _, name := range slices.Sorted(maps.Keys(cfg.Settings.Providers)) {
		provider := cfg.Settings.Providers[name]
		if provider.Slots == nil {
			continue
		}
		isShared = true
		held, err := workspace.HeldSlots(a.environment(), provider)
		if away, isAway := errors.AsType[*slots.AwayError](err); isAway {
			return explain("The broker %s cannot be asked: %w.\nIt knows who is using the slots of the account %s. Start it, or correct its url in the slots block. "+
				"Applies without a budget per day or month go on meanwhile, and each counts only its own tasks.", away.URL, away.Err, provider.Slots.Account)
		}
		if err != nil {
			return err
		}
		for _, h := range held {
			found = append(found, view.Slot{Account: provider.Slots.Account, Slot: h.Slot, Who: h.Who, Image: h.Image, Model: h.Model, Task: h.Task, Since: h.Since, Lives: h.Lives})
		}
	}
	switch {
	case !isShared:
		return errors.New(`no provider here has shared slots. Add slots "nats" { ... } to one`)
	case o.json:
		machine.WriteSlots(a.out, found)
	case len(found) == 0:
		a.viewer().Note("No slot is in use.")
	default:
		a.viewer().Slots(found)
	}
	return nil
}
