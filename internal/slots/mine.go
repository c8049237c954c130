package slots

import (
	"context"
	"strings"
	"time"
)

// What this run has, and what it passes on from one of its jobs to the next one without giving it
// back: nobody else has to be told, and nobody races for it.

// passing is a slot that waits for one of this run's jobs to take it over.
type passing struct {
	key      string
	revision uint64
}

// join and leave say that a job waits for a slot of a kind, and that it does not any more.
func (p *Pool) join(kind string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiters[kind]++
}

func (p *Pool) leave(kind string) {
	p.mu.Lock()
	p.waiters[kind]--
	var unwanted []passing
	if n := p.waiters["a"]; len(p.passed) > n {
		unwanted = p.passed[n:]
		p.passed = p.passed[:n:n]
	}
	for _, s := range unwanted {
		delete(p.mine, s.key)
	}
	p.mu.Unlock()
	for _, s := range unwanted {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(p.ctx), patience)
		p.remove(ctx, s.key, s.revision)
		cancel()
	}
}

// choose returns a slot of a kind to try for, "" where there is none for this run now, and the
// revision at which it was passed on, 0 for one that is free. changed tells when to choose again.
func (p *Pool) choose(kind string, limit int) (key string, passed uint64, changed <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.passed); n > 0 && kind == "a" {
		next := p.passed[n-1]
		p.passed = p.passed[:n-1]
		key, passed = next.key, next.revision
	} else if kind != "a" || p.held < p.share() {
		key = p.free(kind, limit)
	}
	if key != "" {
		p.trying[key] = true
		if kind == "a" {
			p.held++
		}
	}
	return key, passed, p.changed
}

// chosen says whether a slot that was chosen was taken.
func (p *Pool) chosen(key, kind string, taken bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.trying, key)
	if taken {
		p.mine[key] = true
		return
	}
	delete(p.mine, key)
	if kind == "a" {
		p.held--
	}
}

// pass keeps a slot that a job gives back for another one of this run, if one waits and the others'
// shares allow it.
func (p *Pool) pass(key string, revision uint64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	// Of the few slots of a model nobody knows how many the others want.
	isAccounts := isAccounts(key)
	if isAccounts {
		p.held--
	}
	if !isAccounts || p.waiters["a"] <= len(p.passed) || p.held >= p.share() {
		delete(p.mine, key)
		return false
	}
	p.passed = append(p.passed, passing{key, revision})
	p.wake()
	return true
}

// inherited and lost say that another run's slot is about to be this one's, and that it is not.
func (p *Pool) inherited(key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mine[key] = true
	if isAccounts(key) {
		p.held++
	}
}

func (p *Pool) lost(key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.mine, key)
	if isAccounts(key) {
		p.held--
	}
}

// Settle learns from what is on record which tasks of others have ended: where their runs died before
// they gave the slots back, nobody else knows.
func (p *Pool) Settle(isOver func(image, task string) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, s := range p.seen {
		if of := s.holding; of != nil && of.Run != p.id && of.Task != "" && isOver(of.Image, of.Task) {
			p.over[key] = s.revision
		}
	}
}

// clean frees what nobody else will: slots that this run gave back while the broker was away, those
// of runs that died before they said what for or whose tasks are known to have ended, and of tasks
// that nothing was heard of for too long.
func (p *Pool) clean() {
	p.mu.Lock()
	lives := map[string]bool{p.id: true}
	// Who was not heard of while the broker was away may live all the same.
	isBack := time.Since(p.back) < p.options.dead
	for key, s := range p.seen {
		if id, isRun := strings.CutPrefix(key, p.options.Account+".run."); isRun && (isBack || p.age(s) < p.options.dead) {
			lives[id] = true
		}
	}
	gone := map[string]uint64{}
	for key, s := range p.seen {
		of := s.holding
		switch {
		case strings.HasPrefix(key, p.options.Account+".run."):
			if id := key[len(p.options.Account)+len(".run."):]; !lives[id] {
				gone[key] = s.revision
			}
		case of == nil:
		case of.Run == p.id:
			if !p.mine[key] && !p.trying[key] {
				gone[key] = s.revision
			}
		case lives[of.Run]:
		case p.over[key] == s.revision, of.Task == "" && time.Since(s.at) >= p.options.dead, p.age(s) >= p.options.TaskTimeout:
			gone[key] = s.revision
		}
	}
	p.mu.Unlock()
	// A broker that is there and does not answer is not waited for once for each.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(p.ctx), patience)
	defer cancel()
	for key, revision := range gone {
		if ctx.Err() == nil {
			p.remove(ctx, key, revision)
		}
	}
}
