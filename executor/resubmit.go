package executor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/state"
)

// refused handles the error of a POST. It runs beside the coordinator and returns what the
// coordinator is to do.
func (r *run) refused(n *node, key string, err error) func() {
	if ambiguous(err) {
		// The intent stays on record, since the API may have taken the request.
		if n.hold != nil {
			n.hold.Runs(r.ctx, "", n.price)
		}
		return func() {
			if r.ctx.Err() != nil {
				return // abandon says that it was on the way.
			}
			// The reservation stays: the money may be gone.
			r.release(n)
			r.vacate(n)
			r.fail(n, &LostAnswerError{Cost: n.price, Err: err})
		}
	}
	// The API refused, so that nothing was charged. A crash before this record only makes the next
	// plan more careful than it need be.
	if recordErr := r.opts.Journal.Append(state.Failed{Key: key, Reason: err.Error()}); recordErr != nil {
		return func() { r.notRecorded(n, recordErr) }
	}
	return func() { r.retrySubmit(n, err) }
}

// ambiguous reports whether a failed POST may have been accepted all the same.
func ambiguous(err error) bool {
	var submit interface{ Ambiguous() bool }
	return errors.As(err, &submit) && submit.Ambiguous()
}

// retrySubmit decides what follows a POST that the API certainly did not accept.
func (r *run) retrySubmit(n *node, err error) {
	r.release(n)
	r.vacate(n)
	r.budget.refund(n.price)
	if n.phase == over {
		return
	}
	n.phase = waiting
	if r.ctx.Err() != nil {
		r.skip(n, Skipped{Address: n.address(), Err: context.Cause(r.ctx)})
		return
	}
	var api *bfl.APIError
	_ = errors.As(err, &api) // nil where there was no answer
	switch final, forAll := r.givesUp(n, err, api); {
	case final != nil:
		r.fail(n, final)
		if forAll {
			r.stopNew(final)
		}
	case r.stop != nil:
		r.skip(n, Skipped{Address: n.address(), Err: r.stop})
	default:
		r.resubmitLater(n, err, api)
	}
}

// givesUp returns the error with which a POST is given up, nil where it is tried again, and whether no
// other one can succeed either.
func (r *run) givesUp(n *node, err error, api *bfl.APIError) (final error, forAll bool) {
	account := n.lane.account
	switch {
	case api != nil && account.endsRun(api):
		return err, true
	case api != nil && api.RateLimited():
		account.slots.refused()
		if account.isBarred(time.Now()) {
			return fmt.Errorf("the API has accepted nothing for %s although no task is active: %w", mostBarred, err), true
		}
	case !retryable(err):
		return err, false
	case r.lostPatience(err):
		return err, true
	case isUnresolved(err):
	case n.attempts+1 >= maxAttempts:
		return fmt.Errorf("gave up after %d attempts: %w", maxAttempts, err), false
	}
	return nil, false
}

func (r *run) resubmitLater(n *node, err error, api *bfl.APIError) {
	var asked time.Duration
	if api != nil {
		asked = api.RetryAfter
	}
	tooMany := api != nil && api.RateLimited()
	if tooMany && asked > 0 {
		n.lane.account.pausedUntil = time.Now().Add(asked)
		// Wakes the coordinator when the pause is over.
		r.later(asked, func() {})
	}
	n.attempts++
	delay := backoff(n.attempts, jitter(), asked)
	if tooMany && n.attempts >= maxAttempts-1 {
		// "Too many tasks" says nothing against the request: it waits as long as it takes.
		n.attempts = maxAttempts - 2
	}
	delay = r.patiently(delay, err)
	r.emit(Retrying{n.address(), "submit", err, delay})
	r.later(delay, func() {
		if n.phase == waiting {
			r.enqueue(n)
		}
	})
}
