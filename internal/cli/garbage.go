package cli

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
)

// A plan keeps most of what it makes, on one processor. Go's collector, which by default begins when four megabytes are in
// use and then each time that doubles, would go over the little that there is a dozen times, and at the end leave as much
// garbage as is kept.
const (
	// ballast is memory that is never touched, so that it takes none from the system, and yet counts as in use: the
	// collector begins later.
	ballast = 96 << 20
	// ballastPercent is how much memory may grow, in percent of what is in use, before the collector runs. With the
	// ballast that is 19 MB and a fifth of what is kept.
	ballastPercent = 20
	// ballastUntil is how much is kept before Go's own rule is as good.
	ballastUntil = 64 << 20
)

// collector makes Go's collector run when that pays in a plan. It is safe for concurrent use.
type collector struct {
	mu      sync.Mutex
	ballast []byte
	percent int // Go's own
}

// newCollector returns a collector at work, or one at rest where the user has settled the matter.
func newCollector() *collector {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return &collector{}
	}
	c := &collector{ballast: make([]byte, ballast), percent: debug.SetGCPercent(ballastPercent)}
	c.watch()
	return c
}

// watch has the collector look, each time that it ran, whether so much is kept that its usual rule is as good.
func (c *collector) watch() {
	runtime.SetFinalizer(&struct{ c *collector }{c}, func(*struct{ c *collector }) {
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(live)
		if c.running() && live[0].Value.Kind() == metrics.KindUint64 && live[0].Value.Uint64() < ballast+ballastUntil {
			c.watch()
			return
		}
		c.stop()
	})
}

// running reports whether the collector was not stopped yet.
func (c *collector) running() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ballast != nil
}

// stop lets Go's own rule hold again.
func (c *collector) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ballast != nil {
		debug.SetGCPercent(c.percent)
		c.ballast = nil
	}
}
