package executor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/state"
)

// distant is a journal to which a record takes a while, and that counts the intents without an
// answer.
type distant struct {
	*journal
	mu         sync.Mutex
	unanswered map[string]bool // by key
	most       int
	fenced     error
}

var errFenced = errors.New("another run has taken over")

func (d *distant) Append(record state.Record) error {
	time.Sleep(60 * time.Millisecond) //nolint:forbidigo // in the bubble's time
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fenced != nil {
		return d.fenced
	}
	switch r := record.(type) {
	case state.Intent:
		d.unanswered[r.Task.Key] = true
		d.most = max(d.most, len(d.unanswered))
	case state.Submitted:
		delete(d.unanswered, r.Key)
	case state.Failed:
		delete(d.unanswered, r.Key)
	}
	return d.journal.Append(record)
}

// farRig makes images of half a second with six slots, and holds that each request was on record
// before it was sent.
func farRig(t *testing.T, images int) (*rig, *distant) {
	t.Helper()
	r := newRig(t, 6)
	d := &distant{journal: r.journal, unanswered: map[string]bool{}}
	r.opts.Journal, r.opts.Distant = d, true
	r.api.latency = func(n int) time.Duration { return time.Duration(350+n*97%300) * time.Millisecond }
	for i := range images {
		r.image(t, fmt.Sprintf("a%02d", i))
	}
	r.api.onSubmit = func(prompt string, _ int) error {
		d.mu.Lock()
		defer d.mu.Unlock()
		for key := range d.unanswered {
			if d.keys[key].Name == prompt {
				return nil
			}
		}
		t.Errorf("%s was sent before that was on record", prompt)
		return nil
	}
	return r, d
}

func TestIntentsAreRecordedAhead(t *testing.T) {
	t.Parallel()
	took := map[bool]time.Duration{}
	for _, isDistant := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			r, d := farRig(t, 60)
			r.opts.Distant = isDistant
			began := time.Now()
			if _, err := r.apply(t); err != nil {
				t.Fatal(err)
			}
			took[isDistant] = time.Since(began)
			if len(r.api.tasks) != 60 || len(d.unanswered) != 0 || d.most > 6 || r.api.tooMany > 0 {
				t.Errorf("distant %v: %d tasks, %d intents without an answer in the end and %d at most, %d refusals", isDistant, len(r.api.tasks), len(d.unanswered), d.most, r.api.tooMany)
			}
		})
	}
	if took[true] > took[false]*95/100 {
		t.Errorf("recording ahead makes %s of %s, want 5 %% less at least", took[true], took[false])
	}
}

func TestIntentsThatAreNotSentAreTakenBack(t *testing.T) {
	t.Parallel()
	for _, after := range []time.Duration{1500 * time.Millisecond, 2020 * time.Millisecond, 2570 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			r, d := farRig(t, 60)
			drain, stop := context.WithCancel(t.Context())
			r.opts.Drain = drain
			time.AfterFunc(after, stop)
			if _, err := r.apply(t); !errors.Is(err, ErrIncomplete) {
				t.Fatal(err)
			}
			if len(d.unanswered) != 0 {
				t.Errorf("interrupted after %s, %d intents are left that nobody acted on", after, len(d.unanswered))
			}
		})
	}
}

// TestOldIntentsAreNotActedOn has tasks take long all at once, and meanwhile another run take over:
// what was recorded ahead must not be sent, since the other run was told of it.
func TestOldIntentsAreNotActedOn(t *testing.T) {
	t.Parallel()
	for _, isFenced := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			r, d := farRig(t, 60)
			// What is set aside for an intent that is taken back is there for others.
			most := bfl.Credits(60 * 3000)
			r.opts.MaxCost = &most
			r.api.latency = func(n int) time.Duration {
				if n >= 24 && n < 30 {
					return 5 * time.Second
				}
				return 500 * time.Millisecond
			}
			began := time.Now()
			if isFenced {
				time.AfterFunc(4*time.Second, func() {
					d.mu.Lock()
					defer d.mu.Unlock()
					d.fenced = errFenced
				})
			}
			_, err := r.apply(t)
			if isFenced != errors.Is(err, ErrIncomplete) {
				t.Fatal(err)
			}
			late := 0
			for _, task := range r.api.tasks {
				if task.began.After(began.Add(4 * time.Second)) {
					late++
				}
			}
			if isFenced && late > 0 {
				t.Errorf("%d requests were sent after another run had taken over", late)
			}
			withdrawn := 0
			for _, record := range d.records {
				if failed, ok := record.(state.Failed); ok && failed == notSent(failed.Key) {
					withdrawn++
				}
			}
			if !isFenced && (withdrawn == 0 || len(r.api.tasks) != 60 || d.most > 6) {
				t.Errorf("%d old intents were taken back, %d tasks, %d without an answer at most", withdrawn, len(r.api.tasks), d.most)
			}
		})
	}
}

// TestBrokenOffIntents breaks a run off at many moments: a request of which it says that it may have
// been charged was sent, and what is on record without an answer was, too.
func TestBrokenOffIntents(t *testing.T) {
	t.Parallel()
	for after := 1500 * time.Millisecond; after < 2700*time.Millisecond; after += 17 * time.Millisecond {
		synctest.Test(t, func(t *testing.T) {
			r, d := farRig(t, 60)
			sent := map[string]bool{}
			ctx, abort := context.WithCancel(t.Context())
			defer abort()
			record := r.api.onSubmit
			r.api.onSubmit = func(prompt string, attempt int) error {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				sent[prompt] = true
				return record(prompt, attempt)
			}
			time.AfterFunc(after, abort)
			o := r.opts
			o.OnEvent = func(e Event) {
				if s, ok := e.(Skipped); ok && s.Sent && !sent[s.Address.Name] {
					t.Errorf("broken off after %s, %s may have been charged, and was not sent", after, s.Address)
				}
			}
			if _, err := Apply(ctx, r.plan(t), o); !errors.Is(err, ErrIncomplete) {
				t.Fatal(err)
			}
			for key := range d.unanswered {
				if name := d.keys[key].Name; !sent[name] {
					t.Errorf("broken off after %s, the intent of %s stays, which was not sent", after, name)
				}
			}
		})
	}
}
