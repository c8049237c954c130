package s3

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/state"
)

// Backend is a state.Backend in a bucket.
type Backend struct {
	objects objects
	clock   clock
}

var _ state.Backend = (*Backend)(nil)

// Open returns the backend in a bucket, whose Prefix is the key of the state. It calls nobody.
func Open(b *config.Bucket) (*Backend, error) {
	o, err := openObjects(b)
	return &Backend{objects: o, clock: realClock}, err
}

func (b *Backend) String() string { return b.objects.String() }

const (
	logPrefix, snapshotPrefix, latePrefix = "log/", "snapshot/", "late/"
	lockName                              = "lock"
)

func numbered(prefix string, n uint64) string { return fmt.Sprintf("%s%020d", prefix, n) }

// newest returns the greatest number of the objects with a prefix after one, 0 for none.
func (b *Backend) newest(ctx context.Context, prefix string, after uint64) (n uint64, err error) {
	start := ""
	if after > 0 {
		start = numbered(prefix, after)
	}
	err = b.objects.list(ctx, prefix, start, func(name string, _ time.Time) error {
		// What is no number was not put there by this program.
		if found, err := strconv.ParseUint(strings.TrimPrefix(name, prefix), 10, 64); err == nil {
			n = max(n, found)
		}
		return nil
	})
	return n, err
}

// Head lists the snapshots, and the batches after the newest.
func (b *Backend) Head(ctx context.Context) (c state.Cursor, err error) {
	if c.Snapshot, err = b.newest(ctx, snapshotPrefix, 0); err != nil {
		return c, err
	}
	last, err := b.newest(ctx, logPrefix, c.Snapshot)
	c.Last = max(c.Snapshot, last)
	return c, err
}

// Entry reads a batch.
func (b *Backend) Entry(ctx context.Context, n uint64) ([]byte, error) {
	data, _, err := b.objects.read(ctx, numbered(logPrefix, n))
	return data, err
}

// Append writes a batch.
func (b *Backend) Append(ctx context.Context, n uint64, batch []byte) error {
	_, err := b.objects.create(ctx, numbered(logPrefix, n), batch)
	if errors.Is(err, errTaken) {
		return state.ErrTaken
	}
	return err
}

// Snapshot reads a snapshot.
func (b *Backend) Snapshot(ctx context.Context, n uint64) ([]byte, error) {
	data, _, err := b.objects.read(ctx, numbered(snapshotPrefix, n))
	return data, err
}

// PutSnapshot writes a snapshot. One that is there is of the same batches.
func (b *Backend) PutSnapshot(ctx context.Context, n uint64, snapshot []byte) error {
	_, err := b.objects.createLarge(ctx, numbered(snapshotPrefix, n), snapshot)
	if errors.Is(err, errTaken) {
		return nil
	}
	return err
}

// Trim removes batches, and the snapshots before one.
func (b *Backend) Trim(ctx context.Context, batches []uint64, before uint64) error {
	var names []string
	for _, n := range batches {
		names = append(names, numbered(logPrefix, n))
	}
	err := b.objects.list(ctx, snapshotPrefix, "", func(name string, _ time.Time) error {
		if name < numbered(snapshotPrefix, before) {
			names = append(names, name)
		}
		return nil
	})
	return errors.Join(err, b.objects.removeAll(ctx, names))
}

// PutLate writes what an overtaken run learnt. The same task has the same line.
func (b *Backend) PutLate(ctx context.Context, name string, line []byte) error {
	_, err := b.objects.create(ctx, latePrefix+name, line)
	if errors.Is(err, errTaken) {
		return nil
	}
	return err
}

// Late reads what overtaken runs learnt.
func (b *Backend) Late(ctx context.Context) (map[string][]byte, error) {
	all := map[string][]byte{}
	err := b.objects.list(ctx, latePrefix, "", func(name string, _ time.Time) error {
		data, _, err := b.objects.read(ctx, name)
		all[strings.TrimPrefix(name, latePrefix)] = data
		return err
	})
	return all, err
}

// Clear removes some of what Late returns.
func (b *Backend) Clear(ctx context.Context, names []string) error {
	full := make([]string, len(names))
	for i, name := range names {
		full[i] = latePrefix + name
	}
	return b.objects.removeAll(ctx, full)
}

// Probe finds out a store that takes a condition and does not keep it, which would let two runs
// write one number: it writes one name twice, and the second time must fail.
func (b *Backend) Probe(ctx context.Context) error {
	const name = "probe"
	// Neither is read back where it is taken: the second must find the first, whoever wrote it.
	if _, err := b.objects.putNew(ctx, name, []byte("first")); err != nil && !errors.Is(err, errTaken) {
		return err
	}
	_, err := b.objects.putNew(ctx, name, []byte("second"))
	if errors.Is(err, errTaken) {
		return b.objects.remove(ctx, name)
	}
	if err == nil {
		err = fmt.Errorf("the store of %s lets an object be written twice that was to be written once (it ignores If-None-Match), so that two runs could pay for the same images. "+
			"Use a store with conditional writes", b)
	}
	return err
}
