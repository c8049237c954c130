package planner

import (
	"cmp"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/state"
)

// Finish returns the plan for all images decided on, and for those that exist but are no longer
// desired. The diagnostics are errors: changes that the configuration itself forbids.
func (p *Planner) Finish(outputs []config.Output, removals []config.Removal, made ...Made) (*Plan, hcl.Diagnostics) {
	changes := make([]*Change, 0, len(p.decided))
	for _, c := range p.decided {
		if !c.left {
			changes = append(changes, &c.Change)
		}
	}
	if p.matched < p.prior.images.Len() {
		for addr := range p.prior.images.Addresses() {
			if c := p.undesired(addr, removals); c != nil {
				changes = append(changes, c)
			}
		}
	}
	p.attribute()
	for _, m := range made {
		p.assets(m.Assets)
		p.sheets(m.Sheets)
		p.renditionsGo(m.Sheets, m.Assets, removals)
	}
	plan := &Plan{Changes: sorted(changes), Renditions: p.sortedRenditions(), Abandoned: p.abandoned(), decided: p.decided, where: p.opts.where}
	plan.Unchanged, plan.models, plan.known = p.unchanged, p.models, p.opts.Prior
	if p.opts.Only == nil {
		// A plan limited to some images cannot tell what the outputs of the whole will be.
		plan.Outputs = outputChanges(p.opts.Prior.Outputs, outputs)
	}
	return plan, p.diags
}

// undesired returns the change of an image that exists and that nobody has decided on, nil where it
// stays as it is. One that is not desired any more goes away, but a candidate stays as long as its image
// does, and asks for what made it: lowering the number of candidates forgets none.
func (p *Planner) undesired(addr addrs.Image, removals []config.Removal) *Change {
	if _, stays := p.unchanged.Find(addr); stays || p.change(addr) != nil || p.opts.Only != nil && !p.opts.Only[addr.Of()] {
		return nil
	}
	if of := p.change(addr.Of()); addr.Candidate > 0 && of != nil {
		return p.follow(of, addr, removals)
	}
	return p.goes(addr, p.prior.images.Get(addr), NotInConfiguration, removals)
}

// sorted puts changes in the order of their addresses.
func sorted(changes []*Change) []*Change {
	slices.SortFunc(changes, func(a, b *Change) int { return a.Address.Compare(b.Address) })
	return changes
}

// goes is the change of an image that is no longer desired.
func (p *Planner) goes(addr addrs.Image, prior *state.Image, why ReasonKind, removals []config.Removal) *Change {
	c := &Change{
		Address: addr, Action: Destroy, Prior: prior,
		Reasons: []Reason{{Kind: why}}, known: p.opts.Prior,
	}
	p.noteMove(c)
	for _, removal := range removals {
		if removal.From.Contains(addr) && !removal.Destroy {
			c.Action = Forget
		}
	}
	if c.Action == Destroy && p.opts.Protected != nil {
		if at := p.opts.Protected(addr); at != nil {
			p.diags = append(p.diags, &hcl.Diagnostic{
				Severity: hcl.DiagError,
				Summary:  "Image is protected from being destroyed",
				Detail:   addr.String() + " has lifecycle.prevent_destroy, but this plan would destroy it. Remove prevent_destroy, or leave the image out with -exclude. To forget it and keep its file, use fluxbatch state rm.",
				Subject:  at,
			})
		}
	}
	return c
}

// DestroyAll returns the plan that removes all images, or those that the options limit it to. The
// diagnostics are errors: images that the configuration protects.
func (p *Planner) DestroyAll() (*Plan, hcl.Diagnostics) {
	var changes []*Change
	for addr, prior := range p.prior.images.All() {
		if p.opts.Only == nil || p.opts.Only[addr.Of()] {
			changes = append(changes, p.goes(addr, prior, DestroyRequested, nil))
		}
	}
	p.renditionsDestroyed()
	plan := &Plan{Changes: sorted(changes), Renditions: p.sortedRenditions(), Abandoned: p.abandoned()}
	if p.opts.Only == nil {
		plan.Outputs = outputChanges(p.opts.Prior.Outputs, nil)
	}
	return plan, p.diags
}

// attribute tells of the submissions without an answer whose own address asks for something else
// with the images that ask for the same now.
func (p *Planner) attribute() {
	for _, l := range p.prior.unanswered {
		if p.told[l.task.Key] {
			continue
		}
		i := slices.IndexFunc(p.decided, func(c *decision) bool {
			return c.Origin == Generate && c.Fingerprint == l.task.Fingerprint && len(c.Unanswered()) == 0
		})
		if i >= 0 {
			p.told[l.task.Key] = true
			p.decided[i].Rare().Unanswered = append(p.decided[i].Unanswered(), l.task)
		}
	}
}

// abandoned returns the tasks on record that no change takes up.
func (p *Planner) abandoned() []Abandoned {
	var left []Abandoned
	for addr, tasks := range p.prior.tasks {
		if p.opts.Only != nil && !p.opts.Only[addr.Of()] {
			continue
		}
		c := p.change(addr)
		for _, task := range tasks {
			if p.told[task.Key] {
				continue
			}
			left = append(left, Abandoned{
				Address: addr, Task: task, MayBeWanted: c != nil && c.Makes() && c.Fingerprint == "",
				GivenUp: task.Open() && p.isGivenUp(task), Simulated: task.Simulated && !p.simulates(task.Provider),
			})
		}
	}
	slices.SortFunc(left, func(a, b Abandoned) int {
		return cmp.Or(a.Address.Compare(b.Address), cmp.Compare(a.Task.Key, b.Task.Key))
	})
	return left
}
