package executor

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// mostSalvaging bounds how many tasks that nobody wants are looked for at once. They hold no slot: should they still have theirs at the API, it says so
// to those who come for one, and images that are wanted do not wait for them.
const mostSalvaging = 24

// salvageTimeout bounds how long the run waits, from its beginning, for tasks that nobody wants when all else is done.
const salvageTimeout = time.Minute

// salvage brings home what interrupted runs had asked for and no change takes up, beside all else: it was paid for, and may be wanted again. What
// the plan has told of other tasks is forgotten.
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
	if err := r.opts.Journal.Append(state.Failed{Key: a.Task.Key, Reason: "given up, and told"}); err != nil {
		r.emit(Warned{a.Address, err.Error()})
		return
	}
	delete(r.tasks, a.Task.Key)
	sum := a.Task.Cost.ExactDollars()
	switch {
	case a.Simulated:
		// Nobody paid for it.
	case a.Task.Lost != "":
		r.emit(Warned{a.Address, fmt.Sprintf("%s was paid for task %s, and is lost: it %s. It is no longer remembered.", sum, a.Task.ID, strings.TrimRight(a.Task.Lost, "."))})
	case a.Task.Answered():
		r.emit(Warned{a.Address, fmt.Sprintf("Task %s is given up, and with it what was paid for it, %s.", a.Task.ID, sum)})
	default:
		r.emit(Warned{a.Address, fmt.Sprintf("An interrupted run sent a request that got no answer and may have been charged, %s. It is no longer wanted, and "+
			"no longer remembered.", sum)})
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
	r.unfinished++
}

// left says that a task which nobody wants stays on record.
func left(id string, err error) string {
	return fmt.Sprintf("Task %s of an interrupted run, whose image is no longer wanted, could not be brought home, and stays on record: %v.", id, err)
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

// brought ends a node whose image is there. told is what the user should know of how it came there, "" for nothing.
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
	if len(n.twins) == 0 {
		r.emit(Warned{n.address(), fmt.Sprintf("The image that an interrupted run had paid for, %s, is no longer wanted. It is in the store, and comes back for "+
			"free when it is.", n.cost.ExactDollars())})
	}
	r.end(n)
	r.give(n, img)
}

// sweep removes the temporary files that interrupted runs left, but for those that a task on record still needs.
func (r *run) sweep(plan *planner.Plan) {
	dirs := map[string]bool{}
	for _, c := range plan.Changes {
		if c.Desired != nil {
			dirs[path.Dir(c.Desired.Output)] = true
		}
	}
	for _, task := range r.tasks {
		dirs[path.Dir(task.Path)] = true
		if task.Fetched != nil {
			dirs[path.Dir(task.Fetched.Temporary)] = true
		}
	}
	for dir := range dirs {
		// A leftover that cannot be removed is in nobody's way.
		_ = r.opts.Dir.Sweep(dir, r.opts.Prior.Temporaries()...)
	}
}

// taskRecord is what the journal is to know of the node's task.
func (r *run) taskRecord(n *node) state.Task {
	return state.Task{
		Key: n.record.Key, Address: n.address(), Provider: n.desired.Provider, Model: n.desired.Model.Name, Fingerprint: n.fingerprint,
		Request: n.desired.Record(), Path: n.desired.Output, Cost: n.price,
		Dependencies: n.desired.Dependencies, Labels: n.desired.Labels,
	}
}

// inUse reports whether an image that is on record now, under another address, shows a picture.
func (r *run) inUse(content string, but addrs.Image) bool {
	if addr, isTaken := r.taken[content]; isTaken && addr != but {
		return true
	}
	for addr, img := range r.made {
		if addr != but && img.Output.Identity() == content {
			return true
		}
	}
	moved := map[addrs.Image]bool{}
	for addr, c := range r.plan {
		if c.From != nil {
			moved[*c.From] = true
		}
		goes := c.Action == planner.Destroy || c.Action == planner.Forget
		if c.Prior != nil && !goes && addr != but && r.made[addr] == nil && c.Prior.Output.Identity() == content {
			return true
		}
	}
	for addr, img := range r.prior {
		if r.plan[addr] == nil && !moved[addr] && addr != but && img.Output.Identity() == content {
			return true
		}
	}
	return false
}

// free is an image in the store that a node can have although the plan did not know it: its request is known only now.
func (r *run) free(n *node) *state.Image {
	if n.change.Fingerprint != "" || n.change.IsRequested() || r.opts.Stored == nil {
		return nil
	}
	seeded := n.request.Has("seed")
	for _, img := range r.opts.Stored(n.address(), n.fingerprint, n.lane.account.Simulator) {
		// Without a seed, two images with one request are two throws of the dice.
		if seeded || !r.inUse(img.Output.Identity(), n.address()) {
			return img
		}
	}
	return nil
}

// reuse gives a node the picture of an image that is in the store, or on record at another address, for nothing.
func (r *run) reuse(n *node, kept *state.Image) {
	n.phase, n.restored = fetching, true
	r.taken[kept.Output.Identity()] = n.address()
	job := placing{r.files, n.address(), nil, n.desired, kept}
	if !n.salvages() {
		job.prior = n.change.Prior
	}
	r.spawn(func() func() {
		img, told, err := job.run()
		return func() {
			if n.phase == over {
				return
			}
			if err != nil {
				r.fail(n, err)
				return
			}
			if told != "" {
				r.emit(Warned{n.address(), told})
			}
			r.finish(n, img)
		}
	})
}

// give has the nodes that wait for a picture take it. One that waited for a picture that is gone now looks again: it is in the store by then.
func (r *run) give(n *node, img *state.Image) {
	for i, twin := range n.twins {
		if twin.phase != waiting {
			continue
		}
		isThrow := twin.request != nil && !twin.request.Has("seed")
		if twin.desired != nil && twin.fingerprint != img.Fingerprint || isThrow && i > 0 {
			r.lookAgain(twin)
			continue
		}
		if twin.desired == nil {
			twin.desired, twin.began = twin.change.Desired, time.Now()
			r.emit(Started{twin.address(), twin.change.Action})
		}
		r.reuse(twin, img)
	}
	n.twins = nil
}

// lookAgain lets a node go on that waited for another one in vain.
func (r *run) lookAgain(twin *node) {
	if twin.waiting--; twin.waiting == 0 && twin.phase == waiting {
		r.enqueue(twin)
	}
}

// onRecord looks for an image on record that the node's very request made, with a seed, and that has its file still. It reports whether there is
// one, or is about to be in the store.
func (r *run) onRecord(n *node) bool {
	if r.requests == nil {
		r.requests = map[string][]addrs.Image{}
		for addr, c := range r.plan {
			if c.Prior != nil {
				r.requests[c.Prior.Fingerprint] = append(r.requests[c.Prior.Fingerprint], addr)
			}
		}
		for _, all := range r.requests {
			slices.SortFunc(all, addrs.Image.Compare)
		}
	}
	for _, addr := range r.requests[n.fingerprint] {
		other, prior := r.nodes[addr], r.plan[addr].Prior
		switch {
		case other == n || prior.Result.Simulated && !n.lane.account.Simulator:
		case other != nil && other.phase == fetching:
			// The picture is about to make way, and then is in the store.
			r.waitFor(n, other)
			return true
		default:
			img := r.image(addr)
			if img == nil && other != nil && other.phase != over {
				img = prior
			}
			if img != nil && img.Fingerprint == n.fingerprint && (r.files.holds(img.Output.Path, img.Output.SHA256) || r.files.store.Whole(img.Output.SHA256)) {
				r.reuse(n, img)
				return true
			}
		}
	}
	return false
}
