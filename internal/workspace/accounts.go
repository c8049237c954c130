package workspace

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/simulator"
	"github.com/fluxbatch/fluxbatch/planner"
)

// creditsTimeout bounds how long an account is asked what it has left.
const creditsTimeout = 15 * time.Second

// Shortage is an account that has less than a plan is estimated to cost.
type Shortage struct {
	Provider   string
	Cost, Left bfl.Credits
}

// Shortages returns the accounts with which an apply would end in the middle, as far as they can be
// asked.
func (w *Workspace) Shortages(plan *planner.Plan, c *Connections) []Shortage {
	costs := map[string]bfl.Credits{}
	for _, change := range plan.Changes {
		if change.Cost > 0 {
			costs[change.Desired.Provider] += change.Cost
		}
	}
	var short []Shortage
	for _, name := range slices.Sorted(maps.Keys(costs)) {
		client, ok := c.accounts[name].API.(*bfl.Client)
		if !ok || w.options.Simulate {
			continue
		}
		// An account that cannot be asked is no reason not to try.
		if left, err := credits(&w.env, client); err == nil && left < costs[name] {
			short = append(short, Shortage{name, costs[name], left})
		}
	}
	return short
}

// Left asks what the account of a provider has left; false where it cannot be asked.
func (w *Workspace) Left(c *Connections, provider string) (bfl.Credits, bool) {
	client, ok := c.accounts[provider].API.(*bfl.Client)
	if !ok || w.options.Simulate {
		return 0, false
	}
	left, err := credits(&w.env, client)
	return left, err == nil
}

// Credits asks what the account of a provider has left, at the address that it returns. Without a
// key it is an UnsetError.
func Credits(env *Environment, provider *config.Provider) (left bfl.Credits, address string, err error) {
	client, err := dial(env, provider, webhookOf{})
	if err != nil {
		return 0, "", err
	}
	defer client.Close()
	left, err = credits(env, client)
	return left, endpoint(provider), err
}

// credits asks what an account has left, for no longer than it takes when all is well.
func credits(env *Environment, client *bfl.Client) (bfl.Credits, error) {
	ctx, cancel := context.WithTimeout(env.Drain, creditsTimeout)
	defer cancel()
	return client.Credits(ctx)
}

// Connections are what an apply reaches providers through, and is reached by. The zero value is for
// a plan that needs nobody.
type Connections struct {
	accounts map[string]executor.Account
	// rings are the ids of tasks that webhooks came for, nil where no provider has any.
	rings chan string
	stops []func()
}

// Close ends the connections. Nothing is left to be done about what fails in it.
func (c *Connections) Close() {
	for _, stop := range slices.Backward(c.stops) {
		stop()
	}
}

// Connect reaches the providers that the plan needs. It fails, before anything is asked of anybody,
// when a key is missing, which is an UnsetError, or webhooks cannot be received, which is a
// ListenError.
func (w *Workspace) Connect(plan *planner.Plan) (_ *Connections, err error) {
	// Only who is asked for images has webhooks to send.
	asked, needed := map[string]bool{}, map[string]bool{}
	for _, c := range plan.Changes {
		if c.MayAsk() {
			name := c.Desired.Provider
			if c.Origin == planner.Resume {
				// The account that has the task.
				name = c.Task().Provider
			}
			if w.Config.Settings.Providers[name] == nil {
				return nil, fmt.Errorf("%s is made by the provider %s, which is on record but no longer configured. Configure it, or let changes of the image's provider count", c.Address, name)
			}
			asked[name], needed[name] = true, true
		}
	}
	for _, a := range plan.Abandoned {
		if w.Config.Settings.Providers[a.Task.Provider] != nil {
			needed[a.Task.Provider] = true
		}
	}
	c := &Connections{accounts: map[string]executor.Account{}}
	defer func() {
		if err != nil {
			c.Close()
		}
	}()
	client := func(p *config.Provider, hook webhookOf) (*bfl.Client, error) { return dial(&w.env, p, hook) }
	if w.options.Simulate && len(needed) > 0 {
		var stop func()
		client, stop = w.simulatedClients(plan)
		c.stops = append(c.stops, stop)
	}
	for _, name := range slices.Sorted(maps.Keys(needed)) {
		provider := w.Config.Settings.Providers[name]
		var hook webhookOf
		if asked[name] && !w.options.Simulate {
			if hook, err = w.receive(c, provider); err != nil {
				return nil, err
			}
		}
		api, err := client(provider, hook)
		if err != nil {
			return nil, err
		}
		shared, err := w.shareSlots(c, provider, plan)
		if err != nil {
			return nil, err
		}
		c.accounts[name] = executor.Account{
			Slots: shared,
			API:   api, Concurrency: provider.Concurrency, ModelConcurrency: modelLimits(provider, plan), TaskTimeout: provider.TaskTimeout, Rings: hook.url != "",
			Simulator: w.isSimulator(name),
		}
	}
	return c, nil
}

// modelLimits are the limits of single models: those of the catalogue and of model blocks, unless
// the provider says otherwise.
func modelLimits(provider *config.Provider, plan *planner.Plan) map[string]int {
	limits := map[string]int{}
	for _, model := range plan.Models() {
		if model.Concurrency > 0 {
			limits[model.Name] = model.Concurrency
		}
	}
	maps.Copy(limits, provider.ModelConcurrency)
	return limits
}

// endpoint is the address of a provider's API.
func endpoint(provider *config.Provider) string {
	if provider.Endpoint != "" {
		return provider.Endpoint
	}
	base, _ := bfl.BaseURL(provider.Region) // the configuration has no other regions
	return base
}

// dial returns a client of a provider's API, which is asked to send webhooks if hook names where.
// Without a key it is an UnsetError.
func dial(env *Environment, provider *config.Provider, hook webhookOf) (*bfl.Client, error) {
	key, base := env.Getenv(provider.KeyEnv), endpoint(provider)
	if isQuoted(key) {
		return nil, &QuotedKeyError{Provider: provider.Address, Variable: provider.KeyEnv}
	}
	if key == "" {
		if !bfl.IsLoopback(base) {
			return nil, &UnsetError{Provider: provider.Address, Variable: provider.KeyEnv}
		}
		// The simulator, which is what listens on loopback, takes any key but wants one.
		key = "simulated"
	}
	return bfl.NewClient(bfl.ClientOptions{
		BaseURL: base, Key: key, UserAgent: env.userAgent(), Wrap: env.Log.Wrap, WebhookURL: hook.url, WebhookSecret: hook.secret,
	})
}

// isQuoted reports whether a value has the quotes around it that a shell takes off, and a file of
// variables often does not.
func isQuoted(value string) bool {
	return len(value) > 1 && value[0] == value[len(value)-1] && (value[0] == '"' || value[0] == '\'')
}

func (e *Environment) userAgent() string { return "fluxbatch/" + e.Version }

// simulatedClients starts the built-in simulator, which all providers share. It knows the models
// that the configuration declares.
func (w *Workspace) simulatedClients(plan *planner.Plan) (connect func(*config.Provider, webhookOf) (*bfl.Client, error), stop func()) {
	sim, err := simulator.New(simulator.Options{Models: declaredModels(plan)})
	if err != nil {
		return func(*config.Provider, webhookOf) (*bfl.Client, error) { return nil, err }, func() {}
	}
	transport := sim.Transport()
	connect = func(provider *config.Provider, _ webhookOf) (*bfl.Client, error) {
		return bfl.NewClient(bfl.ClientOptions{
			BaseURL: simulator.BaseURL, Key: "simulated " + provider.Address, HTTP: transport, UserAgent: w.env.userAgent(),
			Wrap: w.env.Log.Wrap,
		})
	}
	return connect, func() { _ = sim.Close() } // nothing of a simulation outlives it
}

// declaredModels are those that the plan's images need and the catalogue does not have.
func declaredModels(plan *planner.Plan) []*bfl.Model {
	return slices.DeleteFunc(plan.Models(), func(m *bfl.Model) bool { return !m.Custom })
}
