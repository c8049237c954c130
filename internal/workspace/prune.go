package workspace

import (
	"errors"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/state"
)

// Stocked is a file of the store, with what still uses it.
type Stocked struct {
	state.Kept
	// InUse says that an image on record has these very bytes, and would be restored from here if
	// its file were lost.
	InUse bool
	// Awaited says that the next apply takes it from here for a task that is paid for.
	Awaited bool
	// Declared says that the image that it was last of is on record, so that restore brings it
	// back.
	Declared bool
}

// Stock lists the files of the store that were taken before a time; the zero time stands for now.
func (w *Workspace) Stock(before time.Time) ([]Stocked, error) {
	all, err := w.local.Store().Stock()
	if err != nil {
		return nil, err
	}
	used, awaited, open := map[string]bool{}, map[string]bool{}, map[string]bool{}
	images := w.session.State().Images
	for _, f := range images.Files() {
		used[f.SHA256] = true
	}
	for _, task := range w.session.State().Tasks {
		// That its image is in the store may not be on record, as where the disk took nothing more.
		open[task.ID] = task.Open()
		if task.Fetched != nil {
			awaited[task.Fetched.Output.SHA256] = true
		}
	}
	var stock []Stocked
	for _, kept := range all {
		if !before.IsZero() && !kept.Since.Before(before) {
			continue
		}
		declared := kept.Address != (addrs.Image{}) && images.Has(kept.Address)
		stock = append(stock, Stocked{Kept: kept, InUse: used[kept.SHA256], Awaited: awaited[kept.SHA256] || open[kept.Task], Declared: declared})
	}
	return stock, nil
}

// Discard removes files from the store.
func (w *Workspace) Discard(files []Stocked) error {
	var errs []error
	for _, f := range files {
		errs = append(errs, w.local.Store().Discard(f.SHA256))
	}
	return errors.Join(errs...)
}
