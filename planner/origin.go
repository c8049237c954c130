package planner

import (
	"slices"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/state"
)

// originate decides where the image of a Create or Replace comes from, and what it costs.
func (p *Planner) originate(c *Change) {
	simulated := p.simulates(c.Desired.Provider)
	if task := p.prior.tasks[c.Address]; task != nil && task.Fingerprint == c.Fingerprint {
		c.Task = task
	}
	var atLeast bool
	c.Price, atLeast = p.estimate(c.Desired, c.Request)
	switch kept := p.stored(c, simulated); {
	case resumable(c.Task, simulated):
		// What was submitted is paid for, whatever else there is.
		c.Origin = Resume
	case kept != nil:
		c.Origin, c.Kept = Restore, kept
	case p.refused(c):
		c.Origin, c.Moderation = Refused, p.opts.Prior.Moderated[c.Fingerprint]
	default:
		c.Origin = Generate
		c.RecordedSeed = p.recordedSeed(c)
		c.Cost, c.CostUnknown = c.Price, atLeast
	}
	p.skip(c)
}

// refused reports whether moderation refused this very request before.
func (p *Planner) refused(c *Change) bool {
	_, refused := p.opts.Prior.Moderated[c.Fingerprint]
	return refused && c.Fingerprint != "" && !p.opts.RetryModerated
}

// stored returns the image that the change can have for nothing, or nil: one in the store, or one that goes from another address. One that
// the user wants made anew, by -replace or replace_triggered_by, is not taken from there.
func (p *Planner) stored(c *Change, simulated bool) *state.Image {
	isTriggered := slices.ContainsFunc(c.Reasons, func(r Reason) bool { return r.Kind == Triggered })
	switch {
	case p.replace[c.Address] || isTriggered:
		return nil
	case onlyDrifted(c) && c.Fingerprint != c.Prior.Fingerprint:
		// It differs in nothing but what lifecycle.ignore_changes names, and so what is on record is what is wanted.
		return p.keptOf(c)
	case c.Fingerprint == "":
		return nil
	}
	if from := p.opts.Renamed[c.Address]; from != nil && !p.isLost(from.Address) && from.Prior.Fingerprint == c.Fingerprint &&
		(simulated || !from.Prior.Result.Simulated) {
		return from.Prior
	}
	if p.opts.Stored == nil {
		return nil
	}
	for _, img := range p.opts.Stored(c.Address, c.Fingerprint, simulated) {
		// Without a seed, two images with one request are two throws of the dice.
		throw := img.Fingerprint + img.Output.SHA256
		if !p.restored[throw] || c.Request.Has("seed") {
			p.restored[throw] = true
			return img
		}
	}
	return nil
}

// isLost reports whether the file of an image is gone, or is not what is on record.
func (p *Planner) isLost(addr addrs.Image) bool { return p.prior.files[addr] != state.Present }

// keptOf returns what the store has of the image on record: its very bytes, whatever the configuration asks for by now. It is nil where it has none.
func (p *Planner) keptOf(c *Change) *state.Image {
	if p.opts.Stored == nil {
		return nil
	}
	kept := p.opts.Stored(c.Address, c.Prior.Fingerprint, p.simulates(c.Prior.Provider))
	i := slices.IndexFunc(kept, func(img *state.Image) bool { return img.Output.SHA256 == c.Prior.Output.SHA256 })
	if i < 0 {
		return nil
	}
	return kept[i]
}

func (p *Planner) simulates(provider string) bool {
	return p.opts.Simulator != nil && p.opts.Simulator(provider)
}

// resumable reports whether the image of a task of an earlier run is to be had: the API accepted it, and it is no simulator's while the provider is
// none any more.
func resumable(task *state.Task, simulated bool) bool {
	return task != nil && task.Answered() && (simulated || !task.Simulated)
}

// onlyDrifted reports whether nothing is wrong with an image but its file.
func onlyDrifted(c *Change) bool {
	return onlyReason(c.Reasons, FileMissing) || onlyReason(c.Reasons, FileChanged)
}

// recordedSeed returns the seed to send where the image is lost but nothing about it changed, unless its address: the one that made it, as the
// only chance to get the same image again. It is nil in all other cases.
func (p *Planner) recordedSeed(c *Change) *int64 {
	lost := c.Prior
	switch from := p.opts.Renamed[c.Address]; {
	case p.replace[c.Address]:
		return nil
	case from != nil:
		lost = from.Prior // Not there any more, or it would have been taken over.
	case !onlyDrifted(c):
		return nil
	}
	model := c.Request.Model
	if lost == nil || c.Fingerprint != lost.Fingerprint || !model.Repeatable || model.Param("seed") == nil || c.Request.Has("seed") {
		return nil
	}
	return lost.Result.Seed
}
