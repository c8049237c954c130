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
	open := func(path string, backend Backend, returns string) *Session {
		t.Helper()
		s, err := Open(t.Context(), path, Options{Operation: "migrate", Backend: backend, Returns: returns})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	s := open(first, nil, "")
	appendAll(t, s, Stored{Address: addr(t, "image.a"), Image: testImage(1)}, Stored{Address: addr(t, "image.b"), Image: testImage(2)})
	appendAll(t, s, lifecycle(t)[:3]...)
	want := snapshotOf(s.State())
	if len(want.Tasks) == 0 {
		t.Fatal("no task is open")
	}
	for _, step := range []struct {
		to *Session
		at string
	}{{open("", m, ""), "memory"}, {open(last, nil, ""), last}} {
		move(t, s, step.to, step.at)
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

// TestMigrateBack moves a state back to where it was moved from, and from there again. A mark that leads to
// another place stays in the way.
func TestMigrateBack(t *testing.T) {
	t.Parallel()
	file, m := filepath.Join(t.TempDir(), "a.json"), newMemory()
	places := map[string]Backend{file: nil, "memory": m}
	open := func(place, returns string) (*Session, error) {
		return Open(t.Context(), place, Options{Operation: "migrate", Backend: places[place], Returns: returns})
	}
	s, err := open(file, "")
	if err != nil {
		t.Fatal(err)
	}
	appendAll(t, s, Stored{Address: addr(t, "image.a"), Image: testImage(1)})
	appendAll(t, s, lifecycle(t)[:3]...)
	want, from := snapshotOf(s.State()), file
	for i, to := range []string{"memory", file, "memory", file} {
		var moved *MovedError
		if _, err := open(to, "elsewhere"); i > 0 && (!errors.As(err, &moved) || moved.To != from) {
			t.Fatalf("what comes from elsewhere to %s is refused with %v, want that it is at %s", to, err, from)
		}
		next, err := open(to, from)
		if err != nil {
			t.Fatal(err)
		}
		appendAll(t, s, Stored{Address: addr(t, "image.b"), Image: testImage(2 + i)})
		want.Images.Set(addr(t, "image.b"), testImage(2+i))
		move(t, s, next, to)
		if s, from = next, to; i < 3 {
			continue
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := like(want, got); diff != "" {
		t.Errorf("what was moved to and fro (-want +got):\n%s", diff)
	}
}

// move does what moving a state does.
func move(t *testing.T, from, to *Session, at string) {
	t.Helper()
	if err := errors.Join(to.Adopt(from.State()), to.Commit(nil), from.Leave(at), from.Close()); err != nil {
		t.Fatal(err)
	}
}
