package workspace

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/costs"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
	"github.com/fluxbatch/fluxbatch/state"
)

// failing applies while the disk takes nothing of what a test says, from the first time on that an
// operation is done for the file of an image.
func failing(t *testing.T, dir string, from safefile.Op, fails func(op safefile.Op, name string) bool) (executor.Summary, error) {
	t.Helper()
	var mu sync.Mutex
	begun := false
	w, err := open(t, dir, Options{}, func(op safefile.Op, name string) error {
		mu.Lock()
		defer mu.Unlock()
		begun = begun || op == from && strings.Contains(name, "images/")
		if begun && fails(op, name) {
			return fmt.Errorf("%s %s: %w", op, name, syscall.ENOSPC)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	p := plan(t, w)
	c, err := w.Connect(p)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	done, err := w.Apply(p, c, 0)
	if closeErr := w.Close(); err == nil {
		err = closeErr
	}
	if done.Err == nil {
		t.Error("the apply did all although the disk took nothing")
	}
	return done.Summary, err
}

// An image whose folder takes none waits in the store, and prune leaves it there, also where the journal
// could not say so.
func TestImageThatWaitsInTheStore(t *testing.T) {
	t.Parallel()
	for _, also := range []string{"no other", "fluxbatch.state.json.journal"} {
		dir := t.TempDir()
		module(t, dir, "a heron")
		_, err := failing(t, dir, safefile.OpWrite, func(op safefile.Op, name string) bool {
			return op == safefile.OpWrite && (strings.HasPrefix(strings.TrimPrefix(name, ".fluxbatch/simulation/"), "images/") || strings.Contains(name, also))
		})
		if err != nil && also == "no other" {
			t.Fatal(err)
		}
		within(t, dir, Options{}, func(w *Workspace) {
			stock, err := w.Stock(time.Time{})
			if err != nil || len(stock) != 1 || !stock[0].Awaited || stock[0].InUse {
				t.Errorf("the store has %+v, %v; want one image that its task waits for", stock, err)
			}
		})
		apply(t, dir, Options{})
		if recorded(t, dir) == "" || !kept(t, dir)[recorded(t, dir)] {
			t.Error("the next apply did not put the image in its place")
		}
		if n := len(lines(t, dir)); n != 1 {
			t.Errorf("the ledger has %d lines, want one", n)
		}
	}
}

// Whichever run learns of a charge, the ledger is told of it once.
func TestChargeOfAnUnrecordedImage(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		// fails says what the disk does not take; the image has its place in each case.
		fails func(op safefile.Op, name string) bool
	}{
		{"the state can be written after the run", func(op safefile.Op, name string) bool {
			return op == safefile.OpWrite && strings.HasSuffix(name, ".journal")
		}},
		{"nothing can be written", func(op safefile.Op, name string) bool {
			return (op == safefile.OpWrite || op == safefile.OpCreate) && strings.Contains(name, "fluxbatch.state.json")
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			module(t, dir, "a heron")
			summary, _ := failing(t, dir, safefile.OpRename, tt.fails)
			before := lines(t, dir)
			if len(before) != 1 || before[0].Charged != summary.Cost || before[0].Outcome != costs.Made {
				t.Errorf("the ledger has %+v, want the %s of this run", before, summary.Cost.Dollars())
			}
			apply(t, dir, Options{})
			if n := len(lines(t, dir)); n != 1 {
				t.Errorf("after the next run the ledger has %d lines, want one", n)
			}
			if recorded(t, dir) == "" {
				t.Error("the image is not on record")
			}
		})
	}
}

// A run that is killed after it has recorded that a task was paid for in vain has not told the ledger.
// The next one does, once.
func TestChargeOfALostTask(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	module(t, dir, "a heron")
	within(t, dir, Options{}, func(w *Workspace) {
		for i, key := range []string{state.NewKey(), state.NewKey()} {
			task := state.Task{
				Key: key, Address: logo, Provider: "bfl", Model: "flux-2-klein-4b", Fingerprint: strings.Repeat("ab", 32), Path: "images/logo.png",
				Request: []byte(`{"endpoint":"/v1/flux-2-klein-4b","body":{"prompt":"a heron"}}`),
			}
			records := []state.Record{
				state.Intent{Task: task},
				state.Submitted{Key: key, ID: fmt.Sprintf("task-%d", i), PollingURL: "https://api.bfl.ai/x", Cost: 1400, Simulated: true, Accepted: time.Now()},
				[]state.Record{state.Lost{Key: key, Reason: "failed at the API", Cost: 1400}, state.Moderated{Key: key, Cost: 1400}}[i],
			}
			for _, record := range records {
				if err := w.session.Append(record); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
	for range 2 {
		within(t, dir, Options{}, func(*Workspace) {})
	}
	charged := map[costs.Outcome]int{}
	for _, line := range lines(t, dir) {
		charged[line.Outcome] += int(line.Charged)
	}
	if want := map[costs.Outcome]int{costs.Lost: 1400, costs.Moderated: 1400}; !maps.Equal(charged, want) {
		t.Errorf("the ledger has %v, want %v", charged, want)
	}
}

// lines returns the lines of the ledger, also those of one task.
func lines(t *testing.T, dir string) (entries []costs.Entry) {
	t.Helper()
	content, err := os.ReadFile(LedgerPath(dir, true))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "line")
	for line := range strings.Lines(string(content)) {
		if err := os.WriteFile(path, []byte(line), 0o600); err != nil {
			t.Fatal(err)
		}
		one, err := costs.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, one...)
	}
	return entries
}
