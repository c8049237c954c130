package executor

import (
	"cmp"
	"container/heap"
	"time"

	"github.com/fluxbatch/fluxbatch/planner"
)

// build turns the plan's changes that ask the API for images into nodes, connects those of which one
// waits for the other, and begins with those that wait for none.
func (r *run) build(plan *planner.Plan) {
	for _, c := range plan.Changes {
		if n := r.nodeOf(c); n != nil {
			r.nodes[c.Address] = n
		}
	}
	for _, c := range plan.Changes {
		if n := r.nodes[c.Address]; n != nil {
			r.connect(n)
		}
	}
	for _, n := range r.nodes {
		r.opened(n)
	}
	r.measure()
	for _, c := range plan.Changes {
		// What is paid for waits for nobody: its result may expire.
		switch n := r.nodes[c.Address]; {
		case n == nil || c.Withheld():
		case c.Judges:
			r.judgeThose(n)
		case n.waiting == 0 || n.resumes():
			r.enqueue(n)
		}
	}
	for _, c := range plan.Changes {
		if n := r.nodes[c.Address]; n != nil {
			r.dismiss(n)
		}
	}
}

// nodeOf returns the node of a change, nil where the change asks for nothing. What is withheld asks
// nobody, so that it has no lane: there may be no account for it. Neither may there be for what only
// has its candidates judged.
func (r *run) nodeOf(c *planner.Change) *node {
	switch {
	case c.NotPicked, c.Withheld() && c.Address.Candidate > 0:
		// Somebody has to choose first, or there are others to choose from.
	case c.Origin == planner.Resume:
		// It is the account that has the task that knows it, whichever the image is to have.
		return newNode(c, r.lane(c.Task().Provider, c.Desired.Model.Name))
	case c.Generates():
		return newNode(c, r.lane(c.Desired.Provider, c.Desired.Model.Name))
	case c.Withheld():
		n := newNode(c, nil)
		n.began = time.Now()
		return n
	case c.Twin() != nil, c.Judges:
		n := newNode(c, nil)
		if r.accounts[c.Desired.Provider] != nil {
			n.lane = r.lane(c.Desired.Provider, c.Desired.Model.Name)
		}
		if len(c.Candidates()) > 0 {
			n.began = time.Now() // It asks for nothing, so that nothing begins it.
		}
		return n
	}
	return nil
}

// connect has a node wait for those whose images it needs.
func (r *run) connect(n *node) {
	c := n.change
	for _, upstream := range c.Desired.Dependencies {
		if up := r.nodes[upstream]; up != nil {
			up.downstream = append(up.downstream, n)
			n.waiting++
		}
	}
	if c.Twin() != nil && r.nodes[*c.Twin()] != nil {
		r.waitFor(n, r.nodes[*c.Twin()])
	}
	if !c.Judges {
		return
	}
	for _, candidate := range c.Candidates() {
		if up := r.nodes[candidate.Address]; up != nil {
			r.waitFor(n, up)
		}
	}
}

// dismiss ends a node of which it is known from the beginning that it comes to nothing.
func (r *run) dismiss(n *node) {
	if !n.resumes() {
		r.skipBroken(n)
	}
	switch n.change.Origin {
	case planner.Rejected:
		r.fail(n, rejection(n.change))
	case planner.Refused:
		r.fail(n, &ModeratedError{Reasons: n.change.ModerationReasons(), Before: true})
	}
}

// opened counts a node that is not over.
func (r *run) opened(n *node) {
	r.unfinished++
	if n.lane != nil {
		n.lane.account.unfinished++
	}
}

// skipBroken skips a node that is made from an image which is not as it was planned.
func (r *run) skipBroken(n *node) {
	for _, upstream := range n.change.Desired.Dependencies {
		if isUnfit, isBroken := r.broken[upstream]; isBroken {
			r.skip(n, Skipped{Address: n.address(), Because: upstream, Unfit: isUnfit})
		}
	}
}

// waitFor has a node wait for another one whose picture it may have.
func (r *run) waitFor(n, other *node) {
	n.waiting++
	other.twins = append(other.twins, n)
}

// measure sets the heights, from the last images to the first.
func (r *run) measure() {
	left := make(map[*node]int, len(r.nodes))
	upstream := make(map[*node][]*node, len(r.nodes))
	var last []*node
	for _, n := range r.nodes {
		left[n] = len(n.downstream)
		for _, down := range n.downstream {
			upstream[down] = append(upstream[down], n)
		}
		if len(n.downstream) == 0 {
			last = append(last, n)
		}
	}
	for len(last) > 0 {
		n := last[len(last)-1]
		last = last[:len(last)-1]
		for _, up := range upstream[n] {
			up.height = max(up.height, n.height+1)
			if left[up]--; left[up] == 0 {
				last = append(last, up)
			}
		}
	}
}

func (r *run) lane(provider, model string) *lane {
	key := laneKey{provider, model}
	l := r.lanes[key]
	if l == nil {
		l = &lane{account: r.accounts[key.provider], model: key.model}
		r.lanes[key] = l
	}
	return l
}

type laneKey struct{ provider, model string }

func (r *run) enqueue(n *node) {
	if !n.queued {
		n.queued = true
		heap.Push(&n.lane.ready, n)
	}
}

// take returns the node to submit next, or nil: the first of those for which there is a slot.
func (r *run) take() *node {
	var best *node
	for _, l := range r.lanes {
		if !l.account.slots.free(l.model) || l.account.pausedUntil.After(time.Now()) {
			continue
		}
		next := l.head()
		if next != nil && r.stop != nil && !next.ahead {
			continue // Only what has its part of the budget is still begun.
		}
		if next != nil && (best == nil || before(next, best)) {
			best = next
		}
	}
	switch {
	case best == nil, !best.resumes() && r.holdsBack():
		return nil
	case best.ahead:
		best.lane.next = best.lane.next[1:]
		return best
	}
	return best.lane.pop()
}

// pop takes the first of the nodes that are ready.
func (l *lane) pop() *node {
	n := heap.Pop(&l.ready).(*node)
	n.queued = false
	return n
}

// before is the order of submission: first the tasks that the API has already, which may hold slots
// there, then along the longest chains, else in the plan's order.
func before(a, b *node) bool {
	if a.resumes() != b.resumes() {
		return a.resumes()
	}
	return cmp.Or(cmp.Compare(b.height, a.height), a.address().Compare(b.address())) < 0
}

type nodeHeap []*node

func (h nodeHeap) Len() int           { return len(h) }
func (h nodeHeap) Less(i, j int) bool { return before(h[i], h[j]) }
func (h nodeHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *nodeHeap) Push(x any)        { *h = append(*h, x.(*node)) }
func (h *nodeHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return last
}
