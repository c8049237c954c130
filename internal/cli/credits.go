package cli

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"

	"github.com/spf13/cobra"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/view"
	"github.com/fluxbatch/fluxbatch/internal/view/machine"
	"github.com/fluxbatch/fluxbatch/internal/workspace"
)

type creditsOptions struct {
	inputOptions
	json bool
}

func (a *app) creditsCommand() *cobra.Command {
	var o creditsOptions
	cmd := directoryCommand("credits", "Say what the accounts have left",
		`Asks the API what each account of the configuration in DIRECTORY (the current one by default) has left. Without a configuration it is the account of the key in
BFL_API_KEY. A credit is one US cent.`,
		`  fluxbatch credits
  fluxbatch credits -json`,
		func(dir string) error { return a.runCredits(dir, &o) })
	o.bind(cmd.Flags())
	cmd.Flags().BoolVar(&o.json, "json", false, "print a JSON list of the accounts")
	return cmd
}

func (a *app) runCredits(dir string, o *creditsOptions) error {
	o.allowEmpty = true
	cfg, diags := a.load(dir, &o.inputOptions)
	a.showDiagnostics(cfg, diags)
	if cfg == nil || diags.HasErrors() {
		return exitError(exitFailure)
	}
	balances := []view.Balance{}
	var failures []error
	for _, name := range slices.Sorted(maps.Keys(cfg.Settings.Providers)) {
		balance, err := a.balance(cfg.Settings.Providers[name])
		if err != nil {
			failures = append(failures, err)
			continue
		}
		balances = append(balances, balance)
	}
	switch {
	case o.json:
		machine.WriteCredits(a.out, balances)
	case len(balances) > 0:
		a.viewer().Credits(balances)
	}
	return errors.Join(failures...)
}

// balance asks what one account has left.
func (a *app) balance(provider *config.Provider) (view.Balance, error) {
	credits, base, err := workspace.Credits(a.environment(), provider)
	if err != nil {
		return view.Balance{}, explainAccount(provider, err)
	}
	balance := view.Balance{Provider: provider.Address, Credits: credits, Simulated: bfl.IsLoopback(base)}
	if u, err := url.Parse(base); err == nil {
		balance.Host = u.Host
	}
	return balance, nil
}

// explainAccount says of what the API refused whose key it was, and what can be done.
func explainAccount(provider *config.Provider, err error) error {
	api, refused := errors.AsType[*bfl.APIError](err)
	_, network := errors.AsType[*bfl.NetworkError](err)
	_, unset := errors.AsType[*workspace.UnsetError](err)
	switch {
	case unset:
		return err
	case refused && api.Unauthorized():
		return explain("The key of provider %s, from the environment variable %s, was refused: %w.\n"+
			"Compare it with the keys at %s.", provider.Address, provider.KeyEnv, err, bfl.Dashboard)
	case network && bfl.IsLoopback(provider.Endpoint):
		return explain("The account of provider %s cannot be asked: %w.\nIs the simulator running? It is started with%s", provider.Address, err, toType("fluxbatch simulator"))
	default:
		return fmt.Errorf("the account of provider %s cannot be asked: %w", provider.Address, err)
	}
}
