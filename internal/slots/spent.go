package slots

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// SpentError says that a submission would exceed what may be spent in a day or a month.
type SpentError struct {
	// Period is "day" or "month".
	Period            string
	Most, Spent, Next bfl.Credits
}

func (e *SpentError) Error() string {
	return fmt.Sprintf("the budget of %s a %s is used up. %s is spent or reserved by all who use the account, and the next image costs %s. Raise per_%s in the budget block, or wait",
		e.Most.Dollars(), e.Period, e.Spent.Dollars(), e.Next.Dollars(), e.Period)
}

// maxRaces is how often a counter is tried again that others change as well.
const maxRaces = 100

// reserve sets aside what a job may cost, or refuses it.
func (h *hold) reserve(ctx context.Context, price bfl.Credits) error {
	p := h.pool
	now := time.Now().UTC()
	for _, period := range []struct {
		name, date string
		most       *bfl.Credits
	}{{"day", now.Format("2006-01-02"), p.options.PerDay}, {"month", now.Format("2006-01"), p.options.PerMonth}} {
		if period.most == nil {
			continue
		}
		key := p.options.Account + ".spent." + period.date
		spent, err := p.add(ctx, key, price, period.most)
		if err == nil {
			h.reserved = price
			h.days = append(h.days, key)
			continue
		}
		h.settle(ctx, 0)
		if errors.Is(err, errOver) {
			return &SpentError{period.name, *period.most, spent, price}
		}
		return fmt.Errorf("what was spent this %s cannot be told, and nothing is spent without that: %w", period.name, unreachable(p.options.URL, err))
	}
	return nil
}

// settle turns what was reserved into what was charged.
func (h *hold) settle(ctx context.Context, cost bfl.Credits) {
	for _, key := range h.days {
		if _, err := h.pool.add(ctx, key, cost-h.reserved, nil); err != nil {
			h.pool.warn("Spending is not shared", "What was spent could not be told to the broker, so that it counts what was reserved.")
		}
	}
	h.days = nil
}

var errOver = errors.New("over the limit")

// add adds to a counter, which must not exceed most by it unless that is nil. It returns
// what the counter is, or was.
func (p *Pool) add(ctx context.Context, key string, amount bfl.Credits, most *bfl.Credits) (bfl.Credits, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for range maxRaces {
		var spent bfl.Credits
		there, err := p.kv.Get(ctx, key)
		switch {
		case errors.Is(err, jetstream.ErrKeyNotFound):
		case err != nil:
			return 0, err
		default:
			n, err := strconv.ParseInt(string(there.Value()), 10, 64)
			if err != nil {
				return 0, fmt.Errorf("the counter %s: %w", key, err)
			}
			spent = bfl.Credits(n)
		}
		if most != nil && spent+amount > *most {
			return spent, errOver
		}
		value := strconv.AppendInt(nil, int64(spent+amount), 10)
		if there == nil {
			_, err = p.kv.Create(ctx, key, value)
		} else {
			_, err = p.kv.Update(ctx, key, value, there.Revision())
		}
		if err == nil {
			return spent + amount, nil
		}
		if ctx.Err() != nil {
			return spent, err
		}
	}
	return 0, errors.New("too many change it at once")
}
