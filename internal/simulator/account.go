package simulator

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// account is the state of one key. It is guarded by Simulator.mu.
type account struct {
	// name stands for the key where people read it.
	name        string
	balance     bfl.Credits
	concurrency int
	// tasks are those that were active when last looked at.
	tasks []*task
	// finetunes that exist, nil where every one does.
	finetunes map[string]bool
}

// credential is what a request says of who it is from.
type credential struct{ key string }

// authenticate returns the request's key. A key is needed unless optional, and a wrong one is
// refused everywhere.
func (s *Simulator) authenticate(r *http.Request, optional bool) (credential, *problem) {
	key := r.Header.Get("X-Key")
	if key == "" {
		if optional {
			return credential{}, nil
		}
		return credential{}, refuse(http.StatusForbidden, "Not authenticated - Invalid Authentication: the x-key header is missing")
	}
	if s.opts.Keys == nil {
		return credential{key}, nil
	}
	if _, ok := s.opts.Keys[key]; !ok {
		return credential{}, refuse(http.StatusUnauthorized, "Invalid API key")
	}
	return credential{key}, nil
}

// account returns the account of a key that was authenticated. Simulator.mu is held.
func (s *Simulator) account(c credential) *account {
	if a, ok := s.accounts[c.key]; ok {
		return a
	}
	configured, ok := s.opts.Keys[c.key]
	if !ok {
		configured.Credits = DefaultCredits
	}
	a := &account{
		name:        maskKey(c.key),
		balance:     configured.Credits,
		concurrency: defaultTo(configured.Concurrency, s.opts.Concurrency),
	}
	if s.opts.Finetunes != nil {
		a.finetunes = make(map[string]bool)
		for _, name := range s.opts.Finetunes {
			a.finetunes[name] = true
		}
	}
	s.accounts[c.key] = a
	return a
}

// maskKey names a key by its first characters, where it is long enough to keep the rest secret, and
// a hash.
func maskKey(key string) string {
	sum := sha256.Sum256([]byte("simulator account " + key))
	prefix := ""
	if len(key) >= 16 {
		prefix = key[:4] + "-"
	}
	return prefix + hex.EncodeToString(sum[:4])
}

// active forgets tasks that have ended, and returns how many are left, and how many of them are of
// the model.
func (a *account) active(m *bfl.Model, now time.Time) (all, ofModel int) {
	a.tasks = slices.DeleteFunc(a.tasks, func(t *task) bool { return !t.isActive(now) })
	for _, t := range a.tasks {
		if t.order.model == m {
			ofModel++
		}
	}
	return len(a.tasks), ofModel
}

// freeSlot returns a problem when the account or the model has no slot left. Simulator.mu is held.
func (s *Simulator) freeSlot(a *account, m *bfl.Model, now time.Time) *problem {
	all, ofModel := a.active(m, now)
	most := s.opts.modelConcurrency(m)
	var full string
	switch {
	case all >= a.concurrency:
		full = fmt.Sprintf("Rate limit exceeded: the account has %d active tasks, and %d are allowed.", all, a.concurrency)
	case most > 0 && ofModel >= most:
		full = fmt.Sprintf("Rate limit exceeded: %d tasks of %s are active, and %d are allowed.", ofModel, m.Name, most)
	default:
		return nil
	}
	return refuse(http.StatusTooManyRequests, full, append(rateLimit(a, now), "X-RateLimit-Remaining", "0")...)
}

// rateLimit returns the headers that tell of the account's slots.
func rateLimit(a *account, now time.Time) []string {
	headers := []string{
		"X-RateLimit-Limit", strconv.Itoa(a.concurrency),
		"X-RateLimit-Remaining", strconv.Itoa(max(a.concurrency-len(a.tasks), 0)),
	}
	var reset time.Time
	for _, t := range a.tasks {
		if !t.never && (reset.IsZero() || t.ready.Before(reset)) {
			reset = t.ready
		}
	}
	if reset.IsZero() {
		reset = now
	}
	return append(headers, "X-RateLimit-Reset", strconv.FormatInt(reset.Unix()+1, 10))
}
