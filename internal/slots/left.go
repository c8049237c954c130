package slots

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
)

// Left are the slots that a run could not free, since the broker was away when it ended. Their tasks
// have ended, and nobody else can know that.
type Left struct {
	Account string   `json:"account"`
	Run     string   `json:"run"`
	Keys    []string `json:"keys"`
}

// farewell is how long a run that ends waits for a broker that is away, if it has slots to free.
const farewell = 3 * time.Second

// outlived are the slots that the broker takes to be this run's, and whose tasks have ended.
func (p *Pool) outlived() Left {
	p.mu.Lock()
	defer p.mu.Unlock()
	left := Left{Account: p.options.Account, Run: p.id}
	for key, s := range p.seen {
		if s.holding != nil && s.holding.Run == p.id && !p.mine[key] {
			left.Keys = append(left.Keys, key)
		}
	}
	return left
}

// leaveLeft has the slots that cannot be freed now remembered, and says so.
func (p *Pool) leaveLeft(left Left) {
	if len(left.Keys) == 0 || p.options.Remember == nil {
		return
	}
	text := fmt.Sprintf("The broker %s cannot be reached, and takes %d slots of tasks that have ended to be in use.", p.options.URL, len(left.Keys))
	limit := p.options.TaskTimeout.String()
	if minutes := p.options.TaskTimeout / time.Minute; minutes > 1 && p.options.TaskTimeout%time.Minute == 0 {
		limit = fmt.Sprintf("%d minutes", minutes)
	}
	if err := p.options.Remember(left); err == nil {
		text += " The next apply here that makes an image frees them. Without one, they are free"
	} else {
		text += " They are free"
	}
	p.warn(notShared, fmt.Sprintf("%s %s after their tasks began.", text, limit))
}

// awaitBroker waits a moment for a broker that is away.
func (p *Pool) awaitBroker() {
	back := p.conn.StatusChanged(nats.CONNECTED)
	defer p.conn.RemoveStatusListener(back)
	if p.conn.IsConnected() {
		return
	}
	select {
	case <-back:
	case <-time.After(farewell):
	}
}

// freeLeft frees what an earlier run of this machine could not, and reports whether the broker knows
// of it now. Who has gone on with a task since has its slot, which stays.
func (p *Pool) freeLeft(ctx context.Context, left Left) bool {
	for _, key := range left.Keys {
		p.mu.Lock()
		s, isThere := p.seen[key]
		p.mu.Unlock()
		if isThere && s.holding != nil && s.holding.Run == left.Run {
			p.remove(ctx, key, s.revision)
		}
	}
	return p.conn.IsConnected()
}

// Free frees what earlier runs of this machine could not, and returns what is still left, and what
// is other accounts'.
func (p *Pool) Free(all []Left) (still []Left) {
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	for _, left := range all {
		if left.Account != p.options.Account || !p.freeLeft(ctx, left) {
			still = append(still, left)
		}
	}
	return still
}
