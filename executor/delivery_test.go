package executor_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

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
				if len(r.outages) != 1 || !strings.HasPrefix(r.outages[0], "down for") {
					t.Errorf("it was told that %q, want once that nothing is delivered", r.outages)
				}
				if err := r.apply(images); !errors.Is(err, executor.ErrIncomplete) || r.bought() != bought || r.made > 0 {
					t.Errorf("the apply after that ended with %v, and bought %d images more", err, r.bought()-bought)
				}
				for text := range r.failed {
					if !strings.Contains(text, "-abandon") {
						t.Errorf("the way out of what is of an interrupted run is not told: %q", text)
					}
				}
				r.sim.ClearFaults()
				<-time.After(3 * time.Minute) // Images are there for ten.
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
		r := newBuyer(t, 100*time.Millisecond, parsed(t, "download-reset for=20s"))
		if err := r.apply(images); err != nil {
			t.Errorf("the apply ended with %v", err)
		}
		if r.before > 3*r.slots {
			t.Errorf("%d images were bought before the first came, want those in flight", r.before)
		}
		if diff := cmp.Diff([]string{"down for 5s until 10m0s", "back, buys: true"}, r.outages); diff != "" {
			t.Errorf("it was told of the outage otherwise (-want +got):\n%s", diff)
		}
		if n := wholeFiles(t, r.base); n != images || r.bought() != images {
			t.Errorf("%d files, and %d images bought, want %d", n, r.bought(), images)
		}
	})
}

// An image that cannot be fetched at ten attempts is tried as long as the run has anything else to do and
// the image is there, whichever run has paid for it.
func TestImageIsTriedAsLongAsTheRunLasts(t *testing.T) {
	t.Parallel()
	const images = 20
	down := simulator.Fault{On: simulator.Download, Effect: simulator.EffectHTTP, Status: 503, Prompt: "image 0", For: 6 * time.Minute}
	for _, before := range []int{0, 1} {
		t.Run(fmt.Sprintf("%d of an earlier run", before), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newBuyer(t, 30*time.Second, down)
				r.slots = 1
				if before > 0 {
					_ = r.apply(before)
				}
				if len(r.failed) != before || r.bought() != before {
					t.Fatalf("%d images were bought, and failed since %q", r.bought(), r.failed)
				}
				if err := r.apply(images); err != nil {
					t.Errorf("the apply ended with %v, and images failed since %q", err, r.failed)
				}
				if n := wholeFiles(t, r.base); n != images || r.bought() != images {
					t.Errorf("%d files, and %d images bought, want %d", n, r.bought(), images)
				}
			})
		})
	}
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
