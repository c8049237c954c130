package executor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"time"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/imagefile"
	"github.com/fluxbatch/fluxbatch/internal/safefile"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// files are the outputs in the root module's directory. Safe for concurrent use by workers that work on different images.
type files struct {
	dir     *safefile.Dir
	store   Store
	journal Journal
	index   Index
	// wanted are the paths that images have when the plan is carried out; a file there is never removed.
	wanted map[string]bool
}

func newFiles(plan *planner.Plan, o Options) *files {
	f := &files{dir: o.Dir, store: o.Store, journal: o.Journal, index: o.Index, wanted: map[string]bool{}}
	for _, c := range plan.Changes {
		if c.Desired != nil {
			f.wanted[c.Desired.Output] = true
		}
	}
	return f
}

// changeFiles carries out all changes that ask the API for nothing, before anything is bought. Images go before others come: what goes into the
// store may be what another change takes out of it. On an error nothing may be bought.
func (r *run) changeFiles(plan *planner.Plan) error {
	if err := r.move(plan); err != nil {
		return err
	}
	if err := r.clearPaths(plan); err != nil {
		return err
	}
	for _, going := range []bool{true, false} {
		for _, c := range plan.Changes {
			goes := c.Action == planner.Destroy || c.Action == planner.Forget
			switch {
			case goes != going || !isFree(c):
			case r.opts.Drain.Err() != nil:
				r.leaveFile(c, context.Cause(r.opts.Drain))
			case r.ctx.Err() != nil:
				r.leaveFile(c, context.Cause(r.ctx))
			default:
				r.changeFile(c)
			}
		}
	}
	return r.files.writable(plan)
}

// isFree reports whether there is something to do for a change that asks the API for nothing.
func isFree(c *planner.Change) bool {
	switch c.Action {
	case planner.Destroy, planner.Forget, planner.Update, planner.Import:
		return true
	case planner.Create, planner.Replace:
		return c.Origin == planner.Restore
	case planner.NoOp, planner.Move:
	}
	return false
}

// leaveFile leaves a change to a later run.
func (r *run) leaveFile(c *planner.Change, cause error) {
	r.summary.Skipped++
	r.broken[c.Address] = false
	r.emit(Skipped{Address: c.Address, Err: cause})
}

// writable makes sure that there can be files in all folders to which bought images go: that one cannot be written is better known before.
func (f *files) writable(plan *planner.Plan) error {
	tried := map[string]bool{}
	for _, c := range plan.Changes {
		if !c.Generates() || tried[path.Dir(c.Desired.Output)] {
			continue
		}
		tried[path.Dir(c.Desired.Output)] = true
		pending, err := f.dir.Create(c.Desired.Output, 0o644)
		if err == nil {
			err = pending.Abort()
		}
		if err != nil {
			return fmt.Errorf("images cannot be written where they are to go: %w", err)
		}
	}
	return nil
}

// move records new addresses. It comes first, so that every later record is about the address that the plan names.
func (r *run) move(plan *planner.Plan) error {
	for _, c := range plan.Changes {
		if c.From == nil {
			continue
		}
		if err := r.files.journal.Append(state.Moved{From: *c.From, To: c.Address}); err != nil {
			return fmt.Errorf("moving %s to %s: %w", c.From, c.Address, err)
		}
		if task := r.tasks[*c.From]; task != nil {
			delete(r.tasks, *c.From)
			r.tasks[c.Address] = task
		}
	}
	return nil
}

// changeFile carries out one change that asks the API for nothing.
func (r *run) changeFile(c *planner.Change) {
	began := time.Now()
	var img *state.Image
	var err error
	switch c.Action {
	case planner.Destroy:
		err = r.files.destroy(c.Address, c.Prior)
	case planner.Forget:
		err = r.files.journal.Append(state.Removed{Address: c.Address})
	case planner.Update:
		if c.Found != nil {
			img, err = r.files.takeOver(c)
			break
		}
		img, err = r.files.update(c.Address, c.Prior, c.Desired)
	case planner.Import:
		img, err = r.files.adopt(c)
	case planner.Create, planner.Replace:
		img, err = r.files.restore(c)
	case planner.NoOp, planner.Move:
		return
	}
	if err != nil {
		r.summary.Failed++
		r.broken[c.Address] = false
		r.emit(Failed{c.Address, c.Action, err, time.Since(began)})
		return
	}
	if img != nil {
		r.made[c.Address] = img
	}
	r.count(c.Action)
	r.emit(Completed{c.Address, c.Action, c.Origin, img, time.Since(began)})
	if c.Action == planner.Import && !r.accepts(c.Address) {
		r.broken[c.Address] = true
	}
}

// clearPaths moves into the store every file at a path that another image is to have, as when two images swap paths.
func (r *run) clearPaths(plan *planner.Plan) error {
	owners := map[string]*planner.Change{}
	for _, c := range plan.Changes {
		if c.Prior != nil && c.Action != planner.Forget {
			owners[c.Prior.Output.Path] = c
		}
	}
	for _, c := range plan.Changes {
		if c.Action == planner.NoOp || c.Desired == nil {
			continue
		}
		owner := owners[c.Desired.Output]
		if owner == nil || owner == c {
			continue
		}
		if err := r.files.moveAway(owner.Address, owner.Prior); err != nil {
			return fmt.Errorf("%s is to have the path of %s: %w", c.Address, owner.Address, err)
		}
	}
	return nil
}

// moveAway moves the image's file into the store. A file that is not there is no error.
func (f *files) moveAway(addr addrs.Image, img *state.Image) error {
	if err := f.store.Put(f.dir, addr, img); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// makeRoom keeps the file of an image that is about to have another at path. Where that is the same path, the old file stays under its name until
// the new one takes it.
func (f *files) makeRoom(addr addrs.Image, prior *state.Image, path string) error {
	switch {
	case prior == nil:
		return nil
	case prior.Output.Path == path:
		if err := f.store.Keep(f.dir, addr, prior); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	case f.wanted[prior.Output.Path]:
		// clearPaths has moved it, and what is there now may be the new owner's.
		return nil
	default:
		return f.moveAway(addr, prior)
	}
}

// remember tells the index of a file that was just written.
func (f *files) remember(file state.File) {
	if f.index == nil {
		return
	}
	// A file that cannot be looked at is read when it matters.
	if info, err := f.dir.Stat(file.Path); err == nil {
		f.index.Record(file.Path, info, file.SHA256)
	}
}

// destroy moves the image's file into the store and forgets the image.
func (f *files) destroy(addr addrs.Image, img *state.Image) error {
	if err := f.makeRoom(addr, img, ""); err != nil {
		return err
	}
	// A crash here leaves an image on record whose file is in the store; the next apply destroys it again.
	return f.journal.Append(state.Removed{Address: addr})
}

// update gives an image the path, labels and account that the configuration says.
func (f *files) update(addr addrs.Image, prior *state.Image, desired *config.Image) (*state.Image, error) {
	img := updated(prior, desired)
	if img.Output.Path != prior.Output.Path {
		if err := f.makeRoom(addr, prior, img.Output.Path); err != nil {
			return nil, err
		}
		// A crash from here on leaves an image on record whose file is in the store; the next plan finds it missing and has it back for free.
		if err := f.store.Restore(prior.Output.SHA256, f.dir, img.Output.Path); err != nil {
			return nil, err
		}
	}
	return img, f.journal.Append(state.Stored{Address: addr, Image: img})
}

// takeOver records the image's file as it is now.
func (f *files) takeOver(c *planner.Change) (*state.Image, error) {
	img := *c.Prior
	img.Output = *c.Found
	return &img, f.journal.Append(state.Stored{Address: c.Address, Image: &img})
}

// adopt takes an existing file as the image. The file stays where it is; the image gets a copy, unless it is at the image's path already.
func (f *files) adopt(c *planner.Change) (*state.Image, error) {
	task := state.Task{
		Provider: c.Desired.Provider, Model: c.Request.Model.Name, Fingerprint: c.Fingerprint, Request: recorded(c.Request, c.Desired.Sensitive),
		Dependencies: c.Desired.Dependencies, Labels: c.Desired.Labels,
	}
	content, _, err := openFile(c.Import.File)
	if err != nil {
		return nil, err
	}
	defer func() { _ = content.Close() }() // only read
	check := imagefile.NewChecker(maxImageBytes)
	in := io.TeeReader(content, check)
	if present, err := f.dir.Stat(c.Desired.Output); err == nil && present.Mode().IsRegular() {
		// The plan made sure that a file at the image's path is the very one to import.
		_, err = io.Copy(io.Discard, in)
		if err != nil {
			return nil, err
		}
	} else if err := f.dir.WriteFile(c.Desired.Output, 0o644, func(w io.Writer) error {
		_, err := io.Copy(w, in)
		return err
	}); err != nil {
		return nil, err
	}
	info, err := check.Finish()
	if err != nil {
		return nil, fmt.Errorf("importing %s: %w", c.Import.File, err)
	}
	if info.SHA256 != c.Import.SHA256 {
		return nil, fmt.Errorf("%s changed after the plan was made. Plan again", c.Import.File)
	}
	img := task.Image(state.File{
		Path: c.Desired.Output, SHA256: info.SHA256, Bytes: info.Bytes, Width: info.Width, Height: info.Height, Format: info.Format,
	}, state.Result{})
	return img, f.journal.Append(state.Stored{Address: c.Address, Image: img})
}

// restore takes an image out of the store.
func (f *files) restore(c *planner.Change) (*state.Image, error) {
	img := updated(c.Kept, c.Desired)
	if c.Prior != nil {
		// Something else may be at the path: the image that is replaced, or an edited file.
		if err := f.moveAside(c.Address, c.Prior, img.Output.Path); err != nil {
			return nil, err
		}
	}
	// A crash here leaves the image in place without a record of it. The next plan restores it again, over the same bytes.
	if err := f.store.Restore(c.Kept.Output.SHA256, f.dir, img.Output.Path); err != nil {
		return nil, err
	}
	return img, f.journal.Append(state.Stored{Address: c.Address, Image: img})
}

// moveAside moves the image's file into the store, whether or not the next one has the same path.
func (f *files) moveAside(addr addrs.Image, prior *state.Image, path string) error {
	if prior.Output.Path != path && f.wanted[prior.Output.Path] {
		// clearPaths has moved it, and what is there now may be the new owner's.
		return nil
	}
	return f.moveAway(addr, prior)
}

// updated returns the record of an image to which all has been done that costs nothing.
func updated(prior *state.Image, desired *config.Image) *state.Image {
	img := *prior
	img.Output.Path = desired.Output
	img.Labels = desired.Labels
	img.Provider = desired.Provider
	img.Dependencies = desired.Dependencies
	return &img
}
