package cli_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/fluxbatch/fluxbatch/internal/cli"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
	"github.com/fluxbatch/fluxbatch/state"
)

// command runs one command in this process and returns what it wrote to stderr, and its exit
// status.
func command(t *testing.T, faults func(safefile.Op, string) error, args ...string) (stderr string, status int) {
	t.Helper()
	var errs bytes.Buffer
	status = cli.Run(cli.Environment{
		Args: args, Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: &errs,
		Drain: context.Background(), Abort: context.Background(), Faults: faults,
	})
	return errs.String(), status
}

// recordedHashes returns the hashes of the images on record, sorted, and how many of the addresses
// start so.
func recordedHashes(t *testing.T, path, prefix string) (hashes []string, n int) {
	t.Helper()
	s, err := state.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	for addr, img := range s.Images.All() {
		hashes = append(hashes, img.Output.SHA256)
		if strings.HasPrefix(addr.String(), prefix) {
			n++
		}
	}
	slices.Sort(hashes)
	return hashes, n
}

const kit = `
defaults {
  model  = "flux-2-pro"
  width  = 64
  height = 64
}
image "card" {
  count  = 3
  prompt = "card ${count.index}"
}
image "hero" {
  prompt     = "hero"
  references = image.card[*]
}
`

// makeKit makes a small project and returns the state that it has.
func makeKit(t *testing.T, manifest string) (dir, path string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.flux.hcl"), []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	if stderr, status := command(t, nil, "apply", "-simulate", "-auto-approve", dir); status != 0 {
		t.Fatal(stderr)
	}
	return dir, filepath.Join(dir, ".fluxbatch/simulation/fluxbatch.state.json")
}

// A disk that fails at any point of a move loses no record, and the same command ends what it
// began.
func TestStateMoveOnAFailingDisk(t *testing.T) {
	t.Parallel()
	_, made := makeKit(t, kit)
	want, _ := recordedHashes(t, made, "")
	snapshot, err := os.ReadFile(made)
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; ; n++ {
		path := filepath.Join(t.TempDir(), "kit.json")
		if err := os.WriteFile(path, snapshot, 0o600); err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		calls := 0
		failAt := func(safefile.Op, string) error {
			mu.Lock()
			defer mu.Unlock()
			if calls++; calls == n {
				return errors.New("the disk is broken")
			}
			return nil
		}
		stderr, status := command(t, failAt, "state", "mv", "-state", path, "image.card", "module.a.image.card")
		if got, _ := recordedHashes(t, path, ""); !slices.Equal(got, want) {
			t.Fatalf("failing at %d, the state has %v, want %v", n, got, want)
		}
		if again, status := command(t, nil, "state", "mv", "-state", path, "image.card", "module.a.image.card"); status != 0 && !strings.Contains(again, "not on record") {
			t.Fatalf("failing at %d and tried again: %s", n, again)
		}
		if got, moved := recordedHashes(t, path, "module.a.image.card"); !slices.Equal(got, want) || moved != 3 {
			t.Fatalf("failing at %d and tried again, %d of 3 images moved, and the state has %v, want %v", n, moved, got, want)
		}
		if calls < n {
			if status != 0 {
				t.Fatalf("nothing failed, and yet: %s", stderr)
			}
			return
		}
	}
}

// While another command has the state, none changes it, and all can look at it.
func TestStateCommandsWaitForTheLock(t *testing.T) {
	t.Parallel()
	_, path := makeKit(t, kit)
	session, err := state.Open(t.Context(), path, state.Options{Operation: "apply", Version: "1"})
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"state", "mv", "-state", path, "image.hero", "image.banner"},
		{"state", "rm", "-state", path, "image.hero"},
		{"state", "push", "-state", path, path},
	} {
		if stderr, status := command(t, nil, args...); status != 1 || !strings.Contains(stderr, "lock") {
			t.Errorf("%v: status %d, %s", args, status, stderr)
		}
	}
	for _, args := range [][]string{
		{"state", "list", "-state", path},
		{"state", "pull", "-state", path},
		{"state", "rm", "-dry-run", "-state", path, "image.hero"},
	} {
		if stderr, status := command(t, nil, args...); status != 0 {
			t.Errorf("%v: status %d, %s", args, status, stderr)
		}
	}
	if err := session.Close(); err != nil {
		t.Fatal(err)
	}
	if stderr, status := command(t, nil, "state", "rm", "-state", path, "image.hero"); status != 0 {
		t.Error(stderr)
	}
	if _, n := recordedHashes(t, path, "image.hero"); n != 0 {
		t.Error("image.hero is still on record")
	}
}
