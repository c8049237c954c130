package executor

import (
	"context"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// Slots says what an account is busy with, where several runs use it at once, and keeps what they
// may spend together. It is safe for concurrent use.
type Slots interface {
	// Take waits for a slot, and takes it for a job. It refuses what may not be spent. ctx ends the
	// waiting.
	Take(ctx context.Context, job Job) (Hold, error)
	// Inherit takes over the slot of a task that another run submitted.
	Inherit(ctx context.Context, job Job, task string) Hold
}

// Job is what a slot is for.
type Job struct {
	Address addrs.Image
	Model   string
	// Price is what it may cost.
	Price bfl.Credits
	// Left is how many tasks of the account the run has not seen to end, this one included.
	Left int
}

// Hold is a slot that was taken. It outlives the run where it is not released, as the task at the
// API does. It is owned by one goroutine at a time.
type Hold interface {
	// Runs says which task has the slot, "" where nobody knows, and what it cost.
	Runs(ctx context.Context, task string, cost bfl.Credits)
	// Release frees the slot: the task has ended, or never began.
	Release()
}

func (n *node) job() Job { return Job{n.address(), n.lane.model, n.price, n.lane.account.unfinished} }

// submitShared submits a node's request when the account has a slot for it, as all its runs see it.
func (r *run) submitShared(n *node) {
	slots := n.lane.account.Slots
	if slots == nil {
		n.phase = calling
		r.submit(n)
		return
	}
	// It waits as one that is not begun does, and is skipped like one.
	n.asks = true
	job := n.job()
	r.spawn(func() func() {
		hold, err := slots.Take(r.taking, job)
		return func() { r.askedFor(n, hold, err) }
	})
}

// askedFor goes on with a node that has asked for a slot.
func (r *run) askedFor(n *node, hold Hold, err error) {
	n.asks = false
	switch {
	case n.phase == over:
		r.budget.refund(n.price)
		r.freeHold(hold)
	case err != nil:
		r.budget.refund(n.price)
		r.skip(n, Skipped{Address: n.address(), Err: err})
		r.stopAsking(err)
	case r.holdsBack():
		// Nothing is bought by now, and somebody else may have use for the slot.
		r.budget.refund(n.price)
		r.freeHold(hold)
		r.release(n)
		if r.stop != nil {
			r.skip(n, Skipped{Address: n.address(), Err: r.stop})
			return
		}
		r.enqueue(n)
	default:
		n.hold, n.phase = hold, calling
		r.submit(n)
	}
}

// inherit takes over the slot of a task that is gone on with. Where that has ended by now, the slot
// is freed.
func (r *run) inherit(n *node) {
	slots, job, task := n.lane.account.Slots, n.job(), n.task.ID
	if slots == nil {
		return
	}
	r.spawn(func() func() {
		hold := slots.Inherit(r.ctx, job, task)
		return func() {
			if n.phase != active {
				r.freeHold(hold)
				return
			}
			n.hold = hold
		}
	})
}

// vacate gives the node's slot back to all runs: its task was seen to end, or never began.
func (r *run) vacate(n *node) {
	r.freeHold(n.hold)
	n.hold = nil
}

// outlive keeps the slot of a task that this run goes on with no more for as long as the API may still work
// on it, and then gives it back: others of this run would wait for it for ever.
func (r *run) outlive(n *node) {
	hold, left := n.hold, n.lane.account.TaskTimeout-time.Since(n.submitted)
	n.hold = nil
	if left <= 0 {
		r.freeHold(hold)
		return
	}
	r.later(left, func() { r.freeHold(hold) })
}

func (r *run) freeHold(hold Hold) {
	if hold == nil {
		return
	}
	r.spawn(func() func() {
		hold.Release()
		return func() {}
	})
}
