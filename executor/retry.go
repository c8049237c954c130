package executor

import (
	"errors"
	"net/http"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// Bounds of the delay between two attempts of one call.
const (
	firstDelay = 500 * time.Millisecond
	maxDelay   = 30 * time.Second
)

// maxAttempts bounds the attempts of one call that fails in a way that passes. With the delays
// above they span some three minutes on average. Answers that only say "too many tasks" do not
// count, since they say nothing against the request.
const maxAttempts = 10

// backoff returns how long to wait after the given number of failed attempts: exponential, with
// full jitter, so that the calls of many tasks that failed together do not come back together.
// jitter is from 0 up to 1. A delay that the API asked for is the least.
func backoff(attempts int, jitter float64, asked time.Duration) time.Duration {
	ceiling := maxDelay
	if shift := attempts - 1; shift < 6 {
		ceiling = min(firstDelay<<max(shift, 0), maxDelay)
	}
	delay := time.Duration(jitter * float64(ceiling))
	if asked > 0 {
		// Spread over a little more than what was asked, for the same reason.
		return asked + delay/4
	}
	return delay
}

// retryable reports whether a call that failed with err may succeed later.
func retryable(err error) bool {
	var call interface{ Retryable() bool }
	return errors.As(err, &call) && call.Retryable()
}

// endsRun reports whether no submission can succeed after this answer: the key is not valid, or
// there is no money. A wrong key is answered with 403 as often as with 401; once the API has taken
// something, a 403 is about one request.
func (a *account) endsRun(err *bfl.APIError) bool {
	isKey := err.StatusCode == http.StatusUnauthorized || err.StatusCode == http.StatusForbidden && !a.taken
	return isKey || err.OutOfCredits() || err.QuotaExhausted()
}

// mostBarred is how long an account may be refused with nothing active and nothing taken, before
// that is no matter of waiting any more.
const mostBarred = 10 * time.Minute

// isBarred reports whether the API refuses this account for so long that waiting is in vain. It is
// asked after each answer of "too many tasks".
func (a *account) isBarred(now time.Time) bool {
	switch {
	case a.slots.active > 0:
		a.barred = time.Time{}
	case a.barred.IsZero():
		a.barred = now
	}
	return !a.barred.IsZero() && now.Sub(a.barred) >= mostBarred
}

// took notes that the API has taken a request.
func (a *account) took() { a.taken, a.barred = true, time.Time{} }
