package executor

import (
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// An image that is made from a rendition begins when that is there as it is on record: it waits for
// the render, which in turn waits for the picture. A rendition whose file is lost or was edited is
// made again first, whether or not the plan saw it, and comes out as it was.

// awaitsRenditions reports whether a node cannot begin yet, or ever, for want of a rendition that
// goes into its request. It begins again when that is there.
func (r *run) awaitsRenditions(n *node, desired *image.Image) bool {
	for i := range desired.References {
		ref := &desired.References[i]
		if ref.Derived == nil {
			continue
		}
		at := ref.Derived.Address
		if r.renders.lacking[at] {
			r.skip(n, Skipped{Address: n.address(), Because: ref.Image, Rendition: at})
			return true
		}
		job := r.renders.pending[at]
		if job == nil {
			job = r.makeAgain(ref)
		}
		if job != nil {
			n.waiting++
			job.images = append(job.images, n)
			return true // It asks for the others when this one is there.
		}
	}
	return false
}

// makeAgain has a rendition made whose file is not the one on record, nil where it is.
func (r *run) makeAgain(ref *image.Reference) *render {
	d := ref.Derived
	made := r.rendition(d.Address)
	if made == nil || r.files.holds(made.Picture().Path, made.Picture().SHA256) {
		return nil
	}
	change := &planner.RenditionChange{
		Address: d.Address, Action: planner.Create, Reason: planner.FileMissing, Prior: made, Recipe: d.Recipe, Output: d.Output, Asset: d.Asset,
	}
	if d.Asset == nil {
		change.Cells = []image.Cell{{Image: ref.Image}}
	}
	job := &render{changes: []*planner.RenditionChange{change}}
	r.renders.pending[d.Address] = job
	r.renders.queue = append(r.renders.queue, job)
	return job
}

// renderOver lets those go on that waited for a render, whether or not its files are there.
func (r *run) renderOver(job *render) {
	for _, c := range job.changes {
		delete(r.renders.pending, c.Address)
	}
	r.unwait(job.downstream)
	for _, n := range job.images {
		if n.waiting--; n.waiting == 0 && n.phase == waiting {
			r.enqueue(n)
		}
	}
}

// rendition returns the record of what was made here, nil where there is none.
func (r *run) rendition(at addrs.Rendition) *state.Rendition {
	if made := r.renders.made[at]; made != nil {
		return made
	}
	return r.renders.prior[at]
}

// source returns the file of a reference that the configuration makes, nil where it is not there.
func (r *run) source(ref *image.Reference) *state.File {
	if ref.Derived != nil {
		if made := r.rendition(ref.Derived.Address); made != nil {
			return made.Picture()
		}
		return nil
	}
	if img := r.image(ref.Image); img != nil {
		return &img.Output
	}
	return nil
}
