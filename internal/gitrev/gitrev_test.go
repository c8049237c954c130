package gitrev

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// repository makes one whose directory sub has files in two commits, and returns that directory.
func repository(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not there")
	}
	root := t.TempDir()
	write(t, filepath.Join(root, "sub", "a b.txt"), "then")
	git(t, root, "init", "--quiet", "--initial-branch=main")
	commit(t, root)
	write(t, filepath.Join(root, "sub", "a b.txt"), "now")
	write(t, filepath.Join(root, "sub", "late.txt"), "late")
	commit(t, root)
	return filepath.Join(root, "sub")
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func git(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

func commit(t *testing.T, dir string) {
	t.Helper()
	git(t, dir, "add", "--all")
	git(t, dir, "commit", "--quiet", "-m", "x")
}

func read(t *testing.T, r *Revision, name string) string {
	t.Helper()
	f, err := r.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestFilesOfARevision(t *testing.T) {
	t.Parallel()
	dir := repository(t)
	r, err := Open(t.Context(), dir, "HEAD~1")
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, r, "a b.txt"); got != "then" {
		t.Errorf("the file was %q", got)
	}
	if _, err := r.Open("late.txt"); !errors.Is(err, fs.ErrNotExist) || r.Has("late.txt") || r.Missing("late.txt") == nil {
		t.Errorf("a file that came later: %v", err)
	}
	if now, err := Open(t.Context(), dir, "main"); err != nil || read(t, now, "a b.txt") != "now" {
		t.Errorf("now: %v", err)
	}
}

func TestRevisionsThatAreNot(t *testing.T) {
	t.Parallel()
	dir := repository(t)
	for _, rev := range []string{"nope", "--all", "HEAD:a", "", "HEAD~9"} {
		if _, err := Open(t.Context(), dir, rev); !errors.Is(err, ErrUnknown) {
			t.Errorf("%q: %v", rev, err)
		}
	}
	if _, err := Open(t.Context(), t.TempDir(), "HEAD"); !errors.Is(err, ErrNoRepository) {
		t.Errorf("no repository: %v", err)
	}
	clone := filepath.Join(t.TempDir(), "clone")
	git(t, dir, "clone", "--quiet", "--depth=1", "file://"+filepath.Dir(dir), clone)
	if _, err := Open(t.Context(), clone, "HEAD~1"); !errors.Is(err, ErrShallow) {
		t.Errorf("a shallow clone: %v", err)
	}
}

func TestPointers(t *testing.T) {
	t.Parallel()
	dir := repository(t)
	sum := sha256.Sum256([]byte("large"))
	oid := hex.EncodeToString(sum[:])
	write(t, filepath.Join(dir, "large.png"), fmt.Sprintf("version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 5\n", oid))
	commit(t, dir)
	r, err := Open(t.Context(), dir, "HEAD")
	if err != nil {
		t.Fatal(err)
	}
	pointer, ok := errors.AsType[*PointerError](r.Missing("large.png"))
	if !ok || pointer.OID != oid || !strings.Contains(pointer.Error(), "large.png") {
		t.Errorf("a pointer: %v", r.Missing("large.png"))
	}
	write(t, filepath.Join(filepath.Dir(dir), ".git", "lfs", "objects", oid[:2], oid[2:4], oid), "large")
	if got := read(t, r, "large.png"); got != "large" {
		t.Errorf("the file behind the pointer is %q", got)
	}
}
