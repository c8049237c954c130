package executor_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
	"github.com/fluxbatch/fluxbatch/state"
)

// memoryAPI is an account in memory for measurements: it forgets a task as soon as it has told of
// its end, so that it costs the same however many there were. It knows the images of planImages.
type memoryAPI struct {
	slots int
	// latency is how long the task of the nth image takes, roundTrip how long each call does.
	latency   func(n int) time.Duration
	roundTrip time.Duration
	picture   []byte

	mu             sync.Mutex
	submitted      int
	ends           map[string]time.Time
	polls, refused int
}

func newMemoryAPI(slots int, latency func(n int) time.Duration) *memoryAPI {
	var picture bytes.Buffer
	// A buffer takes all that is written to it.
	_ = png.Encode(&picture, image.NewGray(image.Rect(0, 0, 64, 64)))
	return &memoryAPI{slots: slots, latency: latency, picture: picture.Bytes(), ends: map[string]time.Time{}}
}

// travel takes a half of a round trip.
func (m *memoryAPI) travel(ctx context.Context) error {
	if m.roundTrip == 0 {
		return nil
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(m.roundTrip / 2):
		return nil
	}
}

func (m *memoryAPI) Submit(ctx context.Context, request *bfl.Request, _ bfl.Opener) (bfl.Submission, error) {
	if err := m.travel(ctx); err != nil {
		return bfl.Submission{}, err
	}
	s, err := m.accept(request)
	return s, errors.Join(err, m.travel(ctx))
}

func (m *memoryAPI) accept(request *bfl.Request) (bfl.Submission, error) {
	var n int
	prompt, _ := request.Value("prompt").(string)
	if _, err := fmt.Sscanf(prompt, "image %d", &n); err != nil {
		return bfl.Submission{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	active, now := 0, time.Now()
	for _, end := range m.ends {
		if end.After(now) {
			active++
		}
	}
	if active >= m.slots {
		m.refused++
		return bfl.Submission{}, &bfl.APIError{StatusCode: 429, Message: "too many tasks"}
	}
	m.submitted++
	id := fmt.Sprintf("6f1c3a52-0000-4000-8000-%012d", m.submitted)
	m.ends[id] = now.Add(m.latency(n))
	return bfl.Submission{ID: id, PollingURL: "https://api.eu2.bfl.ai/v1/get_result?id=" + id, Cost: 1400, HasCost: true}, nil
}

func (m *memoryAPI) Poll(ctx context.Context, url string) (bfl.Result, error) {
	if err := m.travel(ctx); err != nil {
		return bfl.Result{}, err
	}
	_, id, _ := strings.Cut(url, "=")
	m.mu.Lock()
	m.polls++
	end, ok := m.ends[id]
	ready := ok && !end.After(time.Now())
	if ready {
		delete(m.ends, id)
	}
	m.mu.Unlock()
	if err := m.travel(ctx); err != nil {
		return bfl.Result{}, err
	}
	switch {
	case !ok:
		return bfl.Result{Status: bfl.NotFound, Raw: "Task not found"}, nil
	case !ready:
		return bfl.Result{Status: bfl.Pending, Raw: "Pending"}, nil
	default:
		return bfl.Result{Status: bfl.Ready, Raw: "Ready", SampleURL: "https://delivery-eu1.bfl.ai/" + id, Seed: new(int64(7))}, nil
	}
}

// Find is for tasks without a polling URL, of which there are none.
func (m *memoryAPI) Find(context.Context, string) (bfl.Result, error) {
	return bfl.Result{}, bfl.ErrNowhere
}

func (m *memoryAPI) Download(_ context.Context, _ string, w io.Writer, _ int64) (int64, error) {
	n, err := w.Write(m.picture)
	return int64(n), err
}

// counts is what an apply cost.
type counts struct {
	// took is from the beginning of the apply to its end, committing what writing the state takes
	// then.
	took, committing time.Duration
	// records and bytes are what the journal took, syncs its fsyncs.
	records, bytes, syncs int64
}

// applyAll makes so many images of an empty state in base, an empty directory, and writes the
// state.
func applyAll(tb testing.TB, base string, api *memoryAPI, images int) (c counts) {
	tb.Helper()
	dir, err := safefile.Open(base)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = dir.Close() }() // written and synced by then
	local, err := state.OpenLocal(dir)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = local.Close() }() // nothing is left to write
	var syncs atomic.Int64
	session, err := state.Open(tb.Context(), filepath.Join(base, "state.json"), state.Options{
		Operation: "apply", Local: local, Faults: func(op safefile.Op, name string) error {
			if op == safefile.OpSync && strings.HasSuffix(name, ".journal") {
				syncs.Add(1)
			}
			return nil
		},
	})
	if err != nil {
		tb.Fatal(err)
	}
	journal := &countingJournal{Journal: session}
	plan := planImages(tb, session, images)
	began := time.Now()
	_, err = executor.Apply(tb.Context(), plan, executor.Options{
		Accounts: map[string]executor.Account{"bfl": {API: api, Concurrency: api.slots}},
		Journal:  journal, Store: local.Store(), Index: local.Index(), Dir: dir, Prior: session.State(),
	})
	c.took = time.Since(began)
	if err != nil {
		tb.Fatal(err)
	}
	info, err := dir.Stat("state.json.journal")
	if err != nil {
		tb.Fatal(err)
	}
	c.records, c.bytes, c.syncs = journal.records.Load(), info.Size(), syncs.Load()
	began = time.Now()
	if err := session.Commit(nil); err != nil {
		tb.Fatal(err)
	}
	c.committing = time.Since(began)
	if err := session.Close(); err != nil {
		tb.Fatal(err)
	}
	return c
}

type countingJournal struct {
	executor.Journal
	records atomic.Int64
}

func (j *countingJournal) Append(record state.Record) error {
	j.records.Add(1)
	return j.Journal.Append(record)
}
