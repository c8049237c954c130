package executor

import (
	"slices"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// What is there already is found by the request, and some requests are known only in apply: those
// of images that are made from others, or whose arguments are. This is what the plan would have
// found, had it known.

// finds looks for the image of a request that is known only now: everything that the plan would
// have found, had it known. It reports whether there is nothing to ask the API for.
func (r *run) finds(n *node) bool {
	isLate := n.change.Fingerprint == ""
	for _, s := range r.salvaging {
		if isLate && s.phase != over && s.fingerprint == n.fingerprint && (n.lane.account.Simulator || !s.record.Simulated) {
			r.waitFor(n, s)
			return true
		}
	}
	if id := r.left[n.fingerprint]; isLate && id != "" {
		r.fail(n, &TaskError{TaskID: id, Reason: notNow})
		return true
	}
	switch kept, err := r.free(n); {
	case kept != nil:
		r.reuse(n, kept)
		return true
	case err != nil:
		// What cannot be looked at is not paid for again.
		r.fail(n, err)
		return true
	}
	if isLate && !n.change.IsRequested() && r.onRecord(n) {
		return true
	}
	if !n.request.Has("seed") || n.change.IsRequested() {
		return false
	}
	key := request{n.fingerprint, n.lane.account.Simulator}
	switch twin := r.seeded[key]; {
	case twin == nil:
		r.seeded[key] = n
	case twin == n:
	case r.made[twin.address()] != nil:
		r.reuse(n, r.made[twin.address()])
		return true
	case twin.phase != over:
		r.waitFor(n, twin)
		return true
	default:
		// What it ran into, this one would run into again, and pay for it again where the answer
		// was lost.
		r.skip(n, Skipped{Address: n.address(), Because: twin.address()})
		return true
	}
	return false
}

// request is what a seed makes the same: a fingerprint, at providers of one kind.
type request struct {
	fingerprint string
	simulated   bool
}

// free is an image in the store that a node can have although the plan did not know it: its request
// is known only now. nil without an error says that there is none.
func (r *run) free(n *node) (*state.Image, error) {
	if n.change.Fingerprint != "" || n.change.IsRequested() || r.opts.Stored == nil {
		return nil, nil
	}
	seeded := n.request.Has("seed")
	images, err := r.opts.Stored(n.address(), n.fingerprint, n.lane.account.Simulator)
	for _, img := range images {
		// Without a seed, two images with one request are two throws of the dice.
		if seeded || !r.inUse(img.Output.Identity(), n.address()) {
			return img, nil
		}
	}
	return nil, err
}

// inUse reports whether an image that is on record now, under another address, shows a picture.
func (r *run) inUse(content string, but addrs.Image) bool {
	if addr, isTaken := r.taken[content]; isTaken && addr != but {
		return true
	}
	for addr, img := range r.made {
		if addr != but && addr != but.Of() && img.Output.Identity() == content {
			return true
		}
	}
	moved := map[addrs.Image]bool{}
	for addr, c := range r.plan {
		if c.From() != nil {
			moved[*c.From()] = true
		}
		if c.Kept() != nil && addr != but && addr != but.Of() && c.Kept().Output.Identity() == content {
			return true
		}
		if c.Prior != nil && !r.leaves(addr) && addr != but && addr != but.Of() && r.made[addr] == nil && c.Prior.Output.Identity() == content {
			return true
		}
	}
	for addr, f := range r.prior.Files() {
		if r.plan[addr] == nil && !moved[addr] && addr != but && addr != but.Of() && f.Identity() == content {
			return true
		}
	}
	return false
}

// onRecord looks for an image on record that the node's very request made, and that has its file
// still: without a seed, one that goes and that nobody else has. It reports whether there is one,
// or is about to be in the store.
func (r *run) onRecord(n *node) bool {
	seeded := n.request.Has("seed")
	if r.requests == nil {
		r.requests = map[string][]addrs.Image{}
		for addr, c := range r.plan {
			if c.Prior != nil {
				r.requests[c.Prior.Fingerprint] = append(r.requests[c.Prior.Fingerprint], addr)
			}
		}
		for _, all := range r.requests {
			slices.SortFunc(all, addrs.Image.Compare)
		}
	}
	for _, addr := range r.requests[n.fingerprint] {
		other, prior := r.nodes[addr], r.plan[addr].Prior
		switch {
		case other == n || prior.Result.Simulated && !n.lane.account.Simulator:
		case !seeded && r.mayLeave(other) && !reaches(n, other):
			r.waitFor(n, other)
			n.watches = true
			return true
		case !seeded && (!r.leaves(addr) || r.inUse(prior.Output.Identity(), n.address())):
		case other != nil && other.phase == fetching:
			// The picture is about to make way, and then is in the store.
			r.waitFor(n, other)
			return true
		default:
			img := r.image(addr)
			if img == nil && other != nil && other.phase != over {
				img = prior
			}
			if img != nil && img.Fingerprint == n.fingerprint && (r.files.holds(img.Output.Path, img.Output.SHA256) || r.files.store.Whole(img.Output.SHA256)) {
				r.reuse(n, img)
				return true
			}
		}
	}
	return false
}

// leaves reports whether the picture on record of an address goes from there in this run, as far as
// is known by now.
func (r *run) leaves(addr addrs.Image) bool {
	c, n := r.plan[addr], r.nodes[addr]
	switch {
	case c.Leaves():
		return true
	case c.Action != planner.Replace || n == nil:
		return false
	case n.phase == over:
		return r.made[addr] != nil && r.made[addr].Output.Identity() != c.Prior.Output.Identity()
	case c.Conditional():
		return n.fingerprint != "" && !r.keepsImage(n)
	}
	return true
}

// mayLeave reports whether it is about to be known whether the picture on record of a node goes.
func (r *run) mayLeave(n *node) bool {
	return n != nil && n.change != nil && n.change.Conditional() && n.phase == waiting && n.fingerprint == ""
}

// reaches reports whether another node waits for one, or for one that does.
func reaches(n, other *node) bool {
	seen, next := map[*node]bool{n: true}, []*node{n}
	for len(next) > 0 {
		n, next = next[0], next[1:]
		for _, down := range slices.Concat(n.downstream, n.twins) {
			if down == other {
				return true
			}
			if !seen[down] {
				seen[down] = true
				next = append(next, down)
			}
		}
	}
	return false
}

// reuse gives the node of a change the picture of an image that is in the store, or on record at
// another address, for nothing.
func (r *run) reuse(n *node, kept *state.Image) {
	n.phase, n.restored = fetching, true
	r.taken[kept.Output.Identity()] = n.address()
	job := placing{r.files, n.address(), n.change.Prior, n.desired, kept}
	r.spawn(func() func() {
		img, told, err := job.run()
		return func() {
			if n.phase == over {
				return
			}
			if err != nil {
				r.unplaced(n, err)
				return
			}
			if told != "" {
				r.emit(Warned{n.address(), told})
			}
			r.finish(n, img)
		}
	})
}

// give has the nodes that wait for a picture take it. One that waited for a picture that is gone
// now looks again: it is in the store by then.
func (r *run) give(n *node, img *state.Image) {
	for i, twin := range n.twins {
		if twin.phase != waiting {
			continue
		}
		if twin.watches {
			r.lookAgain(twin)
			continue
		}
		if twin.chooses() {
			r.candidateIs(twin, n.address(), img)
			continue
		}
		isThrow := twin.request != nil && !twin.request.Has("seed")
		if twin.desired != nil && twin.fingerprint != img.Fingerprint || isThrow && i > 0 {
			r.lookAgain(twin)
			continue
		}
		if twin.desired == nil {
			twin.desired, twin.began = twin.change.Desired, time.Now()
			r.emit(Started{twin.address(), twin.change.Action})
		}
		r.reuse(twin, img)
	}
	n.twins = nil
}

// lookAgain lets a node go on that waited for another one in vain.
func (r *run) lookAgain(twin *node) {
	twin.watches = false
	if twin.waiting--; twin.waiting == 0 && twin.phase == waiting {
		r.enqueue(twin)
	}
}
