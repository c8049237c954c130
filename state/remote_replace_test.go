package state

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// replaced returns a state with one image, of a lineage of its own where nothing was kept yet.
func replaced(t *testing.T, s *Session, n int) *State {
	t.Helper()
	next := newState(s.State().Lineage)
	if s.isFresh() {
		next.Lineage = freshID()
	}
	next.Images.Set(addr(t, fmt.Sprintf("image.pushed%d", n)), testImage(n))
	return next
}

// TestReplaceAtOnce: a run that puts another state in the place of one, while a second run begins at
// any instant, either has it there for the second one, or says that it may not be. A state that is
// new to the backend is no exception.
func TestReplaceAtOnce(t *testing.T) {
	t.Parallel()
	for _, isNew := range []bool{false, true} {
		for at := 0; ; at++ {
			m := newMemory()
			if !isNew {
				m = seedRemote(t)
			}
			first, err := openMemory(t, m, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := first.Replace(replaced(t, first, 1), false); err != nil {
				t.Fatal(err)
			}
			var second *Session
			n := 0
			begin := func(string, bool) error {
				if n++; n <= at || second != nil {
					return nil
				}
				m.broken = nil
				m.mu.Unlock()
				second, err = openMemory(t, m, nil)
				m.mu.Lock()
				return err
			}
			m.broken = begin
			firstErr := first.Commit(nil)
			m.broken = nil
			if second == nil {
				break // The first one was over before.
			}
			what := fmt.Sprintf("new %t, begun at %d", isNew, at)
			isThere := second.State().Images.Has(addr(t, "image.pushed1"))
			var fenced *FencedError
			switch {
			case firstErr == nil && !isThere:
				t.Errorf("%s: the first run's state is there, and the second one does not have it", what)
			case firstErr != nil && (!errors.As(firstErr, &fenced) || !strings.Contains(fenced.Error(), "may not know")):
				t.Errorf("%s: the first run's error is %v", what, firstErr)
			}
			secondMakes(t, m, second, what)
		}
	}
}

// secondMakes has the second run record an image, and sees that it is there for a third one, from
// the log and from a snapshot.
func secondMakes(t *testing.T, m *memory, second *Session, what string) {
	t.Helper()
	appendAll(t, second, Stored{Address: addr(t, "image.made"), Image: testImage(7)})
	for range 2 {
		got, err := ReadBackend(t.Context(), m)
		if err != nil || !got.Images.Has(addr(t, "image.made")) {
			t.Fatalf("%s: a third run: %v", what, err)
		}
		if err := second.Commit(nil); err != nil {
			t.Fatalf("%s: the second run's commit: %v", what, err)
		}
	}
}

// otherLineage opens a session whose next commit puts a state of another lineage in the place of the
// one that is there.
func otherLineage(t *testing.T, m *memory) *Session {
	t.Helper()
	s, err := openMemory(t, m, nil)
	if err != nil {
		t.Fatal(err)
	}
	next := replaced(t, s, 1)
	next.Lineage = freshID()
	if err := s.Replace(next, true); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestReplaceLineageAtOnce: a state of another lineage is put in the place of one, while a second run
// begins at any instant, and is killed when it has recorded an image. A third run has that image, and
// the other state only if the second run had it.
func TestReplaceLineageAtOnce(t *testing.T) {
	t.Parallel()
	fences := 0
	for _, snapshots := range []int{0, 1} {
		for at := 0; ; at++ {
			m := formerState(t, snapshots)
			first := otherLineage(t, m)
			var second *Session
			n := 0
			m.broken = func(string, bool) error {
				if n++; n <= at || second != nil {
					return nil
				}
				m.broken = nil
				m.mu.Unlock()
				defer m.mu.Lock()
				var err error
				if second, err = openMemory(t, m, nil); err == nil {
					err = second.Append(Stored{Address: addr(t, "image.made"), Image: testImage(7)})
				}
				return err
			}
			firstErr := first.Commit(nil)
			m.broken = nil
			if second == nil {
				break // The first one was over before.
			}
			what := fmt.Sprintf("%d snapshots, begun at %d", snapshots, at)
			var fenced *FencedError
			if errors.As(firstErr, &fenced) && strings.Contains(fenced.Error(), "may not know") {
				fences++
			} else if firstErr != nil {
				t.Errorf("%s: the first run's error is %v", what, firstErr)
			}
			thirdHas(t, m, second, what)
		}
	}
	if fences < 4 {
		t.Errorf("only %d runs were overtaken", fences)
	}
}

// formerState is one with an image, in a snapshot or in the log.
func formerState(t *testing.T, snapshots int) *memory {
	t.Helper()
	if snapshots > 0 {
		return seedRemote(t)
	}
	m := newMemory()
	s, err := openMemory(t, m, nil)
	if err != nil {
		t.Fatal(err)
	}
	appendAll(t, s, Stored{Address: addr(t, "image.former"), Image: testImage(3)})
	return m
}

// thirdHas sees that a third run has what a second one had and recorded, twice: from the log, and
// from a snapshot.
func thirdHas(t *testing.T, m *memory, second *Session, what string) {
	t.Helper()
	for range 2 {
		got, err := ReadBackend(t.Context(), m)
		if err != nil {
			t.Fatalf("%s: a third run: %v", what, err)
		}
		if want := second.State(); got.Lineage != want.Lineage || got.Images.Len() != want.Images.Len() || !got.Images.Has(addr(t, "image.made")) {
			t.Errorf("%s: a third run has %d images of lineage %s, the second one had %d of %s", what, got.Images.Len(), got.Lineage, want.Images.Len(), want.Lineage)
		}
		third, err := openMemory(t, m, nil)
		if err != nil {
			t.Fatalf("%s: a third run: %v", what, err)
		}
		if err := third.Commit(nil); err != nil {
			t.Fatalf("%s: the third run's commit: %v", what, err)
		}
	}
}

// TestReplacedFormerLost: where the state that a run went on with is gone, it is said what happened.
func TestReplacedFormerLost(t *testing.T) {
	t.Parallel()
	m := seedRemote(t)
	first := otherLineage(t, m)
	m.broken = func(call string, done bool) error {
		if call != "putsnapshot" || done {
			return nil
		}
		m.broken = nil
		m.mu.Unlock()
		defer m.mu.Lock()
		second, err := openMemory(t, m, nil)
		if err == nil {
			err = second.Append(Stored{Address: addr(t, "image.made"), Image: testImage(7)})
		}
		return err
	}
	var fenced *FencedError
	if err := first.Commit(nil); !errors.As(err, &fenced) {
		t.Fatalf("the first run's error is %v", err)
	}
	for _, name := range m.names("snapshot/")[:1] {
		delete(m.objects, name)
	}
	_, err := ReadBackend(t.Context(), m)
	var damaged *DamagedError
	if !errors.As(err, &damaged) || !strings.Contains(err.Error(), "push") {
		t.Errorf("a third run: %v", err)
	}
}

// TestReplaceTwiceAtOnce: of two states that are put in the place of one, one is there, and only its
// run says so.
func TestReplaceTwiceAtOnce(t *testing.T) {
	t.Parallel()
	m := seedRemote(t)
	var runs []*Session
	for i := range 2 {
		s, err := openMemory(t, m, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Replace(replaced(t, s, i), false); err != nil {
			t.Fatal(err)
		}
		runs = append(runs, s)
	}
	var fenced *FencedError
	if err := runs[0].Commit(nil); !errors.As(err, &fenced) {
		t.Errorf("the overtaken one: %v", err)
	}
	if err := runs[1].Commit(nil); err != nil {
		t.Error(err)
	}
	got, err := ReadBackend(t.Context(), m)
	if err != nil || got.Images.Len() != 1 || !got.Images.Has(addr(t, "image.pushed1")) {
		t.Errorf("there is %v, %v", got.Images, err)
	}
	if err := runs[1].Commit(nil); err != nil {
		t.Errorf("a commit of nothing: %v", err)
	}
}

// TestBeginLate: a run that has looked how far the log goes begins after all of what another one
// did, whose batches are gone already, or after another state was put in the place of that one. It
// has all of that, and what it records is there.
func TestBeginLate(t *testing.T) {
	t.Parallel()
	for _, replaces := range []bool{false, true} {
		for _, done := range []bool{false, true} {
			what := fmt.Sprintf("replaced %t, begun %t", replaces, done)
			m := seedRemote(t)
			first, err := openMemory(t, m, nil)
			if err != nil {
				t.Fatal(err)
			}
			commit := func() error {
				if replaces {
					return errors.Join(first.Replace(replaced(t, first, 1), false), first.Commit(nil))
				}
				return errors.Join(first.Append(Stored{Address: addr(t, "image.pushed1"), Image: testImage(1)}), first.Commit(nil))
			}
			var firstErr error
			m.broken = func(call string, isDone bool) error {
				if call == "append" && isDone == done {
					m.broken = nil
					m.mu.Unlock()
					defer m.mu.Lock()
					firstErr = commit()
				}
				return nil
			}
			second, err := openMemory(t, m, nil)
			if err != nil {
				t.Fatal(err)
			}
			if isThere := second.State().Images.Has(addr(t, "image.pushed1")); firstErr == nil && !isThere || firstErr != nil != done {
				t.Errorf("%s: the first run: %v, and the second one has it: %t", what, firstErr, isThere)
			}
			secondMakes(t, m, second, what)
		}
	}
}
