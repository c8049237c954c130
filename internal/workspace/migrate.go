package workspace

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/fluxbatch/fluxbatch/state"
)

// migrates is what a run that moves a state says that it does.
const migrates = "state migrate"

// Migration is what moving a state came to.
type Migration struct {
	// Images and Tasks are how many there are where it is now.
	Images, Tasks int
}

// Migrate moves a state from one place to another: with what is under way, under the locks of both.
// The one before is marked as moved only when the new one was read back and is the same. When it
// is cut off, migrating again goes on from there. One that was moved away from to goes back there from
// where the mark says that it is.
func Migrate(env *Environment, from, to Place, o Options) (done Migration, err error) {
	open := func(place Place, returns string) (*state.Session, error) {
		return place.open(env.Drain, state.Options{Operation: migrates, Version: env.Version, LockTimeout: o.LockTimeout, NoLock: o.NoLock, Returns: returns})
	}
	source, err := open(from, "")
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	target, err := open(to, from.String())
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	if err := target.Adopt(source.State()); err != nil {
		return done, err
	}
	if err := target.Commit(nil); err != nil {
		return done, err
	}
	if err := isSame(env.Drain, source.State(), to); err != nil {
		return done, err
	}
	done = Migration{source.State().Images.Len(), len(source.State().Tasks)}
	return done, source.Leave(to.String())
}

// isSame reads a state back and holds it against the one that it was made from.
func isSame(ctx context.Context, want *state.State, at Place) error {
	got, err := at.Read(ctx)
	if err != nil {
		return err
	}
	var written, read bytes.Buffer
	if err := errors.Join(want.Write(&written), got.Write(&read)); err != nil {
		return err
	}
	if !bytes.Equal(written.Bytes(), read.Bytes()) || len(want.Tasks) != len(got.Tasks) {
		return fmt.Errorf("what was written to %s is not what is there. Nothing was moved", at)
	}
	return nil
}
