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
// are the ones, else those of the store. The error wraps fs.ErrNotExist where neither has them.
func (w *Workspace) OpenPicture(f state.File) (io.ReadCloser, error) {
	if f.Path != "" && w.holds(f.Path, f.SHA256) {
		return w.outputs.Open(f.Path)
	}
	return w.local.Store().OpenBlob(f.SHA256)
}

// HasPicture reports whether OpenPicture finds the bytes of a file.
func (w *Workspace) HasPicture(f state.File) bool {
	return f.Path != "" && w.holds(f.Path, f.SHA256) || w.local.Store().Has(f.SHA256)
}

// Former returns the last former image of each address; see state.Store.Former.
func (w *Workspace) Former() (map[addrs.Image]*state.Image, error) { return w.local.Store().Former() }

// Thumbs returns the directory for thumbnails of the workspace's pictures.
func (w *Workspace) Thumbs() (string, error) { return w.local.Cache("thumbs") }

// Base is where the paths of the state begin.
func (w *Workspace) Base() string { return Base(w.Dir, w.options.Simulate) }

// StateFile is the path of the state file.
func (w *Workspace) StateFile() string {
	return cmp.Or(w.options.StatePath, StatePath(w.Dir, w.Config.Settings.StatePath, w.options.Simulate))
}

// IsGone reports whether an error of OpenPicture says that the bytes are nowhere.
func IsGone(err error) bool { return errors.Is(err, fs.ErrNotExist) }
