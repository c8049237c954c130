package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fluxbatch/fluxbatch/internal/cli/clitest"
)

// TestRerollKilled kills an apply that draws a new seed, before and after each record of its
// journal. The next apply, which is not asked for a new throw, brings the picture that was paid for,
// and pays for none itself.
func TestRerollKilled(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("skipped with -short: dozens of processes; the test without the race detector runs it")
	}
	for _, when := range []string{"before", "after"} {
		t.Run(when, func(t *testing.T) {
			t.Parallel()
			brought := 0
			for at := 1; ; at++ {
				r := newCrashRig(t, "seeded")
				if stdout, stderr, code := clitest.Run(t, r.env, "apply", "-auto-approve", r.dir); code != 0 {
					t.Fatal(stdout, stderr)
				}
				if !r.crash(t, at, when, "-reroll=image.hero") {
					break
				}
				if r.checkReroll(t, at) {
					brought++
				}
			}
			if brought < 2 {
				t.Errorf("of all the applies that were killed, %d left a throw for the next", brought)
			}
		})
	}
}

// checkReroll applies after a crash at a record. It reports whether that brought the new throw.
func (r *crashRig) checkReroll(t *testing.T, at int) bool {
	t.Helper()
	before := len(r.sim.Ledger())
	stdout, stderr, code := clitest.Run(t, r.env, "apply", "-auto-approve", r.dir)
	if code != 0 {
		t.Fatalf("record %d: %d:\n%s%s", at, code, stdout, stderr)
	}
	charges := r.sim.Ledger()
	if before > 2 || len(charges) != before {
		t.Errorf("record %d: %d charges before the crash and %d now:\n%s", at, before, len(charges), stdout)
	}
	task, last := r.taskOf(t, "image.hero"), charges[len(charges)-1].ID
	// Where the answer was lost, nobody knows the task's name.
	if task != last && !strings.Contains(stdout+stderr, "may have been") {
		t.Errorf("record %d: image.hero is task %s, and %s was paid for:\n%s", at, task, last, stdout)
	}
	if out, errs, code := clitest.Run(t, r.env, "plan", "-detailed-exitcode", r.dir); code != 0 {
		t.Errorf("record %d: something is left to do:\n%s%s", at, out, errs)
	}
	if out, errs, code := clitest.Run(t, r.env, "verify", r.dir); code != 0 {
		t.Errorf("record %d: not all is well:\n%s%s", at, out, errs)
	}
	return before == 2 && task == last
}

// taskOf returns the task that an image on record was made by.
func (r *crashRig) taskOf(t *testing.T, address string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(r.dir, "fluxbatch.state.json"))
	if err != nil {
		t.Fatal(err)
	}
	var recorded struct {
		Images map[string]struct {
			Result struct {
				TaskID string `json:"task_id"`
			} `json:"result"`
		} `json:"images"`
	}
	if err := json.Unmarshal(data, &recorded); err != nil {
		t.Fatal(err)
	}
	return recorded.Images[address].Result.TaskID
}
