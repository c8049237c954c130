package planner

import (
	"slices"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/state"
)

// pick returns the number of the candidate that is chosen, and whether somebody chose it: the
// configuration, the options, or who chose among these very pictures. A choice among others, before
// the prompt was changed, says nothing; it holds again when the prompt is. Else it is the first.
func (p *Planner) pick(c *decision, desired *image.Image) (n int, isPicked bool) {
	switch {
	case desired.Pick() > 0:
		return desired.Pick(), true
	case p.opts.Choices[c.Address] > 0:
		return p.opts.Choices[c.Address], true
	}
	most := max(desired.Candidates(), 1) + desired.Retries()
	fingerprint := func(n int) string { return desired.Nth(n).Request().Fingerprint() }
	if c.Prior != nil && c.Prior.Candidate > 0 {
		now := fingerprint(c.Prior.Candidate)
		switch isSame := now == c.Prior.Fingerprint; {
		case c.Prior.Picked && (isSame || now == ""):
			return c.Prior.Candidate, true
		case isSame:
			return 1, false // Nobody has picked among these pictures.
		}
	}
	for n := 1; n <= most; n++ {
		for _, kept := range p.stored(c.Address, fingerprint(n), p.simulates(desired.Provider)) {
			if kept.Picked && kept.Candidate == n && (c.Prior == nil || c.Prior.Fingerprint != kept.Fingerprint) {
				return n, true
			}
		}
	}
	return 1, false
}

// inherited returns the number of the candidate that somebody picked under another address, from
// which the candidates come: the block was renamed, or an instance of it has another key. It is 0
// where there is none.
func (p *Planner) inherited(c *decision) int {
	for _, candidate := range c.Candidates() {
		if candidate.Donor() == nil {
			continue
		}
		from := *candidate.Donor()
		of := p.prior.images.Get(from.Of())
		// The picture of the picked one stands under the image's own address too.
		if of != nil && of.Picked && from.Of() != c.Address && (from.Candidate == 0 || from.Candidate == of.Candidate) {
			return candidate.Address.Candidate
		}
	}
	return 0
}

// isStale reports whether a candidate on record that a plan does not look at was made from another
// request than its image would ask for now. It goes into the store, and comes back from there when the
// image asks for it again. One that gates may ask for has another picture then, in its place.
func (p *Planner) isStale(c *decision, candidate addrs.Image) bool {
	desired := c.Choice()
	if desired == nil || desired.Lifecycle().Frozen || candidate.Candidate <= max(desired.Candidates(), 1)+desired.Retries() {
		return false
	}
	img, prior := desired.Nth(candidate.Candidate), p.prior.images.Get(candidate)
	held(img, prior)
	fingerprint := img.Request().Fingerprint()
	return fingerprint != "" && fingerprint != prior.Fingerprint
}

// follow returns the change of a candidate on record that the plan does not look at, nil where there is
// none to make. It goes where its image goes, or has gone in a run that was cut off then, since another
// image may come to where that was; what of it is not there goes away.
func (p *Planner) follow(of *decision, candidate addrs.Image, removals []config.Removal) *Change {
	prior := p.prior.images.Get(candidate)
	path, isStale := image.CandidatePath(of.stands(), candidate.Candidate), p.isStale(of, candidate)
	if !isStale && path == prior.Output.Path {
		return nil
	}
	desired, err := prior.Asked(p.modelOf(of))
	if isStale || err != nil || desired.Model == nil || p.prior.files[candidate] != state.Present {
		return p.goes(candidate, prior, NotInConfiguration, removals)
	}
	desired.Address, desired.Output = candidate, path
	c := &Change{Address: candidate, Action: Update, Prior: prior, Desired: desired, Fingerprint: prior.Fingerprint, known: p.opts.Prior}
	p.noteMove(c)
	return c
}

// modelOf returns the model of an image that was decided on, which of one that stays as it is may be known
// only by the name on record.
func (p *Planner) modelOf(c *decision) *bfl.Model {
	if c.Desired != nil {
		return c.Desired.Model
	}
	i := slices.IndexFunc(p.models, func(m *bfl.Model) bool { return m.Name == c.Prior.Model })
	if i < 0 {
		return nil
	}
	return p.models[i]
}

// stands returns the path at which an image will be.
func (c *decision) stands() string {
	if c.Desired == nil || c.Frozen {
		return c.Prior.Output.Path
	}
	return c.Desired.Output
}

// firstThere returns the number of the first candidate that will be there, or of the first.
func firstThere(candidates []*Change) int {
	i := slices.IndexFunc(candidates, func(c *Change) bool { return !c.Withheld() })
	return candidates[max(i, 0)].Address.Candidate
}

// waitsForPick returns the image upstream that nobody has picked yet although it has to be picked.
func (p *Planner) waitsForPick(desired *image.Image) (addrs.Image, bool) {
	for i := range desired.References {
		r := &desired.References[i]
		if up := p.change(r.Image); r.IsImage() && up != nil && up.Desired != nil && up.Desired.Lifecycle().RequirePick && !up.Desired.Picked {
			return r.Image, true
		}
	}
	return addrs.Image{}, false
}
