package state

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
)

// withImages makes a state file with images 1 and 2 at image.a and image.b and returns its path.
func withImages(tb testing.TB) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "fluxbatch.state.json")
	st := testState(0)
	st.Images.Set(addr(tb, "image.a"), testImage(1))
	st.Images.Set(addr(tb, "image.b"), testImage(2))
	if err := os.WriteFile(path, []byte(written(tb, st)), 0o644); err != nil {
		tb.Fatal(err)
	}
	return path
}

// files returns the names of the files in a state's directory.
func files(tb testing.TB, path string) []string {
	tb.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		tb.Fatal(err)
	}
	names := []string{}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func content(tb testing.TB, path string) string {
	tb.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return string(data)
}

func TestNewState(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "sub", "dir", "fluxbatch.state.json")
	st := read(t, path)
	if st.Lineage == "" || st.Images.Len() > 0 {
		t.Errorf("a missing state is read as %+v", st)
	}
	s := open(t, path, Options{NoLock: true})
	if _, err := os.Stat(filepath.Dir(filepath.Dir(path))); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("opening without a lock made the directory: %v", err)
	}
	if s.State().Lineage == st.Lineage {
		t.Error("two new states have one lineage")
	}
	if err := s.Commit(nil); err != nil {
		t.Errorf("committing nothing: %v", err)
	}
	locked := open(t, path, Options{})
	if diff := cmp.Diff([]string{"fluxbatch.state.json.lock"}, files(t, path)); diff != "" {
		t.Errorf("after opening and committing nothing:\n%s", diff)
	}
	if err := locked.Close(); err != nil {
		t.Error(err)
	}
	appendAll(t, s, Stored{Address: addr(t, "image.a"), Image: testImage(1)})
	if diff := cmp.Diff([]string{"fluxbatch.state.json.journal"}, files(t, path)); diff != "" {
		t.Errorf("after the first record:\n%s", diff)
	}
	if err := s.Commit(nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"fluxbatch.state.json"}, files(t, path)); diff != "" {
		t.Errorf("after the commit:\n%s", diff)
	}
	if diff := cmp.Diff(s.State(), read(t, path), sameState); diff != "" {
		t.Error(diff)
	}
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	path := withImages(t)
	s := open(t, path, Options{})
	appendAll(t, s, Intent{testTask(addr(t, "image.c"), 3)})
	mode := func(path string) os.FileMode {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Mode().Perm()
	}
	if got := mode(path + ".journal"); got != 0o600 {
		t.Errorf("the journal, which has polling URLs, has permissions %v", got)
	}
	if got := mode(path); got != 0o644 {
		t.Errorf("the state file has permissions %v", got)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path, Options{})
	appendAll(t, s, Removed{addr(t, "image.a")})
	if err := s.Commit(nil); err != nil {
		t.Fatal(err)
	}
	if got := mode(path); got != 0o600 {
		t.Errorf("the state file's permissions were widened to %v", got)
	}
	if got := mode(path + ".journal"); got != 0o600 {
		t.Errorf("the rewritten journal has permissions %v", got)
	}
}

// Another process commits between the two files' being opened: then the old snapshot must not be
// taken together with the new journal.
func TestReadDuringACommit(t *testing.T) {
	t.Parallel()
	path := withImages(t)
	other := open(t, path, Options{})
	appendAll(t, other, Stored{Address: addr(t, "image.c"), Image: testImage(3)}, Intent{testTask(addr(t, "image.d"), 4)})
	for _, records := range [][]Record{
		{Stored{Address: addr(t, "image.c"), Image: testImage(5)}}, // the journal is replaced
		{Failed{key(4), ""}}, // it is removed
		{Stored{Address: addr(t, "image.c"), Image: testImage(6)}}, // it appears
	} {
		p, err := locate(path)
		if err != nil {
			t.Fatal(err)
		}
		dir, err := safefile.Open(p.dir)
		if err != nil {
			t.Fatal(err)
		}
		committed := false
		l, err := load(dir.WithFaults(func(op safefile.Op, name string) error {
			if op == safefile.OpOpen && name == p.journal() && !committed {
				committed = true
				appendAll(t, other, records...)
				if err := other.Commit(nil); err != nil {
					t.Error(err)
				}
			}
			return nil
		}), p, nil, map[string]Moderation{})
		if err != nil || !committed {
			t.Fatalf("%v, committed %v", err, committed)
		}
		if diff := cmp.Diff(other.State(), l.state, sameState); diff != "" {
			t.Errorf("after %T (-want +got):\n%s", records[0], diff)
		}
		if err := dir.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestLinkedState(t *testing.T) {
	t.Parallel()
	path := withImages(t)
	dir := t.TempDir()
	link := filepath.Join(dir, "link.json")
	if err := os.Symlink(path, link); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	s := open(t, link, Options{})
	appendAll(t, s, Stored{Address: addr(t, "image.c"), Image: testImage(3)})
	if err := s.Commit(nil); err != nil {
		t.Fatal(err)
	}
	if got := read(t, path).Images; got.Len() != 3 {
		t.Errorf("the file that the link leads to has %d images", got.Len())
	}
	var locked *LockedError
	if _, err := Open(t.Context(), path, Options{}); !errors.As(err, &locked) {
		t.Errorf("under its other name the state is not locked: %v", err)
	}
	if err := os.Symlink(filepath.Join(dir, "unmounted"), filepath.Join(dir, "dangling.json")); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(filepath.Join(dir, "dangling.json")); err == nil {
		t.Error("a link to a missing state is read as an empty one")
	}
}

func TestLeftoversAreSwept(t *testing.T) {
	t.Parallel()
	path := withImages(t)
	dir := filepath.Dir(path)
	mine := ".fluxbatch-tmp-fluxbatch.state.json-0123456789abcdef"
	others := ".fluxbatch-tmp-hero.png-0123456789abcdef"
	for _, name := range []string{mine, others, ".fluxbatch-tmp-fluxbatch.state.json.journal-0123456789abcdef"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	open(t, path, Options{})
	if diff := cmp.Diff([]string{others, "fluxbatch.state.json", "fluxbatch.state.json.lock"}, files(t, path)); diff != "" {
		t.Error(diff)
	}
}

func TestClosedSession(t *testing.T) {
	t.Parallel()
	s := open(t, withImages(t), Options{})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"Append": s.Append(Removed{addr(t, "image.a")}), "Commit": s.Commit(nil), "Replace": s.Replace(newState("x"), true),
	} {
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s after Close: %v", what, err)
		}
	}
}

// TestOnlyRenditionsAreCommitted: what a run that was cut off made here, and nothing else, is in the
// state after the next one, which has nothing to do.
func TestOnlyRenditionsAreCommitted(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "fluxbatch.state.json")
	at := addrs.Rendition{Of: addr(t, "image.a"), Name: "small"}
	s, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	appendAll(t, s, Made{Address: at, Rendition: testRendition(1)})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := open(t, path, Options{}).Commit(nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(testRendition(1), read(t, path).Renditions[at]); diff != "" {
		t.Errorf("after a commit (-want +got):\n%s", diff)
	}
}
