package workspace

import (
	"sync"
	"time"

	"github.com/fluxbatch/fluxbatch/executor"
)

// How often it is told how far many calls of a kind are. Few are done before that, and say nothing.
const (
	uploadsEvery = 10 * time.Second
	// lookupsEvery is less, since nothing else is on the screen before there is a plan.
	lookupsEvery = 2 * time.Second
)

// meter tells how far many calls are, as events of one type. It is safe for concurrent use.
type meter[E executor.Event] struct {
	mu       sync.Mutex
	progress E
	every    time.Duration
	told     time.Time // when it was told last
	isLong   bool
	tell     func(executor.Event) // nil where nobody listens
}

func newMeter[E executor.Event](tell func(executor.Event), every time.Duration, progress E) *meter[E] {
	return &meter[E]{progress: progress, every: every, told: time.Now(), tell: tell}
}

// add counts a call that ended at a time.
func (m *meter[E]) add(now time.Time, count func(*E)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	count(&m.progress)
	if m.tell != nil && now.Sub(m.told) >= m.every {
		m.told, m.isLong = now, true
		m.tell(m.progress)
	}
}

// end tells the rest of what took long.
func (m *meter[E]) end() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.isLong {
		m.tell(m.progress)
	}
}
