package executor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// submitTimeout bounds one POST, which may carry eight references of 20 MB.
const submitTimeout = 5 * time.Minute

// begin submits a node's request, unless it turns out that its image is there already.
func (r *run) begin(n *node) {
	switch {
	case n.ahead:
		r.hold(n)
		n.phase = calling
		if !n.recorded.IsZero() {
			r.submit(n)
		}
	case r.readied(n):
		r.hold(n)
		r.submitShared(n)
	}
}

// readied makes a node ready to be submitted, and reports whether it is to be: its image may turn
// out to be there already, or not to be had.
func (r *run) readied(n *node) bool {
	if n.salvages() {
		task := n.record
		r.resume(n, &task)
		return false
	}
	if n.began.IsZero() && !r.started(n) {
		return false
	}
	if r.finds(n) {
		return false
	}
	if err := r.allowed(n); err != nil {
		r.fail(n, err)
		return false
	}
	if err := r.budget.reserve(n.price); err != nil {
		r.skip(n, Skipped{Address: n.address(), Err: err})
		r.stopAsking(err)
		return false
	}
	return true
}

// started makes a node's request whole, now that all that goes into it is there, and reports whether
// there is something to ask for.
func (r *run) started(n *node) bool {
	desired, err := r.resolve(n)
	if err == nil && !n.resumes() && r.awaitsRenditions(n, desired) {
		return false
	}
	n.began = time.Now()
	if err == nil {
		err = r.complete(n, desired)
	}
	if err != nil {
		r.fail(n, err)
		return false
	}
	if r.keepsImage(n) {
		r.unchanged(n)
		return false
	}
	r.emit(Started{n.address(), n.change.Action})
	if n.resumes() {
		r.resume(n, n.change.Task())
		return false
	}
	return true
}

// allowed refuses to ask for what moderation refused before, in this very form.
func (r *run) allowed(n *node) error {
	refused, ok := r.moderated[n.fingerprint]
	if !ok || r.opts.RetryModerated || refused.Simulated && !n.lane.account.Simulator {
		return nil
	}
	return &ModeratedError{Reasons: refused.Reasons, Before: true}
}

// hold takes a slot for the node.
func (r *run) hold(n *node) {
	n.lane.account.slots.take(n.lane.model)
	n.holdsSlot = true
}

// resolve returns what the node is to make, now that all images upstream are there.
func (r *run) resolve(n *node) (*image.Image, error) {
	desired := new(*n.change.Desired)
	// What is paid for is fetched, whatever its preconditions say by now.
	if !desired.Known() || desired.Lifecycle().Undecided && !n.resumes() {
		again, err := r.opts.Resolve(n.address().Of(), r.results)
		if err != nil {
			return nil, err
		}
		if candidate := n.address().Candidate; candidate > 0 {
			again = again.Nth(candidate)
		}
		if !desired.Known() {
			desired = again
		}
	}
	return desired, nil
}

// complete makes the node's request whole, with the content of all that goes into it.
func (r *run) complete(n *node, desired *image.Image) error {
	desired.References = slices.Clone(desired.References)
	for i := range desired.References {
		ref := &desired.References[i]
		if !ref.IsMade() {
			continue
		}
		file := r.source(ref)
		if file == nil {
			return fmt.Errorf("%s, which it is made from, does not exist", ref.Name())
		}
		ref.SHA256, ref.Size, ref.FileSHA256 = file.Identity(), file.Size(), file.SHA256
	}
	n.desired, n.request, n.fingerprint = desired, desired.Request(), n.change.Fingerprint
	n.price = r.price(n)
	switch made := n.request.Fingerprint(); n.fingerprint {
	case "":
		n.fingerprint = made
	case made:
	default:
		return errors.New("what it is made from is not what the plan found. Nothing was sent. Plan again")
	}
	n.record = r.taskRecord(n)
	return nil
}

// price is what the node's image will cost, now that all sizes are known. Where that is more than
// the plan said, it is told before it is spent.
func (r *run) price(n *node) bfl.Credits {
	if n.change.Origin != planner.Generate {
		return n.change.Price
	}
	price := n.request.Quote().Reserve
	if price > n.change.Cost {
		r.emit(Warned{n.address(), fmt.Sprintf("It costs %s now that all sizes are known. The plan said %s.", price.Dollars(), n.change.Cost.Dollars())})
	}
	return price
}

// keepsImage reports whether the image on record is the one that the request, known at last, would
// make.
func (r *run) keepsImage(n *node) bool {
	c := n.change
	isSame := func() bool {
		return c.Prior.Fingerprint == n.fingerprint || planner.SameButIgnored(n.desired, c.Prior)
	}
	return c.Conditional() && isSame() &&
		!slices.ContainsFunc(c.Reasons, func(reason planner.Reason) bool {
			return !reason.IsUpstream() && reason.Kind != planner.RequestChanged
		})
}

// submit makes one attempt at the POST, for which a slot is held.
func (r *run) submit(n *node) {
	api, request, ctx, account := n.lane.account.API, seeded(n.request, n.change.RecordedSeed()), r.ctx, n.lane.account
	record := r.intent(n)
	if !n.ahead {
		account.unanswered++
	}
	n.ahead = false
	key, cost := n.record.Key, n.price
	open, hold := r.opener(n), n.hold
	post := func() func() {
		ctx, cancel := context.WithTimeout(ctx, submitTimeout)
		defer cancel()
		answer, err := api.Submit(ctx, request, open)
		if err != nil {
			return r.refused(n, key, err)
		}
		accepted := time.Now()
		// A crash before this record is durable loses the task's id, and only that crash can.
		err = r.opts.Journal.Append(state.Submitted{
			Key: key, ID: answer.ID, PollingURL: answer.PollingURL, Cost: charged(answer, cost), Simulated: answer.Simulated, Accepted: accepted,
		})
		if hold != nil {
			hold.Runs(r.ctx, answer.ID, charged(answer, cost))
		}
		return func() { r.accepted(n, answer, accepted, err) }
	}
	r.spawn(func() func() {
		took, err := record()
		then := func() { r.notRecorded(n, err) }
		if err == nil {
			then = post()
		}
		return func() {
			account.unanswered--
			if took > 0 {
				r.tookToRecord(took)
			}
			then()
		}
	})
}

// intent returns what records a node's intent beside the coordinator, and says how long it took:
// nothing where it is on record already.
func (r *run) intent(n *node) func() (took time.Duration, err error) {
	if n.isFresh() {
		return func() (time.Duration, error) { return 0, nil }
	}
	// The plan said that these may have been charged, and with that they are settled.
	var settled []state.Failed
	for _, told := range n.change.Unanswered() {
		settled = append(settled, state.Failed{Key: told.Key, Reason: "sent again, as the plan said"})
	}
	if len(settled) > 0 {
		n.change.Rare().Unanswered = nil
	}
	if !n.recorded.IsZero() && n.ahead {
		settled = append(settled, notSent(n.record.Key))
	}
	n.record.Key = state.NewKey()
	task := n.record
	return func() (time.Duration, error) {
		for _, record := range settled {
			if err := r.opts.Journal.Append(record); err != nil {
				return 0, err
			}
		}
		// A crash after this record leaves an intent without an answer: the next plan says that it
		// may have been charged.
		began := time.Now()
		err := r.opts.Journal.Append(state.Intent{Task: task})
		return time.Since(began), err
	}
}

// seeded returns the request with a seed that is sent but not part of what was asked for, unless
// that is nil.
func seeded(request *bfl.Request, seed *int64) *bfl.Request {
	if seed == nil {
		return request
	}
	sent := *request
	sent.Arguments = append(slices.Clone(request.Arguments), bfl.Argument{Name: "seed", Value: *seed})
	bfl.SortArguments(sent.Arguments)
	return &sent
}

// accepted goes on with a task that the API accepted. recordErr tells that its id could not be
// recorded.
func (r *run) accepted(n *node, task bfl.Submission, at time.Time, recordErr error) {
	n.task, n.submitted, n.accepted, n.attempts = task, at, at, 0
	cost := charged(task, n.price)
	n.cost = cost
	r.summary.Cost += cost
	r.budget.charge(n.price, cost)
	r.unresolved = time.Time{}
	n.lane.account.took()
	if n.phase == over {
		return
	}
	n.phase = active
	r.known(n)
	r.emit(Submitted{n.address(), task.ID, cost})
	if task.Warning != nil {
		r.emit(Warned{n.address(), task.Warning.Error()})
	}
	if recordErr != nil {
		// The task is known only here, so it is seen through; nothing that could not be recorded
		// either is begun.
		r.stopNew(noJournal(recordErr))
	}
	if n.rung {
		r.poll(n)
		return
	}
	r.pollLater(n, r.gap(n, 0))
}

// charged is what a task costs: what the API says, or the estimate where it says nothing.
func charged(task bfl.Submission, estimate bfl.Credits) bfl.Credits {
	if task.HasCost {
		return task.Cost
	}
	return estimate
}

// opener gives a worker the content of the node's inputs.
func (r *run) opener(n *node) bfl.Opener {
	sources := make(map[string]func() (io.ReadCloser, int64, error), len(n.desired.References))
	for i := range n.desired.References {
		ref := &n.desired.References[i]
		open := func() (io.ReadCloser, int64, error) { return openFile(ref.Path) }
		if ref.IsMade() {
			output := r.source(ref)
			open = func() (io.ReadCloser, int64, error) {
				f, err := r.opts.Dir.Open(output.Path)
				return f, output.Bytes, err
			}
		}
		sources[ref.Field] = func() (io.ReadCloser, int64, error) { return r.inputs.open(sourceOf(ref), ref.FileSHA256, open) }
	}
	return func(in bfl.Input) (io.ReadCloser, int64, error) { return sources[in.Field]() }
}

// taskRecord is what the journal is to know of the node's task.
func (r *run) taskRecord(n *node) state.Task {
	return state.Task{
		Key: n.record.Key, Address: n.address(), Provider: n.desired.Provider, Model: n.desired.Model.Name, Fingerprint: n.fingerprint,
		Request: n.desired.Record(), Path: n.desired.Output, Cost: n.price,
		Dependencies: n.desired.Dependencies, Labels: n.desired.Labels,
	}
}
