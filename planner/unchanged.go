package planner

import (
	"iter"
	"slices"
	"strings"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/state"
)

// Mostly, nearly all images of a large plan stay as they are. In a brief plan such an image is its
// record and nothing else: neither the change nor the image as it is configured is kept, so that a
// hundred thousand of them are gone through in the memory of one.

// isUnchanged reports whether an image that was decided on is what is on record, and whoever has the
// record knows all of the decision. What keeps an image as it is for another reason than that it is
// as it is configured, such as frozen or somebody's edited file, is to be told; and apply, or a
// rendition, may ask for the image as it is configured.
func (c *decision) isUnchanged(desired *image.Image) bool {
	l := desired.Lifecycle()
	isAsked := len(desired.Renditions()) > 0 || desired.ConfiguredSeed() != nil || l.Frozen || l.Undecided || l.IgnoresAny()
	return c.Action == NoOp && !c.left && !desired.HasChoice() && !isAsked
}

// forgo drops a decision on an image that stays as it is, and lets the memory of the image be used
// again, but for its result. The decision has to be the one that was begun last.
func (p *Planner) forgo(c *decision, desired *image.Image, result *image.Result) {
	if result != nil {
		result.SHA256 = strings.Clone(result.SHA256)
	}
	p.unchanged.Add(p.place)
	if !slices.Contains(p.models, desired.Model) {
		p.models = append(p.models, desired.Model)
	}
	p.record = p.read
	*c = decision{}
	p.again, desired.Spare = c, true
}

// remembered returns the decision on an image that stays as it is, nil where none was made. It has no
// image as it is configured.
func (p *Planner) remembered(addr addrs.Image) *decision {
	place, stays := p.unchanged.Find(addr)
	if !stays {
		return nil
	}
	c := &decision{Change: *unchanged(place, p.opts.Prior), unread: true}
	c.keep(c.Prior)
	return c
}

// unchanged is the change of an image that stays as it is.
func unchanged(place state.Ref, known *state.State) *Change {
	img := place.Image()
	return &Change{Address: place.Address(), Action: NoOp, Prior: img, Fingerprint: img.Fingerprint, known: known}
}

// All goes through the changes of all images, in the order of their addresses. Those of Unchanged
// are made for this, and have no image as it is configured.
func (p *Plan) All() iter.Seq[*Change] {
	return func(yield func(*Change) bool) {
		changes := p.Changes
		for place := range p.Unchanged.All() {
			addr := place.Address()
			for len(changes) > 0 && changes[0].Address.Compare(addr) < 0 {
				if !yield(changes[0]) {
					return
				}
				changes = changes[1:]
			}
			if !yield(unchanged(place, p.known)) {
				return
			}
		}
		for _, c := range changes {
			if !yield(c) {
				return
			}
		}
	}
}

// Whole returns the plan with those of Unchanged among the changes, as All has them.
func (p *Plan) Whole() *Plan {
	if p.Unchanged.Len() == 0 {
		return p
	}
	whole := *p
	whole.Changes, whole.Unchanged = slices.AppendSeq(make([]*Change, 0, len(p.Changes)+p.Unchanged.Len()), p.All()), state.Refs{}
	return &whole
}
