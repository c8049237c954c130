package team_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/cli/clitest"
	"github.com/fluxbatch/fluxbatch/internal/simulator"
	"github.com/fluxbatch/fluxbatch/internal/simulator/simtest"
	"github.com/fluxbatch/fluxbatch/internal/slots"
	"github.com/fluxbatch/fluxbatch/state"
)

// sharedManifest is that of one of several who use an account of 24 slots, six of them for
// flux-kontext-max.
const sharedManifest = `variable "endpoint" { type = string }
variable "broker" { type = string }
variable "task_timeout" { default = "15m" }
provider "bfl" {
  endpoint     = var.endpoint
  task_timeout = var.task_timeout
  slots "nats" {
    url     = var.broker
    account = "studio"
  }
}
image "a" {
  count        = 30
  model        = count.index % 3 == 0 ? "flux-kontext-max" : "flux-2-klein-4b"
  prompt       = "a ${count.index}"
  width        = count.index % 3 == 0 ? null : 64
  height       = count.index % 3 == 0 ? null : 64
  aspect_ratio = count.index % 3 == 0 ? "1:1" : null
}
`

// TestSharedKilled kills applies that share an account, and the broker under them. The account's
// limits hold, all is made in the end, each image that may be paid for again is named before, and no
// slot is held by anybody.
func TestSharedKilled(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("skipped with -short: dozens of processes; the test without the race detector runs it")
	}
	tm := newTeam(t, 0)
	nodes := startBrokers(t, *brokerNodes)
	env := append(tm.env, "FLUXBATCH_VAR_broker="+nodes.url(), "BFL_API_KEY=key")
	dirs := []string{t.TempDir(), t.TempDir()}
	for i, dir := range dirs {
		block := string(rune('a' + i))
		manifest := strings.NewReplacer(`image "a"`, `image "`+block+`"`, `"a ${`, `"`+block+` ${`).Replace(sharedManifest)
		clitest.Write(t, filepath.Join(dir, "main.flux.hcl"), []byte(manifest))
	}
	for i := range *sharedKills {
		tm.charges.next(t)
		var cmds []*exec.Cmd
		for _, dir := range dirs {
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Args, cmd.Env = []string{"fluxbatch", "apply", "-auto-approve", dir}, env
			out := &bytes.Buffer{}
			cmd.Stdout, cmd.Stderr = out, out
			tm.charges.says(out)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			cmds = append(cmds, cmd)
		}
		timer := time.AfterFunc(time.Duration(100+rand.Int64N(500))*time.Millisecond, func() {
			for _, cmd := range cmds {
				_ = cmd.Process.Kill() // it may have ended
			}
		})
		if every := max(1, *sharedKills/max(1, *brokerKills)); *brokerKills > 0 && i%every == every/2 {
			node := rand.IntN(len(nodes.nodes))
			nodes.kill(node)
			nodes.start(t, node)
		}
		for _, cmd := range cmds {
			_ = cmd.Wait() // killed, most of the time
		}
		timer.Stop()
	}
	tm.charges.next(t)
	// Both at once: each goes on with the tasks that it left, whose slots the other one may wait for.
	var last sync.WaitGroup
	for _, dir := range dirs {
		last.Go(func() {
			out, errs, code := clitest.Run(t, env, "apply", "-auto-approve", dir)
			if code != 0 {
				t.Errorf("the last apply exited with %d:\n%s%s", code, out, errs)
			}
			tm.charges.says(strings.NewReader(out))
		})
	}
	last.Wait()
	t.Logf("%d images were paid for again", tm.charges.check(t))
	stats := tm.sim.Stats()
	if stats.MaxActive > 24 || stats.MaxActiveByModel["flux-kontext-max"] > 6 {
		t.Errorf("%d tasks were active at once, %d of the limited model", stats.MaxActive, stats.MaxActiveByModel["flux-kontext-max"])
	}
	// A slot whose run died before it said what for is freed a few seconds later, and one whose run died
	// when its image was there and the slot not given back yet, when its task has had its time. Looking
	// frees them.
	env = append(env, "FLUXBATCH_VAR_task_timeout=1s")
	began := time.Now()
	for {
		out, errs, code := clitest.Run(t, env, "slots", "-json", dirs[0])
		if code == 0 && !strings.Contains(out, `"task"`) {
			break
		}
		if time.Since(began) > 2*time.Minute { // A broker that was just killed may not answer at first.
			t.Fatalf("slots are still held, exit code %d:\n%s%s", code, out, errs)
		}
	}
}

// TestRunEndsWithoutBroker: an apply whose broker goes away ends all the same, and what it could not
// free is freed by the next apply in its folder, which need not make anything that was made.
func TestRunEndsWithoutBroker(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("skipped with -short: it waits for a broker that is away; the test without the race detector runs it")
	}
	// No task ends before the broker is gone, however late that is.
	var clock simtest.Clock
	sim, url := simtest.Serve(t, simulator.Options{Seed: 1, Now: clock.Now})
	nodes := startBrokers(t, 1)
	env := append(os.Environ(), "FLUXBATCH_VAR_endpoint="+url, "FLUXBATCH_VAR_broker="+nodes.url(), "BFL_API_KEY=key")
	dir := t.TempDir()
	clitest.Write(t, filepath.Join(dir, "main.flux.hcl"), []byte(sharedManifest))
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	out := &bytes.Buffer{}
	cmd.Args, cmd.Env, cmd.Stdout, cmd.Stderr = []string{"fluxbatch", "apply", "-auto-approve", dir}, env, out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for sim.Stats().Submissions < 20 {
		select {
		case err := <-ended:
			t.Fatalf("too few are submitted: %v\n%s", err, out)
		case <-time.After(5 * time.Millisecond):
		}
	}
	nodes.kill(0)
	clock.Go()
	if err := <-ended; err != nil || !strings.Contains(out.String(), "30 created") || !strings.Contains(out.String(), "The next apply here that makes an image") {
		t.Fatalf("without its broker: %v\n%s", err, out)
	}
	nodes.start(t, 0)
	if out, errs, code := clitest.Run(t, env, "slots", "-json", dir); code != 0 || !strings.Contains(out, `"task"`) {
		t.Errorf("nothing is held after the broker came back, exit code %d:\n%s%s", code, out, errs)
	}
	if out, errs, code := clitest.Run(t, env, "apply", "-auto-approve", "-replace", "image.a[1]", dir); code != 0 {
		t.Errorf("the next apply exited with %d:\n%s%s", code, out, errs)
	}
	// A slot that was about to be taken when the broker went is freed a few seconds later.
	if out, errs, code := clitest.Run(t, env, "slots", "-json", dir); code != 0 || strings.Contains(out, `"task"`) {
		t.Errorf("slots are still held, exit code %d:\n%s%s", code, out, errs)
	}
	if n := len(sim.Ledger()); n != 31 {
		t.Errorf("%d images were charged, want 31", n)
	}
}

// TestSlotsOfOneNode: where one node of several keeps the slots, an apply says so, with the way out; where three do, it does not.
func TestSlotsOfOneNode(t *testing.T) {
	t.Parallel()
	_, url := clitest.Simulator(t, time.Millisecond)
	nodes := startBrokers(t, 3)
	dir := t.TempDir()
	clitest.Write(t, filepath.Join(dir, "main.flux.hcl"), []byte(sharedManifest))
	env := append(os.Environ(), "FLUXBATCH_VAR_endpoint="+url, "FLUXBATCH_VAR_broker="+nodes.url(), "BFL_API_KEY=key")
	apply := func(args ...string) string {
		t.Helper()
		_, errs, code := clitest.Run(t, env, append(append([]string{"apply", "-auto-approve"}, args...), dir)...)
		if code != 0 {
			t.Fatalf("apply exited with %d:\n%s", code, errs)
		}
		return errs
	}
	const warning = "Slots are kept by one node"
	if errs := apply(); strings.Contains(errs, warning) {
		t.Errorf("it warns although three keep them:\n%s", errs)
	}
	nodes.replicas(t, 1)
	if errs := apply("-replace", "image.a[1]"); !strings.Contains(errs, warning) || !strings.Contains(strings.Join(strings.Fields(errs), " "), "nats stream edit KV_fluxbatch --replicas 3") {
		t.Errorf("it does not warn:\n%s", errs)
	}
}

// onBroker is a directory whose applies share the slots of a broker.
type onBroker struct {
	sim    *simulator.Simulator
	broker string
	dir    string
	env    []string
}

func brokered(t *testing.T) onBroker {
	t.Helper()
	sim, url := clitest.Simulator(t, 30*time.Millisecond)
	b := onBroker{sim: sim, broker: startBrokers(t, 1).url(), dir: t.TempDir()}
	b.env = append(os.Environ(), "FLUXBATCH_VAR_endpoint="+url, "FLUXBATCH_VAR_broker="+b.broker, "BFL_API_KEY=key")
	clitest.Write(t, filepath.Join(b.dir, "main.flux.hcl"), []byte(sharedManifest))
	return b
}

// holder takes slots as an apply does; closed with some of them, it is one that was killed.
func (b onBroker) holder(t *testing.T) *slots.Pool {
	t.Helper()
	killed, err := slots.Open(t.Context(), slots.Options{URL: b.broker, Account: "studio", Key: "key", Who: "one that is killed", Concurrency: 24})
	if err != nil {
		t.Fatal(err)
	}
	return killed
}

func (b onBroker) apply(t *testing.T, args ...string) {
	t.Helper()
	if out, errs, code := clitest.Run(t, b.env, append(append([]string{"apply", "-auto-approve"}, args...), b.dir)...); code != 0 {
		t.Fatalf("apply exited with %d:\n%s%s", code, out, errs)
	}
}

func (b onBroker) slots(t *testing.T) (stdout, stderr string, code int) {
	t.Helper()
	return clitest.Run(t, b.env, "slots", "-json", b.dir)
}

// TestSlotOfMadeImage: a slot whose run was killed when its image was on record, and the slot not
// given back yet, is freed by the next apply that makes anything.
func TestSlotOfMadeImage(t *testing.T) {
	t.Parallel()
	b := brokered(t)
	b.apply(t, "-target", "image.a[1]")
	made := b.sim.Ledger()[0].ID
	killed := b.holder(t)
	addr, err := addrs.Parse("image.a[1]")
	if err != nil {
		t.Fatal(err)
	}
	h, err := killed.Take(t.Context(), executor.Job{Address: addr, Model: "flux-2-klein-4b"})
	if err != nil {
		t.Fatal(err)
	}
	h.Runs(t.Context(), made, 0)
	killed.Close()
	if out, errs, code := b.slots(t); code != 0 || !strings.Contains(out, made) {
		t.Fatalf("the slot is not held, exit code %d:\n%s%s", code, out, errs)
	}
	b.apply(t, "-target", "image.a[2]")
	if out, errs, code := b.slots(t); code != 0 || strings.Contains(out, `"task"`) {
		t.Errorf("the slot is still held, exit code %d:\n%s%s", code, out, errs)
	}
}

// TestSlotsOfEndedTasks: slots of a run that was killed when it was on record that their tasks were
// moderated or have failed are freed by the next apply that makes anything. Others stay.
func TestSlotsOfEndedTasks(t *testing.T) {
	t.Parallel()
	b := brokered(t)
	killed := b.holder(t)
	session, err := state.Open(t.Context(), filepath.Join(b.dir, "fluxbatch.state.json"), state.Options{Operation: "apply"})
	if err != nil {
		t.Fatal(err)
	}
	ends := []func(key string) state.Record{
		func(key string) state.Record { return state.Lost{Key: key, Reason: "failed at the API", Cost: 1000} },
		func(key string) state.Record { return state.Moderated{Key: key} },
		func(key string) state.Record { return state.Failed{Key: key, Reason: "failed at the API"} },
		func(key string) state.Record { return state.Failed{Key: key, Reason: state.GivenUp} },
	}
	for i, end := range ends {
		addr, id := addrs.Image{Name: "a", Key: addrs.IntKey(20 + i)}, fmt.Sprintf("task-%d", i)
		h, err := killed.Take(t.Context(), executor.Job{Address: addr, Model: "flux-2-klein-4b"})
		if err != nil {
			t.Fatal(err)
		}
		h.Runs(t.Context(), id, 0)
		key := state.NewKey()
		task := state.Task{
			Key: key, Address: addr, Provider: "bfl", Model: "flux-2-klein-4b", Path: "images/a.jpg",
			Fingerprint: strings.Repeat("0", 64), Request: []byte(`{"model":"flux-2-klein-4b"}`), Cost: 1000,
		}
		for _, rec := range []state.Record{state.Intent{Task: task}, state.Submitted{Key: key, ID: id, Cost: 1000}, end(key)} {
			if err := session.Append(rec); err != nil {
				t.Fatal(err)
			}
		}
	}
	killed.Close()
	if err := session.Close(); err != nil {
		t.Fatal(err)
	}
	b.apply(t, "-target", "image.a[2]")
	out, errs, code := b.slots(t)
	if code != 0 || strings.Count(out, `"task"`) != 1 || !strings.Contains(out, "task-3") {
		t.Errorf("held, exit code %d:\n%s%s", code, out, errs)
	}
}
