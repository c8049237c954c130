package s3

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"time"

	"github.com/fluxbatch/fluxbatch/state"
)

// A lease is renewed three times in its time to live, and taken over when it was not renewed for
// that long by the clock of whoever waits: clocks of two machines are never compared.
const timeToLive = 15 * time.Second

// clock is the time, which tests have their own of.
type clock struct {
	ttl time.Duration
	// after returns a channel that gets a value after a time.
	after func(time.Duration) <-chan time.Time
	now   func() time.Time
}

var realClock = clock{ttl: timeToLive, after: time.After, now: time.Now}

// lease is the content of the lock. Renewed makes each renewal another object.
type lease struct {
	state.LockInfo
	Renewed int `json:"renewed"`
}

func (l *lease) encode() []byte {
	data, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		panic(err) // It has nothing that cannot be encoded.
	}
	return append(data, '\n')
}

// Lease takes the lock, and renews it until it is released.
func (b *Backend) Lease(ctx context.Context, info state.LockInfo, wait time.Duration) (release func() error, err error) {
	mine := &lease{LockInfo: info}
	tag, err := b.take(ctx, mine, wait)
	if err != nil {
		return nil, err
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	ctx = context.WithoutCancel(ctx)
	go func() {
		defer close(stopped)
		tag = b.renew(ctx, mine, tag, stop)
	}()
	return func() error {
		close(stop)
		<-stopped
		if tag == "" {
			return nil // It is somebody else's by now.
		}
		return b.objects.remove(ctx, lockName)
	}, nil
}

// renew writes the lease again and again until stop is closed, and returns its tag, "" when it was
// lost.
func (b *Backend) renew(ctx context.Context, mine *lease, tag string, stop <-chan struct{}) string {
	for {
		select {
		case <-stop:
			return tag
		case <-b.clock.after(b.clock.ttl / 3):
		}
		mine.Renewed++
		next, err := b.objects.replace(ctx, lockName, mine.encode(), tag)
		switch {
		case err == nil:
			tag = next
		case errors.Is(err, errTaken):
			return ""
		}
		// After another error it may be renewed yet. If not, somebody takes it over, which does no
		// harm.
	}
}

// take waits for the lock.
func (b *Backend) take(ctx context.Context, mine *lease, wait time.Duration) (tag string, err error) {
	began := b.clock.now()
	seen, since := "", began
	isAlive := false
	for looks := 1; ; looks++ {
		tag, err := b.objects.create(ctx, lockName, mine.encode())
		if !errors.Is(err, errTaken) {
			return tag, err
		}
		theirs, tag, err := b.holder(ctx)
		now := b.clock.now()
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return "", err
		case tag != seen:
			isAlive = seen != ""
			seen, since = tag, now
		case now.Sub(since) >= b.clock.ttl:
			tag, err := b.objects.replace(ctx, lockName, mine.encode(), tag)
			if !errors.Is(err, errTaken) {
				return tag, err
			}
		}
		if waited := now.Sub(began); isAlive && waited >= wait {
			locked := &state.LockedError{Path: b.String(), Holder: theirs.LockInfo}
			if wait > 0 {
				locked.Waited = waited
			}
			return "", locked
		}
		if looks == 2 {
			state.Wait{Path: b.String(), Holder: theirs.LockInfo, Lapses: b.clock.ttl}.Tell(ctx)
		}
		select {
		case <-b.clock.after(b.clock.ttl / 10):
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
	}
}

func (b *Backend) holder(ctx context.Context) (theirs lease, tag string, err error) {
	data, tag, err := b.objects.read(ctx, lockName)
	if err == nil && json.Unmarshal(data, &theirs) != nil {
		theirs = lease{} // Whoever holds it, it may be taken over.
	}
	return theirs, tag, err
}

// Holder returns who has the lock, and a mark that is another one each time that they renew it, which
// they do three times in fifteen seconds; "" where nobody has it. It is for telling people.
func (b *Backend) Holder(ctx context.Context) (info state.LockInfo, mark string, err error) {
	theirs, tag, err := b.holder(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		return state.LockInfo{}, "", nil
	}
	return theirs.LockInfo, tag, err
}

// Unlock removes the lock of somebody who is gone.
func (b *Backend) Unlock(ctx context.Context, id string) (state.LockInfo, error) {
	theirs, _, err := b.holder(ctx)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return state.LockInfo{}, state.ErrNotLocked
	case err != nil:
		return state.LockInfo{}, err
	case theirs.ID != "" && theirs.ID != id:
		return theirs.LockInfo, &state.UnlockError{Holder: theirs.LockInfo, Given: id}
	}
	return theirs.LockInfo, b.objects.remove(ctx, lockName)
}
