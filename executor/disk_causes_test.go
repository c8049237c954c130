package executor

import (
	"errors"
	"io/fs"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/state"
)

// What takes nothing is named, and nothing is bought any more: whether that shows when an image comes or
// at a change that costs nothing, before.
func TestWhatTakesNothing(t *testing.T) {
	t.Parallel()
	const (
		store   = "no image can be kept in the store: no space left on device"
		journal = "the journal cannot be written: no space left on device"
		here    = ". The image is paid for and here, and the next apply puts it in its place"
		lost    = "the journal cannot be written: another run has the lock"
		either  = ". The image is paid for and here, and the next apply goes on from what is on record of it"
	)
	replaced := func(r *rig, _ *image.Image, was *state.Image) { was.Fingerprint = "of another prompt" }
	moved := func(r *rig, a *image.Image, was *state.Image) {
		was.Fingerprint, a.Output = "of another prompt", "images/new.png"
	}
	gone := func(r *rig, _ *image.Image, _ *state.Image) { r.images = nil }
	labelled := func(r *rig, a *image.Image, _ *state.Image) { a.Labels = map[string]string{"season": "winter"} }
	tests := []struct {
		name string
		// change is what becomes of image.a, which is on record.
		change func(r *rig, a *image.Image, was *state.Image)
		full   func(*rig)
		// failed is what it is told, and skipped what the images are that are not begun. Where it is
		// bought, another one begins when the API has made it.
		failed, skipped string
		bought          int
	}{
		{"the store, at an image that is replaced", replaced, storeIsFull, store + here, store, 2},
		{"the store, at an image that is replaced and had another path", moved, storeIsFull, store + here, store, 2},
		{"the store, at an image that is destroyed", gone, storeIsFull, store, store, 0},
		{"both, at an image that is replaced", replaced, bothAreFull, store + either, store, 2},
		{"the journal, at an image that is destroyed", gone, journalIsFull, journal + ". The image is gone, and the next apply goes on from there", journal, 0},
		{"a journal that is another run's, at an image that is destroyed", gone, journalIsLost, lost + ". The image is gone, and the next apply goes on from there", lost, 0},
		{"a journal that is another run's, at an image that is replaced", replaced, journalIsLost, lost + ". The image is ready, and the next apply goes on from there", lost, 2},
		{"the journal, at an image that gets labels", labelled, journalIsFull, journal + ". The image is in place, and the next apply goes on from there", journal, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, 1)
				a := r.image(t, "a")
				tt.change(r, a, r.made(t, a))
				r.image(t, "y")
				r.image(t, "z")
				tt.full(r)
				if _, err := r.apply(t); !errors.Is(err, ErrIncomplete) {
					t.Errorf("Apply = %v, want ErrIncomplete", err)
				}
				if err := r.failures()["image.a"]; err == nil || err.Error() != tt.failed {
					t.Errorf("image.a failed with %q, want %q", err, tt.failed)
				}
				if others := []string{"image.y", "image.z"}[max(tt.bought-1, 0):]; len(r.api.tasks) != tt.bought || !slices.Equal(r.skipped(), others) {
					t.Errorf("%d images were bought and %v skipped, want %d and %v", len(r.api.tasks), r.skipped(), tt.bought, others)
				}
				for _, e := range r.events {
					if s, ok := e.(Skipped); ok && s.Err.Error() != tt.skipped {
						t.Errorf("%s was not begun since %q, want %q", s.Address, s.Err, tt.skipped)
					}
				}
			})
		})
	}
}

// An image of the store that cannot be read concerns itself alone.
func TestUnreadableInTheStore(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"told as what it is":      &state.BlobError{Path: "store/x", Err: syscall.EIO},
		"told by the file system": &fs.PathError{Op: "read", Path: "store/x", Err: syscall.EIO},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, 1)
				r.stored = r.store.candidates
				for _, name := range []string{"a", "b"} {
					img := r.image(t, name)
					if err := r.store.PutFile(r.dir, img.Output, img.Address, r.made(t, img)); err != nil {
						t.Fatal(err)
					}
				}
				r.store.bad = map[string]error{r.prior.Images.Get(parse(t, "image.a")).Output.SHA256: err}
				r.prior.Images = new(state.Images)
				r.image(t, "new")
				summary, applyErr := r.apply(t)
				if want := (Summary{Created: 2, Failed: 1, Cost: summary.Cost}); !errors.Is(applyErr, ErrIncomplete) || summary != want {
					t.Errorf("Apply = %+v, %v, want %+v", summary, applyErr, want)
				}
				if got := r.failures()["image.a"]; !errors.Is(got, syscall.EIO) {
					t.Errorf("image.a failed with %v", got)
				}
				if _, isDisk := errors.AsType[*StorageError](r.failures()["image.a"]); isDisk {
					t.Errorf("image.a failed with %v, want an error of the image alone", r.failures()["image.a"])
				}
			})
		})
	}
}

// What is known only now is not bought while the store cannot say whether it has it.
func TestStoreCannotBeLookedAt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1)
		r.stored, r.store.unseen = r.store.candidates, errors.New("the store cannot be read")
		r.image(t, "a")
		r.image(t, "b", "a")
		if summary, err := r.apply(t); !errors.Is(err, ErrIncomplete) || summary.Created != 1 || len(r.api.tasks) != 1 {
			t.Errorf("Apply = %+v, %v, and %d were bought, want image.a alone", summary, err, len(r.api.tasks))
		}
		if got := r.failures()["image.b"]; !errors.Is(got, r.store.unseen) {
			t.Errorf("image.b failed with %v, want that the store cannot be read", got)
		}
	})
}

func full() error { return &fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC} }

func storeIsFull(r *rig) { r.store.full = full() }

// journalIsFull lets the journal take nothing any more after a task began.
func journalIsFull(r *rig) { r.journal.fail = afterSubmission(full()) }

// journalIsLost is not about a disk: what is paid for is not fetched, since another run may do so.
func journalIsLost(r *rig) { r.journal.fail = afterSubmission(errors.New("another run has the lock")) }

func afterSubmission(err error) func(state.Record) error {
	return func(record state.Record) error {
		switch record.(type) {
		case state.Intent, state.Submitted:
			return nil
		default:
			return err
		}
	}
}

func bothAreFull(r *rig) {
	storeIsFull(r)
	journalIsFull(r)
}
