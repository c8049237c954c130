package team_test

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/cli/clitest"
	"github.com/fluxbatch/fluxbatch/internal/s3/s3test"
	"github.com/fluxbatch/fluxbatch/internal/simulator"
)

// What the tests of teams do more of on request. The store is an endpoint with a bucket "art", for
// which the environment has the credentials.
var (
	teamKills   = flag.Int("team.kills", 4, "how many applies are killed on a shared state")
	teamZombies = flag.Int("team.zombies", 1, "how many applies are overtaken")
	sharedKills = flag.Int("team.shared", 6, "how often two applies on shared slots are killed")
	brokerKills = flag.Int("team.brokers", 1, "how often the broker under them is killed")
	brokerNodes = flag.Int("team.nodes", 1, "how many nodes the broker has")
	teamStore   = flag.String("team.store", "", "use this store in the place of one in memory")
)

// teamImages are as many images as the team's manifest has.
const teamImages = 12

const teamManifest = `variable "store" { type = string }
variable "team" { type = string }
fluxbatch {
  state "s3" {
    bucket         = "art"
    key            = "${var.team}/state"
    endpoint       = var.store
    use_path_style = true
  }
  images "s3" {
    bucket         = "art"
    prefix         = "${var.team}/blobs"
    endpoint       = var.store
    use_path_style = true
  }
}
` + clitest.SmallImages + `
image "base" {
  count  = 4
  prompt = "base ${count.index}"
}
image "made" {
  count      = 8
  prompt     = "made ${count.index}"
  references = [image.base[count.index % 4]]
}
`

// team is an account, a store, and any number of machines.
type team struct {
	sim *simulator.Simulator
	// store is the address of the store, and name what the names of this team's objects begin with.
	store, name string
	env         []string
}

func newTeam(t *testing.T, latency time.Duration) *team {
	t.Helper()
	sim, url := clitest.Simulator(t, 30*time.Millisecond)
	tm := &team{sim: sim, store: *teamStore, name: fmt.Sprintf("%s-%d", t.Name(), rand.Uint64())}
	tm.env = append(os.Environ(), "FLUXBATCH_VAR_endpoint="+url, "FLUXBATCH_VAR_team="+tm.name)
	if tm.store != "" {
		tm.env = append(tm.env, "FLUXBATCH_VAR_store="+tm.store)
		return tm
	}
	store, err := s3test.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	store.Slow(latency)
	tm.store = store.URL
	tm.env = append(tm.env, "FLUXBATCH_VAR_store="+store.URL, "AWS_ACCESS_KEY_ID=id", "AWS_SECRET_ACCESS_KEY=secret")
	return tm
}

// machine returns a fresh clone of the manifest.
func (tm *team) machine(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	clitest.Write(t, filepath.Join(dir, "main.flux.hcl"), []byte(teamManifest))
	return dir
}

// apply starts an apply without the lease, which the fence makes good for.
func (tm *team) apply(t *testing.T, dir string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Args = []string{"fluxbatch", "apply", "-auto-approve", "-lock=false", dir}
	out := &bytes.Buffer{}
	cmd.Env, cmd.Stdout, cmd.Stderr = tm.env, out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, out
}

// twice returns how many charges were for an image that was charged before.
func (tm *team) twice() int {
	charged := map[string]int{}
	for _, charge := range tm.sim.Ledger() {
		charged[charge.Digest]++
	}
	twice := 0
	for _, n := range charged {
		twice += n - 1
	}
	return twice
}

func announced(out string) int {
	said := strings.Join(strings.Fields(strings.ReplaceAll(out, "#", "")), " ")
	return strings.Count(said, "may have been charged")
}

// settled applies on a new machine what is left, and on another one finds all there for nothing.
// It returns what was announced.
func (tm *team) settled(t *testing.T) int {
	t.Helper()
	dir := tm.machine(t)
	stdout, stderr, code := clitest.Run(t, tm.env, "apply", "-auto-approve", "-lock=false", dir)
	if code != 0 {
		t.Fatalf("the last apply exited with %d:\n%s%s", code, stdout, stderr)
	}
	before := len(tm.sim.Ledger())
	clone := tm.machine(t)
	if out, errs, code := clitest.Run(t, tm.env, "apply", "-auto-approve", "-lock=false", clone); code != 0 || len(tm.sim.Ledger()) != before {
		t.Fatalf("a clone exited with %d, and %d were charged:\n%s%s", code, len(tm.sim.Ledger())-before, out, errs)
	}
	if out, errs, code := clitest.Run(t, tm.env, "verify", clone); code != 0 {
		t.Fatalf("the clone has not all:\n%s%s", out, errs)
	}
	return announced(stdout)
}

// TestTeamKilled kills applies at random instants, each time on another machine. The next one, in a
// fresh clone, has what was paid for.
func TestTeamKilled(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("skipped with -short: dozens of processes; the test without the race detector runs it")
	}
	tm, said := newTeam(t, 20*time.Millisecond), 0
	var outs []string
	for range *teamKills {
		if len(tm.sim.Ledger()) >= teamImages {
			// All is made: begin anew in another state, of which the store knows nothing.
			said += tm.settled(t)
			if twice := tm.twice(); twice > said {
				t.Fatalf("%d images were paid twice, and %d announced:\n%s", twice, said, strings.Join(outs, "\n----\n"))
			}
			tm, said, outs = newTeam(t, 20*time.Millisecond), 0, nil
		}
		cmd, out := tm.apply(t, tm.machine(t))
		timer := time.AfterFunc(time.Duration(200+rand.Int64N(1000))*time.Millisecond, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait() // killed, most of the time
		timer.Stop()
		said += announced(out.String())
		outs = append(outs, out.String())
	}
	said += tm.settled(t)
	if twice := tm.twice(); twice > said {
		t.Fatalf("%d images were paid twice, and %d announced:\n%s", twice, said, strings.Join(outs, "\n----\n"))
	}
}
