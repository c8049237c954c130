package workspace

import (
	"errors"
	"io/fs"
	"slices"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// History returns the former images of an address; see state.Store.History.
func (w *Workspace) History(addr addrs.Image) ([]state.Generation, error) {
	generations, err := w.local.Store().History(addr)
	now := w.State().Images.Get(addr)
	return slices.DeleteFunc(generations, func(g state.Generation) bool {
		// What other machines have of it is the present image as well, and so is one that was restored
		// and is not in the store any more.
		return now != nil && (g.Elsewhere || !g.Available) && g.Image.Output.SHA256 == now.Output.SHA256
	}), err
}

// Restore puts a former image in the place of the one that its address has now, which goes into the
// store, and returns its path. It refuses with ErrTaskOpen, and with a PathTakenError.
//
// A crash, or a disk that fails, leaves the bytes of both images in the store or at the path,
// whenever it comes:
//
//   - before the copy is committed, all is as it was, but for a second copy of the present image in
//     the store;
//   - before the record is durable, the former image is in place and the present one on record: the
//     next apply puts it back from the store, and restoring again goes on from there;
//   - before the state is committed, the record is in the journal, which the next run replays.
func (w *Workspace) Restore(addr addrs.Image, g state.Generation) (path string, err error) {
	s, store := w.session.State(), w.local.Store()
	if len(s.TasksOf(addr)) > 0 {
		return "", ErrTaskOpen
	}
	img := *g.Image
	now := s.Images.Get(addr)
	if now != nil {
		img.Output.Path, img.Labels, img.Dependencies, img.Provider = now.Output.Path, now.Labels, now.Dependencies, now.Provider
	}
	path = img.Output.Path
	for other, there := range s.Images.Paths() {
		if other != addr && there == path {
			return "", &PathTakenError{Address: addr, Path: path, By: &other}
		}
	}
	// The copy is whole before anything makes way for it.
	pending, err := store.Take(img.Output.SHA256, w.outputs, path)
	if err != nil {
		return "", err
	}
	defer pending.Abort()
	switch _, err := w.outputs.Lstat(path); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		// There may be an image all the same, which nothing would keep.
		return "", err
	case w.holds(path, img.Output.SHA256):
	case now == nil:
		return "", &PathTakenError{Address: addr, Path: path}
	default:
		if err := store.KeepFile(w.outputs, path, addr, now); err != nil {
			return "", err
		}
	}
	if err := pending.Commit(); err != nil {
		return "", err
	}
	if err := w.session.Append(state.Stored{Address: addr, Image: &img}); err != nil {
		return "", err
	}
	return path, w.commit(s.Outputs)
}

// Declares reports whether the configuration has the block of an image.
func (w *Workspace) Declares(addr addrs.Image) bool { return w.Config.Where(addr) != nil }

// WouldReplace reports whether the next plan would replace an image for its request. It is no where
// the configuration cannot be planned.
func (w *Workspace) WouldReplace(addr addrs.Image) bool {
	plan, _, err := w.Plan()
	if err != nil || plan == nil {
		return false
	}
	for _, c := range plan.Changes {
		if c.Address == addr {
			return c.Action == planner.Replace || c.Action == planner.Destroy
		}
	}
	return false
}
