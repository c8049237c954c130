package executor

import (
	"cmp"
	"container/heap"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// node is one change under way, or a task of an interrupted run that no change takes up and whose
// image is to be kept. Owned by the coordinator; a worker gets what it needs as arguments.
type node struct {
	// change is nil where a task is brought home: see salvage.
	change *planner.Change
	addr   addrs.Image
	lane   *lane
	// waiting counts the upstream changes that are not finished.
	waiting    int
	downstream []*node
	// height is the length of the longest chain of changes that begins here: what the whole run
	// waits for.
	height int
	phase  phase
	// queued says that it is among those of its lane that are ready.
	queued bool
	// unfit says that its image is there and was not accepted.
	unfit bool

	// desired and request are what is made and what is sent, once all of it is known.
	desired     *image.Image
	request     *bfl.Request
	fingerprint string
	// price is the estimate now that the request is known, and record what the journal is to know
	// of its task.
	price     bfl.Credits
	record    state.Task
	holdsSlot bool
	// ahead says that its intent is recorded before it has a slot, and recorded is since when it is
	// on record, zero while it is on its way there.
	ahead    bool
	recorded time.Time
	// hold is its slot where the account is shared with other runs, nil where it is not.
	hold Hold
	// resumed says that the task is one of an interrupted run.
	resumed bool
	// restored says that its picture was there already.
	restored bool
	// gone says that its task is over without an image.
	gone bool
	// judging counts the candidates that gates are looking at, and judged are those that they have,
	// with what is to be said where a gate failed.
	judging int
	judged  map[addrs.Image]*state.Image
	gateErr error
	// against is how many images of the block had been decided on when a candidate was judged in
	// this run, and took the candidate whose picture the node has or is about to have.
	against map[addrs.Image]int
	took    *state.Image
	// twins are the nodes of the very same seeded request, which take its picture, and those that
	// watch it: they wait to see whether the picture that it has goes.
	twins   []*node
	watches bool
	// attempts counts the failed attempts of the call that is being made, fetches the failed
	// downloads.
	attempts int
	fetches  int
	// unknown counts the looks in a row at which the API did not know the task.
	unknown   int
	began     time.Time
	submitted time.Time
	// seen is when the task was last seen to be active, counted from its submission.
	seen time.Duration
	task bfl.Submission
	// accepted is when the API took the task, and cost what it charged as far as it has said by
	// now.
	accepted time.Time
	cost     bfl.Credits
	// byID says that the task is looked for by its id, since its polling URL is good for nothing.
	byID bool
	// elsewhere counts the looks by id that did not find it.
	elsewhere int
	// look numbers the looks at the task that were made or arranged: of two that were arranged only
	// the later one is made. looking says that one is being made, and lookAgain that it began too
	// early to count.
	look      int
	looking   bool
	lookAgain bool
	// rung says that somebody rang for the task, for the first time rungAt after its submission;
	// patient that the next look at it was put off because somebody is expected to ring.
	rung    bool
	rungAt  time.Duration
	patient bool
	// sample is where the finished image is. It is a secret of ten minutes and never leaves memory.
	sample bfl.Result
}

// phase is how far a node has come.
type phase uint8

const (
	waiting  phase = iota // for images upstream, a slot, or a new attempt at submitting: nothing is under way at the API
	calling               // its request is being submitted, or what became of a resumed task is put on record
	active                // its task holds a slot
	fetching              // its task has ended well; its image is being downloaded, or waits to be
	ending                // its task is over without an image, which is put on record
	over                  // done, failed, skipped or left to a later run
)

func (n *node) address() addrs.Image { return n.addr }

// salvages reports whether the node only brings a task home.
func (n *node) salvages() bool { return n.change == nil }

// lane holds the changes that compete for the same slots: those of one model in one account.
type lane struct {
	account *account
	model   string
	latency latency
	// scout is the node whose task is looked at often, nil where none is.
	scout *node
	ready nodeHeap
	// next are those whose intents are recorded ahead, in the order in which they are submitted.
	next []*node
}

// build turns the plan's changes that ask the API for images into nodes, and connects those of
// which one waits for the other. What is withheld asks nobody, so that it has no lane: there may be
// no account for it. Neither may there be for what only has its candidates judged.
func (r *run) build(plan *planner.Plan) {
	for _, c := range plan.Changes {
		switch {
		case c.NotPicked, c.Withheld() && c.Address.Candidate > 0:
			// Somebody has to choose first, or there are others to choose from.
		case c.Origin == planner.Resume:
			// It is the account that has the task that knows it, whichever the image is to have.
			r.nodes[c.Address] = &node{change: c, addr: c.Address, lane: r.lane(c.Task().Provider, c.Desired.Model.Name), height: 1}
		case c.Generates():
			r.nodes[c.Address] = &node{change: c, addr: c.Address, lane: r.lane(c.Desired.Provider, c.Desired.Model.Name), height: 1}
		case c.Withheld():
			r.nodes[c.Address] = &node{change: c, addr: c.Address, height: 1, began: time.Now()}
		case c.Twin() != nil, c.Judges:
			r.nodes[c.Address] = &node{change: c, addr: c.Address, height: 1}
			if r.accounts[c.Desired.Provider] != nil {
				r.nodes[c.Address].lane = r.lane(c.Desired.Provider, c.Desired.Model.Name)
			}
			if len(c.Candidates()) > 0 {
				r.nodes[c.Address].began = time.Now() // It asks for nothing, so that nothing begins it.
			}
		}
	}
	for _, c := range plan.Changes {
		n := r.nodes[c.Address]
		if n == nil {
			continue
		}
		for _, upstream := range c.Desired.Dependencies {
			if up := r.nodes[upstream]; up != nil {
				up.downstream = append(up.downstream, n)
				n.waiting++
			}
		}
		if c.Twin() != nil && r.nodes[*c.Twin()] != nil {
			r.waitFor(n, r.nodes[*c.Twin()])
		}
		if c.Judges {
			for _, candidate := range c.Candidates() {
				if up := r.nodes[candidate.Address]; up != nil {
					r.waitFor(n, up)
				}
			}
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
		if n := r.nodes[c.Address]; n != nil && !n.resumes() {
			r.skipBroken(n)
		}
		if c.Origin == planner.Rejected && r.nodes[c.Address] != nil {
			r.fail(r.nodes[c.Address], rejection(c))
		}
		if c.Origin == planner.Refused && r.nodes[c.Address] != nil {
			r.fail(r.nodes[c.Address], &ModeratedError{Reasons: c.ModerationReasons(), Before: true})
		}
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

// resumes reports whether the node is to fetch a task of an interrupted run. The request of one
// that the plan wants was known to the plan, so that only depends_on, or what comes to the same,
// can make it wait for another image.
func (n *node) resumes() bool { return n.salvages() || n.change.Origin == planner.Resume }

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
	var best, next *node
	for _, l := range r.lanes {
		if !l.account.slots.free(l.model) || l.account.pausedUntil.After(time.Now()) {
			continue
		}
		if next = l.head(); next != nil && (best == nil || before(next, best)) {
			best = next
		}
	}
	switch {
	case best == nil, !best.resumes() && r.isBehind():
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
