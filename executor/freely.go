package executor

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// maxCopies is how many images are restored at once: each waits for the disk several times, and
// for another machine where it comes from there.
const maxCopies = 32

// effect is what a change came to that asks the API for nothing.
type effect struct {
	img  *state.Image
	told string
	err  error
	// left is why the change is left to a later run, nil where it is not.
	left error
	took time.Duration
}

// freely carries out changes that ask the API for nothing, and tells of them in their order. What
// is restored is copied several at a time; all else is done one after the other, since it is little.
// The error says that the disk takes nothing, so that nothing may be bought either.
func (r *run) freely(changes []*planner.Change) (err error) {
	effects := make([]chan effect, len(changes))
	for i := range effects {
		effects[i] = make(chan effect, 1)
	}
	go func() {
		var group errgroup.Group
		group.SetLimit(maxCopies)
		for i, c := range changes {
			if c.Origin == planner.Restore {
				group.Go(func() error {
					effects[i] <- r.carryOut(c)
					return nil
				})
			}
		}
	}()
	for i, c := range changes {
		if c.Origin != planner.Restore {
			effects[i] <- r.carryOut(c)
		}
		o := <-effects[i]
		r.carriedOut(c, o)
		if disk, isDisk := errors.AsType[*StorageError](o.err); isDisk && err == nil {
			err = disk
		}
	}
	return err
}

// carryOut carries out one change. It is safe for concurrent use by restored images.
func (r *run) carryOut(c *planner.Change) (o effect) {
	for _, ctx := range []context.Context{r.opts.Drain, r.ctx} {
		if ctx.Err() != nil {
			return effect{left: context.Cause(ctx)}
		}
	}
	began := time.Now()
	switch c.Action {
	case planner.Destroy:
		o.err = r.files.destroy(c.Address, c.Prior)
	case planner.Forget:
		o.err = r.files.record("the image stays where it is", state.Removed{Address: c.Address})
	case planner.Update:
		switch {
		case c.Found() != nil:
			o.img, o.err = r.files.takeOver(c)
		case c.Kept() != nil:
			o.img, o.told, o.err = placing{r.files, c.Address, c.Prior, c.Desired, c.Kept()}.run()
		default:
			o.img, o.told, o.err = r.files.update(c.Address, c.Prior, c.Desired)
		}
	case planner.Import:
		o.img, o.told, o.err = r.files.adopt(c)
	case planner.Create, planner.Replace:
		o.img, o.told, o.err = placing{r.files, c.Address, c.Prior, c.Desired, c.Kept()}.run()
	case planner.NoOp, planner.Move:
	}
	if c.Desired != nil {
		if disk := noPlace(c.Desired.Output, o.err); disk != nil {
			o.err = disk
		}
	}
	o.took = time.Since(began)
	return o
}

// carriedOut tells what a change came to.
func (r *run) carriedOut(c *planner.Change, o effect) {
	if o.left != nil {
		r.summary.Skipped++
		r.broken[c.Address] = false
		r.emit(Skipped{Address: c.Address, Err: o.left})
		return
	}
	if o.err != nil {
		r.summary.Failed++
		r.broken[c.Address] = false
		r.emit(Failed{c.Address, c.Action, o.err, o.took})
		return
	}
	if o.told != "" {
		r.emit(Warned{c.Address, o.told})
	}
	if o.img != nil {
		r.made[c.Address] = o.img
	}
	r.count(c.Address, c.Action)
	r.emit(Completed{c.Address, c.Action, c.Origin, o.img, o.took})
	if c.Action == planner.Import && !r.accepts(c.Address) {
		r.broken[c.Address] = true
	}
}
