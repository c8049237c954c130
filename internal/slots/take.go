package slots

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

var _ executor.Slots = (*Pool)(nil)

// holding is what a slot's key says.
type holding struct {
	Run   string    `json:"run"`
	Who   string    `json:"who"`
	Image string    `json:"image"`
	Model string    `json:"model"`
	Task  string    `json:"task,omitempty"`
	Since time.Time `json:"since"`
}

// hold is the slots of one task. Its methods are called one at a time.
type hold struct {
	pool *Pool
	// keys are by name what was written last.
	keys    map[string]uint64
	holding holding
	// reserved is what it may cost, until it is known.
	reserved bfl.Credits
	days     []string
}

// sharedModel is the name of a model in keys.
func sharedModel(model string) string {
	if model == "flux-kontext-max" {
		return "kmax"
	}
	return strings.ReplaceAll(model, ".", "_")
}

// Take waits for a slot, and takes it for a job.
func (p *Pool) Take(ctx context.Context, job executor.Job) (executor.Hold, error) {
	h := &hold{pool: p, keys: map[string]uint64{}, holding: holding{Run: p.id, Who: p.options.Who, Image: job.Address.String(), Model: job.Model}}
	if err := h.reserve(ctx, job.Price); err != nil {
		return nil, err
	}
	kinds := []string{"a"}
	if p.options.Models[job.Model] > 0 {
		// Who waits for one of the few has none of the many meanwhile.
		kinds = []string{sharedModel(job.Model), "a"}
	}
	p.count(1, job.Left)
	defer p.count(-1, 0)
	for _, kind := range kinds {
		limit := p.options.Concurrency
		if kind != "a" {
			limit = p.options.Models[job.Model]
		}
		if err := h.wait(ctx, kind, limit); err != nil {
			h.Release()
			return nil, err
		}
	}
	return h, nil
}

// count counts the jobs that wait, and takes in how many tasks are left, 0 where that is not new.
func (p *Pool) count(waiting, left int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting += waiting
	if left > 0 {
		p.left = left
	}
}

// wait takes one slot of a kind as soon as there is one for this run. Without the broker it takes
// none.
func (h *hold) wait(ctx context.Context, kind string, limit int) error {
	p := h.pool
	p.join(kind)
	defer p.leave(kind)
	for {
		if p.isAway() {
			return nil
		}
		key, passed, changed := p.choose(kind, limit)
		if key != "" {
			taken, err := h.get(ctx, key, passed)
			p.chosen(key, kind, taken)
			if taken || err != nil && ctx.Err() != nil {
				return context.Cause(ctx)
			}
			continue
		}
		select {
		case <-changed:
		case <-time.After(look):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// get makes a key this hold's, at the revision at which it was passed on, or anew where that is 0.
func (h *hold) get(ctx context.Context, key string, passed uint64) (taken bool, err error) {
	if passed == 0 {
		return h.create(ctx, key)
	}
	h.holding.Since = time.Now().UTC().Truncate(time.Millisecond)
	revision, err := h.pool.update(ctx, key, encode(h.holding), passed)
	if err == nil {
		h.keys[key] = revision
	}
	return err == nil, err
}

// create tries to be the one who has a key.
func (h *hold) create(ctx context.Context, key string) (taken bool, err error) {
	p := h.pool
	h.holding.Since = time.Now().UTC().Truncate(time.Millisecond)
	value := encode(h.holding)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	revision, err := p.kv.Create(ctx, key, value)
	if err == nil {
		h.keys[key] = revision
		p.note(key, revision, value)
		return true, nil
	}
	there, getErr := p.kv.Get(ctx, key)
	switch {
	case getErr != nil:
	case string(there.Value()) == string(value):
		// The answer to the first attempt was lost.
		h.keys[key] = there.Revision()
		p.note(key, there.Revision(), value)
		return true, nil
	default:
		p.note(key, there.Revision(), there.Value())
	}
	return false, err
}

// note takes in what this run has learnt of a key before the watcher tells.
func (p *Pool) note(key string, revision uint64, value []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if before, ok := p.seen[key]; !ok || before.revision < revision {
		p.seen[key] = p.sighted(key, revision, value)
	}
}

// free returns a slot of a kind that nobody has, "" where there is none. Each run begins to look
// elsewhere, so that they seldom want the same. The caller has mu.
func (p *Pool) free(kind string, limit int) string {
	begin := int(p.id[0]) * 7
	for i := range limit {
		key := fmt.Sprintf("%s.slot.%s.%d", p.options.Account, kind, (begin+i)%limit)
		if _, isTaken := p.seen[key]; !isTaken && !p.trying[key] {
			return key
		}
	}
	return ""
}

// Inherit takes over the slots of a task that another run submitted.
func (p *Pool) Inherit(ctx context.Context, job executor.Job, task string) executor.Hold {
	h := &hold{pool: p, keys: map[string]uint64{}, holding: holding{
		Run: p.id, Who: p.options.Who, Image: job.Address.String(), Model: job.Model, Task: task, Since: time.Now().UTC().Truncate(time.Millisecond),
	}}
	p.mu.Lock()
	found := map[string]uint64{}
	for key, s := range p.seen {
		if s.holding != nil && s.holding.Task == task {
			found[key] = s.revision
		}
	}
	p.mu.Unlock()
	for key, revision := range found {
		p.inherited(key)
		if now, err := p.update(ctx, key, encode(h.holding), revision); err == nil {
			h.keys[key] = now
		} else {
			p.lost(key)
		}
	}
	return h
}

// isAccounts reports whether a slot is one of the account rather than of a model.
func isAccounts(key string) bool { return strings.Contains(key, ".slot.a.") }

func (p *Pool) update(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	now, err := p.kv.Update(ctx, key, value, revision)
	if err == nil {
		p.note(key, now, value)
	}
	return now, err
}

// Runs says which task the slots are for, so that whoever goes on with it finds them.
func (h *hold) Runs(ctx context.Context, task string, cost bfl.Credits) {
	h.holding.Task = task
	for key, revision := range h.keys {
		if now, err := h.pool.update(ctx, key, encode(h.holding), revision); err == nil {
			h.keys[key] = now
		}
	}
	h.settle(ctx, cost)
}

// Release frees the slots, if they are still this run's, or passes them on to a job of this run that
// waits for one.
func (h *hold) Release() {
	p := h.pool
	ctx, cancel := context.WithTimeout(context.WithoutCancel(p.ctx), patience)
	defer cancel()
	h.settle(ctx, 0)
	if h.holding.Task != "" {
		p.oneLess()
	}
	for key, revision := range h.keys {
		if !p.pass(key, revision) {
			p.remove(ctx, key, revision)
		}
	}
	clear(h.keys)
}

// remove deletes a key as it was last seen. Whoever loses a race for it leaves it to the other.
func (p *Pool) remove(ctx context.Context, key string, revision uint64) {
	err := p.kv.Delete(ctx, key, jetstream.LastRevision(revision))
	if err != nil && !errors.Is(err, jetstream.ErrKeyNotFound) {
		return // It is somebody else's, or the broker is away: then clean tries again.
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if s, ok := p.seen[key]; ok && s.revision == revision {
		delete(p.seen, key)
	}
	p.wake()
}

// Held is a slot that somebody has.
type Held struct {
	// Slot is its name: "a.3" is one of the account's, "kmax.0" one of a model's.
	Slot string
	// Who has it for Image, which is made by Model, since when. Task is "" where it was not
	// submitted yet, or nobody knows.
	Who, Image, Model, Task string
	Since                   time.Time
	// Lives says that the run which has it lives.
	Lives bool
}

// Held returns who has which slots, in the order of their names.
func (p *Pool) Held() []Held {
	p.awaitTime()
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []Held
	for key, s := range p.seen {
		name, isSlot := strings.CutPrefix(key, p.options.Account+".slot.")
		of := s.holding
		if !isSlot || of == nil {
			continue
		}
		run, lives := p.seen[p.runKey(of.Run)]
		lives = lives && p.age(run) < p.options.dead
		all = append(all, Held{name, of.Who, of.Image, of.Model, of.Task, of.Since, lives})
	}
	slices.SortFunc(all, func(a, b Held) int { return strings.Compare(a.Slot, b.Slot) })
	return all
}
