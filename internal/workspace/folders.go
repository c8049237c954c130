package workspace

import (
	"fmt"
	"path"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/planner"
)

// folders looks for what stands in the way of the folders that a plan's images go to, and for
// folders in the way of images. What goes from its path in the same plan is in nobody's way: it is
// moved into the store first.
type folders struct {
	w       *Workspace
	plan    *planner.Plan
	leaving map[string]*planner.Change
	// owners are the images on record, by path.
	owners func() map[string]addrs.Image
	// files are the paths above images, with whether there is a file.
	files map[string]bool
}

func (w *Workspace) folders(plan *planner.Plan) *folders {
	owners := sync.OnceValue(func() map[string]addrs.Image {
		owners := map[string]addrs.Image{}
		for addr, path := range w.session.State().Images.Paths() {
			owners[path] = addr
		}
		return owners
	})
	return &folders{w, plan, plan.Leaving(), owners, map[string]bool{}}
}

// blocked refuses to put an image into a folder that cannot be made, since a file stands there. It
// returns nil where none does.
func (f *folders) blocked(c *planner.Change) *hcl.Diagnostic {
	for dir := path.Dir(c.Desired.Output); dir != "."; dir = path.Dir(dir) {
		isFile, known := f.files[dir]
		if !known {
			info, err := f.w.outputs.Stat(dir)
			isFile = err == nil && !info.IsDir() && f.leaving[dir] == nil
			f.files[dir] = isFile
		}
		if !isFile {
			continue
		}
		whose := "that fluxbatch did not make, or does not remember. Move it away, or give the image another path with output."
		if owner, ok := f.owners()[dir]; ok {
			whose = fmt.Sprintf("of %s, which stays there in this plan. Give one of them another path with output, or include both in the plan if only one is.", owner)
		}
		return refusal(f.plan, c, "A file is in the way", fmt.Sprintf(
			"%s would be written to %s, but %s is a file %s", c.Address, c.Desired.Output, dir, whose))
	}
	return nil
}

// makesWay reports whether what is at a path is a folder that images go from, and nothing else is
// in it.
func (f *folders) makesWay(output string) bool {
	for name := range f.leaving {
		if strings.HasPrefix(name, output+"/") {
			return f.emptied(output)
		}
	}
	return false
}

// emptied reports whether nothing is in a folder but files that go from there.
func (f *folders) emptied(dir string) bool {
	info, err := f.w.outputs.Lstat(dir)
	if err != nil || !info.IsDir() {
		return false
	}
	entries, err := f.w.outputs.ReadDir(dir)
	for _, entry := range entries {
		name := path.Join(dir, entry.Name())
		if f.leaving[name] == nil && !f.emptied(name) {
			return false
		}
	}
	return err == nil
}
