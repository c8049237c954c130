package executor_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"

	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/imagefile"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
	"github.com/fluxbatch/fluxbatch/internal/simulator"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// storm is what goes wrong at once.
var storm = []string{
	"submit-429 p=0.1", "submit-429=1 p=0.1", "submit-500 p=0.1", "submit-reset p=0.05",
	"poll-500 p=0.1", "poll-reset p=0.05", "poll-html p=0.05", "poll-corrupt p=0.05", "poll-status=Reasoning p=0.05",
	"download-truncated p=0.05", "download-corrupt p=0.05", "download-reset p=0.05", "download-expired p=0.05", "download-html p=0.05",
}

// TestStorm makes 500 images while nearly everything fails at times, with the real client, journal
// and store.
func TestStorm(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		images := 500
		if testing.Short() {
			images = 100
		}
		sim, client := simulated(t, 7)
		for _, text := range storm {
			if err := sim.Inject(parsed(t, text)); err != nil {
				t.Fatal(err)
			}
		}
		base := t.TempDir()
		// A request whose connection was reset may have been charged: it is sent again only by a
		// run whose plan says so.
		runs, err := 0, executor.ErrIncomplete
		for ; errors.Is(err, executor.ErrIncomplete) && runs < 8; runs++ {
			err = applyOnce(t, base, client, images, nil)
		}
		if err != nil {
			t.Fatalf("after %d runs: %v", runs, err)
		}
		checkStorm(t, sim, base, images)
		t.Logf("%d images in %d runs: %+v", images, runs, sim.Stats())
	})
}

func checkStorm(t *testing.T, sim *simulator.Simulator, base string, images int) {
	t.Helper()
	paid := map[string]int{}
	for _, charge := range sim.Ledger() {
		paid[charge.Digest]++
		if n := paid[charge.Digest]; n > 1 {
			t.Errorf("task %s was the %dth to be paid for one image", charge.ID, n)
		}
	}
	if len(paid) != images {
		t.Errorf("%d images were paid for, want %d", len(paid), images)
	}
	if n := wholeFiles(t, base); n != images {
		t.Errorf("%d files, want %d", n, images)
	}
	stats := sim.Stats()
	if stats.MaxActive > 24 || stats.TooMany > 5 {
		t.Errorf("%d tasks were active at most, and %d submissions came while all slots were taken; want at most 24, and a handful", stats.MaxActive, stats.TooMany)
	}
}

// applyOnce plans and applies in a session of its own, as a command does. faults, when not nil,
// sees every file operation.
func applyOnce(t *testing.T, base string, api executor.API, images int, faults func(safefile.Op, string) error) error {
	t.Helper()
	return applyIn(t, base, executor.Options{Accounts: map[string]executor.Account{"bfl": {API: api, Concurrency: 24}}}, images, faults)
}

// applyIn is applyOnce with options, which it completes.
func applyIn(t *testing.T, base string, o executor.Options, images int, faults func(safefile.Op, string) error) error {
	t.Helper()
	dir, err := safefile.Open(base)
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }()
	outputs := dir
	if faults != nil {
		outputs = dir.WithFaults(faults)
	}
	local, err := state.OpenLocal(outputs)
	if err != nil {
		return err
	}
	defer func() { _ = local.Close() }()
	session, err := state.Open(t.Context(), filepath.Join(base, "state.json"), state.Options{Operation: "apply", Local: local, Faults: faults})
	if err != nil {
		return err
	}
	defer func() { _ = session.Close() }()
	o.Journal, o.Store, o.Index, o.Dir, o.Prior = session, local.Store(), local.Index(), outputs, session.State()
	_, applyErr := executor.Apply(t.Context(), planImages(t, session, images), o)
	return errors.Join(applyErr, session.Commit(nil))
}

func planImages(tb testing.TB, session *state.Session, images int) *planner.Plan {
	tb.Helper()
	p := planner.New(planner.Options{Prior: session.State(), Simulator: func(string) bool { return true }})
	for i := range images {
		p.Decide(&image.Image{
			Address: addrs.Image{Name: "i", Key: addrs.IntKey(i)}, Provider: "bfl", Output: fmt.Sprintf("images/%03d.png", i),
			Model: bfl.Lookup("flux-2-klein-4b"),
			Arguments: []bfl.Argument{
				{Name: "height", Value: int64(64)},
				{Name: "output_format", Value: "png"},
				{Name: "prompt", Value: fmt.Sprintf("image %d", i)},
				{Name: "width", Value: int64(64)},
			},
		})
	}
	plan, diags := p.Finish(nil, nil)
	if diags.HasErrors() {
		tb.Fatal(diags)
	}
	return plan
}

// wholeFiles counts the images that have their names, and makes sure that each of them is whole.
func wholeFiles(t *testing.T, base string) int {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(base, "images", "*.png"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := imagefile.Check(f, 1<<20); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		_ = f.Close()
	}
	return len(files)
}
