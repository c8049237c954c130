package state

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

// TestMigrate moves a state with open tasks into a backend and back. All of it is where it was
// moved to, and where it was, everybody is told.
func TestMigrate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, last, m := filepath.Join(dir, "a.json"), filepath.Join(dir, "b.json"), newMemory()
	open := func(path string, backend Backend) *Session {
		t.Helper()
		s, err := Open(t.Context(), path, Options{Operation: "migrate", Backend: backend})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	s := open(first, nil)
	appendAll(t, s, Stored{Address: addr(t, "image.a"), Image: testImage(1)}, Stored{Address: addr(t, "image.b"), Image: testImage(2)})
	appendAll(t, s, lifecycle(t)[:3]...)
	want := snapshotOf(s.State())
	if len(want.Tasks) == 0 {
		t.Fatal("no task is open")
	}
	for _, step := range []struct {
		to *Session
		at string
	}{{open("", m), "memory"}, {open(last, nil), last}} {
		err := errors.Join(step.to.Adopt(s.State()), step.to.Commit(nil), s.Leave(step.at), s.Close())
		if err != nil {
			t.Fatal(err)
		}
		s = step.to
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := Read(last)
	if err != nil {
		t.Fatal(err)
	}
	if diff := like(want, got); diff != "" {
		t.Errorf("what was moved twice (-want +got):\n%s", diff)
	}
	_, fileErr := Read(first)
	_, backendErr := ReadBackend(t.Context(), m)
	for where, err := range map[string]error{"memory": fileErr, last: backendErr} {
		var moved *MovedError
		if !errors.As(err, &moved) || moved.To != where || !strings.Contains(err.Error(), "was moved") {
			t.Errorf("where it was, the error is %v, want one that names %s", err, where)
		}
	}
}
