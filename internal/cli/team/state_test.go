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
	teamKills   = flag.Int("team.kills", 3, "how many applies are killed on a shared state")
	teamZombies = flag.Int("team.zombies", 1, "how many applies are overtaken")
	sharedKills = flag.Int("team.shared", 4, "how often two applies on shared slots are killed")
	brokerKills = flag.Int("team.brokers", 1, "how often the broker under them is killed")
	brokerNodes = flag.Int("team.nodes", 1, "how many nodes the broker has")
	teamStore   = flag.String("team.store", "", "use this store in the place of one in memory")
)

// teamImages are as many images as the team's manifest has. A plan folds most of them.
const teamImages = 24

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
  count      = 20
  prompt     = "made ${count.index}"
  references = [image.base[count.index % 4]]
}
`

// team is an account, a store, and any number of machines.
type team struct {
	sim     *simulator.Simulator
	charges *charges
	// store is the address of the store, and name what the names of this team's objects begin with.
	store, name string
	env         []string
}

func newTeam(t *testing.T, latency time.Duration) *team {
	t.Helper()
	sim, _ := clitest.Simulator(t, 30*time.Millisecond)
	charges, url := watch(t, sim, latency)
	tm := &team{sim: sim, charges: charges, store: *teamStore, name: fmt.Sprintf("%s-%d", t.Name(), rand.Uint64())}
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
	tm.charges.next(t)
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Args = []string{"fluxbatch", "apply", "-auto-approve", "-lock=false", dir}
	out := &bytes.Buffer{}
	cmd.Env, cmd.Stdout, cmd.Stderr = tm.charges.key(tm.env), out, out
	tm.charges.says(out)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, out
}

// settled applies on a new machine what is left, and on another one finds all there for nothing.
func (tm *team) settled(t *testing.T) {
	t.Helper()
	dir := tm.machine(t)
	tm.charges.next(t)
	stdout, stderr, code := clitest.Run(t, tm.charges.key(tm.env), "apply", "-auto-approve", "-lock=false", dir)
	if code != 0 {
		t.Fatalf("the last apply exited with %d:\n%s%s", code, stdout, stderr)
	}
	tm.charges.says(strings.NewReader(stdout))
	before := len(tm.sim.Ledger())
	clone := tm.machine(t)
	if out, errs, code := clitest.Run(t, tm.env, "apply", "-auto-approve", "-lock=false", clone); code != 0 || len(tm.sim.Ledger()) != before {
		t.Fatalf("a clone exited with %d, and %d were charged:\n%s%s", code, len(tm.sim.Ledger())-before, out, errs)
	}
	if out, errs, code := clitest.Run(t, tm.env, "verify", clone); code != 0 {
		t.Fatalf("the clone has not all:\n%s%s", out, errs)
	}
}

// TestTeamKilled kills applies at random instants, each time on another machine. The next one, in a
// fresh clone, has what was paid for, and names each image that may be paid for again.
func TestTeamKilled(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("skipped with -short: dozens of processes; the test without the race detector runs it")
	}
	tm, again := newTeam(t, 20*time.Millisecond), 0
	for range *teamKills {
		if len(tm.sim.Ledger()) >= teamImages {
			// All is made: begin anew in another state, of which the store knows nothing.
			tm.settled(t)
			again += tm.charges.check(t)
			tm = newTeam(t, 20*time.Millisecond)
		}
		cmd, _ := tm.apply(t, tm.machine(t))
		timer := time.AfterFunc(time.Duration(200+rand.Int64N(1000))*time.Millisecond, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait() // killed, most of the time
		timer.Stop()
	}
	tm.settled(t)
	again += tm.charges.check(t)
	t.Logf("%d images were paid for again", again)
}
