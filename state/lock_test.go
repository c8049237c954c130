package state

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// stateName is what the tests that start other processes call their state.
const stateName = "fluxbatch.state.json"

// lockHolderEnv makes the test binary hold the lock of the state in the current directory until its
// standard input ends.
const lockHolderEnv = "FLUXBATCH_TEST_HOLD_LOCK"

// holdLock opens a session, says so on standard output, and closes it when standard input ends.
func holdLock() {
	s, err := Open(context.Background(), stateName, Options{Operation: "apply", Version: "1.2.3"})
	if err != nil {
		_, _ = fmt.Fprintln(os.Stdout, err)
		os.Exit(1)
	}
	_, _ = fmt.Fprintln(os.Stdout, "locked")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	if err := s.Close(); err != nil {
		os.Exit(1)
	}
}

// holder is another process that holds a lock.
type holder struct {
	cmd *exec.Cmd
	// release lets it close its session and end.
	release func() error
}

func startHolder(t *testing.T, path string) *holder {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), lockHolderEnv+"=1")
	cmd.Dir = filepath.Dir(path)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if line != "locked\n" {
		t.Fatalf("the other process says %q, %v", line, err)
	}
	return &holder{cmd: cmd, release: func() error { return errors.Join(in.Close(), cmd.Wait()) }}
}

func TestLockNamesItsHolder(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), stateName)
	other := startHolder(t, path)
	_, err := Open(t.Context(), path, Options{Operation: "plan"})
	var locked *LockedError
	if !errors.As(err, &locked) {
		t.Fatalf("Open returns %v, want a LockedError", err)
	}
	if h := locked.Holder; h.PID != other.cmd.Process.Pid || h.Operation != "apply" || h.Version != "1.2.3" || !strings.Contains(h.Who, "@") || h.ID == "" {
		t.Errorf("the holder is given as %+v, its process is %d", h, other.cmd.Process.Pid)
	}
	for _, part := range []string{"apply", locked.Holder.Who, fmt.Sprint(locked.Holder.PID), "fluxbatch force-unlock " + locked.Holder.ID} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the message %q lacks %q", err, part)
		}
	}
	if err := other.release(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + ".lock"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after its release the lock file is there: %v", err)
	}
	s, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestLockIsWaitedFor(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), stateName)
	other := startHolder(t, path)
	opened, told := make(chan error), make(chan Wait, 2)
	go func() {
		ctx := ReportWaits(t.Context(), func(w Wait) { told <- w })
		s, err := Open(ctx, path, Options{LockTimeout: time.Minute})
		if err == nil {
			err = s.Close()
		}
		opened <- err
	}()
	select {
	case err := <-opened:
		t.Fatalf("Open did not wait: %v", err)
	case w := <-told:
		if w.Holder.PID != other.cmd.Process.Pid || w.Path != path {
			t.Errorf("whoever waits is told %+v", w)
		}
	}
	if err := other.release(); err != nil {
		t.Error(err)
	}
	if err := <-opened; err != nil {
		t.Errorf("after the release: %v", err)
	}
}

func TestLockWaitEnds(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), stateName)
	first, err := Open(t.Context(), path, Options{Operation: "apply"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), path, Options{LockTimeout: 2 * lockPoll})
	var locked *LockedError
	if !errors.As(err, &locked) || locked.Waited < 2*lockPoll {
		t.Errorf("after the timeout: %v", err)
	}
	reason := errors.New("the user gave up")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(reason)
	if _, err = Open(ctx, path, Options{LockTimeout: time.Hour}); !errors.Is(err, reason) {
		t.Errorf("after the context's end: %v, want %v", err, reason)
	}
	s, err := Open(t.Context(), path, Options{NoLock: true})
	if err != nil {
		t.Fatalf("without a lock: %v", err)
	}
	if err := errors.Join(s.Close(), first.Close(), first.Close()); err != nil {
		t.Error(err)
	}
}

func TestLockSurvivesKill(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), stateName)
	other := startHolder(t, path)
	if err := other.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := other.release(); err == nil {
		t.Fatal("the process ended by itself")
	}
	if _, err := os.Stat(path + ".lock"); err != nil {
		t.Fatalf("the killed process leaves no lock file: %v", err)
	}
	s, err := Open(t.Context(), path, Options{Operation: "plan"})
	if err != nil {
		t.Fatalf("the lock of a killed process is still held: %v", err)
	}
	if info := readLockInfo(path + ".lock"); info.PID != os.Getpid() || info.Operation != "plan" {
		t.Errorf("the lock file names %+v", info)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path + ".lock"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after its release the lock file is there: %v", err)
	}
}

// A process that opened the lock file just before its holder removed it must not take the lock of a
// file without a name.
func TestLockFileRemovedBeforeItIsLocked(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.lock")
	first, err := tryLock(path)
	if err != nil || first == nil {
		t.Fatalf("first lock: %v, %v", first, err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if named, err := first.named(); named || err != nil {
		t.Errorf("a removed lock file has its name: %v, %v", named, err)
	}
	second, err := tryLock(path)
	if err != nil || second == nil {
		t.Fatalf("second lock: %v, %v", second, err)
	}
	if err := first.release(); err != nil {
		t.Error(err)
	}
	if named, err := second.named(); !named || err != nil {
		t.Errorf("releasing the first lock took the second's file: %v", err)
	}
	if err := second.release(); err != nil {
		t.Error(err)
	}
}

// Of many that try at once, one has the lock.
func TestLockExcludes(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.lock")
	var inside atomic.Int32
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for taken := 0; taken < 200; {
				l, err := tryLock(path)
				if err != nil {
					t.Error(err)
					return
				}
				if l == nil {
					runtime.Gosched()
					continue
				}
				taken++
				if n := inside.Add(1); n != 1 {
					t.Errorf("%d have the lock", n)
				}
				runtime.Gosched()
				inside.Add(-1)
				if err := l.release(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func TestForceUnlock(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), stateName)
	if _, err := ForceUnlock(path, "x"); !errors.Is(err, ErrNotLocked) {
		t.Errorf("without a lock: %v", err)
	}
	other := startHolder(t, path)
	id := readLockInfo(path + ".lock").ID
	var refused *UnlockError
	if _, err := ForceUnlock(path, "another"); !errors.As(err, &refused) || refused.Running || refused.Holder.ID != id {
		t.Errorf("with another id: %v", err)
	}
	if _, err := ForceUnlock(path, id); !errors.As(err, &refused) || !refused.Running {
		t.Errorf("while the holder runs: %v", err)
	}
	if err := other.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := other.release(); err == nil {
		t.Fatal("the process ended by itself")
	}
	info, err := ForceUnlock(path, id)
	if err != nil || info.ID != id {
		t.Errorf("after the holder's end: %+v, %v", info, err)
	}
	if _, err := os.Stat(path + ".lock"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the lock file is still there: %v", err)
	}
}

// The lock of a client that died is what a network file system may keep; it names a host that is
// not this one.
func TestForceUnlockOfAnotherHost(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), stateName)
	s, err := Open(t.Context(), path, Options{Operation: "apply"})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".lock", []byte(`{"id": "7", "who": "eve@elsewhere", "pid": 1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ForceUnlock(path, "7"); err != nil {
		t.Fatal(err)
	}
	if err := s.Append(Stored{Address: addr(t, "image.a"), Image: testImage(1)}); err != nil {
		t.Fatal(err)
	}
	err = s.Commit(nil)
	var commit *CommitError
	if !errors.Is(err, ErrLockLost) || !errors.As(err, &commit) {
		t.Errorf("Commit after the lock was taken away: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	st, err := Read(path)
	if err != nil || st.Images.Len() != 1 {
		t.Errorf("the journal is lost: %v, %v", st, err)
	}
}
