package executor

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"strings"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// mostSalvaging bounds how many tasks that nobody wants are looked for at once. They hold no slot:
// should they still have theirs at the API, it says so to those who come for one, and images that
// are wanted do not wait for them.
const mostSalvaging = 24

// salvageTimeout bounds how long the run waits, from its beginning, for tasks that nobody wants
// when all else is done.
const salvageTimeout = time.Minute

// salvage brings home what interrupted runs had asked for and no change takes up, beside all else:
// it was paid for, and may be wanted again. What the plan has told of other tasks is forgotten.
func (r *run) salvage(plan *planner.Plan) {
	for i := range plan.Abandoned {
		a := &plan.Abandoned[i]
		if a.Fetches() {
			r.bringHome(a)
			continue
		}
		r.forget(a)
	}
	if len(r.salvaging) > 0 {
		r.later(salvageTimeout, func() {})
	}
}

// forget ends a task of which the plan has told all that there is to tell.
func (r *run) forget(a *planner.Abandoned) {
	if err := r.opts.Journal.Append(state.Failed{Key: a.Task.Key, Reason: state.GivenUp}); err != nil {
		r.emit(Warned{a.Address, err.Error()})
		return
	}
	delete(r.tasks, a.Task.Key)
	sum := a.Task.Cost.Dollars()
	switch {
	case a.Simulated:
		// Nobody paid for it.
	case a.Task.Lost != "":
		r.emit(Warned{a.Address, fmt.Sprintf("%s was paid for task %s and is lost: it %s. The task is forgotten.", sum, a.Task.ID, strings.TrimRight(a.Task.Lost, "."))})
	case a.Task.Answered():
		r.emit(Warned{a.Address, fmt.Sprintf("Task %s is given up. %s was paid for it and is lost.", a.Task.ID, sum)})
	default:
		r.emit(Warned{a.Address, fmt.Sprintf("An interrupted run sent a request that got no answer and may have been charged, %s. It is no longer wanted, and it is forgotten.", sum)})
	}
}

// bringHome begins to look for the image of a task that no change takes up.
func (r *run) bringHome(a *planner.Abandoned) {
	if r.accounts[a.Task.Provider] == nil {
		r.left[a.Task.Fingerprint] = a.Task.ID
		r.emit(Warned{a.Address, left(a.Task.ID, fmt.Errorf("the provider %s is not configured", a.Task.Provider))})
		return
	}
	n := &node{
		addr: a.Address, lane: r.lane(a.Task.Provider, a.Task.Model), height: 1, began: time.Now(), record: *a.Task, fingerprint: a.Task.Fingerprint,
	}
	r.salvaging = append(r.salvaging, n)
	r.homeless = append(r.homeless, n)
	r.opened(n)
}

// left says that a task which nobody wants stays on record.
func left(id string, err error) string {
	return fmt.Sprintf("Task %s of an interrupted run could not be finished: %v. Its image is no longer wanted, and its task stays on record.", id, err)
}

// errUnwaited is why a task is left that nobody wants.
var errUnwaited = errors.New("it is still under way, or its image cannot be downloaded now")

// unwaited leaves the tasks that nobody wants when all else is done and they had their time.
func (r *run) unwaited() {
	if r.open() > 0 || time.Since(r.began) < salvageTimeout {
		return
	}
	for _, n := range r.salvaging {
		// One whose image is on its way for the first time may arrive.
		if n.phase == active || n.phase == waiting || n.phase == fetching && n.fetches > 0 {
			r.fail(n, errUnwaited)
		}
	}
}

// open counts the changes that are not over.
func (r *run) open() int {
	salvaging := 0
	for _, n := range r.salvaging {
		if n.phase != over {
			salvaging++
		}
	}
	return r.unfinished - salvaging
}

// brought ends a node whose image is there. told is what the user should know of how it came there,
// "" for nothing.
func (r *run) brought(n *node, img *state.Image, told string) {
	if n.phase == over {
		return
	}
	delete(r.tasks, n.record.Key)
	if told != "" {
		r.emit(Warned{n.address(), told})
	}
	if !n.salvages() {
		r.finish(n, img)
		return
	}
	r.emit(Salvaged{n.address(), img})
	if len(n.twins) == 0 {
		r.emit(Warned{n.address(), fmt.Sprintf("The image that an interrupted run had paid for, %s, is no longer wanted. It is in the store, and comes back for free if you declare it again.", n.cost.Dollars())})
	}
	r.end(n)
	r.give(n, img)
}

// sweep removes the temporary files that interrupted runs left, but for those that a task on record
// still needs.
func (r *run) sweep(plan *planner.Plan) {
	dirs := map[string]bool{}
	for _, c := range plan.Changes {
		if c.Desired != nil {
			dirs[path.Dir(c.Desired.Output)] = true
		}
		if c.Prior != nil {
			dirs[path.Dir(c.Prior.Output.Path)] = true
		}
	}
	for _, c := range plan.Renditions {
		if c.Makes() {
			for _, file := range c.Files() {
				dirs[path.Dir(file)] = true
			}
		}
	}
	for _, task := range r.tasks {
		dirs[path.Dir(task.Path)] = true
		if task.Fetched != nil {
			dirs[path.Dir(task.Fetched.Temporary)] = true
		}
	}
	if _, err := r.opts.Dir.ReadDir(image.CandidateDir); err == nil {
		// Also of images that have no choice any more.
		for dir := range maps.Clone(dirs) {
			dirs[path.Join(image.CandidateDir, dir)] = true
		}
	}
	for dir := range dirs {
		// A leftover that cannot be removed is in nobody's way.
		_ = r.opts.Dir.Sweep(dir, r.opts.Prior.Temporaries()...)
	}
}
