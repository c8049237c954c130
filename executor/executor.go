package executor

import (
	"context"
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// run is one apply. All of it is owned by the coordinator, the goroutine that called Apply.
type run struct {
	opts      Options
	ctx       context.Context // done when the run is aborted
	taking    context.Context // done when nothing new is begun
	endTaking context.CancelCauseFunc
	accounts  map[string]*account
	lanes     map[laneKey]*lane
	nodes     map[addrs.Image]*node
	made      map[addrs.Image]*state.Image // images that this run made
	// broken are the images whose files could not be changed as planned, and those that fail their
	// postconditions, for which the value is true.
	broken map[addrs.Image]bool
	// prior and tasks are what was on record when the run began; tasks without those that ended
	// since.
	prior *state.Images
	tasks map[string]*state.Task
	// salvaging are the nodes that only bring tasks home, and seeded the first node of each request
	// that a seed makes the same.
	salvaging []*node
	// homeless are those of salvaging that were not begun, and bringing counts those that are under
	// way.
	homeless []*node
	bringing int
	seeded   map[request]*node
	// left are the ids of tasks that stay on record with their images not to be had in this run, by
	// the fingerprints of their requests.
	left map[string]string
	// taken are the addresses that pictures go to for nothing.
	taken map[string]addrs.Image
	// requests finds the images on record by the requests that made them; nil until something asks.
	requests map[string][]addrs.Image
	// decided counts, for each block, the images whose candidate was chosen in this run.
	decided map[addrs.Image]int
	began   time.Time
	// moderated are the requests that moderation refused before, by fingerprint.
	moderated map[string]state.Moderation
	// plan has the changes by address.
	plan map[addrs.Image]*planner.Change
	// byTask finds the nodes of the tasks that this run knows, also when they have ended; early are
	// the ids that rang and are in none of them.
	byTask  map[string]*node
	early   map[string]bool
	files   *files
	inputs  *inputs
	renders renders
	budget  budget
	agenda  agenda
	// downloads wait for one of the few places in the download lane.
	downloads   []*node
	downloading int
	backlog     backlog
	delivery    delivery
	// unfinished counts nodes that are not over, workers the calls under way.
	unfinished, workers int
	// calls hands calls to workers that have nothing to do. A call needs a deep stack, which a new
	// goroutine would have to grow into each time.
	calls chan func() func()
	// told carries what is to be done on the coordinator after a worker's call.
	told chan func()
	stop error // why nothing new is begun, nil while it is
	// isStopped says that neither is what has its part of the budget.
	isStopped bool
	// recording is how long it takes to record an intent, 0 while nobody knows.
	recording time.Duration
	// unresolved is since when hosts are not found, zero while they are.
	unresolved time.Time
	summary    Summary
}

type account struct {
	Account
	slots *slots
	// pausedUntil is when submissions go on after the API asked for a pause.
	pausedUntil time.Time
	// taken says that the API took a request in this run, and barred is since when it refuses all
	// of them with none active.
	taken  bool
	barred time.Time
	// unfinished counts the nodes of the account that are not over.
	unfinished int
	// unanswered counts the intents that are on record, or on their way there, without an answer to
	// their requests.
	unanswered int
	// unheard counts the tasks in a row that were found to have ended well although nobody had
	// rung.
	unheard int
}

// ErrIncomplete says that some changes of a plan were not carried out. The events told which, and
// why.
var ErrIncomplete = errors.New("not every change was carried out")

// Apply carries out a plan, and returns when all of its changes are over or left to a later run.
// What it did is in the summary, also when it fails; it fails with ErrIncomplete when changes
// failed or were skipped. When ctx is done, calls under way are broken off; tasks stay on record
// and can be resumed.
func Apply(ctx context.Context, plan *planner.Plan, o Options) (Summary, error) {
	plan = plan.Whole() // Who has a path, a picture or a request is looked for among all images.
	r := newRun(ctx, o)
	defer r.endTaking(nil)
	defer close(r.calls)
	r.files, r.inputs = newFiles(plan, o), sharedInputs(plan)
	for _, c := range plan.Changes {
		r.plan[c.Address] = c
	}
	r.sweep(plan)
	err := r.changeFiles(plan)
	r.salvage(plan)
	r.build(plan)
	if err != nil {
		r.stopNew(err)
	}
	r.render(plan)
	r.loop()
	if r.summary.Failed+r.summary.Skipped+r.summary.RenditionsFailed+r.summary.RenditionsSkipped > 0 {
		return r.summary, ErrIncomplete
	}
	return r.summary, nil
}

func newRun(ctx context.Context, o Options) *run {
	if o.Drain == nil {
		o.Drain = ctx
	}
	r := &run{
		opts: o, ctx: ctx, accounts: map[string]*account{}, lanes: map[laneKey]*lane{},
		nodes: map[addrs.Image]*node{}, plan: map[addrs.Image]*planner.Change{}, made: map[addrs.Image]*state.Image{}, broken: map[addrs.Image]bool{}, calls: make(chan func() func()), told: make(chan func()),
		byTask: map[string]*node{}, early: map[string]bool{}, seeded: map[request]*node{}, left: map[string]string{}, taken: map[string]addrs.Image{}, began: time.Now(),
		budget: budget{most: o.MaxCost}, delivery: newDelivery(),
		// The journal changes the state while workers append to it.
		prior: o.Prior.Images.Clone(), tasks: maps.Clone(o.Prior.Tasks), moderated: maps.Clone(o.Prior.Moderated),
		renders: newRenders(o.Prior.Renditions),
	}
	r.taking, r.endTaking = context.WithCancelCause(ctx)
	for name, a := range o.Accounts {
		if a.TaskTimeout == 0 {
			a.TaskTimeout = defaultTaskTimeout
		}
		most := max(a.Concurrency, 1)
		if o.Parallelism > 0 {
			most = min(most, o.Parallelism)
		}
		s := newSlots(most)
		for model, limit := range a.ModelConcurrency {
			s.limitModel(model, limit)
		}
		r.accounts[name] = &account{Account: a, slots: s}
	}
	return r
}

// results answers for the images that exist now.
func (r *run) results(addr addrs.Image) *image.Result {
	return state.Exports(addr, r.image)
}

// image returns the record of an image that exists and will not change any more in this run, or
// nil.
func (r *run) image(addr addrs.Image) *state.Image {
	if img := r.made[addr]; img != nil {
		return img
	}
	if n := r.nodes[addr]; n != nil && n.phase != over {
		return nil
	}
	if _, isBroken := r.broken[addr]; isBroken {
		return nil
	}
	if c := r.plan[addr]; c != nil && c.From() != nil {
		return c.Prior
	}
	return r.prior.Get(addr)
}

func (r *run) emit(e Event) {
	if r.opts.OnEvent != nil {
		r.opts.OnEvent(e)
	}
}

// jitter is a random number from 0 up to 1. It decides when to try again and nothing else.
func jitter() float64 { return rand.Float64() } //nolint:gosec // not a secret

// openFile opens a local reference.
func openFile(path string) (io.ReadCloser, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, info.Size(), nil
}
