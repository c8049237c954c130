package simulator

import (
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// Charge is one line of the ledger: a task that was accepted, and paid for at that moment.
type Charge struct {
	Time time.Time `json:"time"`
	// ID is the task's.
	ID string `json:"id"`
	// Account names the key that paid without giving it away: its first characters and a hash.
	Account  string `json:"account"`
	Model    string `json:"model"`
	Endpoint string `json:"endpoint"`
	// Cost in credits, as the answer to the order has it. Settled is what the task costs in the
	// end, where that is another sum.
	Cost     bfl.Credits  `json:"cost"`
	Settled  *bfl.Credits `json:"settled,omitempty"`
	InputMP  float64      `json:"input_mp"`
	OutputMP float64      `json:"output_mp"`
	// Active is how many of the account's tasks were active once this one was, ActiveModel how many
	// of them of this model.
	Active      int `json:"active"`
	ActiveModel int `json:"active_model"`
	// Digest identifies what was asked for. Two charges with one digest paid twice for the same
	// thing.
	Digest string `json:"digest"`
}

// final is what the task costs in the end.
func (c *Charge) final() bfl.Credits {
	if c.Settled != nil {
		return *c.Settled
	}
	return c.Cost
}

// Stats count what a simulator was asked. All but the maxima only grow.
type Stats struct {
	// Submissions were accepted and charged; Refused counts the answers to all others by HTTP
	// status, faults included.
	Submissions int
	Refused     map[int]int
	// TooMany counts the submissions that were refused because an account's or a model's slots were
	// full.
	TooMany int
	// Polls count requests for results, Downloads those for samples that were answered in full.
	Polls, Downloads int
	// DownloadedBytes are the bytes of those samples.
	DownloadedBytes int64
	// KeysAtDelivery counts requests for samples that carried a key, which has no business there.
	KeysAtDelivery int
	// MaxActive is the largest number of active tasks that an account had, MaxActiveByModel the
	// same by model.
	MaxActive        int
	MaxActiveByModel map[string]int
	// Spent is the sum of all charges, as they are in the end.
	Spent bfl.Credits
	// Faults counts the faults that happened.
	Faults int
	// Webhooks counts attempts at delivery, WebhooksDelivered those that were taken.
	Webhooks, WebhooksDelivered int
}

// books keep the ledger and the counters. Safe for concurrent use.
type books struct {
	mu     sync.Mutex
	ledger []Charge
	stats  Stats
	out    io.Writer
}

// enter writes a charge. When it cannot be written there is no charge, so that the file never lacks
// one.
func (b *books) enter(c Charge) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.out != nil {
		if _, err := b.out.Write(append(encode(c), '\n')); err != nil {
			return err
		}
	}
	b.ledger = append(b.ledger, c)
	b.stats.Submissions++
	b.stats.Spent += c.final()
	b.stats.MaxActive = max(b.stats.MaxActive, c.Active)
	if b.stats.MaxActiveByModel == nil {
		b.stats.MaxActiveByModel = make(map[string]int)
	}
	b.stats.MaxActiveByModel[c.Model] = max(b.stats.MaxActiveByModel[c.Model], c.ActiveModel)
	return nil
}

// count changes the counters.
func (b *books) count(change func(*Stats)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(&b.stats)
}

// refused counts a submission that was not accepted.
func (b *books) refused(status int) {
	b.count(func(s *Stats) {
		if s.Refused == nil {
			s.Refused = make(map[int]int)
		}
		s.Refused[status]++
	})
}

// Ledger returns all charges, oldest first.
func (s *Simulator) Ledger() []Charge {
	s.books.mu.Lock()
	defer s.books.mu.Unlock()
	return slices.Clone(s.books.ledger)
}

// Stats returns the counters.
func (s *Simulator) Stats() Stats {
	s.books.mu.Lock()
	defer s.books.mu.Unlock()
	stats := s.books.stats
	stats.Refused = maps.Clone(stats.Refused)
	stats.MaxActiveByModel = maps.Clone(stats.MaxActiveByModel)
	return stats
}
