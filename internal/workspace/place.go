package workspace

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/s3"
	"github.com/fluxbatch/fluxbatch/state"
)

// Place is where a state is kept: in a file, or in a bucket.
type Place struct {
	// Path is the file. It is "" where Bucket is not nil.
	Path   string
	Bucket *config.Bucket
}

// PlaceOf returns where the state of a root module is: where the options say, in the simulation's
// directory, or where the configuration says.
func PlaceOf(dir string, settings *config.Settings, o *Options) Place {
	switch {
	case o.StatePath != "":
		return Place{Path: o.StatePath}
	case !o.Simulate && settings.StateBucket != nil:
		return Place{Bucket: settings.StateBucket}
	}
	return Place{Path: StatePath(dir, settings.StatePath, o.Simulate)}
}

// String is the place as people write it.
func (p Place) String() string {
	if p.Bucket == nil {
		return p.Path
	}
	return "s3://" + p.Bucket.Name + "/" + p.Bucket.Prefix
}

// Exists reports whether there is a file. A state in a bucket is there from the start.
func (p Place) Exists() bool {
	_, err := os.Stat(p.Path)
	return p.Bucket != nil || !errors.Is(err, fs.ErrNotExist)
}

// Read returns the state that is there, without a lock. It writes nothing.
func (p Place) Read(ctx context.Context) (*state.State, error) {
	if p.Bucket == nil {
		return state.Read(p.Path)
	}
	backend, err := s3.Open(p.Bucket)
	if err != nil {
		return nil, err
	}
	return state.ReadBackend(ctx, backend)
}

// Elsewhere is what is going on with a state in a bucket. A state in a file tells as much by its own
// time and its lock.
type Elsewhere struct {
	// Version changes with the state.
	Version string
	// Holder is who has the lock, and Mark another one each time that they renew it, "" where nobody
	// has it.
	Holder state.LockInfo
	Mark   string
}

// Elsewhere asks the bucket.
func (p Place) Elsewhere(ctx context.Context) (Elsewhere, error) {
	backend, err := s3.Open(p.Bucket)
	if err != nil {
		return Elsewhere{}, err
	}
	var e Elsewhere
	cursor, err := backend.Head(ctx)
	if err != nil {
		return e, err
	}
	e.Version = fmt.Sprint(cursor)
	e.Holder, e.Mark, err = backend.Holder(ctx)
	return e, err
}

// ForceUnlock removes the lock that has an id; see state.ForceUnlock.
func (p Place) ForceUnlock(ctx context.Context, id string) (state.LockInfo, error) {
	if p.Bucket == nil {
		return state.ForceUnlock(p.Path, id)
	}
	backend, err := s3.Open(p.Bucket)
	if err != nil {
		return state.LockInfo{}, err
	}
	return backend.Unlock(ctx, id)
}

// open opens the state for a session.
func (p Place) open(ctx context.Context, o state.Options) (*state.Session, error) {
	if p.Bucket != nil {
		backend, err := s3.Open(p.Bucket)
		if err != nil {
			return nil, err
		}
		o.Backend = backend
	}
	return state.Open(ctx, p.Path, o)
}

// share has the store look for images where other machines have put theirs, if the configuration
// says where.
func (w *Workspace) share() error {
	if w.Config == nil || w.options.Simulate || w.Config.Settings.ImagesBucket == nil {
		return nil
	}
	blobs, err := s3.OpenBlobs(w.Config.Settings.ImagesBucket)
	if err == nil {
		w.local.Store().Share(w.env.Abort, blobs)
	}
	return err
}
