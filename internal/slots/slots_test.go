package slots

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// broker starts a broker on loopback.
func broker(t *testing.T) string {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	if !s.ReadyForConnections(time.Minute) {
		t.Fatal("the broker does not start")
	}
	return s.ClientURL()
}

// What is told by the age of what is seen, takes longer than a test, unless the test makes it old.
const testDead, taskTimeout = 10 * time.Minute, time.Hour

func open(t *testing.T, o Options) *Pool {
	t.Helper()
	o.Account, o.Who = "studio", t.Name()
	if o.Key == "" {
		o.Key = "key"
	}
	if o.Concurrency == 0 {
		o.Concurrency = 24
	}
	// Nobody is dead here because this machine is busy.
	o.Models, o.TaskTimeout, o.dead = map[string]int{"flux-kontext-max": 6}, taskTimeout, testDead
	p, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func job(n int, model string) executor.Job {
	return executor.Job{Address: addrs.Image{Name: fmt.Sprintf("image%d", n)}, Model: model, Price: 1000}
}

// TestLimits: any number of runs never have more tasks than the account allows, and of a model with
// a limit of its own not more than that. No task ends before all slots are taken, so that how many
// are active at once does not depend on how fast this machine takes them.
func TestLimits(t *testing.T) {
	t.Parallel()
	url := broker(t)
	var active, limited, most, mostLimited atomic.Int64
	full := make(chan struct{})
	isFull := sync.OnceFunc(func() { close(full) })
	late := time.After(time.Minute) // of a test that fails
	var runs sync.WaitGroup
	for range 3 {
		p := open(t, Options{URL: url})
		runs.Go(func() {
			defer p.Close()
			var jobs sync.WaitGroup
			for i := range 40 {
				model := []string{"flux-dev", "flux-kontext-max"}[i%2]
				jobs.Go(func() {
					h, err := p.Take(t.Context(), job(i, model))
					if err != nil {
						t.Error(err)
						return
					}
					raise(&most, active.Add(1))
					if model == "flux-kontext-max" {
						raise(&mostLimited, limited.Add(1))
					}
					h.Runs(t.Context(), fmt.Sprint("task", i), 1000)
					if most.Load() >= 24 {
						isFull()
					}
					select {
					case <-full:
					case <-late:
						isFull()
					}
					if model == "flux-kontext-max" {
						limited.Add(-1)
					}
					active.Add(-1)
					h.Release()
				})
			}
			jobs.Wait()
		})
	}
	runs.Wait()
	if most.Load() != 24 || mostLimited.Load() > 6 {
		t.Errorf("%d tasks were active at once, want 24, and %d of them of the limited model, want 6 at most", most.Load(), mostLimited.Load())
	}
	p := open(t, Options{URL: url})
	defer p.Close()
	if held := p.Held(); len(held) > 0 {
		t.Errorf("still held: %+v", held)
	}
}

func raise(most *atomic.Int64, n int64) {
	for {
		before := most.Load()
		if n <= before || most.CompareAndSwap(before, n) {
			return
		}
	}
}

// TestShare: equal runs have equally many slots, and what one does not want the others have.
func TestShare(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		mine   int
		others []int
		want   int
	}{
		{24, nil, 24},
		{24, []int{24}, 12},
		{24, []int{24, 24, 24}, 6},
		{24, []int{4}, 20},
		{4, []int{24}, 12},
		{24, []int{1, 24, 24}, 7},
		{10, []int{0, 0}, 24},
		{24, []int{24, 24, 24, 24}, 4},
	} {
		p := &Pool{options: Options{Account: "a", Concurrency: 24, dead: testDead}, id: "me", held: test.mine, seen: map[string]sighting{}}
		for i, demand := range test.others {
			p.seen[p.runKey(fmt.Sprint(i))] = sighting{at: time.Now(), member: &member{Demand: demand}}
		}
		if got := p.share(); got < test.want || got > test.want+1 {
			t.Errorf("of 24, who wants %d beside %v has %d, want %d", test.mine, test.others, got, test.want)
		}
	}
}

// TestNearlyEqualRunsEndTogether: who has less left than others that want as much has fewer slots,
// unless it is much less; none stays idle, and nobody gets more than there are.
func TestNearlyEqualRunsEndTogether(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		slots       int
		left, wants []int
	}{
		{24, []int{60, 60}, []int{12, 12}},
		{24, []int{60, 57}, []int{12, 12}},
		{24, []int{60, 40}, []int{14, 10}},
		{24, []int{41, 60, 60, 60, 60, 60, 60, 60}, []int{2, 4, 3, 3, 3, 3, 3, 3}},
		{24, []int{1000, 10}, []int{13, 11}}, // a small one is not held up
		{24, []int{1000, 1}, []int{13, 11}},
		{24, []int{7, 6, 5, 5, 5, 5, 5}, []int{4, 4, 4, 3, 3, 3, 3}},
		{2, []int{9, 9, 9, 9}, []int{1, 1, 1, 1}}, // the broker's keys keep it to two
		{24, []int{0, 0}, []int{12, 12}},          // older runs do not say what is left
	} {
		var all []contender
		for i, left := range test.left {
			all = append(all, contender{fmt.Sprint(i), test.slots, left})
		}
		sum := 0
		for i, want := range test.wants {
			got := shareOf(fmt.Sprint(i), slices.Clone(all), test.slots)
			if sum += got; got != want {
				t.Errorf("of %d slots among runs with %v left, number %d has %d, want %d", test.slots, test.left, i, got, want)
			}
		}
		if sum != max(test.slots, len(all)) {
			t.Errorf("of %d slots among runs with %v left, %d are given", test.slots, test.left, sum)
		}
	}
}

// TestAccounts: one key has one name, and one name one key.
func TestAccounts(t *testing.T) {
	t.Parallel()
	url := broker(t)
	open(t, Options{URL: url}).Close()
	for what, o := range map[string]Options{
		"is called": {URL: url, Account: "other", Key: "key"}, "has another key": {URL: url, Account: "studio", Key: "another"},
	} {
		o.Concurrency, o.TaskTimeout = 1, time.Minute
		if _, err := Open(t.Context(), o); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("the error is %v, want one with %q", err, what)
		}
	}
}

// TestInherit: a slot outlives its run, and whoever goes on with its task has it and frees it.
func TestInherit(t *testing.T) {
	t.Parallel()
	url := broker(t)
	before := open(t, Options{URL: url})
	h, err := before.Take(t.Context(), job(1, "flux-kontext-max"))
	if err != nil {
		t.Fatal(err)
	}
	h.Runs(t.Context(), "task-1", 1000)
	before.Close()

	after := open(t, Options{URL: url})
	defer after.Close()
	if held := after.Held(); len(held) != 2 || held[0].Task != "task-1" {
		t.Fatalf("held: %+v", held)
	}
	after.Inherit(t.Context(), job(1, "flux-kontext-max"), "task-1").Release()
	if held := after.Held(); len(held) > 0 {
		t.Errorf("still held: %+v", held)
	}
}

// poolOf returns a pool that holds a slot for each task. One without an identifier was not sent.
func poolOf(t *testing.T, url string, tasks ...string) *Pool {
	t.Helper()
	pool := open(t, Options{URL: url})
	for i, task := range tasks {
		h, err := pool.Take(t.Context(), job(i, "flux-dev"))
		if err != nil {
			t.Fatal(err)
		}
		if task != "" {
			h.Runs(t.Context(), task, 1000)
		}
	}
	return pool
}

// TestSettle: the slot of a task that is known to have ended is freed when its run is dead, and not
// while it lives. Others' tasks stay.
func TestSettle(t *testing.T) {
	t.Parallel()
	url := broker(t)
	before := poolOf(t, url, "task-0", "task-1")
	after := open(t, Options{URL: url})
	defer after.Close()
	after.Settle(func(image, task string) bool { return image == "image.image1" && task == "task-1" })
	after.clean()
	if n := len(after.Held()); n != 2 {
		t.Errorf("while its run lives, %d are held", n)
	}
	before.Close()
	for began := time.Now(); len(after.Held()) != 1; after.clean() {
		if time.Since(began) > time.Minute {
			t.Fatalf("held: %+v", after.Held())
		}
	}
	if held := after.Held(); held[0].Task != "task-0" {
		t.Errorf("held: %+v", held)
	}
}

// TestClean: what a dead run held is freed when nothing else will free it, and no sooner.
func TestClean(t *testing.T) {
	t.Parallel()
	url := broker(t)
	poolOf(t, url, "", "task").Close()
	after := open(t, Options{URL: url})
	defer after.Close()
	age := func(by time.Duration) int {
		after.mu.Lock()
		for key, s := range after.seen {
			s.at = s.at.Add(-by)
			after.seen[key] = s
		}
		after.mu.Unlock()
		after.clean()
		return len(after.Held())
	}
	if n := age(0); n != 2 {
		t.Errorf("at once, %d are held", n)
	}
	if n := age(testDead); n != 1 {
		t.Errorf("when the run is dead, %d are held, want that with a task", n)
	}
	if n := age(taskTimeout); n != 0 {
		t.Errorf("after the task's time, %d are held", n)
	}
}

// TestSpent: all runs together spend no more than they may, and what was not charged is given back.
func TestSpent(t *testing.T) {
	t.Parallel()
	url := broker(t)
	most := bfl.Credits(10_000)
	var taken atomic.Int64
	var runs sync.WaitGroup
	for range 2 {
		p := open(t, Options{URL: url, PerDay: &most})
		runs.Go(func() {
			defer p.Close()
			for i := range 10 {
				h, err := p.Take(t.Context(), job(i, "flux-dev"))
				var spent *SpentError
				switch {
				case errors.As(err, &spent):
					continue
				case err != nil:
					t.Error(err)
					return
				}
				taken.Add(1)
				h.Runs(t.Context(), "task", 1000)
				h.Release()
			}
		})
	}
	runs.Wait()
	if taken.Load() != 10 {
		t.Errorf("%d images were allowed, want 10", taken.Load())
	}
	other := bfl.Credits(11_000)
	p := open(t, Options{URL: url, PerDay: &other})
	defer p.Close()
	for range 3 {
		h, err := p.Take(t.Context(), job(1, "flux-dev"))
		if err != nil {
			t.Fatalf("what was not charged is not given back: %v", err)
		}
		h.Release()
	}
}

// TestAway: without the broker a run goes on by itself, and says so once.
func TestAway(t *testing.T) {
	t.Parallel()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(time.Minute) {
		t.Fatal("the broker does not start")
	}
	var mu sync.Mutex
	var warnings []string
	p := open(t, Options{URL: s.ClientURL(), Warn: func(_, text string) {
		mu.Lock()
		defer mu.Unlock()
		warnings = append(warnings, text)
	}})
	defer p.Close()
	s.Shutdown()
	s.WaitForShutdown()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for i := range 3 {
		h, err := p.Take(ctx, job(i, "flux-dev"))
		if err != nil {
			t.Fatal(err)
		}
		h.Release()
	}
	mu.Lock()
	defer mu.Unlock()
	if len(warnings) != 1 || !strings.Contains(warnings[0], "cannot be reached") {
		t.Errorf("warnings: %q", warnings)
	}
	if _, err := Open(ctx, Options{URL: s.ClientURL()}); err == nil {
		t.Error("a broker that is away can be joined")
	}
}
