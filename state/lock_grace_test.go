package state

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

// What the holder of a lock was about to start when it was killed has the lock for a moment longer.
// The next run waits for that moment, and no longer than a moment for a holder that runs.
func TestLockOutlivesItsHolder(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("a lock is not inherited there, and its file cannot be read")
	}
	ended := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		pid            int
		who            string
		held           time.Duration
		isLocked       bool
		atLeast, under time.Duration
	}{
		"about to end":          {os.Getpid(), Who(), lockGrace / 2, false, lockGrace / 2, lockGrace},
		"runs":                  {os.Getpid(), Who(), time.Minute, true, lockGrace, 2 * lockGrace},
		"ended":                 {ended.Process.Pid, Who(), orphanGrace / 2, false, orphanGrace / 2, orphanGrace},
		"ended, still locked":   {ended.Process.Pid, Who(), time.Minute, true, orphanGrace, 2 * orphanGrace},
		"on another machine":    {ended.Process.Pid, "eve@elsewhere", time.Minute, true, lockGrace, 2 * lockGrace},
		"unnamed":               {0, "", time.Minute, true, lockGrace, 2 * lockGrace},
		"unnamed, about to end": {0, "", lockGrace / 2, false, lockGrace / 2, lockGrace},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "x.lock")
			synctest.Test(t, func(t *testing.T) {
				held, err := tryLock(path)
				if err != nil || held == nil {
					t.Fatalf("%v, %v", held, err)
				}
				var info []byte
				if c.who != "" {
					if info, err = json.Marshal(LockInfo{ID: "1", Operation: "apply", Who: c.who, PID: c.pid}); err != nil {
						t.Fatal(err)
					}
				}
				if err := os.WriteFile(path, info, 0o600); err != nil {
					t.Fatal(err)
				}
				released := time.AfterFunc(c.held, func() {
					if err := held.release(); err != nil {
						t.Error(err)
					}
				})
				start := time.Now()
				l, err := acquireLock(t.Context(), path, "x", Options{Operation: "apply"})
				took := time.Since(start)
				var locked *LockedError
				if errors.As(err, &locked) != c.isLocked || took < c.atLeast || took > c.under {
					t.Errorf("after %v: %v", took, err)
				}
				if released.Stop() {
					err = held.release()
				} else {
					err = l.release()
				}
				if err != nil {
					t.Error(err)
				}
			})
		})
	}
}
