package simtest

import (
	"sync"
	"time"
)

// Clock is a simulator's clock that stands still until it is let go, so that no task ends before a
// test has come as far as it wants. The zero value stands at the time at which it is first asked. It is
// safe for concurrent use.
type Clock struct {
	mu           sync.Mutex
	stood, since time.Time // since is zero while it stands
}

// Now returns the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stood.IsZero() {
		c.stood = time.Now()
	}
	if c.since.IsZero() {
		return c.stood
	}
	return c.stood.Add(time.Since(c.since))
}

// Go lets it go on. It may be called again.
func (c *Clock) Go() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.since.IsZero() {
		c.since = time.Now()
	}
}
