package planner

import (
	"cmp"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/state"
)

// An image with candidates is planned as several: each candidate is an image like any other, with a
// fingerprint, a task, a record and a place in the store of its own, at an address of its own. The
// image itself asks for nothing. It takes the picture of the candidate that is picked, as an image
// does whose request another one makes in the same plan, so that all that holds for images holds
// for the choice.

// choose plans the candidates of an image, and the picture that it gets of them.
func (p *Planner) choose(c *decision, desired *image.Image) *image.Result {
	if p.opts.Only != nil && !p.opts.Only[desired.Address] {
		return p.leave(c)
	}
	if c.Prior == nil && p.imports[c.Address] != nil {
		p.diags = append(p.diags, &hcl.Diagnostic{
			Severity: hcl.DiagError,
			Summary:  "Image with candidates cannot be imported",
			Detail:   c.Address.String() + " has candidates or gates. Take them out of its block, import the file, and put them back. The imported picture is then the first candidate.",
			Subject:  p.where(desired.Address),
		})
	}
	Ignore(desired, c.Prior)
	n, isPicked := p.pick(c, desired)
	if c.Prior != nil && desired.Lifecycle().Frozen {
		if c.Prior.Candidate > 0 {
			n, isPicked = c.Prior.Candidate, c.Prior.Picked
		}
		return p.chooseBeside(c, desired, chosen(desired, n, isPicked))
	}
	p.propose(c, desired, n)
	if !isPicked {
		if inherited := p.inherited(c); inherited > 0 {
			n, isPicked = inherited, true
		}
	}
	var from *decision
	switch {
	case isPicked || len(desired.Gates()) == 0:
		if !isPicked {
			n = firstThere(c.Candidates())
		}
		from = p.candidates[c][slices.IndexFunc(p.candidates[c], func(o *decision) bool { return o.Address.Candidate == n })]
	default:
		if from = p.judged(c); from != nil {
			n = from.Address.Candidate
		}
	}
	if from == nil {
		return p.await(c, chosen(desired, n, false))
	}
	return p.take(c, chosen(desired, n, isPicked), from)
}

// propose plans the candidates of an image of which the nth is picked.
func (p *Planner) propose(c *decision, desired *image.Image, n int) {
	c.Rare().Choice = desired
	numbers := p.considered(desired, n)
	c.Rare().Candidates = make([]*Change, 0, len(numbers))
	candidates := make([]*decision, 0, len(numbers))
	for _, i := range numbers {
		candidate := p.candidate(c, desired.Nth(i), i == n)
		candidates, c.Rare().Candidates = append(candidates, candidate), append(c.Candidates(), &candidate.Change)
	}
	p.candidates[c] = candidates
}

// chooseBeside plans an image that stays as it is. What somebody edited can have further candidates
// beside it, to pick one of them later. Where the block asks for other pictures by now, or is frozen,
// none are made.
func (p *Planner) chooseBeside(c *decision, desired, stays *image.Image) *image.Result {
	result := p.decide(c, stays)
	if !c.edited || c.Frozen || c.Action != NoOp && c.Action != Update {
		return result
	}
	p.propose(c, desired, stays.Candidate)
	if slices.ContainsFunc(c.Candidates(), (*Change).Makes) {
		c.Action = Update
	}
	return result
}

// considered returns the numbers of the candidates that a plan looks at: those that are wanted, the
// one that is picked, and those that were bought because none of the others passed.
func (p *Planner) considered(desired *image.Image, picked int) []int {
	var all []int
	wanted := max(desired.Candidates(), 1)
	for i := 1; i <= max(wanted+desired.Retries(), picked); i++ {
		prior := p.prior.images.Get(desired.Address.Nth(i))
		// Where all are replaced, gates ask for more again, one after the other.
		isMore := i > wanted && i <= wanted+desired.Retries() && prior != nil && !p.isReplaced(desired.Address) &&
			prior.Fingerprint == desired.Nth(i).Request().Fingerprint()
		if i <= wanted || i == picked || isMore {
			all = append(all, i)
		}
	}
	return all
}

// judged returns the candidate that is the first to pass the gates, nil where that is not known
// before apply, or none passes.
func (p *Planner) judged(c *decision) *decision {
	tried := 0
	for _, candidate := range p.candidates[c] {
		if candidate.Withheld() {
			continue
		}
		tried++
		record := candidate.record()
		known, passed := false, false
		// What another image was said to be like says nothing of this one.
		isForeign := candidate.Kept() != nil && c.Choice().Compares()
		if candidate.content() != "" && record != nil && !isForeign {
			known, passed = c.Choice().Judged(record.Verdicts)
		}
		if c.Judges = c.Judges || !known; known && passed && !c.Judges {
			return candidate
		}
	}
	c.Rare().More = max(c.Choice().Candidates(), 1) + c.Choice().Retries() - len(c.Candidates())
	c.Rare().MoreCost = c.Candidates()[0].Desired.Request().Quote().Reserve
	c.Judges = (c.Judges || c.More() > 0) && tried > 0
	return nil
}

// Wanted returns how many further candidates somebody wants of an image, beyond those that its block
// names, and no apply has made yet.
func (c *Change) Wanted() int {
	first := cmp.Or(c.Prior, c.known.Images.Get(c.Address.Nth(1)))
	if first == nil || first.More == 0 || c.Desired == nil {
		return 0
	}
	made := 0
	for n := 1; n <= image.MaxCandidates; n++ {
		if c.known.Images.Has(c.Address.Nth(n)) {
			made = n
		}
	}
	return min(first.More, max(c.Desired.Candidates()-made, 0))
}

// record returns what is on record of an image that is there, or will be for nothing.
func (c *Change) record() *state.Image {
	if c.Kept() != nil {
		return c.Kept()
	}
	return c.Prior
}

// await plans an image whose picture is known only when gates have judged its candidates, or never.
func (p *Planner) await(c *decision, desired *image.Image) *image.Result {
	c.Desired, c.Simulator = desired, p.simulates(desired.Provider)
	p.noteMove(&c.Change)
	p.complete(desired)
	c.file, c.Origin = p.status(c), Restore
	switch {
	case c.Prior == nil:
		c.Action, c.Reasons = Create, notInState
	case slices.ContainsFunc(c.Candidates(), (*Change).Makes):
		c.Action, c.Reasons = Replace, c.Candidates()[0].Reasons
		p.guard(desired, c)
	default:
		c.Action, c.Reasons = Update, []Reason{{Kind: Unjudged}}
	}
	if !c.Judges {
		c.Origin = Rejected
	}
	c.size = outputSize(desired)
	return nil
}

// chosen returns an image as it is with the picture of its nth candidate.
func chosen(img *image.Image, n int, isPicked bool) *image.Image {
	one := *img
	one.Arguments = img.NthArguments(n)
	one.Candidate, one.Picked = n, isPicked
	return &one
}

// candidate plans one candidate of the image of a change.
func (p *Planner) candidate(of *decision, desired *image.Image, isPicked bool) *decision {
	c := p.begin(desired.Address)
	if c.Prior != nil {
		p.matched++
		// Nobody needs the file of a candidate that nobody picked, and the picture of the one that
		// was stands at the image's own path too.
		isThere := of.Prior != nil && of.Prior.Output.SHA256 == c.Prior.Output.SHA256 && p.prior.files[of.Address] == state.Present
		c.spare = !isPicked || isThere
	} else if first := of.Prior; first != nil && first.Candidate == 0 && desired.Address.Candidate == 1 {
		// What was made before there was a choice is the first candidate.
		put(&p.heirs, c.Address, of.Address)
	}
	p.decide(c, desired)
	if c.Origin == Refused {
		c.Action = NoOp // There are others to choose from.
	}
	p.decided = append(p.decided, c)
	return c
}

// take gives the image of a change the picture of one of its candidates.
func (p *Planner) take(c *decision, desired *image.Image, from *decision) *image.Result {
	c.Desired, c.Simulator = desired, p.simulates(desired.Provider)
	p.noteMove(&c.Change)
	p.complete(desired)
	c.Fingerprint, c.file = from.Fingerprint, p.status(c)
	prior := c.Prior
	switch {
	case prior == nil:
		c.Action, c.Reasons = Create, notInState
	case from.content() == "":
		c.Action, c.Reasons = Replace, from.Reasons
		p.guard(desired, c)
	case prior.Output.Identity() != from.content():
		c.Action, c.Reasons = Update, []Reason{{Kind: Picked}}
	case c.file == state.Missing:
		c.Action, c.Reasons = Create, []Reason{{Kind: FileMissing}}
	case c.file == state.Outdated:
		c.Action, c.Reasons = Replace, []Reason{{Kind: FileOutdated}}
	case c.file == state.Changed:
		c.Action, c.Reasons = Replace, []Reason{{Kind: FileChanged}}
	case prior.DiffersFreely(desired), slices.ContainsFunc(c.Candidates(), (*Change).Makes):
		c.Action = Update
		return c.keep(prior)
	case c.From() != nil:
		c.Action = Move
		return c.keep(prior)
	default:
		c.Action = NoOp
		return c.keep(prior)
	}
	c.Origin = Restore
	switch {
	case from.Withheld():
		c.Origin, c.Rare().Lacks = Skipped, &from.Address
		return nil
	case from.content() == "":
		c.Rare().Twin, c.size = &from.Address, from.size
		return nil
	case from.Kept() != nil:
		c.Rare().Kept = from.Kept()
		if donor := from.Donor(); donor != nil && *donor != c.Address {
			c.Rare().Donor = donor
		}
	default:
		c.Rare().Kept, c.Rare().Donor = from.Prior, &from.Address
	}
	return c.keep(c.Kept())
}

// results adds to what is known of an image with a choice what is known of its candidates.
func (c *Change) results(result *image.Result) *image.Result {
	if result == nil || len(c.Candidates()) == 0 {
		return result
	}
	if slices.ContainsFunc(c.Candidates(), func(one *Change) bool { return !one.Withheld() && one.Makes() && one.Kept() == nil }) {
		return nil // It is known only in apply, and with it the list.
	}
	return state.Exports(c.Address, func(addr addrs.Image) *state.Image {
		if addr == c.Address {
			return c.there()
		}
		i := slices.IndexFunc(c.Candidates(), func(one *Change) bool { return one.Address.Candidate == addr.Candidate })
		if i < 0 || c.Candidates()[i].Withheld() {
			return nil
		}
		return c.Candidates()[i].there()
	})
}

// there returns what will be on record of an image that is not made in this plan.
func (c *Change) there() *state.Image {
	switch {
	case c.Kept() != nil:
		return c.Kept().Updated(c.Desired)
	case c.Prior != nil && (c.Action == Update || c.Action == Move):
		return c.Prior.Updated(c.Desired)
	default:
		return c.Prior
	}
}

// isCandidate reports whether the change is of a picture to choose from.
func (c *Change) isCandidate() bool { return c.Address.Candidate > 0 }

// Change returns what the plan does with an image, nil where it has none of that address.
func (p *Plan) Change(addr addrs.Image) *Change {
	i, found := slices.BinarySearchFunc(p.Changes, addr, func(c *Change, addr addrs.Image) int { return c.Address.Compare(addr) })
	if found {
		return p.Changes[i]
	}
	if place, stays := p.Unchanged.Find(addr); stays {
		return unchanged(place, p.known)
	}
	return nil
}

// Pick returns the part of a plan that gives an image the picture of its picked candidate, nil
// where that is not there yet. It costs nothing.
func (p *Plan) Pick(addr addrs.Image) *Plan {
	c := p.Change(addr)
	if c == nil || c.Twin() != nil || c.Judges || c.Withheld() {
		return nil
	}
	return &Plan{Changes: []*Change{c}, where: p.where}
}

// NextCandidate returns the number that a further candidate gets.
func (c *Change) NextCandidate() int {
	if len(c.Candidates()) == 0 {
		return 1
	}
	return c.Candidates()[len(c.Candidates())-1].Address.Candidate + 1
}
