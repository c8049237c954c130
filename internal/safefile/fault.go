package safefile

import (
	"errors"
	"fmt"
)

// Op is an operation of the file system.
type Op int

// The operations, as WithFaults sees them.
const (
	OpOpen Op = iota
	OpCreate
	OpRead
	OpWrite
	OpTruncate
	OpSync
	OpClose
	OpRename
	OpLink
	OpRemove
	OpMkdir
	OpReadDir
	OpStat
	OpTouch
	// OpSyncDir is the fsync of a directory, which makes the names in it durable.
	OpSyncDir
)

var opNames = [...]string{
	OpOpen: "open", OpCreate: "create", OpRead: "read", OpWrite: "write", OpTruncate: "truncate", OpSync: "sync",
	OpClose: "close", OpRename: "rename", OpLink: "link", OpRemove: "remove", OpMkdir: "mkdir", OpReadDir: "list",
	OpStat: "stat", OpTouch: "touch", OpSyncDir: "sync directory",
}

// String returns the operation in words, as errors name it.
func (op Op) String() string {
	if op < 0 || int(op) >= len(opNames) {
		return fmt.Sprintf("operation %d", int(op))
	}
	return opNames[op]
}

// WithFaults returns the same directory with a hook for tests: before every operation in it, and on
// every file made or opened for writing through it, hook is asked, and an error that it returns is
// the operation's. The operation is not done then, except that a write leaves the first half of its
// bytes behind, as a disk that becomes full does, or as many as a *CutError says. The hook may be
// called concurrently. Close the directory itself, not the result.
func (d *Dir) WithFaults(hook func(op Op, name string) error) *Dir {
	faulty := *d
	faulty.faults, faulty.parents = hook, newParents()
	return &faulty
}

// CutError is what a hook returns for a write that leaves all but its last Lacking bytes behind.
type CutError struct {
	Lacking int
	Err     error
}

func (e *CutError) Error() string { return e.Err.Error() }

// Unwrap returns what is wrong.
func (e *CutError) Unwrap() error { return e.Err }

// left returns how many of n bytes a write leaves behind that fails with err.
func left(n int, err error) int {
	if cut, ok := errors.AsType[*CutError](err); ok {
		return max(0, n-cut.Lacking)
	}
	return n / 2
}

func (d *Dir) fault(op Op, name string) error {
	if d.faults == nil {
		return nil
	}
	return d.faults(op, name)
}
