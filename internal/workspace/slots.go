package workspace

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
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
	o.Remember = func(left slots.Left) error { return w.writeSlotsLeft(append(w.slotsLeft(), left)) }
	o.Warn = w.warn
	pool, err := slots.Open(w.env.Drain, o)
	var away *slots.AwayError
	if errors.As(err, &away) && settings.PerDay == nil && settings.PerMonth == nil {
		w.warn("Slots are not shared", fmt.Sprintf("The broker %s, which shares the account's slots, cannot be used: %v. Others who use the account may find it busy, and this run may, too.", away.URL, away.Err))
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	w.freeSlotsLeft(pool)
	pool.Settle(w.isOver)
	c.stops = append(c.stops, pool.Close)
	return pool, nil
}

// slotsLeftFile has the slots that runs of this machine could not free, since the broker was away
// when they ended.
const slotsLeftFile = machineDir + "/slots.json"

// maxSlotsLeft bounds the file.
const maxSlotsLeft = 1 << 20

func (w *Workspace) slotsLeft() (all []slots.Left) {
	data, err := w.outputs.ReadFile(slotsLeftFile, maxSlotsLeft)
	if err != nil || json.Unmarshal(data, &all) != nil {
		return nil // They are freed when their tasks have had their time.
	}
	return all
}

func (w *Workspace) writeSlotsLeft(all []slots.Left) error {
	if len(all) == 0 {
		return w.outputs.Remove(slotsLeftFile)
	}
	if err := w.local.Ensure(); err != nil {
		return err
	}
	return w.outputs.WriteFile(slotsLeftFile, 0o644, func(f io.Writer) error {
		return json.NewEncoder(f).Encode(all)
	})
}

// freeSlotsLeft frees what earlier runs could not.
func (w *Workspace) freeSlotsLeft(pool *slots.Pool) {
	all := w.slotsLeft()
	if still := pool.Free(all); len(still) < len(all) {
		_ = w.writeSlotsLeft(still) // Freeing them twice frees nothing else.
	}
}

// isOver reports whether a task of an image is on record as one that has ended, with an image or
// without. It is asked before anything is recorded.
func (w *Workspace) isOver(image, task string) bool {
	if w.session.HasEnded(task) {
		return true
	}
	addr, err := addrs.Parse(image)
	if err != nil {
		return false
	}
	img := w.State().Images.Get(addr)
	return img != nil && img.Result.TaskID == task
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
