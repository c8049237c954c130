package executor

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// TestNoResultWaitsForLong holds that no result waits for nearly as long as it can be fetched, where
// the line takes less than the API makes, and that the line is idle no more than it would be.
func TestNoResultWaitsForLong(t *testing.T) {
	t.Parallel()
	const images, most = 400, 5 * time.Minute
	tests := []struct {
		name string
		// takes is how long a picture takes, by when that began.
		takes func(at time.Duration) time.Duration
		ideal time.Duration
	}{
		{"a slow line", func(time.Duration) time.Duration { return 40 * time.Second }, images / 16 * 40 * time.Second},
		{"a line that becomes slow", func(at time.Duration) time.Duration {
			if at < 20*time.Second {
				return time.Second
			}
			return time.Minute
		}, images / 16 * time.Minute},
		{"a line that is dead for some minutes", func(at time.Duration) time.Duration {
			if at < time.Minute {
				return 4 * time.Minute
			}
			return time.Second
		}, 4*time.Minute + images/6*time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, 24)
				for i := range images {
					r.image(t, fmt.Sprintf("i%03d", i))
				}
				began, late := time.Now(), time.Duration(0)
				var mu sync.Mutex
				r.api.onDownload = func(task *fakeTask, _ int, _ io.Writer) (bool, error) {
					mu.Lock()
					late = max(late, time.Since(task.ends))
					mu.Unlock()
					<-time.After(tt.takes(time.Since(began)))
					return false, nil
				}
				summary, err := r.apply(t)
				if err != nil || summary.Created != images {
					t.Fatalf("Apply = %+v, %v; want all images", summary, err)
				}
				if late > most {
					t.Errorf("a result waited for %v", late)
				}
				if took := time.Since(began); took > tt.ideal*11/10 {
					t.Errorf("it took %v, and the line alone %v", took, tt.ideal)
				}
				told := 0
				for _, e := range r.events {
					if _, ok := e.(Behind); ok {
						told++
					}
				}
				if told != 1 {
					t.Errorf("it was told %d times that results wait, want once", told)
				}
			})
		})
	}
}

// That nothing new is asked for is told only where something is left to be asked for.
func TestNothingIsLeftToHoldBack(t *testing.T) {
	t.Parallel()
	for _, isDistant := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			const images = 24
			r := newRig(t, images)
			r.opts.Distant = isDistant
			for i := range images {
				r.image(t, fmt.Sprintf("i%03d", i))
			}
			r.api.onDownload = func(*fakeTask, int, io.Writer) (bool, error) {
				<-time.After(4 * time.Minute)
				return false, nil
			}
			if summary, err := r.apply(t); err != nil || summary.Created != images {
				t.Fatalf("Apply = %+v, %v; want all images", summary, err)
			}
			for _, e := range r.events {
				if _, ok := e.(Behind); ok {
					t.Errorf("distant %t: it was told that nothing new is asked for, and all had been", isDistant)
				}
			}
		})
	}
}

// TestNothingIsBoughtThatCannotBeLookedAt has the API take requests and answer no look for hours: no more
// is bought than is in flight, and all of it is on record.
func TestNothingIsBoughtThatCannotBeLookedAt(t *testing.T) {
	t.Parallel()
	for name, outage := range map[string]time.Duration{"for hours": 6 * time.Hour, "for a minute": time.Minute} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const images, slots = 60, 6
				r := newRig(t, slots)
				for i := range images {
					r.image(t, fmt.Sprintf("i%02d", i))
				}
				began := time.Now()
				r.api.onPoll = func(*fakeTask) (bfl.Result, error) {
					if time.Since(began) < outage {
						return bfl.Result{}, &bfl.APIError{StatusCode: http.StatusServiceUnavailable, Message: "busy"}
					}
					return bfl.Result{}, nil
				}
				summary, err := r.apply(t)
				if outage < time.Hour {
					if err != nil || summary.Created != images {
						t.Errorf("Apply = %+v, %v; want all images", summary, err)
					}
					return
				}
				if !errors.Is(err, ErrIncomplete) || len(r.api.tasks) > slots || summary.Failed != len(r.api.tasks) {
					t.Errorf("Apply = %+v, %v with %d tasks; want those in flight to fail, and no other bought", summary, err, len(r.api.tasks))
				}
			})
		})
	}
}
