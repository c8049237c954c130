package executor

import (
	"maps"
	"path"
	"slices"

	"github.com/fluxbatch/fluxbatch/planner"
)

// room makes room for folders where files of ours are, and for files where folders of ours are,
// when these go from there in the same plan. They go into the store first, before anything is
// bought; the record still names their former paths then, so that a run that is cut off restores
// them from there.
type room struct {
	files   *files
	leaving map[string]*planner.Change
	// below are the paths of leaving in each folder, at any depth.
	below map[string][]string
}

func newRoom(f *files, plan *planner.Plan) *room {
	r := &room{f, plan.Leaving(), map[string][]string{}}
	for _, name := range slices.Sorted(maps.Keys(r.leaving)) {
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			r.below[dir] = append(r.below[dir], name)
		}
	}
	return r
}

// clear makes room for an image at a path.
func (r *room) clear(output string) error {
	for dir := path.Dir(output); dir != "."; dir = path.Dir(dir) {
		if err := r.moveAway(dir); err != nil {
			return err
		}
	}
	if len(r.below[output]) == 0 {
		return nil
	}
	if info, err := r.files.dir.Lstat(output); err != nil || !info.IsDir() {
		return nil // Nothing is there, or the image itself: what cannot be looked at cannot be written either, which says why.
	}
	for _, name := range r.below[output] {
		if err := r.moveAway(name); err != nil {
			return err
		}
	}
	r.removeEmpty(output)
	return nil
}

func (r *room) moveAway(name string) error {
	c := r.leaving[name]
	if c == nil {
		return nil
	}
	return r.files.moveAway(c.Address, c.Prior, name)
}

// removeEmpty removes a folder and those in it, as far as nothing is in them. Where something is,
// the image that is to be there says so.
func (r *room) removeEmpty(dir string) {
	entries, _ := r.files.dir.ReadDir(dir) // A folder that cannot be read is not removed.
	for _, entry := range entries {
		if entry.IsDir() {
			r.removeEmpty(path.Join(dir, entry.Name()))
		}
	}
	_ = r.files.dir.Remove(dir) // It stays where something is in it.
}
