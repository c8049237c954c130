package workspace

import (
	"cmp"
	"errors"
	"io"
	"io/fs"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/imagefile"
	"github.com/fluxbatch/fluxbatch/state"
)

// Stands returns the file at an image's path as it is now, which somebody may have edited, and
// false where there is no picture. It is read only where the index does not know it.
func (w *Workspace) Stands(img *state.Image) (state.File, bool) {
	sum, err := w.local.Index().Hash(w.outputs, img.Output.Path)
	switch {
	case err != nil:
		return state.File{}, false
	case sum == img.Output.SHA256:
		return img.Output, true
	}
	f, err := w.outputs.Open(img.Output.Path)
	if err != nil {
		return state.File{}, false
	}
	defer func() { _ = f.Close() }() // only read
	info, err := imagefile.Check(f, maxAccepted)
	return state.FileOf(img.Output.Path, info), err == nil
}

// OpenPicture opens the bytes of a file that is on record, or was: those at its path where these
// are the ones, else those of the store, here or where other machines put theirs. The error wraps
// fs.ErrNotExist where none has them.
func (w *Workspace) OpenPicture(f state.File) (io.ReadCloser, error) {
	if f.Path != "" && w.holds(f.Path, f.SHA256) {
		return w.outputs.Open(f.Path)
	}
	in, err := w.local.Store().OpenBlob(f.SHA256)
	if errors.Is(err, fs.ErrNotExist) {
		return w.local.Store().OpenElsewhere(f.SHA256)
	}
	return in, err
}

// HasPicture reports whether OpenPicture finds the bytes of a file.
func (w *Workspace) HasPicture(f state.File) bool {
	if f.Path != "" && w.holds(f.Path, f.SHA256) || w.local.Store().Has(f.SHA256) {
		return true
	}
	// A bucket that cannot be reached shows less, and does not keep anybody from looking at the rest.
	elsewhere, err := w.local.Store().Elsewhere(f.SHA256)
	return elsewhere && err == nil
}

// Former returns the last former image of each address; see state.Store.Former.
func (w *Workspace) Former() (map[addrs.Image]*state.Image, error) { return w.local.Store().Former() }

// Thumbs returns the directory for thumbnails of the workspace's pictures.
func (w *Workspace) Thumbs() (string, error) { return w.local.Cache("thumbs") }

// Base is where the paths of the state begin.
func (w *Workspace) Base() string { return Base(w.Dir, w.options.Simulate) }

// Place is where the state is kept.
func (w *Workspace) Place() Place { return PlaceOf(w.Dir, &w.Config.Settings, &w.options) }

// StateFile is the path of the state file.
func (w *Workspace) StateFile() string {
	return cmp.Or(w.options.StatePath, StatePath(w.Dir, w.Config.Settings.StatePath, w.options.Simulate))
}

// IsGone reports whether an error of OpenPicture says that the bytes are nowhere.
func IsGone(err error) bool { return errors.Is(err, fs.ErrNotExist) }
