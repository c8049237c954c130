package slots

import (
	"encoding/json"
	"strings"
	"time"
)

// sighting is a key's value as it was last seen.
type sighting struct {
	revision uint64
	at       time.Time // by this machine's clock
	// created is when it was written, by the broker's clock.
	created time.Time
	// member and holding are what the value says, nil where it is of another kind or nonsense.
	member  *member
	holding *holding
}

// sighted reads a value. Whoever waits for a slot asks for all of them again and again, so that
// they are read once.
func (p *Pool) sighted(key string, revision uint64, value []byte) sighting {
	s := sighting{revision: revision, at: time.Now()}
	switch name := strings.TrimPrefix(key, p.options.Account+"."); {
	case strings.HasPrefix(name, "run."):
		s.member = new(member)
		if json.Unmarshal(value, s.member) != nil {
			s.member = nil
		}
	case strings.HasPrefix(name, "slot."):
		s.holding = new(holding)
		if json.Unmarshal(value, s.holding) != nil {
			s.holding = nil
		}
	}
	return s
}

// age is how long ago a value was written, or seen first where the broker's time is not known.
func (p *Pool) age(s sighting) time.Duration {
	seen := time.Since(s.at)
	if !p.isTimed || s.created.IsZero() {
		return seen
	}
	return max(seen, time.Now().Add(p.ahead).Sub(s.created))
}

// awaitTime waits a moment until the broker's time is known: without it, whoever has just come takes
// all that is there for new.
func (p *Pool) awaitTime() {
	timeout := time.After(look)
	for {
		p.mu.Lock()
		isTimed, changed := p.isTimed, p.changed
		p.mu.Unlock()
		if isTimed {
			return
		}
		select {
		case <-changed:
		case <-timeout:
			return
		}
	}
}
