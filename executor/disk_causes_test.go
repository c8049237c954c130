package executor

import (
	"errors"
	"io/fs"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/fluxbatch/fluxbatch/state"
)

// What takes nothing is named, and nothing is bought any more: whether that shows when an image comes or
// at a change that costs nothing, before.
func TestWhatTakesNothing(t *testing.T) {
	t.Parallel()
	const store = "what is replaced or removed cannot be kept in the store: no space left on device"
	const journal = "the journal cannot be written: no space left on device"
	full := func(op string) error { return &fs.PathError{Op: op, Path: "x", Err: syscall.ENOSPC} }
	storeIsFull := func(r *rig) { r.store.full = full("write") }
	journalTakesNo := func(is func(state.Record) bool) func(*rig) {
		return func(r *rig) {
			r.journal.fail = func(record state.Record) error {
				if is(record) {
					return full("write")
				}
				return nil
			}
		}
	}
	tests := []struct {
		name  string
		setUp func(t *testing.T, r *rig)
		fails func(r *rig)
		// failed is what image.a is told, and skipped what the images are that are not begun.
		failed, skipped string
		bought          int
	}{
		{
			"the store, at an image that is replaced", func(t *testing.T, r *rig) {
				t.Helper()
				r.made(t, r.image(t, "a")).Fingerprint = "of another prompt"
			},
			storeIsFull, store + ". The image is paid for and here, and the next apply puts it in its place", store, 2,
		},
		{
			"the store, at an image that is replaced and had another path", func(t *testing.T, r *rig) {
				t.Helper()
				a := r.image(t, "a")
				r.made(t, a).Fingerprint = "of another prompt"
				a.Output = "images/new.png"
			},
			storeIsFull, store + ". The image is paid for and here, and the next apply puts it in its place", store, 2,
		},
		{
			"the store, at an image that is destroyed", func(t *testing.T, r *rig) {
				t.Helper()
				r.made(t, r.image(t, "a"))
				r.images = nil
			},
			storeIsFull, store, store, 0,
		},
		{
			"the journal, at an image that is destroyed", func(t *testing.T, r *rig) {
				t.Helper()
				r.made(t, r.image(t, "a"))
				r.images = nil
			},
			journalTakesNo(func(record state.Record) bool { _, is := record.(state.Removed); return is }),
			journal + ". The image is gone, and the next apply goes on from there", journal, 0,
		},
		{
			"the journal, at an image that gets labels", func(t *testing.T, r *rig) {
				t.Helper()
				a := r.image(t, "a")
				r.made(t, a)
				a.Labels = map[string]string{"season": "winter"}
			},
			journalTakesNo(func(record state.Record) bool { _, is := record.(state.Stored); return is }),
			journal + ". The image is in place, and the next apply goes on from there", journal, 0,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, 1)
				tt.setUp(t, r)
				for _, name := range []string{"y", "z"} {
					r.image(t, name)
				}
				tt.fails(r)
				if _, err := r.apply(t); !errors.Is(err, ErrIncomplete) {
					t.Errorf("Apply = %v, want ErrIncomplete", err)
				}
				if err := r.failures()["image.a"]; err == nil || err.Error() != tt.failed {
					t.Errorf("image.a failed with %q, want %q", err, tt.failed)
				}
				// With two, the second began when the API had made the first.
				others := []string{"image.y", "image.z"}[max(tt.bought-1, 0):]
				if len(r.api.tasks) != tt.bought || !slices.Equal(r.skipped(), others) {
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
