package s3

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

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
	// trimmedName is the object that says up to which snapshot batches were removed. It is written
	// before they are, so that a listing which lacks that snapshot is known to be behind: the numbers
	// of these batches are free again, and a run must not begin at one.
	trimmedName = "trimmed"
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
	var trimmed uint64
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		trimmed, _, err = b.trimmed(groupCtx)
		return err
	})
	group.Go(func() (err error) {
		c.Snapshot, err = b.newest(groupCtx, snapshotPrefix, 0)
		return err
	})
	if err := group.Wait(); err != nil {
		return c, err
	}
	c.Snapshot = max(c.Snapshot, trimmed)
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

// trimmed returns up to which snapshot batches were removed, 0 for none, and the tag of the object that
// says it.
func (b *Backend) trimmed(ctx context.Context) (n uint64, tag string, err error) {
	data, tag, err := b.objects.read(ctx, trimmedName)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, "", nil
	}
	if err != nil {
		return 0, "", err
	}
	if n, err = strconv.ParseUint(string(data), 10, 64); err != nil {
		return 0, "", &state.DamagedError{
			Path: b.objects.address(trimmedName), Reason: "it is not a number",
			Remedy: "Remove it where all runs have ended: the next one that changes something writes it again.",
		}
	}
	return n, tag, nil
}

// maxNotes is how often it is tried to note what is trimmed: several runs may do so at once.
const maxNotes = 20

// noteTrimmed says that batches up to a snapshot are about to be removed.
func (b *Backend) noteTrimmed(ctx context.Context, n uint64) error {
	for range maxNotes {
		known, tag, err := b.trimmed(ctx)
		if err != nil || known >= n {
			return err
		}
		data := strconv.AppendUint(nil, n, 10)
		if tag == "" {
			_, err = b.objects.putNew(ctx, trimmedName, data)
		} else {
			_, err = b.objects.replace(ctx, trimmedName, data, tag)
		}
		if !errors.Is(err, errTaken) {
			return err
		}
	}
	return fmt.Errorf("%s cannot be written, since the store says each time that it is another one than it has just returned. "+
		"The state is there, and nothing was removed. Use a store that keeps If-Match, and no proxy that changes the tags of objects", b.objects.address(trimmedName))
}

// Trim removes batches, and the snapshots before one.
func (b *Backend) Trim(ctx context.Context, batches []uint64, before uint64) error {
	if err := b.noteTrimmed(ctx, before); err != nil {
		return err
	}
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

// Probe writes a batch again that this run has just written, which must fail.
func (b *Backend) Probe(ctx context.Context, n uint64, batch []byte) error {
	_, err := b.objects.putNew(ctx, numbered(logPrefix, n), batch)
	switch {
	case errors.Is(err, errTaken):
		return nil
	case err == nil:
		return fmt.Errorf("the store of %s lets an object be written twice that was to be written once (it ignores If-None-Match), so that two runs could pay for the same images. "+
			"Use a store with conditional writes, and no proxy that takes the condition out", b)
	}
	return err
}
