package workspace

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// module writes a root module of one image.
func module(t *testing.T, dir, prompt string) {
	t.Helper()
	manifest := fmt.Sprintf(`
image "logo" {
  model         = "flux-2-klein-4b"
  prompt        = %q
  width         = 64
  height        = 64
  output_format = "png"
}
`, prompt)
	if err := os.WriteFile(filepath.Join(dir, "main.flux.hcl"), []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
}

var logo = addrs.Image{Name: "logo"}

// open opens the simulation of a root module.
func open(t *testing.T, dir string, o Options, faults func(safefile.Op, string) error) (*Workspace, error) {
	t.Helper()
	cfg, diags := config.Load(dir, config.Options{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	o.Simulate = true
	return Open(Environment{
		Drain: context.Background(), Abort: context.Background(), Version: "1.2.3", Faults: faults,
		OnEvent: func(executor.Event) {}, OnDiagnostics: func(hcl.Diagnostics) {},
	}, dir, "test", PlaceOf(dir, &cfg.Settings, &o), cfg, o)
}

// within opens the simulation for as long as do takes, without faults.
func within(t *testing.T, dir string, o Options, do func(*Workspace)) {
	t.Helper()
	w, err := open(t, dir, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	do(w)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// plan plans what must be planned without a mistake.
func plan(t *testing.T, w *Workspace) *planner.Plan {
	t.Helper()
	plan, diags, err := w.Plan()
	if err := errors.Join(err, asError(diags)); err != nil {
		t.Fatal(err)
	}
	return plan
}

func asError(diags hcl.Diagnostics) error {
	if diags.HasErrors() {
		return diags
	}
	return nil
}

// apply makes all that is planned.
func apply(t *testing.T, dir string, o Options) {
	t.Helper()
	within(t, dir, o, func(w *Workspace) { carryOut(t, w) })
}

// carryOut plans, and carries the plan out.
func carryOut(t *testing.T, w *Workspace) {
	t.Helper()
	p := plan(t, w)
	c, err := w.Connect(p)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if done, err := w.Apply(p, c, 0); errors.Join(err, done.Err) != nil {
		t.Fatal(err, done.Err)
	}
}

// recorded returns the hash of the image on record, "" for none.
func recorded(t *testing.T, dir string) string {
	t.Helper()
	s, err := state.Read(StatePath(dir, "", true))
	if err != nil {
		t.Fatal(err)
	}
	if img := s.Images.Get(logo); img != nil {
		return img.Output.SHA256
	}
	return ""
}

// kept returns the hashes of the files that are under the image's path, or whole in the store.
func kept(t *testing.T, dir string) map[string]bool {
	t.Helper()
	sums := map[string]bool{}
	err := filepath.WalkDir(Base(dir, true), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		sum := sha256.Sum256(content)
		text := hex.EncodeToString(sum[:])
		if name := entry.Name(); name == "logo.png" || name == text {
			sums[text] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sums
}

// restore brings back the former image with a hash.
func restore(w *Workspace, sum string) error {
	generations, err := w.History(logo)
	if err != nil {
		return err
	}
	for _, g := range generations {
		if g.Image.Output.SHA256 == sum {
			_, err := w.Restore(logo, g)
			return err
		}
	}
	return fmt.Errorf("the store has no %.12s among %d", sum, len(generations))
}

// restoreStride has one run of the tests fail at some of the operations only, from one that is drawn:
// for each of them the workspace is opened four times.
var restoreStride = flag.Int("restore.stride", 4, "fail at every such `operation` of a restore, from a random one of the first")

// TestRestoreWhereEveryFileOperationFails lets each file operation of a restore fail in turn: that
// one alone, as a bad sector does, or all from there on, as a full disk does and a crash. No bytes
// may be lost, whether those of the image that comes back or those of what is at its path; the
// state can be read; the next plan buys nothing; and restoring again ends what was begun.
func TestRestoreWhereEveryFileOperationFails(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		// change puts something else in the place of the image; kept is how many different files
		// there are then to lose.
		change func(t *testing.T, dir string)
		kept   int
	}{
		{"a replaced image", func(t *testing.T, dir string) {
			t.Helper()
			module(t, dir, "b heron")
			apply(t, dir, Options{})
		}, 2},
		{"a replaced image whose file was edited since", func(t *testing.T, dir string) {
			t.Helper()
			module(t, dir, "b heron")
			apply(t, dir, Options{})
			if err := os.WriteFile(filepath.Join(Base(dir, true), "images", "logo.png"), []byte("edited by hand"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, 2},
		{"a destroyed image", func(t *testing.T, dir string) {
			t.Helper()
			apply(t, dir, Options{Destroy: true})
		}, 1},
	}
	causes := []struct {
		name    string
		err     error
		lasting bool
	}{
		{"once", syscall.EIO, false},
		{"from there on", syscall.ENOSPC, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			before := t.TempDir()
			module(t, before, "a heron")
			apply(t, before, Options{})
			former := recorded(t, before)
			test.change(t, before)
			module(t, before, "a heron")
			if n := len(kept(t, before)); n != test.kept {
				t.Fatalf("%d files can be lost, want %d", n, test.kept)
			}
			for _, cause := range causes {
				t.Run(cause.name, func(t *testing.T) {
					t.Parallel()
					for at := 1 + rand.IntN(*restoreStride); ; at += *restoreStride {
						if !restoreFailing(t, before, former, at, cause.err, cause.lasting) {
							t.Logf("%d operations at most", at-1)
							return
						}
						if t.Failed() {
							t.Fatalf("operation %d failed with %v", at, cause.err)
						}
					}
				})
			}
		})
	}
}

// restoreFailing restores an image in a copy of a directory while the nth file operation fails. It
// reports whether there were as many.
func restoreFailing(t *testing.T, before, former string, at int, cause error, lasting bool) (reached bool) {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(before)); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	operations, failed := 0, ""
	faults := func(op safefile.Op, name string) error {
		mu.Lock()
		defer mu.Unlock()
		operations++
		if operations == at || lasting && operations > at {
			if reached = true; failed == "" {
				failed = op.String() + " " + name
			}
			return fmt.Errorf("%s %s: %w", op, name, cause)
		}
		return nil
	}
	w, err := open(t, dir, Options{}, faults)
	if err == nil {
		err = errors.Join(restore(w, former), w.Close())
	}
	if !reached && err != nil {
		t.Fatalf("nothing failed, and yet: %v", err)
	}
	whole := func(when string) {
		t.Helper()
		now := kept(t, dir)
		for sum := range kept(t, before) {
			if !now[sum] {
				t.Errorf("%s (%s, %v), %.12s is lost", when, failed, err, sum)
			}
		}
	}
	whole("after the fault")
	within(t, dir, Options{}, func(w *Workspace) {
		if s := plan(t, w).Summary(); s.Reserve != 0 {
			t.Errorf("after the fault (%s, %v), the next plan costs %s", failed, err, s.Reserve.Dollars())
		}
	})
	if recorded(t, dir) != former {
		within(t, dir, Options{}, func(w *Workspace) {
			if err := restore(w, former); err != nil {
				t.Errorf("restoring again: %v", err)
			}
		})
	}
	whole("restored again")
	if recorded(t, dir) != former {
		t.Errorf("on record is %.12s, want %.12s", recorded(t, dir), former)
	}
	within(t, dir, Options{}, func(w *Workspace) {
		if p := plan(t, w); !p.Empty() {
			t.Errorf("restored, and there is something to do still: %+v", p.Summary())
		}
	})
	return reached
}
