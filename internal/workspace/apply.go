package workspace

import (
	"errors"

	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/costs"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// Applied is what an apply did.
type Applied struct {
	Summary executor.Summary
	// Outputs are those that the configuration has now.
	Outputs []config.Output
	// Err says why not all was done, as executor.Apply does.
	Err error
	// Unmet says that the configuration demands what the images are not. It was told as
	// diagnostics.
	Unmet bool
}

// Apply carries a plan of this workspace out and commits the state, also after an interruption.
// parallelism bounds the active tasks of an account, 0 leaves them to the configuration. The error
// says why the state could not be written; then what happened is in the journal.
func (w *Workspace) Apply(plan *planner.Plan, c *Connections, parallelism int) (Applied, error) {
	r := &applying{Workspace: w, plan: plan, told: map[addrs.Image]bool{}, planned: map[addrs.Image]*planner.Change{}}
	before := map[string]bool{}
	for _, task := range w.session.State().Tasks {
		before[task.ID] = true
	}
	r.charges = charges{ledger: costs.Ledger{Path: LedgerPath(w.Dir, w.options.Simulate)}, isTold: func(task string) bool { return before[task] }}
	defer r.settleUp(&r.charges)
	for _, change := range plan.Changes {
		if change.Makes() {
			r.planned[change.Address] = change
		}
	}
	w.Config.See(plan.See())
	var done Applied
	done.Summary, done.Err = executor.Apply(w.env.Abort, plan, executor.Options{
		Accounts: c.accounts, Doorbell: c.rings, Journal: w.session, Distant: w.session.IsDistant(), Store: w.local.Store(), Stored: w.storedLate,
		Index: w.local.Index(), Dir: w.outputs, Prior: w.session.State(), Parallelism: parallelism, MaxCost: w.maxCost(),
		RetryModerated: w.options.RetryModerated, Drain: w.env.Drain, Judge: w.judge, Resolve: r.resolve, Accept: r.accept, OnEvent: func(e executor.Event) {
			r.charge(e)
			r.remember(e)
			w.env.OnEvent(e)
		},
	})
	_ = w.local.Remember(r.makings) // A plan then tells less before.
	if !w.options.Destroy {
		r.conditions()
	}
	var err error
	done.Outputs, err = r.conclude()
	done.Unmet = r.unmet
	return done, err
}

// applying is one apply.
type applying struct {
	*Workspace
	plan *planner.Plan
	// told are the images whose conditions were said not to hold.
	told  map[addrs.Image]bool
	unmet bool
	// planned are the changes that make an image.
	planned map[addrs.Image]*planner.Change
	charges charges
	// sent are the renditions that go into requests, nil while nobody asked, and makings those of
	// them that were made.
	sent    map[addrs.Rendition]bool
	makings []state.Making
}

// remember remembers a rendition that was made and that goes into a request.
func (r *applying) remember(e executor.Event) {
	done, isRendition := e.(executor.RenditionDone)
	if !isRendition {
		return
	}
	if r.sent == nil {
		r.sent = map[addrs.Rendition]bool{}
		for _, c := range r.plan.Changes {
			if c.Desired == nil {
				continue
			}
			for i := range c.Desired.References {
				if d := c.Desired.References[i].Derived; d != nil {
					r.sent[d.Address] = true
				}
			}
		}
	}
	if m, isOne := state.MakingOf(done.Rendition); isOne && r.sent[done.Address] {
		r.makings = append(r.makings, m)
	}
}

// demand tells diagnostics. Errors among them are what the configuration demands.
func (r *applying) demand(diags hcl.Diagnostics) {
	r.env.OnDiagnostics(diags)
	r.unmet = r.unmet || diags.HasErrors()
}

// accept checks an image that is there now against its postconditions, and tells what is wrong with
// it. The image is kept all the same: it was paid for.
func (r *applying) accept(addr addrs.Image, results func(addrs.Image) *image.Result) bool {
	diags := r.Config.Postconditions(addr, results)
	r.demand(diags)
	if diags.HasErrors() {
		r.told[addr] = true
	}
	return !diags.HasErrors()
}

// resolve evaluates an image again, and tells what is wrong with it now.
func (r *applying) resolve(addr addrs.Image, results func(addrs.Image) *image.Result) (*image.Image, error) {
	img, diags := r.Config.Resolve(addr, results)
	r.env.OnDiagnostics(diags)
	if diags.HasErrors() {
		r.told[addr] = true
		return nil, errors.New("it cannot be made as it is configured, which is known only now. See the error above")
	}
	return img, nil
}

// conditions checks what can be told only now of images that were not made: the preconditions that
// depend on some that were, and the postconditions of imported ones that depend on others. The
// check blocks come last.
func (r *applying) conditions() {
	for _, c := range r.plan.Changes {
		if r.told[c.Address] {
			continue
		}
		if c.Desired != nil && c.Desired.Lifecycle().Undecided && c.Origin != planner.Generate {
			_, diags := r.Config.Resolve(c.Address, r.results)
			r.demand(diags)
		}
		if c.Action == planner.Import {
			r.accept(c.Address, r.results)
		}
	}
	r.env.OnDiagnostics(r.Config.Checks(r.results))
}

// conclude writes the state with the outputs that the configuration has now. Destroying all leaves
// none, destroying some leaves them as they are.
func (r *applying) conclude() ([]config.Output, error) {
	after := r.session.State()
	if r.options.Destroy {
		if r.plan.Outputs == nil {
			return nil, r.commit(nil)
		}
		return nil, r.commit(map[string]state.OutputValue{})
	}
	outputs, diags := r.Config.Outputs(r.results)
	r.demand(diags)
	values := after.Outputs
	if r.plan.Outputs != nil {
		values = map[string]state.OutputValue{}
		for _, o := range outputs {
			// An output that needs an image which failed keeps its former value.
			if encoded, ok := planner.EncodeOutput(o); ok {
				values[o.Name] = encoded
			} else if before, ok := after.Outputs[o.Name]; ok {
				values[o.Name] = before
			}
		}
	}
	return outputs, r.commit(values)
}
