package state

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/safefile"
)

func TestCommitKeepsOpenTasks(t *testing.T) {
	t.Parallel()
	path := withImages(t)
	s := open(t, path, Options{})
	appendAll(t, s, lifecycle(t)...)
	want := snapshotOf(s.State())
	if err := s.Commit(nil); err != nil {
		t.Fatal(err)
	}
	clear(want.Moderated) // without a local directory they are forgotten
	if diff := cmp.Diff(want, read(t, path), sameState); diff != "" {
		t.Errorf("after the commit:\n%s", diff)
	}
	golden(t, "committed.journal", content(t, path+".journal"))
	// The session goes on, and so does the next.
	b := addr(t, "image.b")
	appendAll(t, s, Fetched{key(6), testImage(6).Output, testImage(6).Result, "tmp"})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path, Options{})
	if got := s.State().Tasks[key(6)].Fetched; got == nil || got.Temporary != "tmp" {
		t.Errorf("what was recorded after the commit is lost: %+v", got)
	}
	appendAll(t, s, Stored{b, testImage(6), key(6)}, Failed{key(7), "gone"}, Failed{key(9), "told"})
	if err := s.Commit(nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"fluxbatch.state.json", "fluxbatch.state.json.lock"}, files(t, path)); diff != "" {
		t.Errorf("when no task is open:\n%s", diff)
	}
}

func TestCommitWritesOnlyChanges(t *testing.T) {
	t.Parallel()
	path := withImages(t)
	// Somebody formatted the file; that is no reason to write it anew.
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(content(t, path), "  ", "\t")), 0o600); err != nil {
		t.Fatal(err)
	}
	var ops []string
	s := open(t, path, Options{Faults: func(op safefile.Op, name string) error {
		if op != safefile.OpOpen && op != safefile.OpStat && op != safefile.OpReadDir {
			ops = append(ops, op.String()+" "+name)
		}
		return nil
	}})
	same := map[string]OutputValue{"hero": {Value: json.RawMessage(` "images/hero.png"`), Type: json.RawMessage(`"string"`)}}
	for _, outputs := range []map[string]OutputValue{nil, same} {
		if err := s.Commit(outputs); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string(nil), ops); diff != "" {
		t.Errorf("nothing changed, and yet:\n%s", diff)
	}
	if err := s.Commit(map[string]OutputValue{}); err != nil {
		t.Fatal(err)
	}
	if got := read(t, path).Outputs; len(got) > 0 || len(ops) == 0 {
		t.Errorf("the outputs are %v after they were cleared", got)
	}
	// What was done and undone leaves the file as it was.
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	a, c := addr(t, "image.a"), addr(t, "image.c")
	appendAll(t, s, Moved{a, c}, Moved{c, a})
	if err := s.Commit(nil); err != nil {
		t.Fatal(err)
	}
	if after, err := os.Stat(path); err != nil || !os.SameFile(before, after) {
		t.Errorf("the same bytes were written again: %v", err)
	}
}

// A crash between the rename of the snapshot and the replacement of the journal leaves a journal
// that is in the snapshot already.
func TestReplayOntoTheSnapshotThatHasIt(t *testing.T) {
	t.Parallel()
	path := withImages(t)
	s := open(t, path, Options{})
	for n, rec := range lifecycle(t) {
		appendAll(t, s, rec)
		want := snapshotOf(s.State())
		crashed := filepath.Join(t.TempDir(), "fluxbatch.state.json")
		if err := errors.Join(
			os.WriteFile(crashed, []byte(written(t, s.State())), 0o600),
			os.WriteFile(crashed+".journal", []byte(content(t, path+".journal")), 0o600),
		); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, read(t, crashed), sameState); diff != "" {
			t.Fatalf("after %d records (-want +got):\n%s", n+1, diff)
		}
		// The run after it records further changes to the same images, and is interrupted too.
		next := open(t, crashed, Options{})
		appendAll(t, next, Stored{Address: addr(t, "image.a"), Image: testImage(20)}, Stored{Address: addr(t, "image.z"), Image: testImage(21)})
		want = snapshotOf(next.State())
		if err := next.Close(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, read(t, crashed), sameState); diff != "" {
			t.Fatalf("after %d records and a second run (-want +got):\n%s", n+1, diff)
		}
	}
}

// git checkout during a run: the session must not write its images over those that came.
func TestStateFileReplacedDuringTheSession(t *testing.T) {
	t.Parallel()
	for _, remove := range []bool{false, true} {
		path := withImages(t)
		original := content(t, path)
		s := open(t, path, Options{})
		appendAll(t, s, Stored{Address: addr(t, "image.c"), Image: testImage(3)})
		st := read(t, path)
		st.Images.Delete(addr(t, "image.c"))
		st.Images.Set(addr(t, "image.theirs"), testImage(9))
		theirs := written(t, st)
		if err := os.WriteFile(path, []byte(theirs), 0o600); err != nil {
			t.Fatal(err)
		}
		if remove {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}
		err := s.Commit(nil)
		var commit *CommitError
		if !errors.Is(err, ErrChanged) || !errors.As(err, &commit) || !strings.Contains(err.Error(), "Nothing is lost") {
			t.Errorf("Commit returns %v", err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if remove {
			if err := os.WriteFile(path, []byte(original), 0o600); err != nil {
				t.Fatal(err)
			}
		} else if got := content(t, path); got != theirs {
			t.Error("the state file was overwritten")
		}
		if got := read(t, path).Images; !got.Has(addr(t, "image.c")) || !remove && !got.Has(addr(t, "image.theirs")) {
			t.Errorf("the next run finds %v", got)
		}
	}
}

// Rewriting the same bytes, as git checkout does, is no change.
func TestStateFileTouchedDuringTheSession(t *testing.T) {
	t.Parallel()
	path := withImages(t)
	s := open(t, path, Options{})
	appendAll(t, s, Stored{Address: addr(t, "image.c"), Image: testImage(3)})
	same := content(t, path)
	if err := errors.Join(os.Remove(path), os.WriteFile(path, []byte(same), 0o600)); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(nil); err != nil {
		t.Error(err)
	}
}

func TestReplace(t *testing.T) {
	t.Parallel()
	path := withImages(t)
	s := open(t, path, Options{})
	next, err := Parse([]byte(written(t, s.State())), "next")
	if err != nil {
		t.Fatal(err)
	}
	next.Images.Set(addr(t, "image.c"), testImage(3))
	if err := errors.Join(s.Replace(next, false), s.Commit(nil)); err != nil {
		t.Fatal(err)
	}
	if got := read(t, path).Images; got.Len() != 3 {
		t.Errorf("there are %d images", got.Len())
	}
	stranger := newState("stranger")
	if err := s.Replace(stranger, false); !errors.Is(err, ErrLineage) {
		t.Errorf("another lineage: %v", err)
	}
	appendAll(t, s, Intent{testTask(addr(t, "image.d"), 4)})
	if err := s.Replace(stranger, true); !errors.Is(err, ErrLineage) {
		t.Errorf("another lineage with an open task: %v", err)
	}
	appendAll(t, s, Failed{key(4), ""})
	if err := errors.Join(s.Replace(stranger, true), s.Commit(nil)); err != nil {
		t.Fatal(err)
	}
	if got := read(t, path); got.Lineage != "stranger" || got.Images.Len() > 0 {
		t.Errorf("the state is %+v", got)
	}
	empty := filepath.Join(t.TempDir(), "new.json")
	s = open(t, empty, Options{})
	if err := errors.Join(s.Replace(next, false), s.Commit(nil)); err != nil {
		t.Fatal(err)
	}
	if got := read(t, empty); got.Lineage != next.Lineage {
		t.Errorf("a new state has lineage %s, want %s", got.Lineage, next.Lineage)
	}
}
