package safefile

import (
	"errors"
	"io/fs"
	"path"
	"slices"
)

// Sweep removes the leftovers in a directory (not below it), except those that are named in keep. A
// missing directory has none. Call it only under a lock that all writers in that directory take: to
// anybody else a file that is being written looks like a leftover.
func (d *Dir) Sweep(dir string, keep ...string) error {
	return d.sweep(dir, func(temp string) bool {
		return isTemp(temp, "") && !slices.Contains(keep, path.Join(dir, temp))
	})
}

// SweepFor removes the leftovers of some files in a directory, named without it, under a lock that
// all their writers take.
func (d *Dir) SweepFor(dir string, bases ...string) error {
	return d.sweep(dir, func(temp string) bool {
		return slices.ContainsFunc(bases, func(base string) bool { return isTemp(temp, base) })
	})
}

func (d *Dir) sweep(dir string, leftover func(name string) bool) error {
	entries, err := d.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var errs []error
	for _, entry := range entries {
		if !leftover(entry.Name()) || !entry.Type().IsRegular() {
			continue
		}
		name := path.Join(dir, entry.Name())
		err := d.do(OpRemove, name, func() error { return d.root.Remove(name) })
		if !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
