package executor

import (
	"errors"
	"path"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/state"
)

// resume goes on with a task where the interrupted run left it. It is paid for.
func (r *run) resume(n *node, task *state.Task) {
	n.resumed = true
	n.record.Key = task.Key
	n.task = bfl.Submission{ID: task.ID, PollingURL: task.PollingURL, Cost: task.Cost, HasCost: true, Simulated: task.Simulated}
	n.submitted, n.accepted, n.cost = time.Now(), task.Accepted, task.Cost
	r.known(n)
	r.inherit(n)
	if task.Fetched == nil {
		task = r.asKept(task)
	}
	if task.Fetched == nil {
		if task.Ready && n.isYoung() {
			// The run that saw it did not get it home. Until one comes, nothing says that others would.
			r.delivery.failing[n] = true
		}
		r.pollResumed(n)
		return
	}
	r.settleTask(n, task)
}

// settleTask gives an image that an interrupted run had fetched its name and its record, or its place in
// the store where nobody wants it.
func (r *run) settleTask(n *node, task *state.Task) {
	n.phase = fetching
	job, keep := settling{r.files, task, n.address(), n.record, nil}, n.salvages()
	if !keep {
		job.prior = n.change.Prior
	}
	r.spawn(func() func() {
		var img *state.Image
		var told string
		var err error
		if keep {
			img, err = job.keep()
		} else {
			img, told, err = job.place()
		}
		return func() {
			switch {
			case err != nil && img != nil:
				r.unrecorded(n, img, err)
			case err != nil:
				r.unplaced(n, err)
			case img != nil:
				r.brought(n, img, told)
			default:
				r.pollResumed(n)
			}
		}
	})
}

// asKept returns a task as one that was fetched where the store has its image: a run can end between
// keeping it and recording that, and the API has it for minutes only.
func (r *run) asKept(task *state.Task) *state.Task {
	if r.opts.Stored == nil {
		return task
	}
	// Where it cannot be looked at, the API is asked, for nothing.
	images, _ := r.opts.Stored(task.Address, task.Fingerprint, true)
	for _, img := range images {
		if img.Result.TaskID == task.ID {
			kept := *task
			kept.Fetched = &state.Fetch{Output: img.Output, Result: img.Result, Temporary: img.Output.Path}
			return &kept
		}
	}
	return task
}

func (r *run) pollResumed(n *node) {
	if n.phase == over {
		return
	}
	n.phase = active
	if !n.salvages() {
		// The task may still be active, and then it has its slot at the API.
		r.hold(n)
	}
	r.poll(n)
}

// settling is what a worker needs to give an image that an interrupted run had fetched its name and
// its record.
type settling struct {
	files *files
	task  *state.Task
	addr  addrs.Image
	now   state.Task
	prior *state.Image
}

// place gives the image the path that it is to have now. It returns nil where the bytes are not
// there any more.
func (s *settling) place() (img *state.Image, told string, err error) {
	name, err := s.task.Found(s.files.dir)
	if err != nil {
		return nil, "", err
	}
	file := s.task.Fetched.Output
	file.Path = s.now.Path
	img = s.now.Image(file, s.task.Fetched.Result)
	if name == "" {
		if !s.files.store.Whole(file.SHA256) {
			return nil, "", nil
		}
		// It made way for something else.
		job := placing{files: s.files, addr: s.addr}
		if told, err = job.copy(img); err != nil {
			return nil, "", err
		}
		name = file.Path
	}
	if name != file.Path {
		if told, err = s.move(name, img); err != nil {
			return nil, "", err
		}
	}
	if s.prior != nil && s.prior.Output.Path != name {
		if err := s.files.retire(s.addr, s.prior, file.Path); err != nil {
			return nil, "", err
		}
	}
	return img, told, s.files.record("the image is in place", state.Stored{Address: s.addr, Image: img, Key: s.task.Key})
}

// move gives the image, which has another name, its path.
func (s *settling) move(name string, img *state.Image) (told string, err error) {
	to := img.Output.Path
	if told, err = s.files.makeWay(s.addr, img, to); err != nil {
		return "", err
	}
	if err := s.files.dir.MkdirAll(path.Dir(to), 0o777); err != nil {
		return "", err
	}
	if err := s.files.dir.Rename(name, to); !errors.Is(err, otherDisk) {
		return told, err
	}
	if err := s.files.store.KeepFile(s.files.dir, name, s.addr, img); err != nil {
		return "", notKept(err)
	}
	job := placing{files: s.files, addr: s.addr}
	if _, err := job.copy(img); err != nil {
		return "", err
	}
	_ = s.files.dir.Remove(name) // It has a copy in its place, and one in the store.
	return told, nil
}

// keep puts the image into the store. It returns nil where the bytes are not there any more.
func (s *settling) keep() (*state.Image, error) {
	name, err := s.task.Found(s.files.dir)
	if err != nil || name == "" && !s.files.store.Whole(s.task.Fetched.Output.SHA256) {
		return nil, err
	}
	img := s.task.Image(s.task.Fetched.Output, s.task.Fetched.Result)
	if name != "" {
		if err := s.files.store.PutFile(s.files.dir, name, s.task.Address, img); err != nil {
			return nil, notKept(err)
		}
	}
	// A crash here leaves the task on record, and its image in the store, where the same steps find
	// it.
	return img, s.files.record("the image is in the store", state.Failed{Key: s.task.Key, Reason: keptInStore})
}

// keptInStore is why a task ends whose image is there and not wanted.
const keptInStore = "its image is in the store"
