package cli_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// The harness proves that what was paid for is paid once and never lost, whatever happens. It runs
// the command as processes on a project that is edited at random, kills them, breaks their disk and
// their API, and keeps books of its own. What may be charged is in checkPlan and checkCharges; what
// has to be there is in command and checkEnd.
//
//	go test ./internal/cli -run TestHarness                                                       a few sequences, as always
//	go test ./internal/cli -run TestHarness -timeout 2h -harness.sequences=60 -harness.kills=1000
//	go test ./internal/cli -run TestHarnessSequences -harness.replay='{"seed":7,...}' -v          one sequence, as a failure printed it
var (
	harnessSequences = flag.Int("harness.sequences", 2, "run this `number` of random sequences")
	harnessKills     = flag.Int("harness.kills", 5, "kill fixed scenarios at this `number` of operations at most, spread over all of them, or over as many of them")
	harnessSeed      = flag.Uint64("harness.seed", 1, "the `seed` of the first sequence; those after it have the next ones")
	harnessWorkers   = flag.Int("harness.workers", 6, "have this `number` of processes at a time")
	harnessHard      = flag.Bool("harness.hard", false, "let the API also have the moods that take long")
	harnessMood      = flag.String("harness.mood", "", "let the API have this `mood` in every apply, as faults of the simulator")
	harnessWithout   = flag.String("harness.without", "", "leave out these `edits`, separated by commas")
	harnessReplay    = flag.String("harness.replay", "", "run this one `sequence`, as a failure printed it")
	harnessPoint     = flag.String("harness.point", "", "end one process of the fixed scenarios at this `point`, as a failure printed it")
	harnessMinimise  = flag.Duration("harness.minimise", 0, "spend this `time` on making each failing sequence shorter")
)

// fate is what befalls one process. Nothing, where As is "".
type fate struct {
	As string `json:"as,omitempty"`
	At int    `json:"at,omitempty"`
}

func (f fate) with(mood string) string {
	parts := []string{"undisturbed"}
	if f.As != "" {
		parts[0] = fmt.Sprintf("%s %d", f.As, f.At)
	}
	if mood != "" {
		parts = append(parts, "API: "+mood)
	}
	return strings.Join(parts, ", ")
}

// step is an edit, and the apply after it.
type step struct {
	Do string `json:"do"`
	// N chooses among what there is to edit.
	N    [3]int `json:"n"`
	Fate fate   `json:"fate,omitzero"`
	// Mood is the API's, as faults of the simulator.
	Mood  string `json:"mood,omitempty"`
	Saved bool   `json:"saved,omitempty"`
}

// script is one sequence, whole.
type script struct {
	Seed  uint64 `json:"seed"`
	Steps []step `json:"steps"`
}

// moods are what an API does on a bad day. A submission that fails after the charge is one that
// gets no answer.
var moods = []string{
	"submit-429 x2", "submit-500 x1", "submit-503 x2", "submit-reset x1", "submit-reset-after x1", "submit-truncated-after x1",
	"submit-reset-after p=0.5", "submit-slow=40ms x2", "poll-500 x2", "poll-reset x2", "poll-not-found x1", "poll-slow=40ms x3",
	"poll-truncated x1", "poll-gateway=520 x2", "poll-final=503", "submit-gateway=524 x1", "submit-gateway-after=504 x1", "download-truncated x1", "download-corrupt x1", "download-reset x1", "download-expired x1", "download-403 x1",
	"download-500 x1", "download-slow=60ms x2", "submit-429 x1;poll-500 x1;download-reset x1",
}

// hardMoods take long, since the command tries again and again before it gives up, or have no end
// but the harness's own.
var hardMoods = []string{
	"download-403", "download-expired", "download-404 x3", "poll-not-found x6", "poll-403 x2", "poll-not-found=5s", "download-403 for=6s", "submit-504-after x1", "submit-html-after x1", "submit-corrupt-after x1",
}

// newScript draws a sequence.
func newScript(seed uint64) script {
	r := rand.New(rand.NewPCG(seed, 1))
	s := script{Seed: seed}
	kinds := slices.DeleteFunc(slices.Sorted(maps.Keys(edits)), func(kind string) bool {
		return slices.Contains(strings.Split(*harnessWithout, ","), kind)
	})
	for range 4 + r.IntN(5) {
		st := step{Do: pick(kinds, r.IntN(len(kinds))), N: [3]int{r.IntN(1 << 16), r.IntN(1 << 16), r.IntN(1 << 16)}, Saved: r.IntN(5) == 0}
		switch r.IntN(10) {
		case 0, 1, 2:
			st.Fate = fate{killedBefore, 1 + r.IntN(1+r.IntN(70))}
		case 3:
			st.Fate = fate{pick([]string{tornAt, tornLast}, r.IntN(2)), 1 + r.IntN(1+r.IntN(70))}
		case 4:
			st.Fate = fate{failsAt, 1 + r.IntN(1+r.IntN(100))}
		case 5:
			st.Fate = fate{killedSometime, 20 + r.IntN(400)}
		case 6:
			st.Fate = fate{killedAsking, 1 + r.IntN(15)}
		case 7:
			st.Fate = fate{killedAnswered, 1 + r.IntN(15)}
		}
		if r.IntN(3) == 0 {
			st.Mood = pick(moods, r.IntN(len(moods)))
			if *harnessHard && r.IntN(2) == 0 {
				st.Mood = pick(hardMoods, r.IntN(len(hardMoods)))
			}
		}
		if *harnessMood != "" {
			st.Mood = *harnessMood
		}
		s.Steps = append(s.Steps, st)
	}
	return s
}

// figures are what a run of the harness did. Safe for concurrent use.
type figures struct {
	sequences, applies, killsAtRandom, killsAtOps, killsAtRequests, failedOps, apiFaults, charged, announced, violations atomic.Int64
}

func (n *figures) of(f fate, mood string, o *outcome) {
	if o.args[0] == "apply" {
		n.applies.Add(1)
	}
	switch {
	case f.As == failsAt && f.At > 0:
		n.failedOps.Add(1)
	case o.killed && f.As == killedSometime:
		n.killsAtRandom.Add(1)
	case o.killed && (f.As == killedBefore || f.As == tornAt || f.As == tornLast):
		n.killsAtOps.Add(1)
	case o.killed && (f.As == killedAsking || f.As == killedAnswered):
		n.killsAtRequests.Add(1)
	}
	if mood != "" {
		n.apiFaults.Add(1)
	}
}

func (n *figures) String() string {
	return fmt.Sprintf("%d sequences, %d applies, %d kills (%d at random instants, %d at system calls, %d at requests), %d failed system calls, "+
		"%d runs with a faulty API, %d images charged, %d announced as perhaps charged, %d violations",
		n.sequences.Load(), n.applies.Load(), n.killsAtRandom.Load()+n.killsAtOps.Load()+n.killsAtRequests.Load(),
		n.killsAtRandom.Load(), n.killsAtOps.Load(), n.killsAtRequests.Load(), n.failedOps.Load(), n.apiFaults.Load(),
		n.charged.Load(), n.announced.Load(), n.violations.Load())
}

// play carries a sequence out in a directory of its own, and returns the world as it was left, with
// the violation that ended it.
func (s script) play(dir string, count *figures) (w *world, said []string, err error) {
	b, err := newBank()
	if err != nil {
		return nil, nil, err
	}
	defer b.close()
	if w, err = newWorld(dir, b, newManifest(rand.New(rand.NewPCG(s.Seed, 2))), count); err != nil {
		return nil, nil, err
	}
	defer func() {
		if r := recover(); r != nil {
			mishap, ok := r.(mishap)
			if !ok {
				panic(fmt.Sprintf("%v\n%s", r, debug.Stack()))
			}
			err = mishap.error
		}
	}()
	count.sequences.Add(1)
	first := errand{said: "the first apply"}
	if err := w.apply(step{}, &first); err != nil {
		return w, said, err
	}
	for _, st := range s.Steps {
		e := errand{}
		w.m.moved = nil
		if !edits[st.Do](w, st, &e) {
			e.said = st.Do + ": there is nothing to do it to"
		}
		said = append(said, fmt.Sprintf("%s: %s; %s", st.Do, e.said, st.Fate.with(st.Mood)))
		w.note("\n===== %s", said[len(said)-1])
		if err := w.carryOut(st, &e); err != nil {
			return w, said, err
		}
	}
	return w, said, w.finish()
}

// carryOut runs what a step asks for.
func (w *world) carryOut(st step, e *errand) error {
	if err := w.write(); err != nil {
		return err
	}
	if err := w.edited(); err != nil {
		return err
	}
	w.dropPicks()
	switch {
	case e.first != nil:
		if err := w.freeThen(st.Fate, e.then, e.first...); err != nil {
			return err
		}
		st.Fate = fate{}
	case e.destroys:
		if err := w.free(st.Fate, "apply", "-destroy", "-auto-approve"); err != nil {
			return err
		}
		st.Fate = fate{}
	case e.refreshes:
		if err := w.free(st.Fate, "apply", "-refresh-only", "-auto-approve"); err != nil {
			return err
		}
		st.Fate = fate{}
	}
	return w.apply(st, e)
}

// free runs a command that must not spend anything. It may refuse.
func (w *world) free(f fate, args ...string) error { return w.freeThen(f, nil, args...) }

// freeThen does so, and tells how it ended.
func (w *world) freeThen(f fate, then func(*outcome), args ...string) error {
	o, fresh, err := w.command(f, "", args...)
	if err == nil && then != nil {
		then(o)
	}
	if err == nil && len(fresh) > 0 {
		err = broken("bought unannounced", "fluxbatch %s charged %q", strings.Join(o.args, " "), fresh[0].prompt)
	}
	return err
}

// apply plans, checks the plan, applies, and checks what that did.
func (w *world) apply(st step, e *errand) error {
	if e.said == "the first apply" {
		if err := w.write(); err != nil {
			return err
		}
		if err := w.edited(); err != nil {
			return err
		}
	}
	a, err := w.plan(st, e)
	if a == nil || err != nil {
		return err
	}
	before := w.there()
	unsettled := slices.ContainsFunc(w.charges, func(c *charge) bool { return c.where == open || c.where == sent })
	args := append([]string{"apply", "-auto-approve"}, e.flags...)
	if st.Saved {
		args = []string{"apply", w.saved()}
	}
	o, fresh, err := w.command(st.Fate, st.Mood, args...)
	if err == nil {
		err = w.checkCharges(fresh, a, e, before)
	}
	// What an interrupted run left may need one apply to be settled. In the end all applies have to
	// go well.
	if err == nil && st.Fate.As == "" && st.Mood == "" && o.code != 0 && (!unsettled || e.last) && !w.m.isAnyGated() {
		err = broken("apply fails", "with a healthy API it exited with %d:\n%s", o.code, lastLines(o.stderr, 12))
	}
	return err
}

func (w *world) saved() string { return w.aside + "/saved.fluxplan" }

// plan returns what the plan announces, nil where it is refused for a good reason.
func (w *world) plan(st step, e *errand) (*announcement, error) {
	args := append([]string{"plan", "-json"}, e.flags...)
	if st.Saved {
		args = append(args, "-out="+w.saved())
	}
	for {
		o, fresh, err := w.command(fate{}, "", args...)
		if err == nil && len(fresh) > 0 {
			err = broken("bought unannounced", "a plan charged %q", fresh[0].prompt)
		}
		if err != nil {
			return nil, err
		}
		a, err := readPlan(o.stdout)
		if err != nil {
			return nil, err
		}
		if o.code == 0 {
			return a, w.checkPlan(a, e)
		}
		switch moved, err := w.comply(a, e); {
		case err != nil:
			return nil, err
		case !moved:
			return nil, nil //nolint:nilnil // there is no plan, and that is right
		}
	}
}

// comply does what an error of a plan asks people for, and reports whether to plan again. An error
// that nobody gave cause for is a violation.
func (w *world) comply(a *announcement, e *errand) (again bool, err error) {
	for _, d := range a.errors {
		switch {
		case d.Summary == "A file is in the way":
			moved := false
			for _, it := range w.m.items() {
				name := it.path()
				data, err := os.ReadFile(w.join(name))
				if err != nil || w.strangers[sumOf(data)] == "" || !strings.Contains(d.Detail, name) {
					continue
				}
				moved, again = true, true
				w.note("# %s is moved away by hand", name)
				w.must(os.Rename(w.join(name), w.join(fmt.Sprintf("attic/away%d.png", w.m.fresh()))))
			}
			if !moved {
				return false, broken("in its own way", "%s: %s", d.Summary, d.Detail)
			}
		case d.Summary == "Two images write one file":
			// A path that was written out has become the usual one of another image.
			it := w.m.outputTwice()
			if it == nil {
				return false, broken("plan refuses", "%s: %s", d.Summary, d.Detail)
			}
			it.output = fmt.Sprintf("apart%d.png", w.m.fresh())
			w.note("# %s gets the output %s", it.address(), it.output)
			if err := w.write(); err != nil {
				return false, err
			}
			return true, nil
		case d.Summary == "The path belongs to another image" && (e.limited || w.m.isAnyFrozen()),
			strings.HasPrefix(d.Summary, "Frozen image") && w.m.isAnyFrozen():
		default:
			return false, broken("plan refuses", "%s: %s", d.Summary, d.Detail)
		}
	}
	if len(a.errors) == 0 {
		return false, broken("plan refuses", "it failed and said nothing")
	}
	return again, nil
}

// finish thaws what is frozen, and applies until nothing is left to do, three times at most.
func (w *world) finish() error {
	w.note("\n===== the end: nothing is frozen or judged any more, and nothing happens any more")
	w.m.moved = nil
	for _, b := range w.m.blocks {
		b.frozen, b.gated = false, false
	}
	if err := w.write(); err != nil {
		return err
	}
	e := errand{last: true}
	for attempt := 1; ; attempt++ {
		err := w.apply(step{}, &e)
		if err == nil {
			break
		}
		if v := (*violation)(nil); !errors.As(err, &v) || v.kind != "apply fails" || attempt == 3 {
			return err
		}
	}
	for _, args := range [][]string{{"plan", "-detailed-exitcode"}, {"verify"}} {
		o, fresh, err := w.command(fate{}, "", args...)
		if err == nil && len(fresh) > 0 {
			err = broken("bought unannounced", "fluxbatch %s charged %q", strings.Join(args, " "), fresh[0].prompt)
		}
		if err == nil && o.code != 0 {
			err = broken("no end to it", "fluxbatch %s exits with %d:\n%s", strings.Join(args, " "), o.code, lastLines(o.text(), 15))
		}
		if err != nil {
			return err
		}
	}
	return w.checkEnd()
}

// TestHarnessSequences plays random sequences.
func TestHarnessSequences(t *testing.T) {
	t.Parallel()
	if testing.Short() && *harnessReplay == "" {
		t.Skip("skipped with -short: a hundred processes; the test without the race detector runs it")
	}
	scripts := make([]script, *harnessSequences)
	for i := range scripts {
		scripts[i] = newScript(*harnessSeed + uint64(i))
	}
	if *harnessReplay != "" {
		scripts = make([]script, 1)
		if err := json.Unmarshal([]byte(*harnessReplay), &scripts[0]); err != nil {
			t.Fatal(err)
		}
	}
	var count figures
	each(scripts, *harnessWorkers, func(s script) { s.test(t, &count) })
	t.Log(count.String())
}

// each calls do for all, some at a time.
func each[T any](all []T, workers int, do func(T)) {
	queue := make(chan T)
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for one := range queue {
				do(one)
			}
		})
	}
	for _, one := range all {
		queue <- one
	}
	close(queue)
	group.Wait()
}
