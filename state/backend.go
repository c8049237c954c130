package state

import (
	"context"
	"errors"
	"time"
)

// Backend keeps one state away from this machine: as a log of batches, numbered from 1 without
// gaps, and snapshots of its beginning. All that many machines need to agree on is in one promise:
// a number is written once. That is a fence, a compare-and-swap and a journal at the same time, and
// needs no clock. It is safe for concurrent use.
//
// What it returns is checked by whoever asks: a batch has its number, and the hash of the one
// before it.
type Backend interface {
	// String is where the state is, for messages.
	String() string
	// Probe finds out whether the promise is kept, by breaking it: it writes the batch again that
	// begins a run and that was just written, which must fail. It is asked of each run, since a store
	// can keep it for one machine and, behind a proxy, not for another.
	Probe(ctx context.Context, n uint64, batch []byte) error
	// Head returns how far the log goes. It may be behind, and never ahead.
	Head(ctx context.Context) (Cursor, error)
	// Entry returns a batch. The error wraps fs.ErrNotExist where there is none of that number, or
	// none any more.
	Entry(ctx context.Context, n uint64) ([]byte, error)
	// Append writes a batch, if there is none of that number: the error wraps ErrTaken where there
	// is. It returns when the batch is durable. An error of another kind leaves open whether it is
	// there.
	Append(ctx context.Context, n uint64, batch []byte) error
	// Snapshot returns the snapshot of the batches up to n, with an error as Entry has.
	Snapshot(ctx context.Context, n uint64) ([]byte, error)
	// PutSnapshot writes the snapshot of the batches up to n, if there is none.
	PutSnapshot(ctx context.Context, n uint64, snapshot []byte) error
	// Trim removes batches, and the snapshots before one.
	Trim(ctx context.Context, batches []uint64, before uint64) error
	// PutLate keeps what a run learnt of a task when it was overtaken, and Late returns all that
	// was kept so, by name. Clear removes some of it.
	PutLate(ctx context.Context, name string, line []byte) error
	Late(ctx context.Context) (map[string][]byte, error)
	Clear(ctx context.Context, names []string) error
	// Lease takes the lease on the state for whoever info describes, and renews it until it is
	// released. While somebody else renews it, it waits as long as wait says, and then returns a
	// LockedError. A lease that nobody renews is taken over.
	//
	// It is advice for people. Losing it does no harm, since Append is the fence.
	Lease(ctx context.Context, info LockInfo, wait time.Duration) (release func() error, err error)
	// Unlock removes the lease, if its id is the given one. It returns ErrNotLocked where there is
	// none, and an UnlockError where it is another one's.
	Unlock(ctx context.Context, id string) (LockInfo, error)
}

// Cursor is how far a log goes: Snapshot is the newest one, and Last the newest batch, which is not
// before it. Both are 0 where there is nothing.
type Cursor struct{ Snapshot, Last uint64 }

// ErrTaken is wrapped by Backend.Append for a number that is taken.
var ErrTaken = errors.New("another run has written this entry")

// FencedError says that another run has taken over a state that is kept away from this machine, so
// that this one can record nothing any more.
type FencedError struct {
	// State is where the state is. By says who took it over, as far as that is known.
	State, By string
	// Replacing says that this run was putting another state in the place of the one there.
	Replacing bool
}

func (e *FencedError) Error() string {
	by := "Another run"
	if e.By != "" {
		by = e.By
	}
	if e.Replacing {
		return by + " has taken over the state " + e.State + " since this run began, and may not know of the state that was to take its place. " +
			"Nothing is lost. When that run has ended, look at what is there with fluxbatch state pull, and do it again if it is to be the other one."
	}
	return by + " has taken over the state " + e.State + " since this run began, so that this one submits nothing more. " +
		"What it had learnt of its tasks is kept there, and the other run or the next one takes it in."
}
