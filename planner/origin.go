package planner

import (
	"slices"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/state"
)

// originate decides where the image of a Create or Replace comes from, and what it costs.
func (p *Planner) originate(c *decision) {
	simulated := c.Simulator
	quote := c.Desired.Request().Quote()
	c.Price = quote.Reserve
	switch task := p.taskFor(c, simulated); {
	case task != nil:
		// What was submitted is paid for, whatever else there is.
		c.Origin, c.Rare().Task = Resume, task
	case p.restores(c, simulated):
		c.Origin = Restore
	case p.refused(c, simulated):
		c.Origin, c.Rare().Moderation = Refused, new(p.opts.Prior.Moderated[c.Fingerprint])
	default:
		c.Origin = Generate
		if seed := p.recordedSeed(c); seed != nil {
			c.Rare().RecordedSeed = seed
		}
		c.Cost, c.CostUnknown, c.PriceUnknown, c.Uncapped = c.Price, quote.AtLeast, quote.Unknown, quote.Uncapped
	}
	p.skip(c)
}

// refused reports whether moderation refused this very request before. That a simulator refused it
// says nothing about the API.
func (p *Planner) refused(c *decision, simulated bool) bool {
	before, refused := p.opts.Prior.Moderated[c.Fingerprint]
	return refused && c.Fingerprint != "" && !p.opts.RetryModerated && (simulated || !before.Simulated)
}

// taskFor returns the task of an interrupted run that made this very request and whose image is to
// be had, or nil: one of the image's own, or the one of another address that was matched with it.
func (p *Planner) taskFor(c *decision, simulated bool) *state.Task {
	if c.Fingerprint == "" {
		return nil
	}
	for _, task := range p.prior.tasks[c.Address] {
		if task.Fingerprint == c.Fingerprint && p.resumable(task, simulated) {
			return task
		}
	}
	if task := p.opts.Matches.task(c.Address); task != nil && task.Fingerprint == c.Fingerprint && p.resumable(task, simulated) {
		return task
	}
	return nil
}

// restores finds an image that the change can have for nothing, and reports whether there is one:
// what is on record, one in the store, or one of another address. One that the user wants made
// anew, by -replace or replace_triggered_by, is taken from nowhere.
func (p *Planner) restores(c *decision, simulated bool) bool {
	switch {
	case p.isReplaced(c.Address) || c.IsRequested():
		return false
	case c.OnlyDrifted():
		// It differs in nothing, or in nothing but what lifecycle.ignore_changes names, and so what
		// is on record is what is wanted.
		if c.Rare().Kept = p.keptOf(c); c.Kept() != nil || c.Fingerprint != c.Prior.Fingerprint {
			return c.Kept() != nil
		}
	case c.Fingerprint == "":
		return false
	}
	return p.given(c, simulated) || p.shares(c, simulated) || p.kept(c, simulated)
}

// given takes the image that was matched with the change: one that goes from another address, or is
// replaced there.
func (p *Planner) given(c *decision, simulated bool) bool {
	if from, ok := p.heirs[c.Address]; ok && p.takes(c, from, simulated) {
		return true
	}
	if p.owns(c, simulated) {
		return true
	}
	from, ok := p.opts.Matches.image(c.Address)
	return ok && p.takes(c, from, simulated)
}

// owns takes the first of the image's own candidates that made this very request: it was bought for
// the image when there was a choice, and stays on record when there is none any more.
func (p *Planner) owns(c *decision, simulated bool) bool {
	if c.Address.Candidate > 0 || !p.prior.hasCandidates() {
		return false
	}
	for n := 1; n <= image.MaxCandidates; n++ {
		if p.takes(c, c.Address.Nth(n), simulated) {
			return true
		}
	}
	return false
}

// takes takes the image of another address, if it is one of this very request and is there.
func (p *Planner) takes(c *decision, from addrs.Image, simulated bool) bool {
	img := p.prior.images.Get(from)
	if img == nil || img.Fingerprint != c.Fingerprint || img.Made != nil || !simulated && img.Result.Simulated || !p.isThere(from, img) {
		return false
	}
	c.Rare().Kept, c.Rare().Donor = img, &from
	return true
}

// isThere reports whether the bytes of an image on record can be had: its file is as it was made,
// or the store has them.
func (p *Planner) isThere(addr addrs.Image, img *state.Image) bool {
	return p.prior.files[addr] == state.Present || slices.ContainsFunc(p.stored(addr, img.Fingerprint, true), func(kept *state.Image) bool {
		return kept.Output.SHA256 == img.Output.SHA256
	})
}

// shares takes the picture of another address that stays there. A seed makes two requests one;
// without a seed, two images with one request are two throws of the dice.
func (p *Planner) shares(c *decision, simulated bool) bool {
	if !c.has("seed") {
		return false
	}
	for _, from := range p.prior.made(c.Fingerprint) {
		if from != c.Address && p.takes(c, from, simulated) {
			return true
		}
	}
	if twin, ok := p.opts.Matches.twin(c.Address); ok {
		if other := p.change(twin); other != nil && other.Fingerprint == c.Fingerprint && other.Generates() {
			c.Rare().Twin = &twin
			return true
		}
	}
	return false
}

// kept takes the image from the store.
func (p *Planner) kept(c *decision, simulated bool) bool {
	for _, img := range p.stored(c.Address, c.Fingerprint, simulated) {
		// A picture that is there under another address, or goes to one, does not come a second
		// time without a seed.
		content := img.Output.Identity()
		if img.Made != nil {
			continue // Somebody's work is not what the request asks for.
		}
		if !c.has("seed") && (p.restored[content] || p.prior.isHeld(content, c.Address)) {
			continue
		}
		p.restored[content] = true
		c.Rare().Kept = img
		return true
	}
	return false
}

func (p *Planner) stored(addr addrs.Image, fingerprint string, simulated bool) []*state.Image {
	if p.opts.Stored == nil {
		return nil
	}
	return p.opts.Stored(addr, fingerprint, simulated)
}

// keptOf returns what the store has of the image on record: its very bytes, whatever the
// configuration asks for by now. It is nil where it has none.
func (p *Planner) keptOf(c *decision) *state.Image {
	kept := p.stored(c.Address, c.Prior.Fingerprint, p.simulates(c.Prior.Provider))
	i := slices.IndexFunc(kept, func(img *state.Image) bool { return img.Output.SHA256 == c.Prior.Output.SHA256 })
	if i < 0 {
		return nil
	}
	return kept[i]
}

// simulates reports whether a provider may be a simulator. All images have one of a few providers,
// each of which is asked about once.
func (p *Planner) simulates(provider string) bool {
	if p.opts.Simulator == nil {
		return false
	}
	simulates, isKnown := p.simulators[provider]
	if !isKnown {
		simulates = p.opts.Simulator(provider)
		p.simulators[provider] = simulates
	}
	return simulates
}

// resumable reports whether the image of a task of an earlier run is to be had: the API accepted
// it, nobody gave it up, and it is no simulator's while the provider is none any more.
func (p *Planner) resumable(task *state.Task, simulated bool) bool {
	return task.Open() && (simulated || !task.Simulated) && !p.isGivenUp(task)
}

// isGivenUp reports whether the user gives a task up, by the address that it has or had. One whose
// image is on this disk already is no loss to take.
func (p *Planner) isGivenUp(task *state.Task) bool {
	return task.Fetched == nil && slices.ContainsFunc(p.opts.Abandon, func(a addrs.Image) bool {
		from, isMoved := p.prior.from[a]
		return a == task.Address || isMoved && from == task.Address
	})
}

// recordedSeed returns the seed to send where the image is lost but nothing about it changed,
// unless its address: the one that made it, as the only chance to get the same image again. It is
// nil in all other cases.
func (p *Planner) recordedSeed(c *decision) *int64 {
	lost := c.Prior
	switch from, isMatched := p.opts.Matches.image(c.Address); {
	case p.isReplaced(c.Address):
		return nil
	case c.OnlyDrifted():
	case isMatched:
		lost = p.prior.images.Get(from) // Not there any more, or it would have been taken over.
	default:
		return nil
	}
	model := c.Desired.Model
	if lost == nil || c.Fingerprint != lost.Fingerprint || !model.Repeatable || model.Param("seed") == nil || c.has("seed") {
		return nil
	}
	return lost.Result.Seed
}
