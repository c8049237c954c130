package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"
)

// LockInfo is what a lock file says about its holder.
type LockInfo struct {
	ID string `json:"id"`
	// Operation is the command that runs, such as "apply".
	Operation string `json:"operation"`
	// Who is user@host.
	Who     string    `json:"who"`
	PID     int       `json:"pid"`
	Created time.Time `json:"created"`
	// Version is that of the program.
	Version string `json:"version"`
}

func (i LockInfo) String() string {
	if i.ID == "" {
		return "another run"
	}
	return fmt.Sprintf("fluxbatch %s, run by %s as process %d since %s", i.Operation, i.Who, i.PID, i.Created.Local().Format(time.DateTime))
}

// lockPoll is how often a lock that another process holds is tried again. The operating system has
// no portable way to wait for a file lock and to give up.
const lockPoll = 50 * time.Millisecond

const (
	// lockGrace is how long a lock is waited for in any case: a process that was killed a moment ago
	// may not have ended yet.
	lockGrace = time.Second
	// orphanGrace is how long a lock is waited for whose holder has ended. A program that the holder
	// was about to start, such as a gate, is a copy of the holder until it begins, lock included, and
	// outlives it for that moment. On a busy machine that is longer than one expects.
	orphanGrace = 10 * time.Second
)

// maxLockInfo bounds what is read of a lock file.
const maxLockInfo = 64 << 10

// fileLock is a lock that is held. The operating system frees it when the process ends, however it
// ends; the file that it is on is then a leftover that the next holder takes over.
type fileLock struct {
	file *flock.Flock
	path string
}

// acquireLock takes the lock at path, waiting for it as long as o says, and for a holder that is
// about to end in any case. It returns a LockedError when it was held all the time.
func acquireLock(ctx context.Context, path, statePath string, o Options) (*fileLock, error) {
	start := time.Now()
	told := false
	for {
		l, err := tryLock(path)
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
			return nil, fmt.Errorf("locking the state %s: %w. What only reads can do without the lock, with -lock=false",
				statePath, err)
		}
		if err != nil {
			return nil, fmt.Errorf("locking the state %s: %w", statePath, err)
		}
		if l != nil {
			l.describe(o)
			return l, nil
		}
		holder := readLockInfo(path)
		patience := lockGrace
		if holder.isGone() {
			patience = orphanGrace
		}
		left := max(o.LockTimeout, patience) - time.Since(start)
		if left <= 0 {
			locked := &LockedError{Path: statePath, Holder: holder}
			if o.LockTimeout > 0 {
				locked.Waited = time.Since(start)
			}
			return nil, locked
		}
		if !told && time.Since(start) >= lockGrace {
			told = true
			Wait{Path: statePath, Holder: holder}.Tell(ctx)
		}
		timer := time.NewTimer(min(left, lockPoll))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, fmt.Errorf("waiting for the lock on the state %s: %w", statePath, context.Cause(ctx))
		}
	}
}

// tryLock returns nil when somebody else has the lock.
func tryLock(path string) (*fileLock, error) {
	for {
		l := &fileLock{file: flock.New(path, flock.SetPermissions(0o644)), path: path}
		ok, err := l.file.TryLock()
		if err != nil || !ok {
			return nil, err
		}
		named, err := l.named()
		if named {
			return l, nil
		}
		// The holder before removed the file after this process had opened it: what was locked here
		// is a file without a name, and whoever comes next would lock another one. So it is given
		// back, and the file that has the name now is tried.
		if err := errors.Join(err, l.file.Unlock()); err != nil {
			return nil, err
		}
	}
}

// named reports whether the file that is locked still has its name.
func (l *fileLock) named() (bool, error) {
	mine, err := l.file.Stat()
	if err != nil {
		return false, err
	}
	now, err := os.Stat(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(mine, now), err
}

// describe says who opens a state.
func describe(o Options) LockInfo {
	return LockInfo{ID: freshID(), Operation: o.Operation, Who: Who(), PID: os.Getpid(), Created: time.Now().UTC(), Version: o.Version}
}

// describe writes into the lock file who holds it. Its errors are ignored: the lock holds without,
// and the others are told less about the holder. On Windows the lock itself forbids others to read
// the file.
func (l *fileLock) describe(o Options) {
	data, err := json.MarshalIndent(describe(o), "", "  ")
	if err == nil {
		_ = os.WriteFile(l.path, append(data, '\n'), 0o644) //nolint:gosec // others are to read who holds the lock
	}
}

// release removes the file while it is still locked, so that nobody can lock it in between, and
// then frees the lock.
func (l *fileLock) release() error {
	var err error
	if named, namedErr := l.named(); named {
		err = os.Remove(l.path)
	} else {
		// After a force-unlock the name is somebody else's lock.
		err = namedErr
	}
	return errors.Join(err, l.file.Unlock())
}

// readLockInfo returns a zero LockInfo where the file says nothing that can be read.
func readLockInfo(path string) LockInfo {
	var info LockInfo
	f, err := os.Open(path)
	if err != nil {
		return info
	}
	// The file was only read.
	defer func() { _ = f.Close() }()
	data := make([]byte, maxLockInfo)
	n, err := f.Read(data)
	if err != nil || json.Unmarshal(data[:n], &info) != nil {
		return LockInfo{}
	}
	return info
}

// isHere reports whether the holder is a process of this machine, as far as names say.
func (i LockInfo) isHere() bool {
	_, here, _ := strings.Cut(Who(), "@")
	_, there, _ := strings.Cut(i.Who, "@")
	return here == there
}

// isGone reports whether the holder was a process of this machine that has ended.
func (i LockInfo) isGone() bool { return i.ID != "" && i.isHere() && !running(i.PID) }

// Holder returns what the lock file of the state at path says of who holds it, and false where
// nobody seems to. It is for telling people: only who takes the lock knows.
func Holder(path string) (LockInfo, bool) {
	p, err := locate(path)
	if err != nil {
		return LockInfo{}, false
	}
	info := readLockInfo(p.lockPath())
	return info, info.ID != "" && !info.isGone()
}

// Who returns user@host, as far as the system says.
func Who() string {
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return name + "@" + host
}

// ErrNotLocked is returned by ForceUnlock for a state that nobody has locked.
var ErrNotLocked = errors.New("this state is not locked")

// UnlockError says why a lock is not removed.
type UnlockError struct {
	Holder LockInfo
	// Running says that the holder is a process of this machine that runs; otherwise Given is not
	// the lock's id.
	Running bool
	Given   string
}

func (e *UnlockError) Error() string {
	if e.Running {
		return fmt.Sprintf("the lock %s is held by process %d of this machine, which is running %s. "+
			"Removing it could let two runs pay for the same images. End that process, and its lock goes away by itself:\n\n  kill %d", e.Holder.ID, e.Holder.PID, e.Holder.Operation, e.Holder.PID)
	}
	return fmt.Sprintf("the lock's id is %s, not %s. Another run has taken the lock since. Check that it is gone too before you remove its lock.", e.Holder.ID, e.Given)
}

// ForceUnlock removes the lock on the state at path and returns what it said.
//
// Locks belong to processes, so there is rarely anything to remove: when a process ends, its lock
// is free, and the file that it leaves behind is taken over by the next run. What ForceUnlock is
// for are network file systems that keep the lock of a client that died, and holders that hang on
// another machine. It takes the name away from the locked file; the next run then locks a new file.
// A holder that still runs notices at its commit, leaves the state file alone and keeps its
// journal.
//
// It refuses, with an UnlockError, when id is not the lock's, or when a process of this machine
// holds it and runs.
func ForceUnlock(path, id string) (LockInfo, error) {
	p, err := locate(path)
	if err != nil {
		return LockInfo{}, err
	}
	if _, err := os.Stat(p.lockPath()); errors.Is(err, fs.ErrNotExist) {
		return LockInfo{}, ErrNotLocked
	}
	info := readLockInfo(p.lockPath())
	if info.ID != "" && info.ID != id {
		return info, &UnlockError{Holder: info, Given: id}
	}
	free, err := tryLock(p.lockPath())
	if err != nil {
		return info, fmt.Errorf("looking at the lock of the state %s: %w", path, err)
	}
	if free != nil {
		return info, free.release()
	}
	if info.isHere() && running(info.PID) {
		return info, &UnlockError{Holder: info, Running: true}
	}
	return info, os.Remove(p.lockPath())
}

// running reports whether a process of this machine exists. In doubt it does.
func running(pid int) bool {
	if pid <= 0 {
		return true
	}
	p, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	err = p.Signal(syscall.Signal(0))
	return err == nil || !errors.Is(err, os.ErrProcessDone)
}
