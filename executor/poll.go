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

// A task may be unknown for a moment: right after it was submitted, or to one of the API's hosts. It is paid for, and so it is given up only once
// some looks in a row do not find it.
const (
	unknownLooks = 3
	unknownGap   = time.Second
)

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
	api, task, ctx := n.lane.account.API, n.task, r.ctx
	r.spawn(func() func() {
		result, err := look(ctx, api, task.ID, task.PollingURL)
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
	if result.Status != bfl.NotFound {
		n.unknown = 0
	}
	switch result.Status {
	case bfl.Ready:
		r.ready(n, result, elapsed)
	case bfl.Failed:
		r.ended(n, result.Status, state.Failed{Address: n.address(), Reason: result.Message},
			&TaskError{n.task.ID, "failed at the API: " + orElse(result.Message, "no reason was given")})
	case bfl.NotFound:
		n.unknown++
		switch {
		case n.unknown < unknownLooks && n.task.PollingURL != "":
			r.pollLater(n, unknownGap)
			return
		case n.resumed:
			r.forget(n, "is not known to the API any more")
			return
		case n.task.PollingURL == "":
			r.leave(n, "is not known where it was submitted, and the API did not say where else it is. "+
				"It is paid for and stays on record: the next apply looks again, and makes the image anew only if it is unknown then too")
			return
		}
		r.ended(n, result.Status, state.Failed{Address: n.address(), Reason: "task not found"},
			&TaskError{n.task.ID, "is not known to the API any more"})
	case bfl.RequestModerated, bfl.ContentModerated:
		r.ended(n, result.Status,
			state.Moderated{Address: n.address(), Fingerprint: n.fingerprint, Reasons: result.Reasons},
			&ModeratedError{Status: result.Status, Reasons: result.Reasons})
	default:
		n.seen = elapsed
		r.emit(Progressed{n.address(), result.Raw, result.Progress, elapsed})
		r.stillActive(n, elapsed, r.gap(n, elapsed))
	}
}

// stillActive looks again later, unless the task has had its time. It then stays on record, and a later run looks at it first.
func (r *run) stillActive(n *node, elapsed, delay time.Duration) {
	if elapsed > n.lane.account.TaskTimeout {
		r.leave(n, fmt.Sprintf("is still not ready after %s. It stays on record, and the next apply goes on with it", elapsed.Round(time.Second)))
		return
	}
	r.pollLater(n, delay)
}

// leave fails the image in this run, and leaves its task to a later one: nothing is recorded that would end it.
func (r *run) leave(n *node, why string) {
	r.release(n)
	r.fail(n, &TaskError{n.task.ID, why})
}

// pollFailed handles a look that failed. Nothing is lost by looking again, so only answers that will not change end it.
func (r *run) pollFailed(n *node, err error, elapsed time.Duration) {
	if r.ctx.Err() != nil {
		return
	}
	if errors.Is(err, bfl.ErrNowhere) {
		r.leave(n, fmt.Sprintf("is paid for and stays on record, and the next apply looks for it again: %v", err))
		return
	}
	var api *bfl.APIError
	isAnswer := errors.As(err, &api)
	var call interface{ Retryable() bool }
	if errors.As(err, &call) && !call.Retryable() {
		// The task stays on record: with a key or a network that works again, a later run can fetch its image.
		r.release(n)
		r.fail(n, fmt.Errorf("task %s was submitted, and looking at it failed: %w", n.task.ID, err))
		if isAnswer && endsRun(api) {
			r.stopNew(err)
		}
		return
	}
	n.attempts++
	var asked time.Duration
	if isAnswer {
		asked = api.RetryAfter
	}
	delay := backoff(n.attempts, jitter(), asked)
	r.emit(Retrying{n.address(), "poll", err, delay})
	r.stillActive(n, elapsed, delay)
}

// ready frees the slot of a task that ended well, and queues its download.
func (r *run) ready(n *node, result bfl.Result, elapsed time.Duration) {
	n.sample = result
	if n.phase == active {
		r.learn(n, elapsed)
		n.lane.account.slots.succeeded()
		r.release(n)
		n.phase = fetching
		r.emit(Ready{n.address(), elapsed})
	}
	r.downloads = append(r.downloads, n)
}

// ended records a task that is over without an image.
func (r *run) ended(n *node, status bfl.Status, record state.Record, err error) {
	if n.phase == active {
		r.release(n)
		n.lane.account.slots.succeeded()
	}
	r.spawn(func() func() {
		recordErr := r.opts.Journal.Append(record)
		return func() {
			r.fail(n, err)
			if recordErr != nil {
				r.stopNew(recordErr)
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
