package executor

import "time"

const (
	// maxEarly bounds the ids that are kept because they may belong to tasks whose submission is
	// not answered yet.
	maxEarly = 1024
	// deaf is how many tasks in a row must have ended without a ring before nobody is taken to ring
	// any more.
	deaf = 3
)

// known makes a task known to the doorbell, which may have rung for it already: the API can be
// faster than the record of its answer.
func (r *run) known(n *node) {
	if r.opts.Doorbell == nil {
		return
	}
	r.byTask[n.task.ID] = n
	if r.early[n.task.ID] {
		delete(r.early, n.task.ID)
		r.heard(n)
	}
}

// rung looks at a task because somebody rang for it. Each task has one such look, so that whoever
// repeats a ring gains nothing by it.
func (r *run) rung(id string) {
	n := r.byTask[id]
	if n == nil {
		if len(r.early) == maxEarly {
			clear(r.early)
		}
		r.early[id] = true
		return
	}
	if n.phase != active || n.rung || n.task.ID != id {
		return
	}
	r.heard(n)
	if n.looking {
		// The task may have ended after the look under way had found it active.
		n.lookAgain = true
		return
	}
	r.poll(n)
}

// heard notes that somebody rang for a task that is active.
func (r *run) heard(n *node) {
	n.rung, n.rungAt = true, time.Since(n.submitted)
	n.lane.account.unheard = 0
}

// gap returns how long to wait before looking at a task that was active elapsed after its
// submission.
func (r *run) gap(n *node, elapsed time.Duration) time.Duration {
	if n.lookAgain {
		return 0
	}
	// A task of an interrupted run may have been rung for when nobody listened. One that was rung
	// for and is still active will not be rung for again, and for some models nobody rings at all.
	account := n.lane.account
	n.patient = account.Rings && account.unheard < deaf && !n.rung && !n.resumed && !n.request.Model.NoWebhook
	if n.patient {
		return n.lane.latency.patience(elapsed)
	}
	return n.lane.gap(n, elapsed)
}

// learn takes the latency of a task that ended well, and whether somebody rang for it.
func (r *run) learn(n *node, elapsed time.Duration) {
	wasBlind := n.lane.latency.samplings == 0
	defer func() {
		if wasBlind && n.lane.latency.samplings > 0 {
			r.follow(n, elapsed)
		}
	}()
	switch {
	case n.resumed:
		// It ended at some time before this run.
	case n.rung:
		n.lane.latency.add(max(n.rungAt, n.seen), elapsed)
	case n.patient:
		// That it ended at some time in a long gap says little about when.
		n.lane.account.unheard++
	default:
		n.lane.latency.add(n.seen, elapsed)
	}
}
