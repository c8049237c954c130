package slots

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats-server/v2/server"

	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/porttest"
)

// restartable is a broker that can go away and come back where it was.
type restartable struct {
	*server.Server
	dir  string
	port int
}

func (r *restartable) start(t *testing.T) {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: r.port, JetStream: true, StoreDir: r.dir, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(time.Minute) {
		t.Fatal("the broker does not start")
	}
	r.Server = s
}

func (r *restartable) stop() {
	r.Shutdown()
	r.WaitForShutdown()
}

// TestReleasesAreMadeUpFor: what a run gave back while the broker was away is free when it is there
// again, also while the run lives.
func TestReleasesAreMadeUpFor(t *testing.T) {
	t.Parallel()
	b := &restartable{dir: t.TempDir(), port: porttest.Find(t)}
	b.start(t)
	p := open(t, Options{URL: b.ClientURL()})
	defer p.Close()
	h, err := p.Take(t.Context(), job(1, "flux-dev"))
	if err != nil {
		t.Fatal(err)
	}
	h.Runs(t.Context(), "task", 1000)
	b.stop()
	h.Release()
	b.start(t)
	defer b.stop()
	other := open(t, Options{URL: b.ClientURL()})
	defer other.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for len(other.Held()) > 0 {
		other.mu.Lock()
		changed := other.changed
		other.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatalf("still held: %+v", other.Held())
		}
	}
}

// TestPass: a run that has its share passes a slot on to its next job, and one that has more gives it
// back.
func TestPass(t *testing.T) {
	t.Parallel()
	url := broker(t)
	p := open(t, Options{URL: url, Concurrency: 2})
	defer p.Close()
	take := func() *hold {
		h, err := p.Take(t.Context(), job(1, "flux-dev"))
		if err != nil {
			t.Error(err)
			return nil
		}
		return h.(*hold)
	}
	first, second := take(), take()
	next := make(chan *hold)
	go func() { next <- take() }()
	for waits := false; !waits; {
		p.mu.Lock()
		waits = p.waiters["a"] == 1
		p.mu.Unlock()
	}
	key := ""
	for key = range first.keys {
	}
	first.Release()
	third := <-next
	if _, ok := third.keys[key]; !ok || len(p.passed) > 0 || p.held != 2 {
		t.Errorf("the next job has %v, want %s; %d are held", third.keys, key, p.held)
	}
	second.Release()
	third.Release()
	if held := p.Held(); len(held) > 0 || p.held != 0 || len(p.mine) > 0 {
		t.Errorf("still held: %+v, %d, %v", held, p.held, p.mine)
	}
}

// TestEndWithoutBroker: what a run could not free since the broker was away when it ended is freed by
// the next one, but not the slot of a task that somebody goes on with, nor one whose task may be
// active.
func TestEndWithoutBroker(t *testing.T) {
	t.Parallel()
	b := &restartable{dir: t.TempDir(), port: porttest.Find(t)}
	b.start(t)
	var left []Left
	p := open(t, Options{URL: b.ClientURL(), Remember: func(l Left) error {
		left = append(left, l)
		return nil
	}})
	var holds []executor.Hold
	for i := range 3 {
		h, err := p.Take(t.Context(), job(i, "flux-dev"))
		if err != nil {
			t.Fatal(err)
		}
		h.Runs(t.Context(), fmt.Sprint("task", i), 1000)
		holds = append(holds, h)
	}
	b.stop()
	var releases sync.WaitGroup
	for _, h := range holds[:2] { // the third may be active
		releases.Go(h.Release)
	}
	releases.Wait()
	p.Close()
	if len(left) != 1 || len(left[0].Keys) != 2 {
		t.Fatalf("remembered: %+v", left)
	}
	b.start(t)
	defer b.stop()
	other := open(t, Options{URL: b.ClientURL()})
	defer other.Close()
	if n := len(other.Held()); n != 3 {
		t.Fatalf("%d slots are held, want 3", n)
	}
	other.Inherit(t.Context(), job(1, "flux-dev"), "task1")
	elsewhere := Left{Account: "another", Run: "r", Keys: []string{"another.slot.a.0"}}
	if still := other.Free(append(left, elsewhere)); len(still) != 1 || still[0].Account != "another" {
		t.Errorf("still left: %+v", still)
	}
	var tasks []string
	for _, h := range other.Held() {
		tasks = append(tasks, h.Task)
	}
	slices.Sort(tasks)
	if diff := cmp.Diff([]string{"task1", "task2"}, tasks); diff != "" {
		t.Errorf("held (-want +got):\n%s", diff)
	}
}
