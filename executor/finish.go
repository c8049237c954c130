package executor

import (
	"cmp"
	"slices"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// release gives the node's slot back, if it holds one.
func (r *run) release(n *node) {
	if n.holdsSlot {
		n.holdsSlot = false
		n.lane.account.slots.release(n.lane.model)
	}
}

// finish ends a node whose image is there, and lets those begin that waited for it.
func (r *run) finish(n *node, img *state.Image) {
	r.made[n.address()] = img
	r.count(n.address(), n.change.Action)
	r.end(n)
	origin := planner.Generate
	switch {
	case n.restored:
		origin = planner.Restore
	case n.resumed:
		origin = planner.Resume
	}
	r.emit(Completed{n.address(), n.change.Action, origin, img, time.Since(n.began)})
	r.give(n, img)
	r.unblock(n)
}

// count counts what is done. Candidates belong to their image, which is counted when it has one of
// them.
func (r *run) count(addr addrs.Image, action planner.Action) {
	if addr.Candidate > 0 {
		return
	}
	switch action {
	case planner.Create:
		r.summary.Created++
	case planner.Replace:
		r.summary.Replaced++
	case planner.Update:
		r.summary.Updated++
	case planner.Destroy:
		r.summary.Destroyed++
	case planner.Import:
		r.summary.Imported++
	case planner.Forget:
		r.summary.Forgotten++
	case planner.NoOp, planner.Move:
	}
}

// unchanged ends a node whose image is the one on record. What costs nothing about it may still
// have changed.
func (r *run) unchanged(n *node) {
	r.summary.Unchanged++
	r.end(n)
	r.emit(Unchanged{n.address()})
	img := n.change.Prior
	if n.change.Prior.DiffersFreely(n.desired) {
		switch now, told, err := r.files.update(n.address(), n.change.Prior, n.desired); {
		case err != nil:
			r.emit(Warned{n.address(), err.Error()})
		default:
			img, r.made[n.address()] = now, now
			if told != "" {
				r.emit(Warned{n.address(), told})
			}
		}
	}
	r.give(n, img)
	r.unblock(n)
}

// accepts reports whether an image that is there now can be made from.
func (r *run) accepts(addr addrs.Image) bool {
	// What a block demands, it demands of the picture that is picked.
	return addr.Candidate > 0 || r.opts.Accept == nil || r.opts.Accept(addr, r.results)
}

// unblock lets those begin that waited for a node, unless its image is not what they can be made
// from.
func (r *run) unblock(n *node) {
	if !r.accepts(n.address()) {
		n.unfit = true
		r.skipDownstream(n)
		return
	}
	for _, down := range n.downstream {
		if down.waiting--; down.waiting == 0 && down.phase == waiting {
			r.enqueue(down)
		}
	}
}

// fail ends a node without an image, and all that needs it.
func (r *run) fail(n *node, err error) {
	if n.phase == over {
		return
	}
	r.release(n)
	if n.salvages() {
		r.unsaved(n, err)
		return
	}
	r.summary.Failed++
	r.end(n)
	r.emit(Failed{n.address(), n.change.Action, err, time.Since(n.began)})
	r.skipDownstream(n)
}

// notNow is why nothing is bought in the place of a task that is paid for.
const notNow = "of an interrupted run is for the same image and is paid for, but its image is not available now. Apply again"

// unsaved ends a node that was to bring a task home and did not. Who waited for its image can be
// made only when the task is over: until then it is paid for.
func (r *run) unsaved(n *node, err error) {
	id, twins := n.task.ID, n.twins
	n.twins = nil
	r.end(n)
	message := left(id, err)
	if n.gone {
		message = "An interrupted run had asked for an image that is no longer wanted: " + err.Error() + "."
	} else {
		r.left[n.fingerprint] = n.record.ID
	}
	r.emit(Warned{n.address(), message})
	for _, twin := range twins {
		switch twin.waiting--; {
		case twin.phase != waiting:
		case n.gone:
			r.enqueue(twin)
		default:
			r.fail(twin, &TaskError{TaskID: id, Reason: notNow})
		}
	}
}

// skip ends a node that is not begun, or left to a later run.
func (r *run) skip(n *node, e Skipped) {
	if n.phase == over {
		return
	}
	e.Submitted, e.Sent = n.phase == active || n.phase == fetching && !n.restored, n.phase == calling && n.holdsSlot
	r.release(n)
	if n.salvages() {
		// It stays on record, where the next run finds it.
		r.end(n)
		return
	}
	if n.address().Candidate == 0 {
		r.summary.Skipped++ // as in count
	}
	r.end(n)
	r.emit(e)
	r.skipDownstream(n)
}

// skipDownstream skips what needs a node that will not have an image, or not one that is accepted.
// Tasks that are paid for are fetched nevertheless.
func (r *run) skipDownstream(n *node) {
	for _, down := range n.downstream {
		if down.resumes() && (down.queued || down.phase != waiting) {
			continue
		}
		r.skip(down, Skipped{Address: down.address(), Because: n.address(), Unfit: n.unfit})
	}
	if n.unfit {
		return // Its picture is there all the same.
	}
	for _, twin := range n.twins {
		if twin.chooses() {
			r.candidateIs(twin, n.address(), nil)
			continue
		}
		if twin.watches || twin.desired != nil && twin.fingerprint != n.fingerprint {
			r.lookAgain(twin)
			continue
		}
		r.skip(twin, Skipped{Address: twin.address(), Because: n.address()})
	}
	n.twins = nil
}

func (r *run) end(n *node) {
	if n.salvages() && n.phase != waiting {
		r.bringing--
	}
	if n.phase == waiting && n.ahead && !n.recorded.IsZero() {
		r.withdraw(n)
	}
	if n.hold != nil {
		r.outlive(n)
	}
	n.phase = over
	delete(r.delivery.failing, n)
	delete(r.delivery.spent, n)
	delete(r.delivery.unseen, n)
	if !n.salvages() {
		r.pictureOver(n.address())
	}
	// A run can be long, and its nodes stay until it ends.
	n.request, n.task, n.sample = nil, bfl.Submission{}, bfl.Result{}
	r.unfinished--
	if n.lane != nil {
		n.lane.account.unfinished--
	}
}

// notRecorded handles a journal that takes no record: nothing may begin whose beginning is not on
// record.
func (r *run) notRecorded(n *node, err error) {
	r.release(n)
	r.vacate(n)
	r.fail(n, err)
	r.stopNew(noJournal(err))
}

// sorted returns the nodes in the order of their addresses, for what is said of all of them.
func (r *run) sorted() []*node {
	nodes := make([]*node, 0, len(r.nodes)+len(r.salvaging))
	for _, n := range r.nodes {
		nodes = append(nodes, n)
	}
	nodes = append(nodes, r.salvaging...)
	slices.SortFunc(nodes, byAddress)
	return nodes
}

func byAddress(a, b *node) int {
	return cmp.Or(a.address().Compare(b.address()), cmp.Compare(a.record.Key, b.record.Key))
}
