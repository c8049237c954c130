package planner

import (
	"cmp"
	"slices"
	"unsafe"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/state"
)

// decision is a change in the making: the plan's value, and beside it what only the planning needs to know.
type decision struct {
	Change

	// size is the extent that the picture has or is expected to have, and shown the record of the one
	// that will be there, nil where there is none yet.
	size  bfl.Size
	shown *state.Image
	// file is how the image's file is now.
	file state.FileStatus
	// spare says that nothing is lost when its file is gone.
	spare bool
	// edited says that somebody's work alone keeps the image as it is, and not its block.
	edited bool
	// left says that the plan is limited to other images.
	left bool
	// unread says that nobody asks for its result.
	unread bool
}

// decisions is how many decisions take one allocation; see config's imagesPiece.
const decisions = int(32 << 10 / unsafe.Sizeof(decision{}))

// content is the identity of the picture that will be there, "" when the image is made anew: what
// images downstream need to know.
func (c *decision) content() string {
	switch {
	case c.shown != nil:
		return c.shown.Output.Identity()
	case c.Import() != nil:
		return cmp.Or(c.Import().Content, c.Import().SHA256)
	default:
		return ""
	}
}

// begin returns a decision about an address that is not made yet.
func (p *Planner) begin(addr addrs.Image) *decision {
	c := p.again
	if p.again = nil; c == nil {
		if len(p.room) == 0 {
			p.room = make([]decision, decisions)
		}
		c = &p.room[0]
		p.room = p.room[1:]
	}
	c.Address, c.known = addr, p.opts.Prior
	c.Prior, p.place = p.find(addr)
	return c
}

// find returns the image that exists at an address, nil where none does, and where the state has
// it.
func (p *Planner) find(addr addrs.Image) (*state.Image, state.Ref) {
	place, ok := p.prior.finder.Find(addr)
	if !ok {
		return nil, state.Ref{}
	}
	p.read = p.record
	if p.record = nil; p.read == nil {
		p.read = new(state.Room)
	}
	return place.Read(p.read), place
}

// change returns what was decided on a desired image, nil where nothing was yet.
func (p *Planner) change(addr addrs.Image) *decision {
	for ; p.indexed < len(p.decided); p.indexed++ {
		c := p.decided[p.indexed]
		p.index[c.Address] = c
	}
	c := p.index[addr]
	if c == nil && p.unchanged.Len() > 0 {
		if c = p.remembered(addr); c != nil {
			p.index[addr] = c
		}
	}
	return c
}

// leave answers for an image that the plan does not touch.
func (p *Planner) leave(c *decision) *image.Result {
	c.Action, c.left = NoOp, true
	if c.Prior == nil || p.prior.files[c.Address] != state.Present {
		return nil
	}
	return c.keep(c.Prior)
}

// keep answers for an image that exists and whose content stays as it is.
func (c *decision) keep(img *state.Image) *image.Result {
	c.size, c.shown = img.Output.Size(), img
	if c.unread {
		return nil
	}
	return img.Exports()
}

// push appends to a list that may have a million elements. Where append finds no room in a large one,
// it makes a quarter more, so that all that it has made in the end is five times the list.
func push[T any](list []T, element T) []T {
	if len(list) == cap(list) {
		list = slices.Grow(list, max(piece, len(list)))
	}
	return append(list, element)
}
