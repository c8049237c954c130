package executor_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/simulator"
)

// TestDeliveryIsDown has no image be delivered. Only what is in flight by then is bought, and the apply
// after that has all of it without paying again.
func TestDeliveryIsDown(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"download-reset", "download-503", "download-403", "download-html", "download-corrupt"} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const images = 60
				r := newBuyer(t, 100*time.Millisecond, parsed(t, fault))
				err := r.apply(images)
				bought := r.bought()
				if !errors.Is(err, executor.ErrIncomplete) || bought > 3*r.slots || r.made > 0 {
					t.Errorf("the apply ended with %v, and %d images were bought, of which %d came; want the buying to end", err, bought, r.made)
				}
				if len(r.failed) != 1 || len(r.skipped) != 1 {
					t.Errorf("it was told in many ways: %q; %q", r.failed, r.skipped)
				}
				for text, err := range r.skipped {
					if delivery, ok := errors.AsType[*executor.DeliveryError](err); !ok || !delivery.All {
						t.Errorf("images were not begun since %q, want that none is delivered", text)
					}
				}
				r.sim.ClearFaults()
				<-time.After(5 * time.Minute) // Images are there for ten.
				if err := r.apply(images); err != nil {
					t.Errorf("the apply after that: %v, %q", err, r.failed)
				}
				if n := wholeFiles(t, r.base); n != images || r.bought() != images {
					t.Errorf("%d files, and %d images bought, want %d", n, r.bought(), images)
				}
			})
		})
	}
}

// While nothing is delivered nothing is bought, and the run goes on when something is again.
func TestDeliveryIsDownForAMoment(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const images = 60
		r := newBuyer(t, 100*time.Millisecond, parsed(t, "download-reset for=5s"))
		if err := r.apply(images); err != nil {
			t.Errorf("the apply ended with %v", err)
		}
		if r.before > 3*r.slots {
			t.Errorf("%d images were bought before the first came, want those in flight", r.before)
		}
		if n := wholeFiles(t, r.base); n != images || r.bought() != images {
			t.Errorf("%d files, and %d images bought, want %d", n, r.bought(), images)
		}
	})
}

// Tasks of an earlier run whose images are gone keep nothing from being bought.
func TestFormerImagesAreGone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const former, images = 8, 45
		faults := make([]simulator.Fault, former)
		for i := range faults {
			faults[i] = simulator.Fault{On: simulator.Download, Effect: simulator.EffectExpired, Prompt: fmt.Sprintf("image %d", 30+i)}
		}
		// A new image takes longer than all attempts to fetch the former ones, which come first.
		r := newBuyer(t, 10*time.Minute, faults...)
		r.slots = 24
		_ = r.apply(30 + former)
		if len(r.failed) != 1 || r.bought() != 30+former {
			t.Fatalf("%d images were bought, and failed since %q", r.bought(), r.failed)
		}
		r.slots = 1
		if err := r.apply(images); !errors.Is(err, executor.ErrIncomplete) || len(r.skipped) > 0 {
			t.Errorf("the apply after that ended with %v, and skipped images since %q", err, r.skipped)
		}
		if n := wholeFiles(t, r.base); n != images-former || r.bought() != images {
			t.Errorf("%d files, and %d images bought, want %d and %d", n, r.bought(), images-former, images)
		}
	})
}
