package config

import (
	"cmp"
	"maps"
	"runtime"
	"slices"
	"sync/atomic"

	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/image"
)

// The instances of a large block are built ahead, by as many helpers as there are processors, while
// the planner decides on them one by one. A helper is a builder like any other, on copies of all
// that building changes. What it builds counts only where building had no other effect: an instance
// about which there is anything to say, or whose file is taken, is built again where it would have
// been without helpers. So all is as if there were none, whatever their number and speed.

const (
	// aheadLeast is how many instances are worth helpers.
	aheadLeast = 2048
	// aheadPiece is how many instances a helper builds in one go.
	aheadPiece = 256
	// aheadFutile is how many instances may have to be built again before helpers give up.
	aheadFutile = 1024
)

// ahead has the instances of a block that are built ahead.
type ahead struct {
	block *builder
	// rows is how many there are, and pieces have the images in their order, nil for those to build again. A piece is there
	// when its channel is closed.
	rows   int
	pieces []builtPiece
	// size is how many instances a piece has.
	size   int
	next   atomic.Int64
	futile atomic.Int64
	// room bounds how far helpers are ahead.
	room chan struct{}
	// spent has pieces whose instances were all asked for, with those images in them whose memory
	// may be used again.
	spent chan []*image.Image
}

type builtPiece struct {
	images []*image.Image
	built  chan struct{}
}

// runsAhead reports whether a block's instances can be built by helpers: all that differs between
// them are columns, and nothing about them is looked up elsewhere.
func (d *builder) runsAhead() bool {
	if d.columns == nil || d.b.weave != nil || d.b.sized || d.b.tainted || len(d.b.gates)+len(d.b.renditions) > 0 ||
		d.expansion.len() < cmp.Or(d.e.opts.ahead, aheadLeast) || runtime.GOMAXPROCS(0) == 1 {
		return false
	}
	c := d.b.lifecycle
	if c.preventDestroy != nil || c.frozen != nil || c.requirePick != nil || len(c.triggers)+len(c.preconditions) > 0 {
		return false
	}
	for i := range d.b.args {
		if arg := &d.b.args[i]; takesImages(arg.Name) || arg.perInstance && d.columns[i] == nil {
			return false
		}
	}
	return true
}

// start has helpers build all instances but the first, from which they take what is the same for
// all. They end when all have been asked for.
func (a *ahead) start() {
	d := a.block
	a.rows = d.expansion.len() - 1
	a.size = cmp.Or(d.e.opts.ahead, aheadPiece)
	a.pieces = make([]builtPiece, (a.rows+a.size-1)/a.size)
	for i := range a.pieces {
		a.pieces[i].built = make(chan struct{})
	}
	helpers := runtime.GOMAXPROCS(0)
	a.room = make(chan struct{}, 4*helpers)
	a.spent = make(chan []*image.Image, 4*helpers)
	for range helpers {
		helper := d.helper()
		go a.help(helper)
	}
}

// helper returns a builder that can be used at the same time as d.
func (d *builder) helper() *builder {
	h, e, b := *d, *d.e, *d.b
	h.e, h.b, h.isHelper = &e, &b, true
	h.values, h.child, h.hoists = slices.Clone(d.values), nil, nil
	e.requested, e.spare, e.labelSets, e.advised = nil, nil, map[string]map[string]string{}, maps.Clone(e.advised)
	e.collector, e.notes = &collector{earlier: d.e.earlier}, diag.NewTally(noteKinds)
	h.images, h.room, h.again, h.doubted = nil, nil, nil, nil
	return &h
}

// help builds pieces until there are no more.
func (a *ahead) help(h *builder) {
	for {
		a.room <- struct{}{}
		at := int(a.next.Add(1)) - 1
		if at >= len(a.pieces) {
			<-a.room
			return
		}
		p := &a.pieces[at]
		if a.futile.Load() < aheadFutile {
			p.images = h.buildAll(a.memory(), at*a.size+1, min(a.size, a.rows-at*a.size))
		}
		close(p.built)
	}
}

// memory returns a piece to build images in: one that was there before, if there is any.
func (a *ahead) memory() []*image.Image {
	select {
	case images := <-a.spent:
		return images
	default:
		return make([]*image.Image, a.size)
	}
}

// buildAll builds as many instances as there are rows, from the nth on, in the place of images that nobody needs any more,
// and leaves out those that there is anything to say about.
func (d *builder) buildAll(images []*image.Image, n, rows int) []*image.Image {
	for i := range rows {
		d.unsure, d.again = false, images[i]
		images[i] = d.instance(n+i, d.expansion.at(n+i))
		if d.unsure || len(d.e.diags) > 0 || !d.e.notes.Empty() {
			d.e.collector, d.e.notes = &collector{earlier: d.e.earlier}, diag.NewTally(noteKinds)
			images[i] = nil
		}
	}
	return images
}

// instance returns the nth instance of the block, as builder.instance does. It has to be asked for
// each in turn.
func (a *ahead) instance(n int) *image.Image {
	d := a.block
	if n == 0 || a.pieces == nil {
		img := d.instance(n, d.expansion.at(n))
		if n == 0 && img != nil && d.runsAhead() {
			a.start()
		}
		return img
	}
	p, at := &a.pieces[(n-1)/a.size], (n-1)%a.size
	if at == 0 && n > 1 {
		a.finish(&a.pieces[(n-1)/a.size-1])
	}
	<-p.built
	var img *image.Image
	if p.images != nil {
		img, p.images[at] = p.images[at], nil
	}
	if img == nil || !d.e.paths.take(claim{d.outputs(), n}, img.Output, func(...*hcl.Diagnostic) {}) {
		a.futile.Add(1)
		img = d.instance(n, d.expansion.at(n))
	}
	if n == a.rows {
		a.finish(p)
	}
	return img
}

// release takes the memory of the nth image back, which nobody needs any more. It has to be the one
// that instance returned last.
func (a *ahead) release(n int, img *image.Image) {
	if n > 0 && a.pieces != nil {
		if p := &a.pieces[(n-1)/a.size]; p.images != nil {
			p.images[(n-1)%a.size] = img
			return
		}
	}
	a.block.again = img
}

// finish leaves a piece whose instances were all asked for.
func (a *ahead) finish(p *builtPiece) {
	if p.images != nil {
		select {
		case a.spent <- p.images:
		default:
		}
	}
	p.images = nil
	<-a.room
}

// claim notes that the image in the making is written to its output, and reports a clash. Helpers
// leave that to whoever asked for their help.
func (d *builder) claim(img *image.Image) bool {
	return d.isHelper || d.e.paths.take(claim{d.outputs(), d.n}, img.Output, d.report)
}

// outputs returns what has the files of the block's images written.
func (d *builder) outputs() *maker {
	if at := d.claimedAt(); d.writes == nil || d.writes.at != at {
		d.writes = d.maker(at)
	}
	return d.writes
}

func (d *builder) maker(at *hcl.Range) *maker {
	return &maker{at: at, block: addrs.Image{Module: d.s.addr, Name: d.b.key}, expansion: d.expansion}
}

// claimedAt returns where the files of a block's instances are named.
func (d *builder) claimedAt() *hcl.Range {
	if d.outputRange != nil {
		return d.outputRange
	}
	return &d.b.at
}
