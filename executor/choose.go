package executor

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// An image with candidates to choose from waits for the one that is picked, as for another image
// with the same request, and then has its picture.

// chooses reports whether the node asks for nothing, and has the picture of one of its candidates.
func (n *node) chooses() bool { return !n.salvages() && n.change.Desired.Candidate > 0 }

// candidateIs tells a node that chooses of a candidate that is there, or, with nil, will not be.
func (r *run) candidateIs(n *node, addr addrs.Image, img *state.Image) {
	switch {
	case n.phase != waiting:
	case !n.change.Judges && img == nil:
		r.chooseAnother(n)
	case !n.change.Judges:
		r.takeCandidate(n, addr.Candidate, img)
	default:
		n.waiting--
		if img != nil {
			r.judge(n, addr, img)
		}
		r.settle(n)
	}
}

// takeCandidate gives a node the picture of its nth candidate, which is there.
func (r *run) takeCandidate(n *node, candidate int, img *state.Image) {
	desired := *n.change.Desired
	desired.Candidate = candidate
	n.desired, n.began, n.took = &desired, time.Now(), img
	if r.decided == nil {
		r.decided = map[addrs.Image]int{}
	}
	r.decided[n.address().Block()]++
	if prior := n.change.Prior; prior != nil && prior.Output.SHA256 == img.Output.SHA256 && r.files.holds(prior.Output.Path, prior.Output.SHA256) {
		r.unchanged(n)
		return
	}
	r.emit(Started{n.address(), n.change.Action})
	r.reuse(n, img)
}

// chooseAnother gives a node whose candidate failed the picture of the first of the others that is
// there or will be, unless somebody picked the one that failed.
func (r *run) chooseAnother(n *node) {
	n.waiting--
	if !n.change.Desired.Picked {
		for _, c := range n.change.Candidates() {
			switch other := r.nodes[c.Address]; {
			case other != nil && other.phase != over:
				r.waitFor(n, other)
				return
			case r.made[c.Address] != nil, other == nil && !c.Withheld():
				r.takeCandidate(n, c.Address.Candidate, r.image(c.Address))
				return
			}
		}
	}
	r.skip(n, Skipped{Address: n.address(), Because: *n.change.Twin()})
}

// judgeThose has gates judge the candidates of a node that are there already.
func (r *run) judgeThose(n *node) {
	for _, c := range n.change.Candidates() {
		if r.nodes[c.Address] == nil && !c.Withheld() {
			r.judge(n, c.Address, r.image(c.Address))
		}
	}
	r.settle(n)
}

// judge has the gates of a node's image judge one of its candidates, beside all else. What they
// have said before, they are not asked again.
func (r *run) judge(n *node, addr addrs.Image, img *state.Image) {
	if n.judged == nil {
		n.judged = map[addrs.Image]*state.Image{}
	}
	if img == nil {
		return
	}
	gates := n.change.Choice()
	candidate := r.nodes[addr]
	if candidate != nil && candidate.restored || r.plan[addr] != nil && r.plan[addr].Kept() != nil {
		// What another image was said to be like says nothing of this one.
		img = withoutComparison(gates.Gates(), img)
	}
	if known, _ := gates.Judged(img.Verdicts); known {
		n.judged[addr] = img
		return
	}
	n.judging++
	if n.against == nil {
		n.against = map[addrs.Image]int{}
	}
	n.against[addr] = r.decided[n.address().Block()]
	subject := Subject{Address: addr, Image: img}
	if gates.Compares() {
		subject.Others = r.others(n.address())
	}
	r.spawn(func() func() {
		judged, err := r.ask(gates.Gates(), subject)
		return func() {
			n.judging--
			if err != nil {
				n.gateErr = errors.Join(n.gateErr, err)
			} else {
				n.judged[addr], r.made[addr] = judged, judged
				if _, passed := gates.Judged(judged.Verdicts); !passed || !r.isOutdated(n, addr) {
					r.emit(Judged{Address: addr, Verdicts: judged.Verdicts})
				}
			}
			r.settle(n)
		}
	})
}

// judges bounds how many gates judge at once: one a core.
var judges = make(chan struct{}, runtime.NumCPU())

// ask asks gates about a candidate and records what they say. It runs beside the coordinator.
func (r *run) ask(gates []image.Gate, subject Subject) (*state.Image, error) {
	select {
	case judges <- struct{}{}:
		defer func() { <-judges }()
	case <-r.ctx.Done():
		return nil, context.Cause(r.ctx)
	}
	judged := *subject.Image
	judged.Verdicts = nil
	for i := range gates {
		verdict := image.FindVerdict(subject.Image.Verdicts, &gates[i])
		if verdict == nil {
			said, err := r.opts.Judge(r.ctx, gates[i], subject)
			if err != nil {
				return nil, fmt.Errorf("gate %q could not judge %s: %w", gates[i].Name, subject.Address, err)
			}
			verdict = &said
		}
		judged.Verdicts = append(judged.Verdicts, *verdict)
	}
	// A crash before this is durable has the candidate judged again. It is not bought again.
	return &judged, r.opts.Journal.Append(state.Stored{Address: subject.Address, Image: &judged})
}

// others are the pictures of the other instances of an image's block.
func (r *run) others(addr addrs.Image) []Neighbour {
	var all []Neighbour
	add := func(other addrs.Image, img *state.Image) {
		if other.Candidate > 0 || other == addr || other.Block() != addr.Block() {
			return
		}
		if sibling := r.nodes[other]; sibling != nil && sibling.took != nil {
			img = sibling.took // which it is about to have
		}
		if img != nil {
			all = append(all, Neighbour{other, img})
		}
	}
	for other := range r.plan {
		add(other, r.image(other))
	}
	for other, img := range r.prior.All() {
		if r.plan[other] == nil {
			add(other, img) // The plan is limited to others.
		}
	}
	slices.SortFunc(all, func(a, b Neighbour) int { return a.Address.Compare(b.Address) })
	return all
}

// isOutdated reports whether a candidate that passed has to be compared once more, since other
// images of its block have been decided on while it was judged.
func (r *run) isOutdated(n *node, addr addrs.Image) bool {
	at, now := n.against[addr]
	return now && n.change.Choice().Compares() && at != r.decided[n.address().Block()]
}

// withoutComparison returns an image on record without what it was said to be like.
func withoutComparison(gates []image.Gate, img *state.Image) *state.Image {
	again := *img
	again.Verdicts = slices.DeleteFunc(slices.Clone(img.Verdicts), func(v image.Verdict) bool {
		return slices.ContainsFunc(gates, func(g image.Gate) bool { return g.Name == v.Gate && g.Compares() })
	})
	return &again
}

// settle decides for a node all of whose candidates are there or over, and judged.
func (r *run) settle(n *node) {
	if n.phase != waiting || n.waiting > 0 || n.judging > 0 {
		return
	}
	for _, c := range n.change.Candidates() {
		img := n.judged[c.Address]
		if img == nil {
			continue
		}
		if known, passed := n.change.Choice().Judged(img.Verdicts); known && passed {
			if r.isOutdated(n, c.Address) {
				delete(n.judged, c.Address)
				r.judge(n, c.Address, withoutComparison(n.change.Choice().Gates(), img))
				return
			}
			r.takeCandidate(n, c.Address.Candidate, img)
			return
		}
	}
	switch {
	case n.gateErr != nil:
		r.fail(n, n.gateErr)
	case r.stop != nil:
		r.skip(n, Skipped{Address: n.address(), Err: r.stop})
	case n.change.More() > 0 && len(n.judged) > 0:
		r.buyAnother(n)
	case len(n.judged) > 0:
		r.fail(n, n.rejected())
	default:
		r.skip(n, Skipped{Address: n.address(), Because: n.change.Candidates()[0].Address})
	}
}

// buyAnother makes one more candidate for a node none of whose candidates passes.
func (r *run) buyAnother(n *node) {
	c := n.change
	number := c.NextCandidate()
	c.Rare().More--
	desired := c.Choice().Nth(number)
	more := &planner.Change{
		Address: desired.Address, Action: planner.Create, Origin: planner.Generate, Desired: desired, Price: c.MoreCost(), Cost: c.MoreCost(),
		Prior: r.prior.Get(desired.Address),
	}
	if more.Prior != nil {
		more.Action = planner.Replace
	}
	c.Rare().Candidates = append(c.Candidates(), more)
	r.plan[more.Address] = more
	next := &node{change: more, addr: more.Address, lane: r.lane(desired.Provider, desired.Model.Name), height: n.height + 1}
	r.nodes[more.Address] = next
	r.opened(next)
	r.waitFor(n, next)
	r.enqueue(next)
}

// RejectedError says that no candidate of an image passed its gates.
type RejectedError struct {
	// Reasons are what the gates said, a line a candidate.
	Reasons []string
}

func (e *RejectedError) Error() string {
	return "no candidate passes its gates: " + strings.Join(e.Reasons, "; ")
}

func (n *node) rejected() error { return rejectionOf(n.change, n.judged) }

// rejection says why no candidate is taken that was judged in earlier runs.
func rejection(c *planner.Change) error {
	judged := map[addrs.Image]*state.Image{}
	for _, candidate := range c.Candidates() {
		judged[candidate.Address] = candidate.Prior
	}
	return rejectionOf(c, judged)
}

func rejectionOf(c *planner.Change, judged map[addrs.Image]*state.Image) error {
	e := &RejectedError{}
	for _, candidate := range c.Candidates() {
		img := judged[candidate.Address]
		if img == nil {
			continue
		}
		i := slices.IndexFunc(img.Verdicts, func(v image.Verdict) bool { return !v.Passed })
		if i >= 0 {
			e.Reasons = append(e.Reasons, fmt.Sprintf("candidate %d: %s (%s)", candidate.Address.Candidate, img.Verdicts[i].Reason, img.Verdicts[i].Gate))
		}
	}
	return e
}
