package executor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/imagefile"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
	"github.com/fluxbatch/fluxbatch/state"
)

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
	// unrecorded is why the journal took no record of what was done, nil where it did.
	unrecorded error
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
	f.prior, f.result.ConfiguredSeed = n.change.Prior, n.desired.ConfiguredSeed()
	// The API repeats what it was asked for; what is sensitive of that goes on no record.
	isSecret := func(argument string) bool { return slices.Contains(n.desired.Sensitive(), argument) }
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
func (f *fetch) run(ctx context.Context) (img *state.Image, told string, err error) {
	// From here on a crash costs a look at the task, whose image the API has.
	if err := f.note("the image is ready", state.Ready{Key: f.task.Key}); err != nil {
		return nil, "", err
	}
	pending, img, err := f.arrive(ctx, f.task.Path)
	switch disk := noFolder(f.task.Path, err); {
	case disk != nil && f.keep:
		// It goes into the store from wherever it is.
		pending, img, err = f.arrive(ctx, aside(f.task.Path))
	case disk != nil:
		return nil, "", f.setAside(ctx, disk)
	}
	if err != nil {
		return nil, "", err
	}
	defer pending.Abort()
	// From here on a crash leaves verified bytes under a name on record: the next run only has to
	// rename them.
	if err := f.note("the image is there", f.isFetched(img, pending)); err != nil {
		return nil, "", err
	}
	if f.keep {
		err = f.store(img, pending)
	} else {
		told, err = f.place(img, pending)
	}
	if err != nil {
		return nil, "", err
	}
	return img, told, f.unrecorded
}

// note journals a record. Where the disk takes none, what is paid for is fetched all the same and
// put in its place, and unrecorded is what is wrong: the commit at the end of the run may still be
// able to record it. Any other error says that the run must not go on.
func (f *fetch) note(what string, record state.Record) error {
	err := f.files.record(what, record)
	if ofDisk(err) {
		f.unrecorded = err
		return nil
	}
	return err
}

func (f *fetch) isFetched(img *state.Image, pending *safefile.Pending) state.Fetched {
	return state.Fetched{Key: f.task.Key, Output: img.Output, Result: f.result, Temporary: pending.Temporary()}
}

// arrive downloads the image to a temporary file beside a path.
func (f *fetch) arrive(ctx context.Context, beside string) (*safefile.Pending, *state.Image, error) {
	pending, err := f.files.dir.Create(beside, 0o644)
	if err != nil {
		return nil, nil, err
	}
	file, err := f.bring(ctx, pending)
	if err != nil {
		return nil, nil, withoutFile(pending, err)
	}
	// Other machines can have it before anything is on record that keeps them from asking the API
	// for it.
	img := f.task.Image(file, f.result)
	if err := f.files.store.Publish(f.files.dir, pending.Temporary(), f.addr, img); err != nil {
		return nil, nil, withoutFile(pending, &notSharedError{err})
	}
	return pending, img, nil
}

// notSharedError says that an image could not be put where other machines find it.
type notSharedError struct{ err error }

func (e *notSharedError) Error() string { return e.err.Error() }

func (e *notSharedError) Unwrap() error { return e.err }

// withoutFile removes a file that nobody goes on with, and returns the error that says why.
func withoutFile(pending *safefile.Pending, err error) error {
	_ = pending.Abort() // What stays is swept.
	return err
}

// setAside fetches an image whose folder takes none, and puts it into the store, which may be on
// another disk or have other permissions. The next run takes it from there and asks the API for
// nothing. It returns what is wrong with the folder, with what became of the image.
func (f *fetch) setAside(ctx context.Context, disk *StorageError) error {
	disk.Kept = onRecord
	pending, img, err := f.arrive(ctx, aside(f.task.Path))
	if err != nil {
		return disk
	}
	defer pending.Abort()
	if err := f.files.store.KeepFile(f.files.dir, pending.Temporary(), f.addr, img); err != nil {
		return disk
	}
	// A crash here leaves the image in the store, and its task on record as one that is ready. The
	// store comes first: it is copied from there, which a rename between two disks could not do.
	if err := f.note("the image is in the store", f.isFetched(img, pending)); err != nil {
		return err
	}
	if f.unrecorded == nil {
		disk.Kept = "The image is paid for and in the store, and the next apply puts it in its place"
	}
	return disk
}

// store puts an image into the store that nobody wants.
func (f *fetch) store(img *state.Image, pending *safefile.Pending) error {
	if err := f.files.store.KeepFile(f.files.dir, pending.Temporary(), f.addr, img); err != nil {
		return notKept(err)
	}
	// A crash here leaves the task on record, and its image in the store as well.
	return f.note("the image is in the store", state.Failed{Key: f.task.Key, Reason: keptInStore})
}

// place gives an image its path.
func (f *fetch) place(img *state.Image, pending *safefile.Pending) (told string, err error) {
	// What is at the path is safe in the store before the new file takes its place.
	if !pending.IsFree() {
		if told, err = f.files.makeWay(f.addr, img, f.task.Path); err != nil {
			return "", f.held(pending, err)
		}
	}
	info, infoErr := pending.Stat()
	if err := pending.Commit(); err != nil {
		return "", err
	}
	if infoErr == nil { // Otherwise the file is read when it matters.
		f.files.index.Record(img.Output.Path, info, img.Output.SHA256)
	}
	// A crash here leaves the new file in place, with the hash that Fetched recorded: the next run
	// finds it there.
	if f.prior != nil {
		if err := f.files.retire(f.addr, f.prior, f.task.Path); err != nil {
			return "", f.held(pending, fmt.Errorf("keeping the image that is replaced: %w", err))
		}
	}
	return told, f.note("the image is in place", state.Stored{Address: f.addr, Image: img, Key: f.task.Key})
}

// held leaves an image where it is, under the temporary name that is on record or under its own, since
// what it replaces cannot be kept: the next run goes on from there, and asks the API for nothing.
func (f *fetch) held(pending *safefile.Pending, err error) error {
	_ = pending.Leave() // Its bytes are on the disk, under a name that is.
	kept := heldHere
	if f.unrecorded != nil {
		kept = heldUnrecorded
	}
	if disk, isDisk := errors.AsType[*StorageError](err); isDisk {
		disk.Kept = kept
		return disk
	}
	return &heldError{err, kept}
}

// heldHere says what became of an image whose bytes are here, and on record.
const heldHere = "The image is paid for and here, and the next apply puts it in its place"

// heldUnrecorded says what became of one of which the journal took no record either. The commit may
// still be able to record it.
const heldUnrecorded = "The image is paid for and here, and the next apply goes on from what is on record of it"

// heldError says that an image is there, and that what it replaces cannot be kept.
type heldError struct {
	err  error
	kept string
}

func (e *heldError) Error() string { return fmt.Sprintf("%v. %s", e.err, e.kept) }

func (e *heldError) Unwrap() error { return e.err }

// bring downloads the image into the pending file, checks it on the way, and returns when its bytes
// are durable.
func (f *fetch) bring(ctx context.Context, pending *safefile.Pending) (state.File, error) {
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
