package cli_test

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// found are the violations of a test, by what was broken. Of each kind the first are printed whole.
// Safe for concurrent use.
type found struct {
	mu    sync.Mutex
	kinds map[string][]string
}

// printedWhole is how many violations of a kind are printed whole.
const printedWhole = 2

// add prints a violation, or only notes where it was.
func (n *found) add(t *testing.T, where string, w *world, v *violation) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.kinds == nil {
		n.kinds = map[string][]string{}
	}
	n.kinds[v.kind] = append(n.kinds[v.kind], where)
	if len(n.kinds[v.kind]) > printedWhole && *harnessPoint == "" {
		return
	}
	log := strings.Join(w.log, "\n")
	if *harnessPoint == "" {
		log = lastLines(log, 25)
	}
	t.Errorf("VIOLATION %s\nat %s\n%s\n\nagain: go test ./internal/cli -run TestHarnessScenarios -v -harness.point='%s'", v, where, log, where)
}

func (n *found) report(t *testing.T) {
	t.Helper()
	for _, kind := range slices.Sorted(maps.Keys(n.kinds)) {
		t.Errorf("%d violations: %s: %s", len(n.kinds[kind]), kind, strings.Join(n.kinds[kind], ", "))
	}
}

func (s script) test(t *testing.T, count *figures) {
	t.Helper()
	w, said, err := s.play(t.TempDir(), count)
	var v *violation
	switch {
	case err == nil:
		return
	case !errors.As(err, &v):
		t.Errorf("the harness itself failed, with seed %d: %v", s.Seed, err)
		return
	}
	count.violations.Add(1)
	s, w, said, v = s.minimise(t, w, said, v)
	text, err := json.Marshal(s)
	if err != nil {
		t.Error(err)
		return
	}
	log := strings.Join(w.log, "\n")
	if *harnessReplay == "" {
		log = "(all that was run: again with -v and -harness.replay)\n" + lastLines(log, 40)
	}
	t.Errorf("VIOLATION %s\nseed %d:\n  %s\n%s\n\nagain: go test ./internal/cli -run TestHarnessSequences -v -harness.replay='%s'\n",
		v, s.Seed, strings.Join(said, "\n  "), log, text)
}

// minimise leaves out steps, and what befalls them, as long as the same promise is broken.
func (s script) minimise(t *testing.T, w *world, said []string, v *violation) (script, *world, []string, *violation) {
	t.Helper()
	until := time.Now().Add(*harnessMinimise)
	try := func(shorter script) bool {
		if time.Now().After(until) {
			return false
		}
		w2, said2, err := shorter.play(t.TempDir(), new(figures))
		var v2 *violation
		if !errors.As(err, &v2) || v2.kind != v.kind {
			return false
		}
		s, w, said, v = shorter, w2, said2, v2
		return true
	}
	// What follows the violation was not run.
	try(script{Seed: s.Seed, Steps: s.Steps[:len(said)]})
	for i := len(s.Steps) - 1; i >= 0; i-- {
		shorter := script{Seed: s.Seed, Steps: slices.Delete(slices.Clone(s.Steps), i, i+1)}
		if try(shorter) {
			continue
		}
		for _, milder := range []func(*step){
			func(st *step) { st.Do, st.N = "nothing", [3]int{} },
			func(st *step) { st.Fate = fate{} }, func(st *step) { st.Mood = "" }, func(st *step) { st.Saved = false },
		} {
			shorter := script{Seed: s.Seed, Steps: slices.Clone(s.Steps)}
			if milder(&shorter.Steps[i]); shorter.Steps[i] != s.Steps[i] {
				try(shorter)
			}
		}
	}
	return s, w, said, v
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
