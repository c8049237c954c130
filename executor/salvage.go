package executor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/imagefile"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

const (
	// salvageTimeout bounds how long a task that nobody wants holds up the run.
	salvageTimeout = time.Minute
	salvageGap     = 2 * time.Second
)

// salvage brings home what interrupted runs had asked for and nobody wants any more: it was paid for, and may be wanted again.
func (r *run) salvage(plan *planner.Plan) {
	for _, a := range plan.Abandoned {
		if r.ctx.Err() != nil || r.opts.Drain.Err() != nil {
			return
		}
		message, err := r.salvageOne(a)
		if err != nil {
			message = "a task of an interrupted run, whose image is no longer wanted, could not be brought home, and stays on record: " + err.Error()
		}
		r.emit(Warned{a.Address, message})
	}
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
	}
	for dir := range dirs {
		// A leftover that cannot be removed is in nobody's way.
		_ = r.opts.Dir.Sweep(dir, r.opts.Prior.Temporaries()...)
	}
}

// salvageOne returns what became of one task. An error leaves it on record.
func (r *run) salvageOne(a planner.Abandoned) (string, error) {
	forget := func(why, message string) (string, error) {
		if err := r.opts.Journal.Append(state.Failed{Address: a.Address, Reason: why}); err != nil {
			return "", err
		}
		delete(r.tasks, a.Address)
		return message, nil
	}
	if !a.Task.Answered() {
		return forget("given up", fmt.Sprintf("an interrupted run sent a request that got no answer and may have been charged, %s. "+
			"It is no longer wanted, and no longer remembered", a.Task.Cost.Dollars()))
	}
	name, err := a.Task.Found(r.opts.Dir)
	if err != nil {
		return "", err
	}
	if name == "" {
		var status bfl.Status
		if name, status, err = r.fetchAbandoned(a); err != nil {
			return "", err
		}
		if name == "" {
			return forget("no image", fmt.Sprintf("the image that an interrupted run had paid for, %s, cannot be had any more (%s). "+
				"It is no longer wanted, and no longer remembered", a.Task.Cost.Dollars(), status))
		}
	}
	// A crash here leaves the file under a name on record, or the copy in the store that the same steps will find again.
	img := a.Task.Image(state.File{Path: name}, state.Result{TaskID: a.Task.ID, Cost: a.Task.Cost, Simulated: a.Task.Simulated})
	if a.Task.Fetched != nil {
		img = a.Task.Image(a.Task.Fetched.Output, a.Task.Fetched.Result)
		img.Output.Path = name
	} else if err := describe(r.opts.Dir, &img.Output); err != nil {
		return "", err
	}
	if err := r.opts.Store.Put(r.opts.Dir, a.Address, img); err != nil {
		return "", err
	}
	return forget("kept in the store", fmt.Sprintf("the image that an interrupted run had paid for, %s, is no longer wanted. "+
		"It is in the store, and comes back for free when it is", a.Task.Cost.Dollars()))
}

// fetchAbandoned fetches the image of a task into a file of its own. The name is "" when there is none any more, and the status says why.
func (r *run) fetchAbandoned(a planner.Abandoned) (string, bfl.Status, error) {
	account := r.accounts[a.Task.Provider]
	if account == nil {
		return "", "", fmt.Errorf("the provider %s is not configured", a.Task.Provider)
	}
	ctx, cancel := context.WithTimeout(r.ctx, downloadTimeout)
	defer cancel()
	result, err := pollToEnd(ctx, account.API, a.Task)
	switch {
	case err != nil:
		return "", "", err
	case result.Status != bfl.Ready:
		return "", result.Status, nil
	}
	name := path.Join(path.Dir(a.Task.Path), "."+path.Base(a.Task.Path)+".abandoned")
	err = r.opts.Dir.WriteFile(name, 0o644, func(w io.Writer) error {
		check := imagefile.NewChecker(maxImageBytes)
		if _, err := account.API.Download(ctx, result.SampleURL, io.MultiWriter(w, check), maxImageBytes); err != nil {
			return err
		}
		_, err := check.Finish()
		return err
	})
	if errors.Is(err, bfl.ErrExpired) {
		return "", "expired", nil
	}
	return name, result.Status, err
}

// pollToEnd looks at a task until it is over. It was submitted by an earlier run, and so is over as a rule.
func pollToEnd(ctx context.Context, api API, task *state.Task) (bfl.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, salvageTimeout)
	defer cancel()
	unknown := 0
	for {
		result, err := look(ctx, api, task.ID, task.PollingURL)
		unknown++
		if result.Status != bfl.NotFound {
			unknown = 0
		}
		isOpen := result.Status == bfl.Pending || result.Status == bfl.NotFound && unknown < unknownLooks && task.PollingURL != ""
		if err != nil || !isOpen {
			return result, err
		}
		wait := time.NewTimer(salvageGap)
		select {
		case <-ctx.Done():
			wait.Stop()
			return bfl.Result{}, errors.New("it is still under way")
		case <-wait.C:
		}
	}
}

// describe fills in what the file at its path is.
func describe(dir *safefile.Dir, file *state.File) error {
	f, err := dir.Open(file.Path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read
	info, err := imagefile.Check(f, maxImageBytes)
	if err != nil {
		return err
	}
	file.SHA256, file.Bytes, file.Width, file.Height, file.Format = info.SHA256, info.Bytes, info.Width, info.Height, info.Format
	return nil
}
