package executor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/state"
)

// formerly puts tasks of an interrupted run on record, whose images the API has.
func (r *rig) formerly(t *testing.T, accepted time.Time, names ...string) {
	t.Helper()
	for _, name := range names {
		task := r.interrupted(t, r.image(t, name))
		task.ID, task.PollingURL, task.Accepted, task.Ready = "old-"+name, "https://poll/old-"+name, accepted, true
		r.api.tasks = append(r.api.tasks, &fakeTask{id: task.ID, prompt: name, body: []byte(name), ends: time.Now()})
	}
}

// unless has the downloads of some images fail.
func unless(err error, names ...string) func(*fakeTask, int, io.Writer) (bool, error) {
	return func(task *fakeTask, _ int, _ io.Writer) (bool, error) {
		return slices.Contains(names, task.prompt), err
	}
}

// TestTasksFromTheFuture: a run on a machine whose clock was far ahead leaves tasks whose images may be gone,
// and they keep nothing from being bought.
func TestTasksFromTheFuture(t *testing.T) {
	t.Parallel()
	future := func() time.Time { return time.Now().AddDate(1, 0, 0) }
	t.Run("their images are gone", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, 4)
			r.formerly(t, future(), "x", "y", "z")
			for i := range 5 {
				r.image(t, fmt.Sprintf("a%d", i))
			}
			r.api.onDownload = unless(bfl.ErrExpired, "x", "y", "z")
			if summary, err := r.apply(t); !errors.Is(err, ErrIncomplete) || summary.Created != 5 || summary.Failed != 3 {
				t.Errorf("Apply = %+v, %v; want 5 created, and 3 failed", summary, err)
			}
		})
	})
	t.Run("they are not known any more", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, 4)
			r.formerly(t, future(), "x")
			r.api.tasks = nil
			began := time.Now()
			_, _ = r.apply(t)
			if took := time.Since(began); took > 2*settlingTime {
				t.Errorf("the task was looked for for %s", took)
			}
			isLost := func(record state.Record) bool { _, ok := record.(state.Lost); return ok }
			if !slices.ContainsFunc(r.journal.records, isLost) {
				t.Errorf("on record is %T, want that the task is lost", r.journal.records)
			}
		})
	})
}

// outages are what is told of them.
func (r *rig) outages() (told []string) {
	for _, e := range r.events {
		switch e := e.(type) {
		case Undelivered:
			told = append(told, fmt.Sprintf("down: looks %v, buys %v", e.Looks, e.Buys))
		case Delivered:
			told = append(told, fmt.Sprintf("back: looks %v, buys %v", e.Looks, e.Buys))
		}
	}
	return told
}

// TestOutageOfLooks has looks fail for a while, and meanwhile the download of one image as well. The end of
// what was told is told.
func TestOutageOfLooks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 4)
		for i := range 20 {
			r.image(t, fmt.Sprintf("a%02d", i))
		}
		began := time.Now()
		r.api.latency = func(n int) time.Duration { return time.Second + time.Duration(n%4)*10*time.Second }
		var isOver atomic.Bool
		r.api.onPoll = func(*fakeTask) (bfl.Result, error) {
			if time.Since(began) > 5*time.Second && !isOver.Load() {
				return bfl.Result{}, &bfl.APIError{StatusCode: 503}
			}
			return bfl.Result{}, nil
		}
		r.api.onDownload = func(task *fakeTask, _ int, _ io.Writer) (bool, error) {
			// It is the last call to fail before a look succeeds.
			isOver.Store(isOver.Load() || time.Since(began) > time.Minute)
			return task.id == "task-0" && time.Since(began) < 95*time.Second, &bfl.NetworkError{Host: "delivery", Err: io.ErrUnexpectedEOF}
		}
		if summary, err := r.apply(t); err != nil || summary.Created != 20 {
			t.Errorf("Apply = %+v, %v; want all", summary, err)
		}
		// Either may be the one that failed last before it was told.
		told := r.outages()
		if len(told) != 2 || strings.TrimPrefix(told[0], "down") != strings.TrimPrefix(told[1], "back") {
			t.Errorf("it was told that %q, want one outage and its end", told)
		}
	})
}

// TestOutageAfterAnInterrupt promises nothing that does not come.
func TestOutageAfterAnInterrupt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 4)
		for i := range 20 {
			r.image(t, fmt.Sprintf("a%02d", i))
		}
		drain, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		r.opts.Drain = drain
		began := time.Now()
		r.api.onDownload = func(*fakeTask, int, io.Writer) (bool, error) {
			return time.Since(began) < 20*time.Second, &bfl.NetworkError{Host: "delivery", Err: io.ErrUnexpectedEOF}
		}
		if summary, err := r.apply(t); !errors.Is(err, ErrIncomplete) || summary.Created != 4 {
			t.Errorf("Apply = %+v, %v; want what was in flight", summary, err)
		}
		if diff := cmp.Diff([]string{"down: looks false, buys false", "back: looks false, buys false"}, r.outages()); diff != "" {
			t.Errorf("what was told (-want +got):\n%s", diff)
		}
	})
}

// TestNothingElseGoesOn: an image that had its attempts, and a task that nobody wants and that does not end,
// do not wait for each other.
func TestNothingElseGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 4)
		r.formerly(t, time.Now(), "x")
		r.images = nil
		r.api.tasks[0].ends = time.Now().Add(time.Hour)
		r.image(t, "a")
		r.api.onDownload = unless(&bfl.NetworkError{Host: "delivery", Err: io.ErrUnexpectedEOF}, "a")
		began := time.Now()
		if summary, err := r.apply(t); !errors.Is(err, ErrIncomplete) || summary.Failed != 1 {
			t.Errorf("Apply = %+v, %v; want the image to fail", summary, err)
		}
		if took := time.Since(began); took > 5*time.Minute {
			t.Errorf("the run took %s", took)
		}
	})
}

// TestOutagesThatComeAgain: where every other image cannot be fetched, that is not told for hours.
func TestOutagesThatComeAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 2)
		for i := range 400 {
			r.image(t, fmt.Sprintf("a%03d", i))
		}
		r.api.onDownload = func(task *fakeTask, _ int, _ io.Writer) (bool, error) {
			if (task.prompt[len(task.prompt)-1]-'0')%2 == 0 {
				<-time.After(3 * time.Second)
				return true, &bfl.NetworkError{Host: "delivery", Err: io.ErrUnexpectedEOF}
			}
			return false, nil
		}
		summary, _ := r.apply(t)
		if told := r.outages(); len(told) == 0 || len(told) > 12 {
			t.Errorf("%d images were made, and it was told that %q", summary.Created, told)
		}
	})
}
