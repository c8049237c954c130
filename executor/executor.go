package executor

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// API is what the executor asks of a provider. *bfl.Client is one.
type API interface {
	Submit(ctx context.Context, request *bfl.Request, open bfl.Opener) (bfl.Submission, error)
	Poll(ctx context.Context, pollingURL string) (bfl.Result, error)
	Find(ctx context.Context, taskID string) (bfl.Result, error)
	Download(ctx context.Context, sampleURL string, w io.Writer, limit int64) (int64, error)
}

// Journal makes records durable. *state.Session is one. Append returns once the record is on disk
// and is safe for concurrent use.
type Journal interface {
	Append(record state.Record) error
}

// Store keeps the files of images that make way for others. *state.Store is one, and says what its
// methods do.
type Store interface {
	PutFile(dir *safefile.Dir, name string, addr addrs.Image, img *state.Image) error
	KeepFile(dir *safefile.Dir, name string, addr addrs.Image, img *state.Image) error
	Take(sha256 string, dir *safefile.Dir, path string) (*safefile.Pending, error)
	Whole(sha256 string) bool
	Elsewhere(sha256 string) (bool, error)
	Publish(dir *safefile.Dir, name string, addr addrs.Image, img *state.Image) error
}

// Index remembers files, so that they need not be read again to know that they are as recorded.
// *state.Index is one.
type Index interface {
	Record(path string, info fs.FileInfo, sha256 string)
	Hash(dir *safefile.Dir, path string) (string, error)
}

// Account is a provider's API and its limits.
type Account struct {
	API API
	// Concurrency bounds the active tasks of the account, ModelConcurrency those of single models.
	Concurrency      int
	ModelConcurrency map[string]int
	// TaskTimeout is how long a task may be active before it is left to a later run. The default is
	// 15 minutes.
	TaskTimeout time.Duration
	// Simulator says that a simulator may answer.
	Simulator bool
	// Slots, where not nil, shares the account with other runs.
	Slots Slots
	// Rings says that the API was asked to ring Options.Doorbell when a task of this account has
	// ended. Tasks are then looked at seldom before it does.
	Rings bool
}

// Options are what an apply needs besides its plan.
type Options struct {
	// Accounts are the providers by address. Every provider that the plan names must be there.
	Accounts map[string]Account
	Journal  Journal
	// Distant says that the journal is on another machine, so that a record takes as long as a call.
	Distant bool
	Store   Store
	// Stored is that of planner.Options; nil where there is no store.
	Stored func(addr addrs.Image, fingerprint string, simulated bool) []*state.Image
	// Index is told of new files, and asked what is in files that may stand where images go.
	Index Index
	// Dir is where the paths of the state begin: the root module's directory, or the simulation's.
	Dir *safefile.Dir
	// Prior is the state that the plan was made from.
	Prior *state.State
	// Parallelism, when not 0, bounds the active tasks of each account further.
	Parallelism int
	// MaxCost, when not nil, bounds what this apply spends.
	MaxCost *bfl.Credits
	// RetryModerated asks again for what moderation refused before.
	RetryModerated bool
	// Drain, when done, ends the beginning of new work; its cause is what skipped images are told.
	Drain context.Context
	// Resolve evaluates the desired image again, now that the results of the images upstream are
	// known, and returns it as the plan saw it; see planner.Plan.See. It is called for changes with
	// arguments or preconditions that were not known in the plan, one at a time.
	Resolve func(addr addrs.Image, results func(addrs.Image) *image.Result) (*image.Image, error)
	// Accept checks an image that is there now against its postconditions, one at a time. The image
	// is kept in any case, but where this fails, nothing is made from it. Nil accepts all.
	Accept func(addr addrs.Image, results func(addrs.Image) *image.Result) bool
	// Judge asks a gate about a picture: what is on record of it, and of the other instances of its
	// block. It is called beside the run, several at a time. An error is the gate's own, and judges
	// nothing.
	Judge func(ctx context.Context, gate image.Gate, subject Subject) (image.Verdict, error)
	// Doorbell carries the ids of tasks that may have ended, and that are then looked at at once;
	// nil where nobody rings. What comes through it is believed no further than that: ids that are
	// wrong, late, repeated or missing cost time and nothing else.
	Doorbell <-chan string
	// OnEvent is told what happens, one event at a time.
	OnEvent func(Event)
}

// Neighbour is another image of the block of one that is judged.
type Neighbour struct {
	Address addrs.Image
	Image   *state.Image
}

// Subject is a picture that a gate judges.
type Subject struct {
	Address addrs.Image
	Image   *state.Image
	// Others are the pictures of the other instances of its block.
	Others []Neighbour
}

const defaultTaskTimeout = 15 * time.Minute

// maxDownloads bounds how many images are fetched at once.
const maxDownloads = 16

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
	// unfinished counts nodes that are not over, workers the calls under way.
	unfinished, workers int
	// calls hands calls to workers that have nothing to do. A call needs a deep stack, which a new
	// goroutine would have to grow into each time.
	calls chan func() func()
	// told carries what is to be done on the coordinator after a worker's call.
	told chan func()
	stop error // why nothing new is begun, nil while it is
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
		budget: budget{most: o.MaxCost},
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

// loop runs until every change is over and every worker has come back.
func (r *run) loop() {
	drained, doorbell := r.opts.Drain.Done(), r.opts.Doorbell
	for r.unfinished > 0 || r.workers > 0 || len(r.renders.queue) > 0 {
		r.launch()
		r.unwaited()
		if r.unfinished == 0 && r.workers == 0 {
			return
		}
		wake := r.timer()
		select {
		case do := <-r.told:
			r.workers--
			do()
		case id, open := <-doorbell:
			if !open {
				doorbell = nil
				break
			}
			r.rung(id)
		case <-wake.C:
			r.keepAppointments()
		case <-drained:
			drained = nil
			r.stopNew(context.Cause(r.opts.Drain))
		case <-r.ctx.Done():
			r.abandon()
		}
		wake.Stop()
	}
}

// timer fires when the next entry of the agenda is due.
func (r *run) timer() *time.Timer {
	at, ok := r.agenda.next()
	if !ok {
		return time.NewTimer(time.Hour)
	}
	return time.NewTimer(time.Until(at))
}

func (r *run) keepAppointments() {
	for {
		do, ok := r.agenda.due(time.Now())
		if !ok {
			return
		}
		do()
	}
}

// launch begins as much as the limits allow.
func (r *run) launch() {
	for r.stop == nil && r.bringing < mostSalvaging && len(r.homeless) > 0 {
		n := r.homeless[0]
		r.homeless = r.homeless[1:]
		r.bringing++
		r.begin(n)
	}
	for r.stop == nil {
		n := r.take()
		if n == nil {
			break
		}
		r.begin(n)
	}
	r.prepare()
	for r.downloading < maxDownloads && len(r.downloads) > 0 {
		n := r.downloads[0]
		r.downloads = r.downloads[1:]
		r.download(n)
	}
	r.launchRenders()
}

// spawn makes a call beside the coordinator, which then does what the call returns.
func (r *run) spawn(call func() func()) {
	r.workers++
	select {
	case r.calls <- call:
	default:
		go r.work(call)
	}
}

// work makes a call, and after it others, until the run is over.
func (r *run) work(call func() func()) {
	for isOne := true; isOne; call, isOne = <-r.calls {
		r.told <- call()
	}
}

// later puts an appointment on the agenda.
func (r *run) later(delay time.Duration, do func()) { r.agenda.add(time.Now().Add(delay), do) }

// stopNew ends the beginning of new work: what has not been submitted is skipped.
func (r *run) stopNew(cause error) {
	if r.stop != nil {
		return
	}
	r.stop = cause
	r.endTaking(cause)
	for _, n := range r.sorted() {
		if n.phase == waiting || n.salvages() && n.phase == active {
			r.skip(n, Skipped{Address: n.address(), Err: cause})
		}
	}
}

// abandon leaves all that is under way to a later run. Workers still come back, soon, since their
// calls are broken off.
func (r *run) abandon() {
	r.stopNew(context.Cause(r.ctx))
	r.agenda.clear()
	r.downloads = nil
	// What a worker finishes all the same, such as an image that is being put in place, is done,
	// and counts as that.
	r.comeBack()
	for _, n := range r.sorted() {
		if n.phase != over {
			r.skip(n, Skipped{Address: n.address(), Err: context.Cause(r.ctx)})
		}
	}
	r.comeBack()
}

// comeBack waits for the workers that are under way, and for those that they call for.
func (r *run) comeBack() {
	for r.workers > 0 {
		do := <-r.told
		r.workers--
		do()
	}
	r.launchRenders() // Nothing new is begun any more; they are skipped.
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
	if c := r.plan[addr]; c != nil && c.From != nil {
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
