package planner

import (
	"slices"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/state"
)

// Ignore makes a desired image what lifecycle.ignore_changes wants it seen as; see
// image.Image.Ignore.
func Ignore(img *image.Image, prior *state.Image) {
	if prior == nil || !img.Lifecycle().IgnoresAny() {
		return
	}
	// A recorded request that is damaged was found when the state was read.
	recorded, _ := prior.Asked(img.Model)
	if recorded != nil && prior.Candidate > 1 && img.Candidate == 0 {
		recorded = first(recorded, prior.Candidate)
	}
	img.Ignore(recorded)
}

// first returns what an image asked for that has the picture of the nth of several candidates: their
// seeds count from that of the first.
func first(recorded *image.Image, n int) *image.Image {
	one := *recorded
	if seed, ok := seedOf(recorded); ok {
		setSeed(&one, seed-int64(n)+1)
	}
	return &one
}

// SameButIgnored reports whether an image that Ignore has seen differs from the one on record in
// nothing but what lifecycle.ignore_changes names; see image.Image.SameButIgnored.
func SameButIgnored(img *image.Image, prior *state.Image) bool {
	if !img.Lifecycle().IgnoresAny() {
		return false
	}
	recorded, err := prior.Asked(img.Model)
	return err == nil && img.SameButIgnored(recorded, prior.Fingerprint)
}

// See returns what makes an image that is evaluated again, now that more is known, what it was in
// the plan: with recorded values where lifecycle.ignore_changes or frozen want it seen so.
func (p *Plan) See() func(*image.Image) {
	kept := map[addrs.Image]*Change{}
	for _, c := range p.Changes {
		if c.Prior != nil && c.Desired != nil && (c.Desired.Lifecycle().Frozen || c.Desired.Lifecycle().IgnoresAny() || c.Desired.ConfiguredSeed() != nil) {
			kept[c.Address] = c
		}
	}
	return func(img *image.Image) {
		if c := kept[img.Address]; c != nil {
			img.Rare().Lifecycle.IgnoreAll = c.Frozen || c.Desired.Lifecycle().IgnoreAll
			Ignore(img, c.Prior)
			if seed, ok := seedOf(c.Desired); ok && c.Desired.ConfiguredSeed() != nil {
				img.Rare().ConfiguredSeed = c.Desired.ConfiguredSeed()
				setSeed(img, seed)
			}
		}
	}
}

// triggered returns the reasons that replace_triggered_by gives.
func (p *Planner) triggered(img *image.Image) []Reason {
	var reasons []Reason
	for _, trigger := range img.Lifecycle().ReplaceTriggeredBy {
		c := p.change(trigger.Image)
		if c == nil || c.Action == NoOp {
			continue
		}
		changed := c.Makes()
		if trigger.Attribute != "" {
			all := c.Attributes()
			i := slices.IndexFunc(all, func(a image.Attribute) bool { return a.Name == trigger.Attribute })
			// What is no argument is a result, which is another one when the image is made anew.
			changed = i >= 0 && all[i].Changed() || i < 0 && c.Makes()
		}
		if changed {
			reasons = append(reasons, Reason{Kind: Triggered, Upstream: trigger.Image})
		}
	}
	return reasons
}
