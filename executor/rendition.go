package executor

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"runtime"
	"slices"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// Renditions and sheets are made beside all else, as soon as their pictures are there, on all
// processors and off the slots of the API. One worker makes all that is made of an image, so that it
// is decoded once, and no more pictures are in memory than there are workers.

// renders is what is to be made here. It is owned by the coordinator.
type renders struct {
	queue   []*render
	running int
	// ofImage are the renders of the renditions of images, and after those that wait for an image.
	ofImage map[addrs.Image]*render
	after   map[addrs.Image][]*render
	// pending has those that are not over of what is to be made, and lacking what could not be.
	pending map[addrs.Rendition]*render
	lacking map[addrs.Rendition]bool
	// prior is what was on record when the run began, and made what it has made since.
	prior, made map[addrs.Rendition]*state.Rendition
}

func newRenders(prior map[addrs.Rendition]*state.Rendition) renders {
	return renders{
		ofImage: map[addrs.Image]*render{}, after: map[addrs.Image][]*render{},
		pending: map[addrs.Rendition]*render{}, lacking: map[addrs.Rendition]bool{},
		// The journal changes the state while workers append to it.
		prior: maps.Clone(prior), made: map[addrs.Rendition]*state.Rendition{},
	}
}

// render makes all renditions of an image, or a sheet.
type render struct {
	changes []*planner.RenditionChange
	// waiting counts the images, and the renders of their renditions, that are not over.
	waiting    int
	downstream []*render
	// images are the nodes that wait for it: what it makes goes into their requests.
	images []*node
}

// render turns the plan's changes of what is made here into what is to be done, and does at once what
// needs no picture.
func (r *run) render(plan *planner.Plan) {
	rs := &r.renders
	var all []*render
	ofAsset := map[addrs.Image]*render{}
	for _, c := range plan.Renditions {
		switch {
		case !c.Makes():
			r.clearRendition(c)
		case c.Address.Kind == addrs.OfAsset && ofAsset[c.Address.Of] != nil:
			ofAsset[c.Address.Of].changes = append(ofAsset[c.Address.Of].changes, c)
		case c.Address.Kind == addrs.OfImage && rs.ofImage[c.Address.Of] != nil:
			job := rs.ofImage[c.Address.Of]
			job.changes = append(job.changes, c)
		default:
			job := &render{changes: []*planner.RenditionChange{c}}
			switch c.Address.Kind {
			case addrs.OfImage:
				rs.ofImage[c.Address.Of] = job
			case addrs.OfAsset:
				ofAsset[c.Address.Of] = job
			}
			all = append(all, job)
		}
	}
	for _, job := range all {
		for _, c := range job.changes {
			rs.pending[c.Address] = job
		}
	}
	for _, job := range all {
		r.awaitPictures(job)
	}
}

// awaitPictures has a render wait for what is not over yet of that it is made from.
func (r *run) awaitPictures(job *render) {
	images, renders := map[addrs.Image]bool{}, map[*render]bool{}
	for _, cell := range job.changes[0].Cells {
		at, isRendition := cell.At()
		up := r.renders.pending[at]
		n := r.nodes[cell.Image]
		switch {
		case isRendition && up != nil:
			if !renders[up] {
				renders[up] = true
				job.waiting++
				up.downstream = append(up.downstream, job)
			}
		case cell.Asset == nil && n != nil && n.phase != over && !images[cell.Image]:
			images[cell.Image] = true
			job.waiting++
			r.renders.after[cell.Image] = append(r.renders.after[cell.Image], job)
		}
	}
	if job.waiting == 0 {
		r.renders.queue = append(r.renders.queue, job)
	}
}

// pictureOver lets those renders begin that waited for an image, whether or not it is there.
func (r *run) pictureOver(addr addrs.Image) {
	waiting := r.renders.after[addr]
	delete(r.renders.after, addr)
	r.unwait(waiting)
}

func (r *run) unwait(jobs []*render) {
	for _, job := range jobs {
		if job.waiting--; job.waiting == 0 {
			r.renders.queue = append(r.renders.queue, job)
		}
	}
}

// launchRenders begins as many renders as there are processors.
func (r *run) launchRenders() {
	rs := &r.renders
	for len(rs.queue) > 0 && (r.stop != nil || rs.running < runtime.GOMAXPROCS(0)) {
		job := rs.queue[0]
		rs.queue = rs.queue[1:]
		work, lacks := r.workOf(job)
		if r.stop != nil || work == nil {
			r.skipRender(job, lacks)
			continue
		}
		rs.running++
		ctx := r.ctx
		r.spawn(func() func() {
			done := work.run(ctx)
			return func() {
				rs.running--
				r.rendered(done)
				r.renderOver(job)
			}
		})
	}
}

// workOf returns what a worker needs for a render, nil where a picture is not there, and then the
// address of that.
func (r *run) workOf(job *render) (w *rendering, lacks string) {
	w = &rendering{files: r.files, changes: job.changes}
	if asset := job.changes[0].Asset; asset != nil {
		w.pictures = []rendered{{name: job.changes[0].Address.Source(), addr: asset.Address, image: &state.Image{}, own: true, asset: asset}}
		return w, ""
	}
	for _, cell := range job.changes[0].Cells {
		p, isThere := r.picture(cell)
		if !isThere {
			return nil, cell.String()
		}
		w.pictures = append(w.pictures, p)
	}
	return w, ""
}

// picture finds the picture of a cell, and reports whether it is there.
func (r *run) picture(cell image.Cell) (rendered, bool) {
	p := rendered{name: cell.String(), addr: cell.Image, image: &state.Image{}, own: cell.Asset != nil}
	if !p.own {
		if p.image = r.image(cell.Image); p.image == nil {
			return p, false
		}
		p.file = p.image.Output
	}
	if at, isRendition := cell.At(); isRendition {
		made := r.rendition(at)
		if made == nil || r.renders.lacking[at] {
			return p, false
		}
		p.file = *made.Picture()
	}
	return p, true
}

// skipRender leaves a render to a later run.
func (r *run) skipRender(job *render, lacks string) {
	for _, c := range job.changes {
		r.summary.RenditionsSkipped++
		r.renders.lacking[c.Address] = true
		r.emit(RenditionSkipped{Address: c.Address, Because: lacks, Err: r.stop})
	}
	r.renderOver(job)
}

// rendered notes what a worker has made.
func (r *run) rendered(outcomes []outcome) {
	for _, o := range outcomes {
		r.renders.lacking[o.change.Address] = o.err != nil
		switch {
		case o.err != nil && r.ctx.Err() != nil:
			r.summary.RenditionsSkipped++
			r.emit(RenditionSkipped{Address: o.change.Address, Err: context.Cause(r.ctx)})
		case o.err != nil:
			r.renditionFailed(o.change, o.err)
		default:
			r.renders.made[o.change.Address] = o.made
			r.summary.RenditionsMade++
			r.emit(RenditionDone{o.change.Address, o.change.Action, o.made, o.told, o.elapsed})
		}
	}
}

func (r *run) renditionFailed(c *planner.RenditionChange, err error) {
	r.summary.RenditionsFailed++
	r.emit(RenditionFailed{c.Address, err})
	if _, isStorage := errors.AsType[*StorageError](err); isStorage { // of the journal
		r.stopNew(err)
	}
}

// clearRendition takes off record what is not declared any more, with its files, or gives it another
// address.
func (r *run) clearRendition(c *planner.RenditionChange) {
	began := time.Now()
	told, err := "", error(nil)
	switch c.Action {
	case planner.Move:
		r.renders.made[c.Address] = c.Prior
		err = r.files.journal.Append(state.Made{Address: c.Address, Rendition: c.Prior})
		if err == nil {
			err = r.files.journal.Append(state.Unmade{Address: *c.From})
		}
	case planner.Destroy:
		told, err = r.files.removeRendition(c)
		fallthrough
	default:
		// A crash before this leaves a record without files; the next apply removes it again.
		if err == nil {
			err = r.files.journal.Append(state.Unmade{Address: c.Address})
		}
	}
	if err != nil {
		r.renditionFailed(c, err)
		return
	}
	if c.Action != planner.Move {
		r.summary.RenditionsRemoved++
	}
	r.emit(RenditionDone{c.Address, c.Action, nil, told, time.Since(began)})
}

// removeRendition removes the files of a rendition: it can be made again. One that somebody edited
// stays, since nobody can.
func (f *files) removeRendition(c *planner.RenditionChange) (told string, err error) {
	for i := range c.Prior.Files {
		file := &c.Prior.Files[i]
		switch {
		case f.wanted[file.Path]:
		case f.holds(file.Path, file.SHA256):
			if err := f.dir.Remove(file.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return "", err
			}
		default:
			if _, err := f.dir.Stat(file.Path); err == nil {
				told = fmt.Sprintf("%s is not the file that was made, so that it stays where it is.", file.Path)
			}
		}
	}
	return told, nil
}

// rendition puts the files of a rendition in place and records them.
func (f *files) rendition(c *planner.RenditionChange, of *rendered, r *state.Rendition, content [][]byte) (told string, err error) {
	for i := range r.Files {
		more, err := f.putRendition(of, &r.Files[i], content[i])
		if err != nil {
			return "", err
		}
		told = cmp.Or(told, more)
	}
	// A crash here leaves files without a record. They are made again, byte for byte the same, and
	// found to be there.
	if c.Prior != nil {
		former := *c
		former.Prior = &state.Rendition{Files: slices.DeleteFunc(slices.Clone(c.Prior.Files), func(old state.File) bool {
			return slices.ContainsFunc(r.Files, func(now state.File) bool { return now.Path == old.Path })
		})}
		more, err := f.removeRendition(&former)
		if err != nil {
			return "", err
		}
		told = cmp.Or(told, more)
	}
	err = f.record("the file is there", state.Made{Address: c.Address, Rendition: r})
	if err == nil && c.From != nil {
		err = f.record("the file is there", state.Unmade{Address: *c.From})
	}
	if err != nil {
		return "", err
	}
	return told, nil
}

// putRendition writes a file, unless it is there already. What stands in its place and was not made
// here goes into the store first.
func (f *files) putRendition(of *rendered, file *state.File, content []byte) (told string, err error) {
	if f.holds(file.Path, file.SHA256) {
		return "", nil
	}
	pending, err := f.dir.Create(file.Path, 0o644)
	if err != nil {
		return "", err
	}
	defer pending.Abort()
	if _, err := pending.Write(content); err != nil {
		return "", err
	}
	if err := pending.Settle(); err != nil {
		return "", err
	}
	if told, err = f.makeWay(of.addr, &state.Image{
		Provider: of.image.Provider, Model: of.image.Model, Fingerprint: of.image.Fingerprint, Request: of.image.Request, Output: *file,
	}, file.Path); err != nil {
		return "", err
	}
	if err := pending.Commit(); err != nil {
		return "", err
	}
	f.remember(*file)
	return told, nil
}

func hashOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}
