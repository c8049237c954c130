package workspace

import (
	"errors"
	"fmt"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/imagefile"
	"github.com/fluxbatch/fluxbatch/state"
)

// The reasons why an edited file is not accepted, or the one that was made does not come back.
var (
	ErrNotRecorded = errors.New("it is not on record")
	ErrCandidate   = errors.New("it is a candidate")
	ErrNotEdited   = errors.New("its file is the one on record")
	ErrNotAccepted = errors.New("its file is the one that was made")
	ErrMadeGone    = errors.New("the file that was made is neither in the store nor among its candidates")
)

// Accept takes the file of an image as it is now: somebody edited it. The edited file is in the
// store before it is on record, and nothing replaces it until somebody wants that. It returns the
// file's path.
func (w *Workspace) Accept(addr addrs.Image) (path string, err error) {
	s := w.session.State()
	img := s.Images.Get(addr)
	switch {
	case img == nil:
		return "", ErrNotRecorded
	case addr.Candidate > 0:
		// Its image has another picture as soon as another one is picked, and edits with it.
		return "", ErrCandidate
	}
	f, err := w.outputs.Open(img.Output.Path)
	if err != nil {
		return "", err
	}
	info, err := imagefile.Check(f, maxAccepted)
	_ = f.Close() // only read
	switch {
	case err != nil:
		return "", fmt.Errorf("%s cannot be accepted: %w", img.Output.Path, err)
	case info.SHA256 == img.Output.SHA256:
		return "", ErrNotEdited
	}
	edited := *img
	edited.Output = state.FileOf(img.Output.Path, info)
	if edited.Made == nil {
		edited.Made = &img.Output
	}
	if err := w.local.Store().KeepFile(w.outputs, edited.Output.Path, addr, &edited); err != nil {
		return "", err
	}
	// A crash before this leaves the edited file where it is, and in the store.
	return edited.Output.Path, w.record(addr, &edited)
}

// maxAccepted bounds the file that is accepted, in bytes.
const maxAccepted = 4 * bfl.MaxInputBytes

// Unaccept puts the file that was made back in the place of an edited one, which stays in the
// store.
func (w *Workspace) Unaccept(addr addrs.Image) (path string, err error) {
	s, store := w.session.State(), w.local.Store()
	img := s.Images.Get(addr)
	switch {
	case img == nil:
		return "", ErrNotRecorded
	case img.Made == nil:
		return "", ErrNotAccepted
	}
	made := *img
	made.Output, made.Made = *img.Made, nil
	made.Output.Path = img.Output.Path
	if c := s.Images.Get(addr.Nth(max(img.Candidate, 1))); !store.Whole(made.Output.SHA256) && c != nil && w.holds(c.Output.Path, made.Output.SHA256) {
		if err := store.KeepFile(w.outputs, c.Output.Path, addr, c); err != nil {
			return "", err
		}
	}
	if !store.Whole(made.Output.SHA256) {
		return "", ErrMadeGone
	}
	pending, err := store.Take(made.Output.SHA256, w.outputs, made.Output.Path)
	if err != nil {
		return "", err
	}
	defer pending.Abort()
	if err := store.KeepFile(w.outputs, img.Output.Path, addr, img); err != nil {
		return "", err
	}
	// A crash from here on leaves both files in the store, and one of them in place.
	if err := pending.Commit(); err != nil {
		return "", err
	}
	return made.Output.Path, w.record(addr, &made)
}

// record makes a record of an image durable, and writes the state.
func (w *Workspace) record(addr addrs.Image, img *state.Image) error {
	if err := w.session.Append(state.Stored{Address: addr, Image: img}); err != nil {
		return err
	}
	return w.commit(w.session.State().Outputs)
}
