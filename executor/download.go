package executor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/imagefile"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
	"github.com/fluxbatch/fluxbatch/state"
)

const (
	// downloadTimeout bounds the fetching of one image.
	downloadTimeout = 5 * time.Minute
	// expiredAttempts is how often a resumed task is asked for a URL that works before its image counts as lost.
	expiredAttempts = 3
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
		img, err := job.run(ctx)
		return func() {
			r.downloading--
			r.fetched(n, img, err)
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
}

func (r *run) fetchOf(n *node) fetch {
	result := state.Result{TaskID: n.task.ID, Cost: charged(n.task, n.change.Price), Simulated: n.task.Simulated}
	// The API repeats what it was asked for; what is sensitive of that goes on no record.
	isSecret := func(argument string) bool { return slices.Contains(n.desired.Sensitive, argument) }
	if !isSecret("seed") {
		result.Seed = n.sample.Seed
	}
	if prompt, _ := n.request.Value("prompt").(string); n.sample.Prompt != prompt && !isSecret("prompt") {
		result.Prompt = n.sample.Prompt
	}
	return fetch{
		api: n.lane.account.API, files: r.files, url: n.sample.SampleURL,
		addr: n.address(), prior: n.change.Prior, task: r.taskRecord(n), result: result,
	}
}

// run fetches the image and returns its record. Whatever step fails, what was at the image's path before is still there, or in the store.
func (f fetch) run(ctx context.Context) (*state.Image, error) {
	// From here on a crash costs a look at the task, whose image the API has.
	if err := f.files.journal.Append(state.Ready{Address: f.addr}); err != nil {
		return nil, &notRecordedError{"the image is ready", err}
	}
	pending, err := f.files.dir.Create(f.task.Path, 0o644)
	if err != nil {
		return nil, err
	}
	defer pending.Abort()
	file, err := f.bring(ctx, pending)
	if err != nil {
		return nil, err
	}
	// From here on a crash leaves verified bytes under a name on record: the next run only has to rename them.
	err = f.files.journal.Append(state.Fetched{Address: f.addr, Output: file, Result: f.result, Temporary: pending.Temporary()})
	if err != nil {
		return nil, &notRecordedError{"the image is there", err}
	}
	// The old file is safe in the store before the new one takes its place.
	if err := f.files.makeRoom(f.addr, f.prior, f.task.Path); err != nil {
		return nil, fmt.Errorf("keeping the image that is replaced: %w", err)
	}
	if err := pending.Commit(); err != nil {
		return nil, err
	}
	f.files.remember(file)
	img := f.task.Image(file, f.result)
	// A crash here leaves the new file in place, with the hash that Fetched recorded: the next run finds it there.
	if err := f.files.journal.Append(state.Stored{Address: f.addr, Image: img}); err != nil {
		return nil, &notRecordedError{"the image is in place", err}
	}
	return img, nil
}

// bring downloads the image into the pending file, checks it on the way, and returns when its bytes are durable.
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
	return state.File{
		Path: f.task.Path, SHA256: info.SHA256, Bytes: info.Bytes, Width: info.Width, Height: info.Height, Format: info.Format,
	}, nil
}

// notRecordedError says that an image is there and the journal takes no record of it.
type notRecordedError struct {
	what string
	err  error
}

func (e *notRecordedError) Error() string {
	return fmt.Sprintf("%s and could not be recorded (%v). Its task stays on record, and the next apply goes on with it", e.what, e.err)
}

func (e *notRecordedError) Unwrap() error { return e.err }

// fetched decides what follows a download.
func (r *run) fetched(n *node, img *state.Image, err error) {
	switch {
	case n.phase == over:
	case img != nil:
		r.finish(n, img)
	case r.ctx.Err() != nil:
		// Left to a later run; abandon says so.
	default:
		r.downloadFailed(n, err)
	}
}

// downloadFailed tries again what can pass: the bytes were paid for.
func (r *run) downloadFailed(n *node, err error) {
	if _, unrecorded := errors.AsType[*notRecordedError](err); unrecorded {
		r.fail(n, err)
		r.stopNew(err)
		return
	}
	n.fetches++
	if n.resumed && n.fetches >= expiredAttempts && errors.Is(err, bfl.ErrExpired) {
		r.forget(n, "is too old to be downloaded")
		return
	}
	if n.fetches >= maxAttempts {
		r.fail(n, fmt.Errorf("task %s is ready, and fetching its image failed %d times: %w. It stays on record, and the next apply goes on with it",
			n.task.ID, maxAttempts, err))
		return
	}
	delay := backoff(n.fetches, jitter(), 0)
	r.emit(Retrying{n.address(), "download", err, delay})
	again := func() { r.downloads = append(r.downloads, n) }
	if errors.Is(err, bfl.ErrExpired) {
		// Asking for the result again gives a fresh URL, as long as the API remembers the task.
		again = func() { r.poll(n) }
	}
	r.later(delay, again)
}
