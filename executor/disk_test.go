package executor_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
)

// TestDiskTakesNoMore has the disk take nothing more in the middle of a run. What is in flight by then
// is fetched and kept where it can be, nothing more is bought, and the next run has every image that
// was paid for without paying again.
func TestDiskTakesNoMore(t *testing.T) {
	t.Parallel()
	inImages := func(name string) bool { return name == "images" || strings.HasPrefix(name, "images/") }
	tests := []struct {
		name string
		err  error
		// fails says which operations fail from then on.
		fails func(op safefile.Op, name string) bool
		// kept says that the images in flight are in the store, and bought nothing, by then.
		kept bool
	}{
		{"the folder of the outputs loses its permissions", syscall.EACCES, func(op safefile.Op, name string) bool {
			return op == safefile.OpCreate && inImages(name)
		}, true},
		{"it cannot be looked into any more", syscall.EACCES, func(_ safefile.Op, name string) bool { return inImages(name) }, true},
		{"its file system becomes one to read", syscall.EROFS, func(op safefile.Op, name string) bool {
			return (op == safefile.OpCreate || op == safefile.OpRename || op == safefile.OpRemove) && inImages(name)
		}, true},
		{"a file takes its place", syscall.ENOTDIR, func(_ safefile.Op, name string) bool { return inImages(name) }, true},
		{"its disk is full", syscall.ENOSPC, func(op safefile.Op, name string) bool { return op == safefile.OpWrite && inImages(name) }, true},
		{"every disk is full", syscall.ENOSPC, func(op safefile.Op, _ string) bool { return op == safefile.OpWrite }, false},
		{"the journal's disk fails", syscall.EIO, func(_ safefile.Op, name string) bool { return name == "state.json.journal" }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				placed := 0
				hook := func(op safefile.Op, name string) error {
					mu.Lock()
					defer mu.Unlock()
					if placed >= 3 && tt.fails(op, name) {
						return tt.err
					}
					if op == safefile.OpRename && inImages(name) {
						placed++
					}
					return nil
				}
				stopsBuying(t, hook, tt.kept)
			})
		})
	}
}

func stopsBuying(t *testing.T, faults func(safefile.Op, string) error, kept bool) {
	t.Helper()
	const images = 60
	b := newBuyer(t, 0)
	b.faults = faults
	if err := b.apply(images); !errors.Is(err, executor.ErrIncomplete) {
		t.Errorf("the apply ended with %v, want ErrIncomplete", err)
	}
	// Three images, those in flight when the fourth came home, and those that began before it was
	// seen that it could not be put anywhere.
	bought := b.bought()
	if bought > 3+3*b.slots {
		t.Errorf("%d images were bought, of which 3 could be put in place", bought)
	}
	if len(b.failed)+len(b.skipped) > 4 {
		t.Errorf("it was told in many ways: %q; %q", b.failed, b.skipped)
	}
	announced, downloads := announcedCharges(t, b.base), b.api.downloads
	b.faults = nil
	if err := b.apply(images); err != nil {
		t.Errorf("the apply after that: %v", err)
	}
	// The id of a task that could be written nowhere is lost with the process, and the plan says so.
	if n := b.bought(); n > images+announced {
		t.Errorf("%d images were paid for, want %d and the %d of which the plan said that they may be twice", n, images, announced)
	}
	if n := wholeFiles(t, b.base); n != images {
		t.Errorf("%d files, want %d", n, images)
	}
	if n, want := b.api.downloads-downloads, images-bought; kept && n != want {
		t.Errorf("%d images were downloaded in the second run, want the %d that were not bought before", n, want)
	}
	if left, _ := filepath.Glob(filepath.Join(b.base, "images", ".fluxbatch-tmp-*")); len(left) > 0 {
		t.Errorf("there are left: %q", left)
	}
}

// One path that is no good concerns no other image, and its own is not downloaded over and over.
func TestOnePathIsInTheWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const images = 6
		sim, client := simulated(t, 1)
		calls := &counting{API: client}
		o := executor.Options{Accounts: map[string]executor.Account{"bfl": {API: calls, Concurrency: 1}}}
		base := t.TempDir()
		inTheWay := filepath.Join(base, "images", "000.png")
		if err := os.MkdirAll(filepath.Join(inTheWay, "somebody's"), 0o755); err != nil {
			t.Fatal(err)
		}
		failed := 0
		o.OnEvent = func(e executor.Event) {
			if f, ok := e.(executor.Failed); ok && strings.Contains(f.Err.Error(), "is in the way") {
				failed++
			}
		}
		if err := applyIn(t, base, o, images, nil); !errors.Is(err, executor.ErrIncomplete) || failed != 1 {
			t.Errorf("the apply ended with %v, and %d images failed since a folder is in the way; want one", err, failed)
		}
		if len(sim.Ledger()) != images || calls.downloads != images {
			t.Errorf("%d images were bought and downloaded %d times, want %d", len(sim.Ledger()), calls.downloads, images)
		}
		if err := os.RemoveAll(inTheWay); err != nil {
			t.Fatal(err)
		}
		if err := applyIn(t, base, o, images, nil); err != nil {
			t.Errorf("the apply after that: %v", err)
		}
		if n := wholeFiles(t, base); n != images || len(sim.Ledger()) != images || calls.downloads != images {
			t.Errorf("%d files, %d bought, %d downloads, want %d", n, len(sim.Ledger()), calls.downloads, images)
		}
	})
}
