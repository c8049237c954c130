package executor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

var errUsedUp = errors.New("the budget of the day is used up")

// pool is Slots of an account that may have so many tasks, and buy so many images.
type pool struct {
	slots chan struct{}
	mu    sync.Mutex
	buys  int
}

func newPool(slots, buys int) *pool { return &pool{slots: make(chan struct{}, slots), buys: buys} }

func (p *pool) add(buys int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.buys+buys < 0 {
		return false
	}
	p.buys += buys
	return true
}

func (p *pool) Take(ctx context.Context, _ Job) (Hold, error) {
	if !p.add(-1) {
		return nil, errUsedUp
	}
	select {
	case p.slots <- struct{}{}:
		return &poolHold{pool: p}, nil
	case <-ctx.Done():
		p.add(1)
		return nil, context.Cause(ctx)
	}
}

// Inherit takes the slot that the task has, as if it were not taken yet.
func (p *pool) Inherit(context.Context, Job, string) Hold {
	select {
	case p.slots <- struct{}{}:
		return &poolHold{pool: p, bought: true}
	default:
		return nil
	}
}

type poolHold struct {
	pool   *pool
	bought bool
}

func (h *poolHold) Runs(context.Context, string, bfl.Credits) { h.bought = true }

func (h *poolHold) Release() {
	if !h.bought {
		h.pool.add(1)
	}
	<-h.pool.slots
}

// TestBudgetIsUsedUp: what has its part of a budget is bought, also where it has no slot yet when another
// image is refused.
func TestBudgetIsUsedUp(t *testing.T) {
	t.Parallel()
	check := func(t *testing.T, r *rig, may int) {
		t.Helper()
		summary, err := r.apply(t)
		if !errors.Is(err, ErrIncomplete) || summary.Created != may || len(r.api.tasks) != may || summary.Failed > 0 {
			t.Errorf("Apply = %+v, %v, and %d were bought, want %d", summary, err, len(r.api.tasks), may)
		}
	}
	t.Run("of all who share the account", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, 6)
			p := newPool(2, 10)
			r.opts.Accounts = map[string]Account{"bfl": {API: r.api, Concurrency: 6, Slots: p}}
			for i := range 20 {
				r.image(t, fmt.Sprintf("a%02d", i))
			}
			check(t, r, 10)
			if len(p.slots) > 0 || p.buys != 0 {
				t.Errorf("%d slots are held in the end, and %d images set aside", len(p.slots), p.buys)
			}
		})
	})
	t.Run("of this run, with intents that are recorded ahead", func(t *testing.T) {
		t.Parallel()
		for may := 20; may < 40; may++ {
			synctest.Test(t, func(t *testing.T) {
				r, d := farRig(t, 60)
				r.opts.MaxCost = new(bfl.Credits(may * 3000))
				check(t, r, may)
				if len(d.unanswered) != 0 {
					t.Errorf("%d intents are left that nobody acted on", len(d.unanswered))
				}
			})
		}
	})
}

// undelivering is an API from which no image can be fetched.
type undelivering struct{ *fakeAPI }

func (undelivering) Download(context.Context, string, io.Writer, int64) (int64, error) {
	<-time.After(10 * time.Millisecond) // Slots are free before that.
	return 0, &bfl.NetworkError{Host: "delivery", Err: io.ErrUnexpectedEOF}
}

// TestSlotsAreGivenBack: a request that waits for a slot while nothing is to be bought any more is not sent
// when one comes.
func TestSlotsAreGivenBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 8)
		p := newPool(4, 20)
		r.opts.Accounts = map[string]Account{"bfl": {API: undelivering{r.api}, Concurrency: 8, Slots: p}}
		for i := range 20 {
			r.image(t, fmt.Sprintf("a%02d", i))
		}
		// Three end at once, and have three of the four that wait begin. The last one waits for the
		// fourth, when nothing can be fetched.
		r.api.latency = func(n int) time.Duration { return time.Second + time.Duration(n/3)*9*time.Second }
		if summary, err := r.apply(t); !errors.Is(err, ErrIncomplete) || summary.Failed != 7 || len(r.api.tasks) != 7 {
			t.Errorf("Apply = %+v, %v, and %d were bought, want 7", summary, err, len(r.api.tasks))
		}
		if len(p.slots) > 0 || p.buys != 20-7 {
			t.Errorf("%d slots are held in the end, and %d images set aside", len(p.slots), 20-7-p.buys)
		}
	})
}

// TestSlotsOfTasksThatAreLeft: a task that is left to a later run keeps its slot no longer than the API may
// work on it, so that others of this run get one.
func TestSlotsOfTasksThatAreLeft(t *testing.T) {
	t.Parallel()
	refused := &bfl.APIError{StatusCode: 403, Message: "forbidden"}
	for name, answer := range map[string]error{"since they take too long": nil, "since the API does not say what became of them": refused} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, 4)
				p := newPool(2, 20)
				r.opts.Accounts = map[string]Account{"bfl": {API: r.api, Concurrency: 4, Slots: p}}
				for i := range 6 {
					r.image(t, fmt.Sprintf("a%02d", i))
				}
				r.api.latency = func(n int) time.Duration { return time.Second + time.Duration(2-min(n, 2))*time.Hour }
				r.api.onPoll = func(task *fakeTask) (bfl.Result, error) {
					if task.ends.Sub(task.began) < time.Hour {
						return bfl.Result{}, nil
					}
					return bfl.Result{Status: bfl.Pending, Raw: "Pending"}, answer
				}
				ctx, stop := context.WithTimeout(t.Context(), time.Hour)
				defer stop()
				summary, err := Apply(ctx, r.plan(t), r.opts)
				if !errors.Is(err, ErrIncomplete) || summary.Created != 4 || summary.Failed != 2 {
					t.Errorf("Apply = %+v, %v; want 4 created and 2 left", summary, err)
				}
				if len(p.slots) > 0 {
					t.Errorf("%d slots are held in the end", len(p.slots))
				}
			})
		})
	}
}

// TestInterruptedNearTheEndOfABudget: what has its part of a budget and is not begun, since the run was
// interrupted, is told that.
func TestInterruptedNearTheEndOfABudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 4)
		r.opts.Accounts = map[string]Account{"bfl": {API: r.api, Concurrency: 4, Slots: newPool(1, 20)}}
		r.opts.MaxCost = new(bfl.Credits(3 * 3000))
		for i := range 6 {
			r.image(t, fmt.Sprintf("a%02d", i))
		}
		interrupted := errors.New("interrupted")
		ctx, stop := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { stop(interrupted) })
		r.opts.Drain = ctx
		if summary, err := r.apply(t); !errors.Is(err, ErrIncomplete) || summary.Created != 1 {
			t.Errorf("Apply = %+v, %v; want one created", summary, err)
		}
		told := 0
		for _, e := range r.events {
			if s, ok := e.(Skipped); ok && errors.Is(s.Err, interrupted) {
				told++
			}
		}
		if told != 2 {
			t.Errorf("%d images were skipped for the interrupt, want the two that had their part", told)
		}
	})
}
