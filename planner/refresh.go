package planner

import (
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/state"
)

// RefreshOnly returns the plan that makes the state say what is there: images whose files are gone
// are forgotten, and files that were changed are taken as they are. found has what the changed
// files are now; a changed file that is not in it is no image, and is left alone.
func (p *Planner) RefreshOnly(found map[addrs.Image]state.File) *Plan {
	var changes []*Change
	for addr, status := range p.prior.files {
		img := p.prior.images.Get(addr)
		if img == nil || p.opts.Only != nil && !p.opts.Only[addr] {
			continue
		}
		c := &Change{Address: addr, Prior: img, known: p.opts.Prior}
		p.noteMove(c)
		file, ok := found[addr]
		switch {
		case status == state.Missing:
			c.Action, c.Reasons = Forget, []Reason{{Kind: FileMissing}}
		case ok:
			c.Action, c.Reasons, c.Rare().Found = Update, []Reason{{Kind: FileChanged}}, &file
			c.Rare().Listed = []image.Attribute{{Name: "sha256", Before: img.Output.SHA256, After: file.SHA256}}
		default:
			continue
		}
		changes = append(changes, c)
	}
	return &Plan{Changes: sorted(changes), RefreshOnly: true}
}
