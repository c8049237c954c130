package executor

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// ringingAPI is a fakeAPI with a doorbell.
type ringingAPI struct {
	*fakeAPI
	// accepted is told of each task before its submission is answered.
	accepted func(*fakeTask)
	// answers are how long submissions and polls take after the API has decided what to answer.
	submitTakes, pollTakes time.Duration
}

func (a *ringingAPI) Submit(ctx context.Context, request *bfl.Request, open bfl.Opener) (bfl.Submission, error) {
	task, err := a.fakeAPI.Submit(ctx, request, open)
	if err == nil {
		a.mu.Lock()
		accepted := a.task(task.PollingURL)
		a.mu.Unlock()
		a.accepted(accepted)
		<-time.After(a.submitTakes)
	}
	return task, err
}

func (a *ringingAPI) Poll(ctx context.Context, url string) (bfl.Result, error) {
	result, err := a.fakeAPI.Poll(ctx, url)
	<-time.After(a.pollTakes)
	return result, err
}

// rings gives the rig a doorbell and an account that rings it.
func (r *rig) rings() (*ringingAPI, chan string) {
	bell := make(chan string, 1024)
	api := &ringingAPI{fakeAPI: r.api}
	r.opts.Accounts = map[string]Account{"bfl": {API: api, Concurrency: r.api.limit, Rings: true}}
	r.opts.Doorbell = bell
	return api, bell
}

// uneven latencies are from 2 to 9 seconds.
func uneven(task int) time.Duration {
	return 2*time.Second + time.Duration(task*7919%100)*70*time.Millisecond
}

func TestDoorbell(t *testing.T) {
	t.Parallel()
	const images = 100
	after := func(d time.Duration, bell chan<- string, id string) { time.AfterFunc(d, func() { bell <- id }) }
	tests := []struct {
		name string
		ring func(task *fakeTask, bell chan<- string)
		// polls are the most an image may take; slower is how much longer the apply may take than
		// with a bell that works.
		polls  float64
		slower time.Duration
	}{
		{"rings", func(task *fakeTask, bell chan<- string) {
			after(time.Until(task.ends), bell, task.id)
		}, 1.1, 0},
		{"rings twice", func(task *fakeTask, bell chan<- string) {
			after(time.Until(task.ends), bell, task.id)
			after(time.Until(task.ends)+time.Millisecond, bell, task.id)
			after(time.Until(task.ends)+time.Minute, bell, task.id)
		}, 1.1, 0},
		{"rings for what is nobody's", func(task *fakeTask, bell chan<- string) {
			after(time.Until(task.ends), bell, task.id)
			for i := range 20 {
				after(time.Duration(i)*time.Second/5, bell, fmt.Sprintf("%s-of-another-%d", task.id, i))
			}
		}, 1.1, 0},
		{"rings too soon, and then again and again", func(task *fakeTask, bell chan<- string) {
			for i := range 50 {
				after(time.Duration(i+1)*100*time.Millisecond, bell, task.id)
			}
		}, 15, 5 * time.Second},
		{"rings late", func(task *fakeTask, bell chan<- string) {
			after(time.Until(task.ends)+20*time.Second, bell, task.id)
		}, 15, 10 * time.Second},
		{"rings for two of three", func(task *fakeTask, bell chan<- string) {
			if task.ends.UnixMilli()/10%3 != 0 {
				after(time.Until(task.ends), bell, task.id)
			}
		}, 2.2, 15 * time.Second},
		{"never rings", func(*fakeTask, chan<- string) {}, 15, 10 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				r := newRig(t, 24)
				r.api.latency = uneven
				api, bell := r.rings()
				api.accepted = func(task *fakeTask) { tt.ring(task, bell) }
				for i := range images {
					r.image(t, fmt.Sprintf("i%03d", i))
				}
				summary, err := r.apply(t)
				if err != nil || summary.Created != images {
					t.Fatalf("Apply = %+v, %v; want %d created", summary, err, images)
				}
				polls := float64(r.api.polls) / images
				took := time.Since(began)
				t.Logf("%.2f polls an image, in %s", polls, took)
				if polls > tt.polls {
					t.Errorf("%.2f polls an image, want %.1f at most", polls, tt.polls)
				}
				if most := 28*time.Second + tt.slower; took > most {
					t.Errorf("the apply took %s, want %s at most", took, most)
				}
				// Timers of late rings, which the bubble waits for.
				<-time.After(2 * time.Minute)
			})
		})
	}
}

// What comes before the answer to the submission is processed is not forgotten.
func TestRingBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		r := newRig(t, 1)
		r.api.latency = func(int) time.Duration { return time.Second }
		api, bell := r.rings()
		api.submitTakes = 3 * time.Second
		api.accepted = func(task *fakeTask) { time.AfterFunc(time.Second, func() { bell <- task.id }) }
		r.image(t, "a")
		if summary, err := r.apply(t); err != nil || summary.Created != 1 {
			t.Fatalf("Apply = %+v, %v", summary, err)
		}
		if took := time.Since(began); r.api.polls != 1 || took != 3*time.Second {
			t.Errorf("%d polls, and the image after %s; want one, when the answer was there", r.api.polls, took)
		}
	})
}

// A look that is under way when it rings may have come too early; no second one is made beside it,
// but one after it.
func TestRingDuringALook(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		r := newRig(t, 1)
		r.api.latency = func(int) time.Duration { return firstPatience + time.Second }
		api, bell := r.rings()
		api.pollTakes = 3 * time.Second
		api.accepted = func(task *fakeTask) {
			for range 3 {
				time.AfterFunc(time.Until(task.ends), func() { bell <- task.id })
			}
		}
		r.image(t, "a")
		if summary, err := r.apply(t); err != nil || summary.Created != 1 {
			t.Fatalf("Apply = %+v, %v", summary, err)
		}
		if took, want := time.Since(began), firstPatience+6*time.Second; r.api.polls != 2 || took != want {
			t.Errorf("%d polls, and the image after %s; want 2 and %s", r.api.polls, took, want)
		}
	})
}

// A doorbell that is closed is one that nobody rings any more.
func TestDoorbellThatIsClosed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1)
		api, bell := r.rings()
		api.accepted = func(*fakeTask) {}
		close(bell)
		r.image(t, "a")
		if summary, err := r.apply(t); err != nil || summary.Created != 1 {
			t.Fatalf("Apply = %+v, %v", summary, err)
		}
	})
}

// Rings for tasks of other runs do not pile up.
func TestEarlyRingsAreBounded(t *testing.T) {
	t.Parallel()
	r := newRun(t.Context(), newRig(t, 1).opts)
	for i := range 10 * maxEarly {
		r.rung(fmt.Sprintf("task-%d", i))
	}
	if len(r.early) > maxEarly {
		t.Errorf("%d ids are kept, want %d at most", len(r.early), maxEarly)
	}
}

func TestPatience(t *testing.T) {
	t.Parallel()
	var l latency
	if got := l.patience(0); got != firstPatience {
		t.Errorf("while nothing is known the first look comes after %v, want %v", got, firstPatience)
	}
	for i := range 40 {
		at := time.Duration(3500+i*25) * time.Millisecond
		l.add(at, at)
	}
	if got := l.patience(0); got < 5*time.Second || got > 8*time.Second {
		t.Errorf("when tasks take four seconds the first look comes after %v, want a little later than they do", got)
	}
	if got := l.patience(6 * time.Second); got != 3*time.Second {
		t.Errorf("after six seconds the next look comes after %v, want three seconds", got)
	}
	if got := l.patience(time.Hour); got != mostPatience {
		t.Errorf("after an hour the next look comes after %v, want %v", got, mostPatience)
	}
}
