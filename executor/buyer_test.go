package executor_test

import (
	"context"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
	"github.com/fluxbatch/fluxbatch/internal/simulator"
	"github.com/fluxbatch/fluxbatch/internal/simulator/simtest"
)

// buyer applies in one directory, at a simulator.
type buyer struct {
	t     *testing.T
	sim   *simulator.Simulator
	api   *counting
	base  string
	slots int
	// faults, when not nil, sees every file operation.
	faults func(safefile.Op, string) error
	// made counts the images that came in the last apply, and before those that it bought before the
	// first one. failed and skipped are what it was told, each once.
	made, before    int
	failed, skipped map[string]error
	// outages are those that the last apply told, each with what was told of its end.
	outages []string
}

// newBuyer returns one whose tasks take a time.
func newBuyer(t *testing.T, latency time.Duration, faults ...simulator.Fault) *buyer {
	t.Helper()
	sim := simtest.New(t, simulator.Options{Seed: 1, Latency: simulator.Latency{Median: latency}, Faults: faults})
	return &buyer{t: t, sim: sim, api: &counting{API: simtest.Client(t, sim, bfl.ClientOptions{})}, base: t.TempDir(), slots: 4}
}

// bought counts the images that were paid for.
func (b *buyer) bought() int { return len(b.sim.Ledger()) }

func (b *buyer) apply(images int) error {
	b.t.Helper()
	b.outages = nil
	b.made, b.failed, b.skipped = 0, map[string]error{}, map[string]error{}
	return applyIn(b.t, b.base, executor.Options{
		Accounts: map[string]executor.Account{"bfl": {API: b.api, Concurrency: b.slots}},
		OnEvent: func(e executor.Event) {
			switch e := e.(type) {
			case executor.Completed:
				if b.made++; b.made == 1 {
					b.before = b.bought()
				}
			case executor.Failed:
				b.failed[e.Err.Error()] = e.Err
			case executor.Undelivered:
				b.outages = append(b.outages, fmt.Sprintf("down for %s until %s", time.Since(e.Since).Round(5*time.Second), time.Until(e.Until).Round(time.Minute)))
			case executor.Delivered:
				b.outages = append(b.outages, fmt.Sprintf("back, buys: %v", e.Buys))
			case executor.Skipped:
				b.skipped[e.Err.Error()] = e.Err
			}
		},
	}, images, b.faults)
}

func parsed(t *testing.T, text string) simulator.Fault {
	t.Helper()
	fault, err := simulator.ParseFault(text)
	if err != nil {
		t.Fatal(err)
	}
	return fault
}

// simulated returns a simulator and a client of it, both of which end with the test.
func simulated(t *testing.T, seed uint64) (*simulator.Simulator, *bfl.Client) {
	t.Helper()
	sim := simtest.New(t, simulator.Options{Seed: seed})
	return sim, simtest.Client(t, sim, bfl.ClientOptions{})
}

// counting counts the downloads.
type counting struct {
	executor.API
	mu        sync.Mutex
	downloads int
}

func (c *counting) Download(ctx context.Context, url string, w io.Writer, limit int64) (int64, error) {
	c.mu.Lock()
	c.downloads++
	c.mu.Unlock()
	return c.API.Download(ctx, url, w, limit)
}
