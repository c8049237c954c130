package executor

import (
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
	// asks says that it waits for a slot of an account that is shared, with its part of the budget.
	asks bool
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
	// until is how long the result can be had, as far as was known when the task was seen to have ended.
	until time.Time
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

func newNode(c *planner.Change, l *lane) *node {
	return &node{change: c, addr: c.Address, lane: l, height: 1}
}

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

// resumes reports whether the node is to fetch a task of an interrupted run. The request of one
// that the plan wants was known to the plan, so that only depends_on, or what comes to the same,
// can make it wait for another image.
func (n *node) resumes() bool { return n.salvages() || n.change.Origin == planner.Resume }
