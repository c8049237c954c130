package executor

import (
	"time"

	"github.com/fluxbatch/fluxbatch/state"
)

// An image with candidates to choose from waits for the one that is picked, as for another image with
// the same request, and then has its picture.

// chooses reports whether the node asks for nothing, and has the picture of one of its candidates.
func (n *node) chooses() bool { return !n.salvages() && n.change.Desired.Candidate > 0 }

// takeCandidate gives a node the picture of its nth candidate, which is there.
func (r *run) takeCandidate(n *node, candidate int, img *state.Image) {
	desired := *n.change.Desired
	desired.Candidate = candidate
	n.desired, n.began = &desired, time.Now()
	if prior := n.change.Prior; prior != nil && prior.Output.SHA256 == img.Output.SHA256 && r.files.holds(prior.Output.Path, prior.Output.SHA256) {
		r.unchanged(n)
		return
	}
	r.emit(Started{n.address(), n.change.Action})
	r.reuse(n, img)
}

// chooseAnother gives a node whose candidate failed the picture of the first of the others that is there
// or will be, unless somebody picked the one that failed.
func (r *run) chooseAnother(n *node) {
	n.waiting--
	if n.phase != waiting {
		return
	}
	if !n.change.Desired.Picked {
		for _, c := range n.change.Candidates {
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
	r.skip(n, Skipped{Address: n.address(), Because: *n.change.Twin})
}
