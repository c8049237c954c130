package executor

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// Images come from another host than the API, which goes on taking requests, and money, while that
// one delivers nothing. What is bought then waits there, and not for ever.

// mostUndelivered is how many images in a row may be bought and not be fetched: while these are tried
// again nothing is bought, and nothing any more when all their attempts have failed. One or two may
// be damaged, or too old.
const mostUndelivered = 3

// resultLife is how long a result can be had at the least: longer only where its URL says so.
const resultLife = 10 * time.Minute

// mostLife bounds what a URL says of that.
const mostLife = time.Hour

// delivery is what became of downloads since the last one that succeeded. Owned by the coordinator.
type delivery struct {
	// failing are the images that are tried again, and failed counts those that were left to a later
	// run, with tasks of interrupted runs among them where former is set.
	failing map[*node]bool
	failed  int
	former  bool
	// spent are the images that have had their attempts, with why the last one failed. They are paid
	// for, and are tried as long as anything else goes on and they may be had; givenUp says that
	// nothing does.
	spent   map[*node]error
	givenUp bool
	// unseen are the tasks of this run that cannot be looked at, since the last look at any that
	// succeeded: they hold their slots until their time is over, and then others would be bought in
	// their places that cannot be looked at either.
	unseen map[*node]bool
	outage outage
	// outages counts those that were told.
	outages int
}

func newDelivery() delivery {
	return delivery{failing: map[*node]bool{}, spent: map[*node]error{}, unseen: map[*node]bool{}}
}

// unseenAfter is after how many looks in a row that failed a task is unseen.
const unseenAfter = 3

// isStalled reports whether nothing is to be bought for now.
func (d *delivery) isStalled() bool { return len(d.failing)+len(d.unseen)+d.failed >= mostUndelivered }

// holdsBack reports whether nothing new is to be bought until more of what was bought is here.
func (r *run) holdsBack() bool { return r.delivery.isStalled() || r.isBehind() }

// delivered notes that an image came.
func (r *run) delivered() {
	d := &r.delivery
	clear(d.failing)
	d.failed, d.former, d.givenUp = 0, false, false
	r.outageOver(false)
}

// DeliveryError says that an image which the API has made could not be fetched at any attempt. Its
// text is the same for all images that fail like that.
type DeliveryError struct {
	// All says that no other image could be fetched either, so that nothing more is bought.
	All bool
	// Former says that it is of a task of an interrupted run, or some are, whose result may be gone for
	// good.
	Former bool
	Err    error
}

func (e *DeliveryError) Error() string {
	if e.All {
		return fmt.Sprintf("no image that the API has made can be fetched: %v", e.Err)
	}
	text := fmt.Sprintf("fetching the image failed %d times and more: %v. %s", maxAttempts, e.Err, onRecord)
	if e.Former {
		text += ". A result can be had for ten minutes, and of some models for an hour. After that, -abandon with its address gives the task up, and what was paid for it"
	}
	return text
}

func (e *DeliveryError) Unwrap() error { return e.Err }

// isYoung reports whether the result of a task has to be there still, whatever an earlier run did. One that
// is from the future was taken when the clock was wrong, and may be of any age.
func (n *node) isYoung() bool { return !n.resumed || time.Since(n.accepted).Abs() < resultLife }

// speaksOfAll reports whether a download that failed says something of others. The task of an
// interrupted run may have failed in earlier ones and fail in each to come, which must not keep them
// from buying: where its result may be gone, only a host that is not there counts.
func speaksOfAll(n *node, err error) bool {
	if n.isYoung() {
		return true
	}
	_, isNetwork := errors.AsType[*bfl.NetworkError](err)
	_, isAnswer := errors.AsType[*bfl.APIError](err)
	return isNetwork || isAnswer
}

// mayCome reports whether an image that has had its attempts is tried further.
func (r *run) mayCome(n *node, err error) bool {
	_, isNotShared := errors.AsType[*notSharedError](err)
	switch {
	case isNotShared, r.delivery.givenUp:
		return false
	case n.salvages() && len(r.homeless) > 0:
		return false // It would be in the way of another one.
	case errors.Is(err, bfl.ErrExpired) && !n.isYoung():
		return false
	}
	return time.Now().Before(n.until)
}

// until is how long a result can be had that is ready now.
func until(result bfl.Result) time.Time {
	now := time.Now()
	said := result.Expires()
	if said.Before(now) {
		return now.Add(resultLife)
	}
	if most := now.Add(mostLife); said.After(most) {
		return most
	}
	return said
}

// spend notes that an image has had its attempts, and may come all the same. When it is for such
// images alone that the run would go on, they are left to a later one.
func (r *run) spend(n *node, err error) {
	d := &r.delivery
	d.spent[n] = err
	if r.goesOn() {
		return
	}
	d.givenUp = true
	for _, n := range slices.SortedFunc(maps.Keys(d.spent), byAddress) {
		if !r.backlog.isUnderWay(n) {
			r.undelivered(n, d.spent[n])
		}
	}
}

// goesOn reports whether the run has something to do besides fetching what has had its attempts.
func (r *run) goesOn() bool {
	goesOn := func(n *node) bool {
		switch n.phase {
		case over:
			return false
		case waiting:
			return n.waiting == 0 && (n.resumes() || !r.delivery.isStalled())
		}
		return r.delivery.spent[n] == nil
	}
	for _, n := range r.nodes {
		if goesOn(n) {
			return true
		}
	}
	// What nobody wants is itself waited for as long as anything else goes on.
	isTimeOver := time.Since(r.began) >= salvageTimeout
	return slices.ContainsFunc(r.salvaging, func(n *node) bool {
		return goesOn(n) && (!isTimeOver || n.phase != waiting && n.phase != active)
	})
}

// undelivered ends a node whose image could not be fetched, and leaves its task to a later run.
func (r *run) undelivered(n *node, err error) {
	r.fail(n, &DeliveryError{Former: n.resumed, Err: err})
	if notShared, ok := errors.AsType[*notSharedError](err); ok {
		// Where this one cannot be put, no other can.
		r.stopNew(notShared.err)
		return
	}
	if speaksOfAll(n, err) {
		r.delivery.former = r.delivery.former || n.resumed
		r.oneMoreFailed(err)
	}
}

func (r *run) oneMoreFailed(err error) {
	if r.delivery.failed++; r.delivery.failed >= mostUndelivered {
		r.stopNew(&DeliveryError{All: true, Former: r.delivery.former, Err: err})
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
		r.outageGoesOn(hostOf(n.task.PollingURL), true, err)
	}
}
