package cli

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/simulator"
	"github.com/fluxbatch/fluxbatch/planner"
)

// creditsTimeout bounds how long an account is asked what it has left.
const creditsTimeout = 15 * time.Second

// affords warns of accounts that have less than the plan is estimated to cost, as far as they can be asked: an apply would end in the middle.
func (w *workspace) affords(plan *planner.Plan, c *connections) hcl.Diagnostics {
	costs := map[string]bfl.Credits{}
	for _, change := range plan.Changes {
		if change.Cost > 0 {
			costs[change.Desired.Provider] += change.Cost
		}
	}
	var diags hcl.Diagnostics
	for _, name := range sortedKeys(costs) {
		client, ok := c.accounts[name].API.(*bfl.Client)
		if !ok || w.simulate {
			continue
		}
		ctx, cancel := context.WithTimeout(w.app.env.Drain, creditsTimeout)
		// An account that cannot be asked is no reason not to try.
		left, err := client.Credits(ctx)
		cancel()
		if err == nil && left < costs[name] {
			diags = append(diags, &hcl.Diagnostic{
				Severity: hcl.DiagWarning,
				Summary:  "The account has not enough credits",
				Detail: fmt.Sprintf("The plan is estimated at %s for the provider %s, and its account has %s. The apply will end when they are used up. "+
					"Add credits at %s, or apply a part of the plan with -target.", costs[name].ExactDollars(), name, left.ExactDollars(), bfl.Dashboard),
			})
		}
	}
	return diags
}

// connections are what an apply reaches providers through, and is reached by.
type connections struct {
	accounts map[string]executor.Account
	// rings are the ids of tasks that webhooks came for, nil where no provider has any.
	rings chan string
	stops []func()
}

// close ends the connections. Nothing is left to be done about what fails in it.
func (c *connections) close() {
	for _, stop := range slices.Backward(c.stops) {
		stop()
	}
}

// connect reaches the providers that the plan needs. It fails, before anything is asked of anybody, when a key is missing or webhooks cannot be
// received.
func (w *workspace) connect(plan *planner.Plan) (_ *connections, err error) {
	// Only who is asked for images has webhooks to send.
	asked, needed := map[string]bool{}, map[string]bool{}
	for _, c := range plan.Changes {
		if c.Generates() {
			name := c.Desired.Provider
			if c.Origin == planner.Resume {
				// The account that has the task.
				name = c.Task.Provider
			}
			if w.config.Settings.Providers[name] == nil {
				return nil, fmt.Errorf("%s is made by the provider %s, which is on record and not configured any more. "+
					"Configure it, or let changes of the image's provider count", c.Address, name)
			}
			asked[name], needed[name] = true, true
		}
	}
	for _, a := range plan.Abandoned {
		if w.config.Settings.Providers[a.Task.Provider] != nil {
			needed[a.Task.Provider] = true
		}
	}
	c := &connections{accounts: map[string]executor.Account{}}
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	client := w.realClient
	if w.simulate && len(needed) > 0 {
		var stop func()
		client, stop = w.simulatedClients(plan)
		c.stops = append(c.stops, stop)
	}
	for _, name := range sortedKeys(needed) {
		provider := w.config.Settings.Providers[name]
		var hook webhookOf
		if asked[name] && !w.simulate {
			if hook, err = w.receive(c, provider); err != nil {
				return nil, err
			}
		}
		api, err := client(provider, hook)
		if err != nil {
			return nil, err
		}
		c.accounts[name] = executor.Account{
			API: api, Concurrency: provider.Concurrency, ModelConcurrency: modelLimits(provider, plan), TaskTimeout: provider.TaskTimeout, Rings: hook.url != "",
			Simulator: w.isSimulator(name),
		}
	}
	return c, nil
}

// modelLimits are the limits of single models: those of the catalogue and of model blocks, unless the provider says otherwise.
func modelLimits(provider *config.Provider, plan *planner.Plan) map[string]int {
	limits := map[string]int{}
	for _, c := range plan.Changes {
		if c.Desired != nil && c.Desired.Request.Model.Concurrency > 0 {
			limits[c.Desired.Request.Model.Name] = c.Desired.Request.Model.Concurrency
		}
	}
	maps.Copy(limits, provider.ModelConcurrency)
	return limits
}

// realClient returns a client of a provider's API, which is asked to send webhooks if hook names where.
func (w *workspace) realClient(provider *config.Provider, hook webhookOf) (*bfl.Client, error) {
	key := w.app.getenv(provider.KeyEnv)
	base := provider.Endpoint
	if base == "" {
		base, _ = bfl.BaseURL(provider.Region)
	}
	if key == "" {
		if !bfl.IsLoopback(base) {
			return nil, fmt.Errorf("provider %s has no key: the environment variable %s is not set. "+
				"Set it to a key from %s, or try the plan without one with -simulate", provider.Address, provider.KeyEnv, bfl.Dashboard)
		}
		// The simulator, which is what listens on loopback, takes any key but wants one.
		key = "simulated"
	}
	return bfl.NewClient(bfl.ClientOptions{
		BaseURL: base, Key: key, UserAgent: "fluxbatch/" + Version(), Wrap: w.app.log.Wrap, WebhookURL: hook.url, WebhookSecret: hook.secret,
	})
}

// simulatedClients starts the built-in simulator, which all providers share. It knows the models that the configuration declares.
func (w *workspace) simulatedClients(plan *planner.Plan) (connect func(*config.Provider, webhookOf) (*bfl.Client, error), stop func()) {
	sim, err := simulator.New(simulator.Options{Models: declaredModels(plan)})
	if err != nil {
		return func(*config.Provider, webhookOf) (*bfl.Client, error) { return nil, err }, func() {}
	}
	transport := sim.Transport()
	connect = func(provider *config.Provider, _ webhookOf) (*bfl.Client, error) {
		return bfl.NewClient(bfl.ClientOptions{
			BaseURL: simulator.BaseURL, Key: "simulated " + provider.Address, HTTP: transport, UserAgent: "fluxbatch/" + Version(),
			Wrap: w.app.log.Wrap,
		})
	}
	return connect, func() { _ = sim.Close() } // nothing of a simulation outlives it
}

// declaredModels are those that the plan's images need and the catalogue does not have.
func declaredModels(plan *planner.Plan) []*bfl.Model {
	var models []*bfl.Model
	for _, c := range plan.Changes {
		if c.Desired != nil && c.Desired.Request.Model.Custom && !slices.Contains(models, c.Desired.Request.Model) {
			models = append(models, c.Desired.Request.Model)
		}
	}
	return models
}

// pictures is where a simulation's images are, as the user would type it; "" for real ones.
func (w *workspace) pictures() string {
	if !w.simulate {
		return ""
	}
	return filepath.Join(w.base, filepath.FromSlash(w.config.Settings.OutputDir))
}
