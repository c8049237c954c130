package executor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/imagefile"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

const (
	// downloadTimeout bounds the fetching of one image.
	downloadTimeout = 5 * time.Minute
	// oldAge is how long after it was accepted a task is given up whose image cannot be had where
	// the API still says that it is, after oldAttempts.
	oldAge      = 24 * time.Hour
	oldAttempts = 3
	// maxImageBytes bounds an image's file. Four megapixels take some 50 MB as the worst PNG.
	maxImageBytes = 64 << 20
)

// download fetches, checks and puts in place one image.
func (r *run) download(n *node) {
	r.downloading++
	ctx, job := r.ctx, r.fetchOf(n)
	r.spawn(func() func() {
		ctx, cancel := context.WithTimeout(ctx, downloadTimeout)
		defer cancel()
		img, told, err := job.run(ctx)
		return func() {
			r.downloading--
			r.fetched(n, img, told, err)
		}
	})
}

// fetch is what a worker needs to bring one image home.
type fetch struct {
	api    API
	files  *files
	url    string
	addr   addrs.Image
	prior  *state.Image
	task   state.Task
	result state.Result
	// keep says that the image is not wanted, and goes into the store.
	keep bool
}

func (r *run) fetchOf(n *node) fetch {
	f := fetch{
		api: n.lane.account.API, files: r.files, url: n.sample.SampleURL, addr: n.address(), task: n.record, keep: n.salvages(),
		result: state.Result{TaskID: n.task.ID, Cost: n.cost, Simulated: n.task.Simulated},
	}
	if n.salvages() {
		// What is sensitive of its request is not known any more, and so nothing is kept of what
		// the API repeats.
		if !strings.Contains(string(n.record.Request), image.Redacted) {
			f.result.Seed = n.sample.Seed
		}
		return f
	}
	f.prior, f.result.ConfiguredSeed = n.change.Prior, n.desired.ConfiguredSeed
	// The API repeats what it was asked for; what is sensitive of that goes on no record.
	isSecret := func(argument string) bool { return slices.Contains(n.desired.Sensitive, argument) }
	if !isSecret("seed") {
		f.result.Seed = n.sample.Seed
	}
	if prompt, _ := n.request.Value("prompt").(string); n.sample.Prompt != prompt && !isSecret("prompt") {
		f.result.Prompt = n.sample.Prompt
	}
	return f
}

// run fetches the image and returns its record, and what the user should know of it. Whatever step
// fails, what was at the image's path before is still there, or in the store.
func (f fetch) run(ctx context.Context) (img *state.Image, told string, err error) {
	// From here on a crash costs a look at the task, whose image the API has.
	if err := f.files.journal.Append(state.Ready{Key: f.task.Key}); err != nil {
		return nil, "", &notRecordedError{"the image is ready", err}
	}
	pending, err := f.files.dir.Create(f.task.Path, 0o644)
	if err != nil {
		return nil, "", err
	}
	defer pending.Abort()
	file, err := f.bring(ctx, pending)
	if err != nil {
		return nil, "", err
	}
	// Other machines can have it before anything is on record that keeps them from asking the API
	// for it.
	img = f.task.Image(file, f.result)
	if err := f.files.store.Publish(f.files.dir, pending.Temporary(), f.addr, img); err != nil {
		return nil, "", err
	}
	// From here on a crash leaves verified bytes under a name on record: the next run only has to
	// rename them.
	err = f.files.journal.Append(state.Fetched{Key: f.task.Key, Output: file, Result: f.result, Temporary: pending.Temporary()})
	if err != nil {
		return nil, "", &notRecordedError{"the image is there", err}
	}
	if f.keep {
		if err := f.files.store.KeepFile(f.files.dir, pending.Temporary(), f.addr, img); err != nil {
			return nil, "", err
		}
		// A crash here leaves the task on record, and its image in the store as well.
		if err := f.files.journal.Append(state.Failed{Key: f.task.Key, Reason: keptInStore}); err != nil {
			return nil, "", &notRecordedError{"the image is in the store", err}
		}
		return img, "", nil
	}
	// What is at the path is safe in the store before the new file takes its place.
	if !pending.IsFree() {
		if told, err = f.files.makeWay(f.addr, img, f.task.Path); err != nil {
			return nil, "", err
		}
	}
	info, infoErr := pending.Stat()
	if err := pending.Commit(); err != nil {
		return nil, "", err
	}
	if infoErr == nil { // Otherwise the file is read when it matters.
		f.files.index.Record(file.Path, info, file.SHA256)
	}
	// A crash here leaves the new file in place, with the hash that Fetched recorded: the next run
	// finds it there.
	if f.prior != nil {
		if err := f.files.retire(f.addr, f.prior, f.task.Path); err != nil {
			return nil, "", fmt.Errorf("keeping the image that is replaced: %w", err)
		}
	}
	if err := f.files.journal.Append(state.Stored{Address: f.addr, Image: img, Key: f.task.Key}); err != nil {
		return nil, "", &notRecordedError{"the image is in place", err}
	}
	return img, told, nil
}

// bring downloads the image into the pending file, checks it on the way, and returns when its bytes
// are durable.
func (f fetch) bring(ctx context.Context, pending *safefile.Pending) (state.File, error) {
	check := imagefile.NewChecker(maxImageBytes)
	if _, err := f.api.Download(ctx, f.url, io.MultiWriter(pending, check), maxImageBytes); err != nil {
		return state.File{}, err
	}
	info, err := check.Finish()
	if err != nil {
		return state.File{}, err
	}
	if err := errors.Join(pending.Settle(), pending.Sync()); err != nil {
		return state.File{}, err
	}
	return state.FileOf(f.task.Path, info), nil
}

// notRecordedError says that an image is there and the journal takes no record of it.
type notRecordedError struct {
	what string
	err  error
}

func (e *notRecordedError) Error() string {
	return fmt.Sprintf("%s, but it could not be recorded (%v). The next apply continues with its task", e.what, e.err)
}

func (e *notRecordedError) Unwrap() error { return e.err }

// fetched decides what follows a download.
func (r *run) fetched(n *node, img *state.Image, told string, err error) {
	switch {
	case n.phase == over:
	case img != nil:
		for _, what := range r.deviations(n, img) {
			r.emit(Warned{n.address(), what})
		}
		r.brought(n, img, told)
	case r.ctx.Err() != nil:
		// Left to a later run; abandon says so.
	default:
		r.downloadFailed(n, err)
	}
}

// deviations says in which ways an image is not what was asked for.
func (r *run) deviations(n *node, img *state.Image) []string {
	if n.request == nil || len(n.desired.Sensitive) > 0 {
		return planner.Deviations(img) // The record has nothing that is not to be shown.
	}
	return planner.DeviationsFrom(n.request, img)
}

// downloadFailed tries again what can pass: the bytes were paid for.
func (r *run) downloadFailed(n *node, err error) {
	if _, unrecorded := errors.AsType[*notRecordedError](err); unrecorded {
		r.fail(n, err)
		r.stopNew(err)
		return
	}
	n.fetches++
	isRefused := errors.Is(err, bfl.ErrExpired)
	if isRefused && n.fetches >= oldAttempts && !n.accepted.IsZero() && time.Since(n.accepted) >= oldAge {
		const reason = "is more than a day old, and its image can no longer be downloaded"
		r.lost(n, reason, &TaskError{n.task.ID, reason, n.cost})
		return
	}
	if n.fetches >= maxAttempts {
		r.fail(n, fmt.Errorf("task %s is ready, but fetching its image failed %d times: %w. The next apply continues with it",
			n.task.ID, maxAttempts, err))
		return
	}
	delay := backoff(n.fetches, jitter(), 0)
	if !n.salvages() {
		r.emit(Retrying{n.address(), "download", err, delay})
	}
	again := func() { r.downloads = append(r.downloads, n) }
	if isRefused {
		// Asking for the result again gives a fresh URL, as long as the API remembers the task.
		again = func() { r.poll(n) }
	}
	r.later(delay, again)
}
