package state

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/safefile"
)

// faultAt makes the nth operation fail. In a crash those after it fail too, as if the process had
// ended there.
type faultAt struct {
	n     int
	crash bool
	seen  int
	err   error
	// op and name are the operation that failed first; op is -1 while none has.
	op   safefile.Op
	name string
}

func newFault(n int, crash bool) *faultAt {
	return &faultAt{n: n, crash: crash, op: -1, err: fmt.Errorf("operation %d: %w", n, syscall.ENOSPC)}
}

func (f *faultAt) hook(op safefile.Op, name string) error {
	at := f.seen
	f.seen++
	if at == f.n {
		f.op, f.name = op, name
	}
	if at == f.n || f.crash && at > f.n {
		return f.err
	}
	return nil
}

func (f *faultAt) String() string {
	return fmt.Sprintf("fault at operation %d (%v %s), crash %v", f.n, f.op, f.name, f.crash)
}

// run does what a run of apply does with its state, and stops submitting at the first error. It
// returns how many records were acknowledged, how many were tried, and whether the commit
// succeeded.
func run(t *testing.T, path string, records []Record, fault *faultAt) (acknowledged, tried int, committed bool) {
	t.Helper()
	s, err := Open(t.Context(), path, Options{Faults: fault.hook})
	if err != nil {
		if !errors.Is(err, fault.err) {
			t.Fatalf("%v: Open: %v", fault, err)
		}
		return 0, 0, false
	}
	for _, rec := range records {
		tried++
		if err := s.Append(rec); err != nil {
			if !errors.Is(err, fault.err) {
				t.Fatalf("%v: Append: %v", fault, err)
			}
			break
		}
		acknowledged++
	}
	err = s.Commit(nil)
	committed = err == nil
	var commit *CommitError
	if err != nil && (!errors.As(err, &commit) || !errors.Is(err, fault.err)) {
		t.Fatalf("%v: Commit: %v", fault, err)
	}
	if commit != nil && !strings.Contains(err.Error(), path) {
		t.Errorf("%v: the message is %q", fault, err)
	}
	if commit != nil && (len(commit.Unsaved) > 0) == strings.Contains(err.Error(), "Nothing is lost") {
		t.Errorf("%v: with %v unsaved the message is %q", fault, commit.Unsaved, err)
	}
	if err := s.Close(); err != nil && !errors.Is(err, fault.err) {
		t.Fatalf("%v: Close: %v", fault, err)
	}
	return acknowledged, tried, committed
}

// A fault at each file operation in turn, alone or as a crash: what was acknowledged is there,
// nothing else than what was tried is, and the next run goes on from it.
func TestFaultsLoseNothing(t *testing.T) {
	t.Parallel()
	records := lifecycle(t)
	path := withImages(t)
	reference := open(t, path, Options{})
	states := []*State{snapshotOf(reference.State())}
	for _, rec := range records {
		appendAll(t, reference, rec)
		states = append(states, snapshotOf(reference.State()))
	}
	for _, st := range states {
		clear(st.Moderated) // without a local directory a commit forgets them
	}
	for _, crash := range []bool{false, true} {
		t.Run(fmt.Sprintf("crash %v", crash), func(t *testing.T) {
			t.Parallel()
			for n := 0; ; n++ {
				path := withImages(t)
				fault := newFault(n, crash)
				acknowledged, tried, committed := run(t, path, records, fault)
				if fault.op < 0 {
					if acknowledged != len(records) || !committed {
						t.Fatalf("without a fault %d of %d records were acknowledged, committed %v", acknowledged, len(records), committed)
					}
					t.Logf("%d operations", n)
					return
				}
				found := checkOutcome(t, fault, path, states, acknowledged, tried, committed)
				s := open(t, path, Options{})
				appendAll(t, s, records[found:]...)
				if err := errors.Join(s.Commit(nil), s.Close()); err != nil {
					t.Fatalf("%v: the next run: %v", fault, err)
				}
				if diff := cmp.Diff(states[len(records)], read(t, path), sameState); diff != "" {
					t.Fatalf("%v: after the next run (-want +got):\n%s", fault, diff)
				}
			}
		})
	}
}

// checkOutcome returns how many records the state on the disk has.
func checkOutcome(t *testing.T, fault *faultAt, path string, states []*State, acknowledged, tried int, committed bool) int {
	t.Helper()
	st := read(t, path)
	clear(st.Moderated)
	for j := tried; j >= acknowledged; j-- {
		if !cmp.Equal(states[j], st, sameState) {
			continue
		}
		if _, err := os.Stat(path + ".journal"); committed && len(st.Tasks) == 0 && err == nil {
			t.Errorf("%v: after a commit without open tasks there is a journal", fault)
		}
		return j
	}
	t.Fatalf("%v: %d of %d records were acknowledged, and the state is (-acknowledged +found):\n%s",
		fault, acknowledged, tried, cmp.Diff(states[acknowledged], st, sameState))
	return 0
}

// When the journal takes no more, what happened is still known to the session, and a commit that
// succeeds saves it.
func TestCommitSavesWhatTheJournalCouldNot(t *testing.T) {
	t.Parallel()
	path := withImages(t)
	full := false
	s := open(t, path, Options{Faults: func(op safefile.Op, name string) error {
		if full && strings.HasSuffix(name, ".journal") && (op == safefile.OpWrite || op == safefile.OpSync) {
			return syscall.ENOSPC
		}
		return nil
	}})
	a, c, d := addr(t, "image.a"), addr(t, "image.c"), addr(t, "image.d")
	appendAll(t, s, Intent{testTask(c, 3)})
	full = true
	for _, rec := range []Record{Submitted{Key: key(3), ID: "task-3", PollingURL: "https://api.bfl.ai/x"}, Removed{a}, Intent{testTask(d, 4)}} {
		if err := s.Append(rec); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("Append(%T) returns %v", rec, err)
		}
	}
	if got := s.State(); got.Tasks[key(3)].ID != "task-3" || got.Images.Has(a) || got.Tasks[key(4)] != nil {
		t.Errorf("the session's state is %+v", got)
	}
	want := snapshotOf(s.State())
	if err := s.Commit(nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, read(t, path), sameState); diff != "" {
		t.Error(diff)
	}
	full = false
	appendAll(t, s, Ready{key(3)})
	if !read(t, path).Tasks[key(3)].Ready {
		t.Error("after the commit the journal does not go on")
	}
}

// Where neither can be written, the error names whose records are missing.
func TestNothingCanBeWritten(t *testing.T) {
	t.Parallel()
	path := withImages(t)
	full := false
	s := open(t, path, Options{Faults: func(op safefile.Op, _ string) error {
		if full && op == safefile.OpSync {
			return syscall.ENOSPC
		}
		return nil
	}})
	a, c := addr(t, "image.a"), addr(t, "image.c")
	appendAll(t, s, Intent{testTask(c, 3)})
	full = true
	if err := s.Append(Removed{a}); err == nil {
		t.Fatal("the record is reported to be durable")
	}
	err := s.Commit(nil)
	var commit *CommitError
	if !errors.As(err, &commit) || len(commit.Unsaved) != 1 || commit.Unsaved[0] != a || !strings.Contains(err.Error(), "could not be recorded either: image.a.") {
		t.Errorf("Commit returns %v", err)
	}
	full = false
	if err := s.Commit(nil); err != nil {
		t.Errorf("Commit when there is room again: %v", err)
	}
	if got := read(t, path); got.Images.Has(a) || got.Tasks[key(3)] == nil {
		t.Errorf("the state is %+v", got)
	}
}

// A record whose write failed half way leaves a torn line, which the next run drops.
func TestTornWrite(t *testing.T) {
	t.Parallel()
	path := withImages(t)
	c := addr(t, "image.c")
	fault := false
	s := open(t, path, Options{Faults: func(op safefile.Op, _ string) error {
		if fault && op == safefile.OpWrite {
			return syscall.EIO
		}
		return nil
	}})
	appendAll(t, s, Intent{testTask(c, 3)})
	fault = true
	if err := s.Append(Submitted{Key: key(3), ID: "task-3"}); !errors.Is(err, syscall.EIO) {
		t.Fatalf("Append returns %v", err)
	}
	if journal := content(t, path+".journal"); strings.HasSuffix(journal, "\n") {
		t.Fatal("the test leaves no torn line")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path, Options{})
	if got := s.State().Tasks[key(3)]; got == nil || got.Answered() {
		t.Errorf("the task is %+v", got)
	}
	appendAll(t, s, Failed{key(3), "not found"})
	if got := read(t, path).Tasks; len(got) > 0 {
		t.Errorf("the tasks are %v", got)
	}
}
