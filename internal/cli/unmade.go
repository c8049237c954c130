package cli

import (
	"errors"
	"maps"
	"slices"

	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/view"
	"github.com/fluxbatch/fluxbatch/internal/workspace"
	"github.com/fluxbatch/fluxbatch/planner"
)

// unmade is what an apply did not make. Events come one at a time, and it is read when they have
// ended.
type unmade struct {
	images map[addrs.Image]bool
	// noCredits says that an account could not pay.
	noCredits bool
}

func (u *unmade) event(e executor.Event) {
	var addr addrs.Image
	var err error
	switch e := e.(type) {
	case executor.Failed:
		addr, err = e.Address, e.Err
	case executor.Skipped:
		addr, err = e.Address, e.Err
	default:
		return
	}
	if u.images == nil {
		u.images = map[addrs.Image]bool{}
	}
	u.images[addr] = true
	if api, ok := errors.AsType[*bfl.APIError](err); ok && api.OutOfCredits() {
		u.noCredits = true
	}
}

// accounts describes the accounts of what was not made. They are asked what they have left only
// where that is the reason.
func (u *unmade) accounts(w *workspace.Workspace, plan *planner.Plan, c *workspace.Connections) []view.ApplyAccount {
	needed := map[string]bfl.Credits{}
	for _, change := range plan.Changes {
		if u.images[change.Address] && change.Generates() {
			needed[change.Desired.Provider] += change.Cost
		}
	}
	var all []view.ApplyAccount
	for _, name := range slices.Sorted(maps.Keys(needed)) {
		provider := w.Config.Settings.Providers[name]
		if provider == nil {
			continue
		}
		account := view.ApplyAccount{Provider: name, KeyVariable: provider.KeyEnv, Needed: needed[name]}
		if u.noCredits {
			account.Left, account.HasLeft = w.Left(c, name)
		}
		all = append(all, account)
	}
	return all
}
