package cli_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/cli"
	"github.com/fluxbatch/fluxbatch/internal/cli/clitest"
	"github.com/fluxbatch/fluxbatch/internal/costs"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
	"github.com/fluxbatch/fluxbatch/internal/simulator"
	"github.com/fluxbatch/fluxbatch/internal/workspace"
)

// crashingCommand is fluxbatch in a process that kills itself, as kill -9 does, at the nth record
// of the journal: before the record is written, or right after.
func crashingCommand() {
	at, err := strconv.ParseInt(os.Getenv("CRASH_AT"), 10, 64)
	if err != nil {
		panic(err)
	}
	crashOp := safefile.OpWrite
	if os.Getenv("CRASH_WHEN") == "after" {
		// What was written is in the hands of the kernel, which survives.
		crashOp = safefile.OpSync
	}
	var records atomic.Int64
	os.Exit(cli.Run(cli.Environment{
		Args: os.Args[1:], Environ: os.Environ(), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Drain: context.Background(), Abort: context.Background(),
		Faults: func(op safefile.Op, name string) error {
			if op == crashOp && strings.HasSuffix(name, ".journal") && records.Add(1) == at {
				self, err := os.FindProcess(os.Getpid())
				if err == nil {
					err = self.Kill()
				}
				if err != nil {
					panic(err)
				}
				select {}
			}
			return nil
		},
	}))
}

// crashRig is a module, and a simulator that keeps the books while processes die.
type crashRig struct {
	sim *simulator.Simulator
	dir string
	env []string
}

const crashImages = 4

// crashManifests each make crashImages images, but for the one with a seed.
var crashManifests = map[string]string{
	"references": `
image "logo" { prompt = "logo" }
image "hero" {
  prompt     = "hero"
  references = [image.logo]
}
image "card" {
  count  = 2
  prompt = "card ${count.index}"
}
`,
	"seeded": `
image "hero" {
  prompt = "hero"
  seed   = 7
}
`,
	// Two candidates that are refused, a third that passes, and what is made from it.
	"choices": `
image "hero" {
  prompt     = "hero"
  seed       = 1
  candidates = 2
  gate "third" {
    command = ["sh", "./judge"]
    retries = 2
  }
}
image "framed" {
  prompt     = "framed"
  references = [image.hero]
}
`,
}

// crashJudge passes pictures whose seed is a multiple of three. A shell runs it, since a program
// that was just written can be busy while other tests fork.
const crashJudge = `#!/bin/sh
seed=$(sed -E 's/.*"seed":([0-9]+).*/\1/')
[ $((seed % 3)) = 0 ]
`

func newCrashRig(t *testing.T, manifest string) *crashRig {
	t.Helper()
	sim, url := clitest.Simulator(t, 5*time.Millisecond)
	r := &crashRig{sim: sim, dir: t.TempDir(), env: append(os.Environ(), "FLUXBATCH_VAR_endpoint="+url)}
	clitest.Write(t, filepath.Join(r.dir, "main.flux.hcl"), []byte(clitest.SmallImages+crashManifests[manifest]))
	if err := os.WriteFile(filepath.Join(r.dir, "judge"), []byte(crashJudge), 0o600); err != nil {
		t.Fatal(err)
	}
	return r
}

// crash runs an apply that dies at the nth record, and reports whether it did.
func (r *crashRig) crash(t *testing.T, at int, when string, flags ...string) bool {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Args = append([]string{"fluxbatch-crash", "apply", "-auto-approve", "-parallelism=2"}, append(flags, r.dir)...)
	cmd.Env = append(r.env, "CRASH_AT="+strconv.Itoa(at), "CRASH_WHEN="+when)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return false
	case errors.As(err, &exit) && exit.ExitCode() == -1:
		return true
	default:
		t.Fatalf("apply was to be killed and ended with %v:\n%s", err, out.String())
		return false
	}
}

// recover applies until all is made, and proves that nothing was lost, and nothing paid twice but
// what was announced.
func (r *crashRig) recover(t *testing.T) {
	t.Helper()
	stdout, stderr, code := clitest.Run(t, r.env, "apply", "-auto-approve", r.dir)
	if code != 0 {
		t.Fatalf("the apply after the crash exited with %d:\n%s%s", code, stdout, stderr)
	}
	charged := map[string]int{}
	for _, charge := range r.sim.Ledger() {
		charged[charge.Digest]++
	}
	if len(charged) != crashImages {
		t.Errorf("%d different images were charged, want %d", len(charged), crashImages)
	}
	twice := 0
	for _, n := range charged {
		twice += n - 1
	}
	// The text is wrapped, in lines that begin with a #.
	said := strings.Join(strings.Fields(strings.ReplaceAll(stdout, "#", "")), " ")
	announced := strings.Count(said, "may have been charged")
	if twice > announced {
		t.Errorf("%d images were paid twice, and %d announced:\n%s", twice, announced, stdout)
	}
	if out, errs, code := clitest.Run(t, r.env, "plan", "-detailed-exitcode", r.dir); code != 0 {
		t.Errorf("after the recovery there is still something to do:\n%s%s", out, errs)
	}
	if out, errs, code := clitest.Run(t, r.env, "verify", r.dir); code != 0 {
		t.Errorf("after the recovery not all is well:\n%s%s", out, errs)
	}
	r.checkLedger(t, announced)
	leftovers, err := filepath.Glob(filepath.Join(r.dir, "*", ".fluxbatch-tmp-*"))
	if err != nil || len(leftovers) > 0 {
		t.Errorf("leftovers: %v, %v", leftovers, err)
	}
}

// checkLedger proves that what the API charged is in the ledger of costs, but for tasks whose answer
// was lost, which were announced.
func (r *crashRig) checkLedger(t *testing.T, announced int) {
	t.Helper()
	entries, err := costs.Read(workspace.LedgerPath(r.dir, false))
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]bool{}
	for _, e := range entries {
		told[e.TaskID] = true
	}
	var missing []string
	for _, charge := range r.sim.Ledger() {
		if !told[charge.ID] {
			missing = append(missing, charge.ID)
		}
	}
	if len(missing) > announced {
		t.Errorf("%d tasks may have been charged, and the ledger of costs lacks %q", announced, missing)
	}
}

// crashStride has one run of the tests kill at some of the records only, from one that is drawn: each
// costs four processes.
var crashStride = flag.Int("crash.stride", 5, "kill applies at every such `record`, from a random one of the first")

// TestKilledAtEveryRecord kills applies before and after the records of their journals, and all
// is there for nothing afterwards.
func TestKilledAtEveryRecord(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("skipped with -short: hundreds of processes; the test without the race detector runs it")
	}
	for _, c := range [][2]string{{"references", "before"}, {"references", "after"}, {"choices", "before"}, {"choices", "after"}} {
		manifest, when := c[0], c[1]
		t.Run(manifest+" "+when, func(t *testing.T) {
			t.Parallel()
			for at := 1 + rand.IntN(*crashStride); ; at += *crashStride {
				r := newCrashRig(t, manifest)
				if !r.crash(t, at, when) {
					// One is made from the other, and each of them leaves five records one after
					// the other. Those of other images may share their writes.
					if at-1 < 2*5 {
						t.Errorf("an apply of %d images had only %d writes to its journal", crashImages, at-1)
					}
					return
				}
				r.recover(t)
				if t.Failed() {
					t.Fatalf("killed %s record %d", when, at)
				}
			}
		})
	}
}

// TestKilledAtRandomInstants kills an apply four times, each at another instant. The harness kills
// more, after more edits.
func TestKilledAtRandomInstants(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("skipped with -short: dozens of processes; the test without the race detector runs it")
	}
	for i := range 4 {
		r := newCrashRig(t, []string{"references", "choices"}[i%2])
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Args = []string{"fluxbatch", "apply", "-auto-approve", r.dir}
		cmd.Env = r.env
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		instant := time.Duration(rand.Int64N(int64(250 * time.Millisecond)))
		timer := time.AfterFunc(instant, func() {
			// It may have ended by itself.
			_ = cmd.Process.Kill()
		})
		_ = cmd.Wait() // killed, most of the time
		timer.Stop()
		r.recover(t)
		if t.Failed() {
			t.Fatalf("killed after %v, the %s time", instant, fmt.Sprint(i+1))
		}
	}
}
