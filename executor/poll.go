package executor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/state"
)

// pollTimeout bounds one look at a task.
const pollTimeout = 30 * time.Second

// A task may be unknown for a moment: right after it was submitted, or to one of the API's hosts.
// It is paid for, and so it is given up only once some looks in a row do not find it, all of them
// made when it has been there for a minute and more.
const (
	settlingTime = time.Minute
	unknownLooks = 3
	unknownGap   = time.Second
	mostUnknown  = 5 * time.Second
)

// mostPollWait bounds how long a look is put off because the API asks to wait, or failed. A look
// costs nothing, and a task that has ended is not to lie there until its image is gone.
const mostPollWait = 30 * time.Second

// pollLater looks at a task after a while, unless it is looked at before.
func (r *run) pollLater(n *node, delay time.Duration) {
	n.look++
	look := n.look
	r.later(delay, func() {
		if n.look == look {
			r.poll(n)
		}
	})
}

// poll looks at a task once.
func (r *run) poll(n *node) {
	n.look++
	n.looking, n.lookAgain = true, false
	api, id, pollingURL, ctx := n.lane.account.API, n.task.ID, n.task.PollingURL, r.ctx
	if n.byID {
		pollingURL = ""
	}
	r.spawn(func() func() {
		result, err := look(ctx, api, id, pollingURL)
		return func() { r.polled(n, result, err) }
	})
}

// look asks for a task where the API said that it is, or looks for it where the API said nothing.
func look(ctx context.Context, api API, id, pollingURL string) (bfl.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	if pollingURL == "" {
		return api.Find(ctx, id)
	}
	return api.Poll(ctx, pollingURL)
}

// polled decides what follows a look at a task.
func (r *run) polled(n *node, result bfl.Result, err error) {
	n.looking = false
	if n.phase == over {
		return
	}
	elapsed := time.Since(n.submitted)
	if err != nil {
		r.pollFailed(n, err, elapsed)
		return
	}
	n.attempts = 0
	clear(r.delivery.unseen)
	r.outageOver(true)
	if result.HasCost {
		r.settled(n, result.Cost)
	}
	if result.Status == bfl.NotFound {
		r.unknown(n, elapsed)
		return
	}
	n.unknown = 0
	switch result.Status {
	case bfl.Ready:
		r.ready(n, result, elapsed)
	case bfl.Failed:
		reason := orElse(result.Message, "no reason was given")
		r.lost(n, "failed at the API: "+reason, &TaskError{n.task.ID, "failed at the API: " + reason, n.cost})
	case bfl.RequestModerated, bfl.ContentModerated:
		r.ended(n, state.Moderated{Key: n.record.Key, Reasons: result.Reasons, Cost: n.cost},
			&ModeratedError{Status: result.Status, Reasons: result.Reasons, Cost: n.cost, TaskID: n.task.ID})
	default:
		n.seen = elapsed
		if !n.salvages() {
			r.emit(Progressed{n.address(), result.Raw, result.Progress, elapsed})
		}
		r.stillActive(n, elapsed, r.gap(n, elapsed))
	}
}

// settled takes what the API says that a task costs: the last that it names is what was charged.
func (r *run) settled(n *node, cost bfl.Credits) {
	if !n.resumed {
		// What an earlier run was charged is in that run's sum.
		r.summary.Cost += cost - n.cost
		r.budget.charge(0, cost-n.cost)
	}
	n.cost = cost
}

// age is how long ago the API took the task, at the least: the clock of the run that was told may have been
// ahead of this one's.
func (n *node) age() time.Duration { return max(time.Since(n.accepted), time.Since(n.submitted)) }

// unknown decides what follows a look that did not find the task.
func (r *run) unknown(n *node, elapsed time.Duration) {
	if n.byID {
		// It is the host of its polling URL that would know it, and that one said nothing: it is
		// asked again.
		n.byID = false
		if n.elsewhere++; n.elsewhere < unknownLooks {
			r.stillActive(n, elapsed, unknownGap)
			return
		}
		r.leave(n, "is not where the API said, nor where it was submitted. It is paid for, and the next apply looks again")
		return
	}
	if n.age() < settlingTime {
		r.stillActive(n, elapsed, min(max(unknownGap, elapsed/4), mostUnknown))
		return
	}
	if n.unknown++; n.unknown < unknownLooks {
		r.stillActive(n, elapsed, unknownGap)
		return
	}
	if n.task.PollingURL == "" && !n.resumed {
		r.leave(n, "is not known where it was submitted, and the API named no other place. It is paid for, and the next apply looks again")
		return
	}
	const reason = "is no longer known to the API"
	r.lost(n, reason, &TaskError{n.task.ID, reason, n.cost})
}

// stillActive looks again later, unless the task has had its time. It then stays on record, and a
// later run looks at it first.
func (r *run) stillActive(n *node, elapsed, delay time.Duration) {
	left := n.lane.account.TaskTimeout - elapsed
	if left < 0 {
		r.leave(n, fmt.Sprintf("is still not ready after %s. The next apply continues with it", elapsed.Round(time.Second)))
		return
	}
	// A little more than what is left of its time: the last look comes at its end.
	r.pollLater(n, min(delay, left+time.Second))
}

// leave fails the image in this run, and leaves its task to a later one: nothing is recorded that
// would end it.
func (r *run) leave(n *node, why string) {
	r.fail(n, &TaskError{TaskID: n.task.ID, Reason: why})
}

// pollFailed handles a look that failed. Nothing is lost by looking again, so only answers that
// will not change end it.
func (r *run) pollFailed(n *node, err error, elapsed time.Duration) {
	if r.ctx.Err() != nil {
		return
	}
	if errors.Is(err, bfl.ErrNowhere) {
		if n.age() < settlingTime {
			r.stillActive(n, elapsed, mostUnknown)
			return
		}
		r.leave(n, fmt.Sprintf("is paid for, and the next apply looks for it again: %v", err))
		return
	}
	var api *bfl.APIError
	isAnswer := errors.As(err, &api)
	if !retryable(err) && (isAnswer || isURL(err)) {
		r.pollRefused(n, err, api, elapsed)
		return
	}
	if call, ok := errors.AsType[interface {
		error
		Retryable() bool
	}](err); ok && !call.Retryable() {
		// The task stays on record: with a network that works again, a later run can fetch its
		// image.
		r.fail(n, fmt.Errorf("task %s was submitted, but asking for it failed: %w. The next apply continues with it", n.task.ID, err))
		return
	}
	n.attempts++
	var asked time.Duration
	if isAnswer {
		asked = api.RetryAfter
	}
	delay := min(backoff(n.attempts, jitter(), asked), mostPollWait)
	if !n.salvages() {
		r.emit(Retrying{n.address(), "poll", err, delay})
	}
	r.stillActive(n, elapsed, delay)
	r.unlooked(n, err)
}

// pollRefused handles an answer to a look that says nothing of the task. It may be the polling URL
// that is wrong, and a task can always be found by its id.
func (r *run) pollRefused(n *node, err error, api *bfl.APIError, elapsed time.Duration) {
	isKey := api != nil && (api.Unauthorized() || api.OutOfCredits())
	if !isKey && !n.byID && n.task.PollingURL != "" {
		n.byID = true
		r.stillActive(n, elapsed, unknownGap)
		return
	}
	r.fail(n, fmt.Errorf("task %s was submitted, but asking for it failed: %w. The next apply continues with it", n.task.ID, err))
	if api != nil && api.StatusCode == 401 || api != nil && api.OutOfCredits() {
		r.stopNew(err)
	}
}

// isURL reports whether a call was not made because of the address.
func isURL(err error) bool {
	_, ok := errors.AsType[*bfl.URLError](err)
	return ok
}

// ready frees the slot of a task that ended well, and queues its download.
func (r *run) ready(n *node, result bfl.Result, elapsed time.Duration) {
	n.sample = result
	if n.phase == active {
		r.learn(n, elapsed)
		n.lane.account.slots.succeeded()
		r.release(n)
		r.vacate(n)
		n.phase, n.until = fetching, until(result)
		if !n.salvages() {
			r.emit(Ready{n.address(), elapsed})
		}
	}
	r.downloads = append(r.downloads, n)
}

// lost ends a task that nothing will come of. Where it was paid for, it stays on record until
// somebody was told.
func (r *run) lost(n *node, reason string, err error) {
	if n.cost == 0 {
		r.ended(n, state.Failed{Key: n.record.Key, Reason: reason}, err)
		return
	}
	r.ended(n, state.Lost{Key: n.record.Key, Reason: reason, Cost: n.cost}, err)
}

// ended records a task that is over without an image.
func (r *run) ended(n *node, record state.Record, err error) {
	if n.phase == active {
		r.release(n)
		r.vacate(n)
		n.lane.account.slots.succeeded()
	}
	n.phase, n.gone = ending, true
	r.spawn(func() func() {
		recordErr := r.opts.Journal.Append(record)
		return func() {
			delete(r.tasks, n.record.Key)
			r.fail(n, err)
			if recordErr != nil {
				r.stopNew(noJournal(recordErr))
			}
		}
	})
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
