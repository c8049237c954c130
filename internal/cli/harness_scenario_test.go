package cli_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// situation is a small project, all made, to which one thing is done: the process that does it is
// ended at every point that it has.
type situation struct {
	name string
	// before changes the project once more before the edit: what is there then is where every
	// process begins.
	before func(w *world) error
	edit   func(w *world, e *errand)
	// saved says that the process in question is the plan that is saved; it is applied afterwards.
	saved bool
}

var situations = []situation{
	{name: "create", edit: func(w *world, _ *errand) {
		b := w.m.add(0, keyed, 2)
		b.items[1].seed = 7
		w.m.add(1, single, 1).refs = []*item{b.items[0]}
	}},
	{name: "new-output", edit: func(w *world, _ *errand) { w.m.items()[0].output = "deep/other.png" }},
	{name: "rendition", edit: func(w *world, _ *errand) {
		w.m.blocks[0].small, w.m.blocks[2].small, w.m.cell = 24, 40, 16
		w.m.items()[0].prompt = "heron of another day"
	}},
	{name: "rendition-edited", before: withRenditions, edit: func(w *world, _ *errand) {
		w.plant(w.m.items()[0].smallPath(), false)
		w.must(os.Remove(w.join(w.m.items()[1].smallPath())))
		w.m.blocks[2].small = 0
	}},
	{name: "rendition-moved", before: withRenditions, edit: func(w *world, e *errand) {
		w.m.items()[1].output = "deep/other.png"
		w.readdress(step{}, e, w.m.blocks[0].items, func() { w.m.blocks[0].name = "renamed" })
	}},
	{name: "rendition-reference", edit: func(w *world, _ *errand) {
		w.m.blocks[0].small, w.m.blocks[2].cut = 24, true
	}},
	{name: "rendition-reference-changed", before: withCuts, edit: func(w *world, _ *errand) {
		w.m.blocks[0].small = 40
	}},
	{name: "rendition-reference-source", before: withCuts, edit: func(w *world, _ *errand) {
		w.m.items()[0].prompt = "heron of another day"
	}},
	{name: "rendition-reference-lost", before: withCuts, edit: func(w *world, _ *errand) {
		w.must(os.Remove(w.join(w.m.items()[0].smallPath())))
		w.m.items()[2].prompt = "heron of another day"
	}},
	{name: "moved", edit: func(w *world, e *errand) {
		w.readdress(step{}, e, w.m.blocks[1].items, func() { w.m.blocks[1].name = "renamed" })
	}},
	{name: "renamed", edit: func(w *world, e *errand) {
		w.readdress(step{N: [3]int{0, 0, 1}}, e, w.m.blocks[1].items, func() { w.m.blocks[1].name = "renamed" })
	}},
	{name: "swap-paths", edit: func(w *world, e *errand) { edits["swap-outputs"](w, step{N: [3]int{0, 1}}, e) }},
	{name: "import", edit: func(w *world, e *errand) { edits["import"](w, step{}, e) }},
	{name: "restore", before: func(w *world) error {
		return w.apply(step{}, &errand{flags: []string{"-replace=image.b1"}, replaced: w.m.items()[0]})
	}, edit: func(w *world, e *errand) { e.first = []string{"restore", w.m.items()[0].address()} }},
	{name: "replace", edit: func(w *world, e *errand) { edits["replace"](w, step{}, e) }},
	{name: "destroy", edit: func(_ *world, e *errand) { e.destroys = true }},
	{name: "drop", edit: func(w *world, _ *errand) { w.m.drop(w.m.items()[1]) }},
	{name: "edited-file", before: func(w *world) error {
		// The store has what is restored.
		if err := w.apply(step{}, &errand{flags: []string{"-replace=image.b1"}, replaced: w.m.items()[0]}); err != nil {
			return err
		}
		return w.free(fate{}, "restore", w.m.items()[0].address())
	}, edit: func(w *world, _ *errand) { w.plant(w.m.items()[0].path(), false) }},
	{name: "lost-file", edit: func(w *world, _ *errand) { w.must(os.Remove(w.join(w.m.items()[1].path()))) }},
	{name: "settle", before: leaveFetched, edit: func(w *world, _ *errand) { w.m.items()[3].output = "other.png" }},
	{name: "settle-renamed", before: leaveFetched, edit: func(w *world, _ *errand) { w.m.blocks[2].name = "renamed" }},
	{name: "settle-unwanted", before: leaveFetched, edit: func(w *world, _ *errand) { w.m.drop(w.m.items()[3]) }},
	{name: "candidates", edit: func(w *world, _ *errand) {
		w.m.items()[0].candidates, w.m.items()[1].candidates = 2, 3
	}},
	{name: "pick", before: withCandidates, edit: func(w *world, e *errand) { edits["pick"](w, step{N: [3]int{1, 1}}, e) }},
	{name: "picked", before: withCandidates, edit: func(w *world, _ *errand) { w.m.items()[1].pick = 3 }},
	{name: "more", before: withCandidates, edit: func(w *world, e *errand) { edits["more"](w, step{N: [3]int{1, 1}}, e) }},
	{name: "fewer", before: withCandidates, edit: func(w *world, _ *errand) { w.m.items()[1].candidates = 1 }},
	{name: "other-candidates", before: withCandidates, edit: func(w *world, _ *errand) {
		w.m.items()[1].prompt = fmt.Sprintf("heron %d", w.m.fresh())
	}},
	{name: "gate", edit: func(w *world, _ *errand) { w.gateSecond("") }},
	{name: "gate-breaks", edit: func(w *world, _ *errand) { w.gateSecond("breaks") }},
	{name: "gate-hangs", edit: func(w *world, _ *errand) { w.gateSecond("hangs") }},
	{name: "accept", edit: func(w *world, e *errand) { edits["accept"](w, step{}, e) }},
	{name: "unaccept", before: func(w *world) error {
		var e errand
		if err := withCandidates(w); err != nil {
			return err
		}
		edits["accept"](w, step{N: [3]int{1}}, &e)
		return errors.Join(w.edited(), w.freeThen(fate{}, e.then, e.first...))
	}, edit: func(w *world, e *errand) { edits["unaccept"](w, step{}, e) }},
	{name: "saved-plan", saved: true, edit: func(w *world, _ *errand) { w.m.add(0, single, 1) }},
}

// withRenditions has something made here of all images.
func withRenditions(w *world) error {
	for _, b := range w.m.blocks {
		b.small = 24
	}
	w.m.cell = 16
	return errors.Join(w.write(), w.apply(step{}, &errand{said: "renditions are made"}))
}

// withCuts is withRenditions, one of which is what the third image is made from.
func withCuts(w *world) error {
	w.m.blocks[2].cut = true
	return withRenditions(w)
}

// withCandidates has two images with candidates to choose from, one of them with a seed.
func withCandidates(w *world) error {
	w.m.items()[0].candidates, w.m.items()[1].candidates = 2, 3
	return w.apply(step{}, &errand{})
}

// gateSecond has a gate judge another prompt of the second image, in a mood.
func (w *world) gateSecond(mood string) {
	w.must(os.WriteFile(w.join("judge-mood"), []byte(mood), 0o644))
	it := w.m.items()[1]
	it.prompt, it.block.gated = fmt.Sprintf("heron %d", w.m.fresh()), true
}

// leaveFetched leaves a new image fetched, and not renamed.
func leaveFetched(w *world) error {
	w.m.add(0, single, 1)
	if err := w.write(); err != nil {
		return err
	}
	// Nothing is fetched before the tenth operation.
	for at := 10; ; at++ {
		try, err := w.fork(filepath.Join(w.aside, fmt.Sprintf("fetching%d", at)), w.count)
		if err != nil {
			return err
		}
		w.bank.forget(len(w.charges))
		o, _, err := try.command(fate{killedBefore, at}, "", "apply", "-auto-approve")
		if err != nil {
			return err
		}
		if !o.killed {
			return errors.New("an apply ended before it was killed with a fetched image")
		}
		journal, err := os.ReadFile(try.join("fluxbatch.state.json.journal"))
		if err == nil && bytes.Contains(journal, []byte(`"fetched"`)) && !bytes.Contains(journal, []byte(`"stored"`)) {
			*w = *try
			return nil
		}
	}
}

// ground is a situation where every process begins.
type ground struct {
	situation
	w      *world
	e      errand
	dir    string
	points []fate
}

// prepare makes the ground, and counts the points where a process can end.
func (s situation) prepare(dir string, count *figures) (g *ground, err error) {
	b, err := newBank()
	if err != nil {
		return nil, err
	}
	m := &manifest{}
	// Two images without a seed and with one, and a third made from the first.
	m.add(0, single, 1)
	m.add(0, single, 1).items[0].seed = 5
	m.add(1, single, 1).refs = []*item{m.blocks[0].items[0]}
	w, err := newWorld(filepath.Join(dir, "ground"), b, m, count)
	if err != nil {
		return nil, err
	}
	g = &ground{situation: s, w: w, dir: dir}
	if err := w.apply(step{}, &errand{said: "the first apply"}); err != nil {
		return g, err
	}
	if s.before != nil {
		if err := s.before(w); err != nil {
			return g, err
		}
	}
	s.edit(w, &g.e)
	if err := errors.Join(w.write(), w.edited()); err != nil {
		return g, err
	}
	for _, kinds := range [][]string{{killedBefore, tornAt, tornLast}, {failsAt}} {
		try, err := g.fork(count, "counting-"+kinds[0])
		if err != nil {
			return g, err
		}
		o, _, err := try.command(fate{kinds[0], 0}, "", g.command(try)...)
		if err != nil {
			return g, err
		}
		for _, kind := range kinds {
			for at := 1; at <= o.ops; at++ {
				g.points = append(g.points, fate{kind, at})
			}
		}
		if kinds[0] != failsAt {
			for at := 1; at <= o.requests; at++ {
				g.points = append(g.points, fate{killedAsking, at}, fate{killedAnswered, at})
			}
		}
	}
	return g, nil
}

func (g *ground) fork(count *figures, name string) (*world, error) {
	g.w.bank.forget(len(g.w.charges))
	w, err := g.w.fork(filepath.Join(g.dir, name), count)
	if err == nil {
		err = w.look()
	}
	return w, err
}

// command is the one that is ended.
func (g *ground) command(w *world) []string {
	switch {
	case g.saved:
		return []string{"plan", "-out=" + w.saved()}
	case g.e.first != nil:
		return g.e.first
	case g.e.destroys:
		return []string{"apply", "-destroy", "-auto-approve"}
	default:
		return append([]string{"apply", "-auto-approve"}, g.e.flags...)
	}
}

// end ends a process at one point, and sees what becomes of it.
func (g *ground) end(f fate, count *figures) (w *world, err error) {
	w, err = g.fork(count, strings.ReplaceAll(fmt.Sprint(f.As, f.At), " ", ""))
	if err != nil {
		return w, err
	}
	defer w.m.remember()()
	defer func() {
		_ = os.RemoveAll(w.aside) // else the whole test's directories pile up; what stays is removed with them
	}()
	if spends := !g.saved && g.e.first == nil && !g.e.destroys; spends {
		e := g.e
		err = w.apply(step{Fate: f}, &e)
	} else {
		err = w.free(f, g.command(w)...)
	}
	if err == nil && g.saved && w.hasSaved() {
		// Half a plan is none, and a whole one is carried out.
		var o *outcome
		o, _, err = w.command(fate{}, "", "apply", w.saved())
		if err == nil && o.code != 0 {
			err = broken("saved plan is no plan", "%s", lastLines(o.stderr, 10))
		}
	}
	if err == nil {
		err = w.finish()
	}
	return w, err
}

func (w *world) hasSaved() bool {
	_, err := os.Stat(w.saved())
	return err == nil
}

// TestHarnessScenarios ends a process at points of fixed situations: before each operation that
// changes the disk, in the middle of it, when it fails, and before and after each request.
func TestHarnessScenarios(t *testing.T) {
	t.Parallel()
	if testing.Short() && *harnessPoint == "" {
		t.Skip("skipped with -short: hundreds of processes; the test without the race detector runs it")
	}
	var count figures
	wanted := slices.DeleteFunc(slices.Clone(situations), func(s situation) bool {
		return *harnessPoint != "" && !strings.HasPrefix(*harnessPoint, s.name+" ")
	})
	if *harnessPoint == "" && *harnessKills < len(wanted) {
		// To prepare a situation takes as long as a few kills. Those that would have none are left out.
		rand.New(rand.NewPCG(*harnessSeed, 4)).Shuffle(len(wanted), func(i, j int) { wanted[i], wanted[j] = wanted[j], wanted[i] })
		wanted = wanted[:*harnessKills]
	}
	dir := t.TempDir()
	grounds := make([]*ground, len(wanted))
	indices := make([]int, len(wanted))
	for i := range indices {
		indices[i] = i
	}
	each(indices, *harnessWorkers, func(i int) {
		g, err := wanted[i].prepare(filepath.Join(dir, wanted[i].name), &count)
		if g != nil {
			t.Cleanup(g.w.bank.close)
		}
		if err != nil {
			count.violations.Add(1)
			t.Errorf("VIOLATION %s: %v", wanted[i].name, err)
			return
		}
		grounds[i] = g
	})
	grounds = slices.DeleteFunc(grounds, func(g *ground) bool { return g == nil })
	choose(grounds)
	total := 0
	var failures found
	for _, g := range grounds {
		total += len(g.points)
	}
	// The points of one situation have a bank in common, and come one after the other.
	each(grounds, *harnessWorkers, func(g *ground) {
		for _, f := range g.points {
			w, err := g.end(f, &count)
			if v := (*violation)(nil); errors.As(err, &v) {
				count.violations.Add(1)
				failures.add(t, g.name+" "+fmt.Sprintf("%s %d", f.As, f.At), w, v)
			} else if err != nil {
				t.Errorf("the harness itself failed: %s, %s %d: %v", g.name, f.As, f.At, err)
			}
		}
	})
	failures.report(t)
	t.Logf("%d situations, %d points; %s", len(grounds), total, &count)
}

// choose leaves as many points as are to be tried, drawn from the seed.
func choose(grounds []*ground) {
	if *harnessPoint != "" {
		for _, g := range grounds {
			g.points = slices.DeleteFunc(g.points, func(f fate) bool { return fmt.Sprintf("%s %s %d", g.name, f.As, f.At) != *harnessPoint })
		}
		return
	}
	r := rand.New(rand.NewPCG(*harnessSeed, 3))
	for i, g := range grounds {
		share := (*harnessKills + i) / len(grounds)
		if share >= len(g.points) {
			continue
		}
		r.Shuffle(len(g.points), func(i, j int) { g.points[i], g.points[j] = g.points[j], g.points[i] })
		g.points = g.points[:share]
	}
}
