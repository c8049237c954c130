package workspace

import (
	"errors"
	"fmt"
	"os"

	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/slots"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// shareSlots joins those who use a provider's account, if the configuration says where. Without the
// broker the run has the account for itself, which it says; but what is bounded by the day is not
// spent then.
func (w *Workspace) shareSlots(c *Connections, provider *config.Provider, plan *planner.Plan) (executor.Slots, error) {
	if provider.Slots == nil || w.options.Simulate {
		return nil, nil
	}
	settings := &w.Config.Settings
	o := slotsOptions(&w.env, provider)
	o.Models, o.PerDay, o.PerMonth = modelLimits(provider, plan), settings.PerDay, settings.PerMonth
	o.Warn = func(text string) { w.warn("Slots are not shared", text) }
	pool, err := slots.Open(w.env.Drain, o)
	var away *slots.AwayError
	if errors.As(err, &away) && settings.PerDay == nil && settings.PerMonth == nil {
		w.warn("Slots are not shared", fmt.Sprintf("%v. Others who use the account may find it busy, and this run may, too.", err))
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	c.stops = append(c.stops, pool.Close)
	return pool, nil
}

func (w *Workspace) warn(summary, detail string) {
	w.env.OnDiagnostics(hcl.Diagnostics{{Severity: hcl.DiagWarning, Summary: summary, Detail: detail}})
}

// HeldSlots returns who has which slots of a provider's account.
func HeldSlots(env *Environment, provider *config.Provider) ([]slots.Held, error) {
	pool, err := slots.Open(env.Drain, slotsOptions(env, provider))
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	return pool.Held(), nil
}

func slotsOptions(env *Environment, provider *config.Provider) slots.Options {
	key := env.Getenv(provider.KeyEnv)
	return slots.Options{
		URL: provider.Slots.URL, Account: provider.Slots.Account, Key: key, Who: fmt.Sprintf("%s, process %d", state.Who(), os.Getpid()),
		Concurrency: provider.Concurrency, TaskTimeout: provider.TaskTimeout,
		Credentials: slots.Credentials{File: env.Getenv("NATS_CREDS"), User: env.Getenv("NATS_USER"), Password: env.Getenv("NATS_PASSWORD"), CA: env.Getenv("NATS_CA")},
	}
}
