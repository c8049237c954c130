package executor

import (
	"fmt"
	"path"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// resumable returns the task that an interrupted run left of the node's very request, or nil.
func (r *run) resumable(n *node) *state.Task {
	task := r.tasks[n.address()]
	if task == nil || !task.Answered() || task.Fingerprint != n.fingerprint || n.isReplaced(task) {
		return nil
	}
	return task
}

// isReplaced reports whether the plan asks for an image anew although a task of its request is on record: a simulator's, which cost nothing, while
// the provider no longer is one.
func (n *node) isReplaced(task *state.Task) bool {
	return task.Simulated && n.change.Origin == planner.Generate && n.change.Fingerprint != ""
}

// resume goes on with a task where the interrupted run left it. It is paid for.
func (r *run) resume(n *node, task *state.Task) {
	n.resumed = true
	n.task = bfl.Submission{ID: task.ID, PollingURL: task.PollingURL, Cost: task.Cost, HasCost: true, Simulated: task.Simulated}
	n.submitted = time.Now()
	r.known(n)
	if task.Fetched == nil {
		r.pollResumed(n)
		return
	}
	n.phase = fetching
	files, addr, prior, to := r.files, n.address(), n.change.Prior, r.taskRecord(n)
	r.spawn(func() func() {
		img, err := files.settle(addr, prior, task, to)
		return func() {
			switch {
			case err != nil:
				r.fail(n, err)
			case img != nil:
				r.finish(n, img)
			default:
				r.pollResumed(n)
			}
		}
	})
}

func (r *run) pollResumed(n *node) {
	if n.phase == over {
		return
	}
	// The task may still be active, and then it has its slot at the API.
	n.phase = active
	r.hold(n)
	r.poll(n)
}

// settle gives an image that an interrupted run had fetched its name and its record. It returns nil where the bytes are not there any more.
func (f *files) settle(addr addrs.Image, prior *state.Image, task *state.Task, now state.Task) (*state.Image, error) {
	name, err := task.Found(f.dir)
	if err != nil || name == "" {
		return nil, err
	}
	file := task.Fetched.Output
	file.Path = now.Path
	if name != file.Path {
		if err := f.makeRoom(addr, prior, file.Path); err != nil {
			return nil, fmt.Errorf("keeping the image that is replaced: %w", err)
		}
		if err := f.dir.MkdirAll(path.Dir(file.Path), 0o777); err != nil {
			return nil, err
		}
		if err := f.dir.Rename(name, file.Path); err != nil {
			return nil, err
		}
	}
	img := now.Image(file, task.Fetched.Result)
	return img, f.journal.Append(state.Stored{Address: addr, Image: img})
}

// forget gives up a resumed task that the API does not have any more, and asks for the image anew, as the first run did, once what it waits for is
// there.
func (r *run) forget(n *node, why string) {
	r.release(n)
	n.resumed, n.task = false, bfl.Submission{}
	delete(r.tasks, n.address())
	n.attempts, n.fetches, n.unknown, n.phase = 0, 0, 0, calling
	n.rung, n.lookAgain = false, false
	n.unchecked = n.resumes() && n.change.Desired.Lifecycle.Undecided
	r.emit(Warned{n.address(), fmt.Sprintf("the task of the interrupted run %s, so that its image is lost. To make it again costs %s",
		why, n.change.Price.Dollars())})
	record := state.Failed{Address: n.address(), Reason: why}
	r.spawn(func() func() {
		err := r.opts.Journal.Append(record)
		return func() {
			switch {
			case err != nil:
				r.notRecorded(n, err)
			case r.stop != nil:
				r.skip(n, Skipped{Address: n.address(), Err: r.stop})
			case n.lacks != nil:
				r.skip(n, Skipped{Address: n.address(), Because: n.lacks.address(), Unfit: n.lacks.unfit})
			case n.phase == calling:
				n.phase = waiting
				if n.waiting == 0 {
					r.enqueue(n)
				}
			}
		}
	})
}
