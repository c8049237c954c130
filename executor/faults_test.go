package executor_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/fluxbatch/fluxbatch/internal/safefile"
	"github.com/fluxbatch/fluxbatch/state"
)

// TestEveryFileOperationFails lets each file operation of an apply fail in turn: that one alone, as
// a bad sector does, or all from there on, as a full disk does. Nothing may be lost, paid twice, or
// half under its name.
func TestEveryFileOperationFails(t *testing.T) {
	t.Parallel()
	for _, cause := range []struct {
		name    string
		err     error
		lasting bool
	}{
		{"one write that fails", syscall.EIO, false},
		{"a full disk", syscall.ENOSPC, true},
		{"no permission", syscall.EACCES, true},
	} {
		t.Run(cause.name, func(t *testing.T) {
			t.Parallel()
			for at := 1; ; at++ {
				if !failAt(t, at, cause.err, cause.lasting) {
					t.Logf("%d operations", at-1)
					return
				}
				if t.Failed() {
					t.Fatalf("operation %d failed with %v", at, cause.err)
				}
			}
		})
	}
}

// failAt runs an apply whose nth file operation fails, and then one without faults. It reports
// whether there were as many.
func failAt(t *testing.T, at int, err error, lasting bool) (reached bool) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		const images = 2
		sim, client := simulated(t, 1)
		base := t.TempDir()
		var mu sync.Mutex
		operations := 0
		_ = applyOnce(t, base, client, images, func(op safefile.Op, name string) error {
			mu.Lock()
			defer mu.Unlock()
			operations++
			if operations == at || lasting && operations > at {
				reached = true
				return fmt.Errorf("%s %s: %w", op, name, err)
			}
			return nil
		})
		wholeFiles(t, base)
		announced := announcedCharges(t, base)
		if err := applyOnce(t, base, client, images, nil); err != nil {
			t.Errorf("the apply after the fault: %v", err)
		}
		if n := wholeFiles(t, base); n != images {
			t.Errorf("%d images, want %d", n, images)
		}
		paid, twice := map[string]bool{}, 0
		for _, charge := range sim.Ledger() {
			if paid[charge.Digest] {
				twice++
			}
			paid[charge.Digest] = true
		}
		// The id of a task that could be written nowhere is lost with the process, and the plan
		// says so.
		if twice > announced {
			t.Errorf("%d images were paid for twice, and the plan announced %d", twice, announced)
		}
	})
	return reached
}

// announcedCharges counts the images of which the next plan says that they may have been charged.
func announcedCharges(t *testing.T, base string) (n int) {
	t.Helper()
	recorded, err := state.Read(filepath.Join(base, "state.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range recorded.Tasks {
		if !task.Answered() {
			n++
		}
	}
	return n
}
