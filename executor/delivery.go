package executor

import (
	"errors"
	"fmt"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// Images come from another host than the API, which goes on taking requests, and money, while that
// one delivers nothing. What is bought then waits there, and not for ever.

// mostUndelivered is how many images in a row may be bought and not be fetched: while these are tried
// again nothing is bought, and nothing any more when all their attempts have failed. One or two may
// be damaged, or too old.
const mostUndelivered = 3

// delivery is what became of downloads since the last one that succeeded. Owned by the coordinator.
type delivery struct {
	// failing are the images that are tried again, and failed counts those that were left to a later
	// run.
	failing map[*node]bool
	failed  int
	// unseen are the tasks of this run that cannot be looked at, since the last look at any that
	// succeeded: they hold their slots until their time is over, and then others would be bought in
	// their places that cannot be looked at either.
	unseen map[*node]bool
}

// unseenAfter is after how many looks in a row that failed a task is unseen.
const unseenAfter = 3

// isStalled reports whether nothing is to be bought for now.
func (d *delivery) isStalled() bool { return len(d.failing)+len(d.unseen)+d.failed >= mostUndelivered }

// holdsBack reports whether nothing new is to be bought until more of what was bought is here.
func (r *run) holdsBack() bool { return r.delivery.isStalled() || r.isBehind() }

func (d *delivery) succeeded() {
	clear(d.failing)
	d.failed = 0
}

// DeliveryError says that an image which the API has made could not be fetched at any attempt. Its
// text is the same for all images that fail like that.
type DeliveryError struct {
	// All says that no other image could be fetched either, so that nothing more is bought.
	All bool
	Err error
}

func (e *DeliveryError) Error() string {
	if e.All {
		return fmt.Sprintf("no image that the API has made can be fetched: %v", e.Err)
	}
	return fmt.Sprintf("fetching the image failed %d times: %v. %s", maxAttempts, e.Err, onRecord)
}

func (e *DeliveryError) Unwrap() error { return e.Err }

// speaksOfAll reports whether a download that failed says something of others. The task of an
// interrupted run may have failed in earlier ones and fail in each to come, which must not keep them
// from buying: only a host that is not there counts.
func speaksOfAll(n *node, err error) bool {
	if !n.resumed {
		return true
	}
	_, isNetwork := errors.AsType[*bfl.NetworkError](err)
	_, isAnswer := errors.AsType[*bfl.APIError](err)
	return isNetwork || isAnswer
}

// undelivered ends a node whose image could not be fetched, and leaves its task to a later run.
func (r *run) undelivered(n *node, err error) {
	r.fail(n, &DeliveryError{Err: err})
	if notShared, ok := errors.AsType[*notSharedError](err); ok {
		// Where this one cannot be put, no other can.
		r.stopNew(notShared.err)
		return
	}
	if speaksOfAll(n, err) {
		r.oneMoreFailed(err)
	}
}

func (r *run) oneMoreFailed(err error) {
	if r.delivery.failed++; r.delivery.failed >= mostUndelivered {
		r.stopNew(&DeliveryError{All: true, Err: err})
	}
}

// unlooked notes that a look at a task failed in a way that may pass. Where the task's time is over with
// that, it says something of others, but for those of former runs, whose host may be gone for good.
func (r *run) unlooked(n *node, err error) {
	switch {
	case n.resumed:
	case n.phase == over:
		r.oneMoreFailed(fmt.Errorf("looking at its task fails: %w", err))
	case n.attempts >= unseenAfter:
		r.delivery.unseen[n] = true
	}
}
