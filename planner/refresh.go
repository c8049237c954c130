package planner

import (
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/state"
)

// RefreshOnly returns the plan that makes the state say what is there: images whose files are gone
// are forgotten, and files that were changed are taken as they are. found has what the changed
// files are now; a changed file that is not in it is no image, and is left alone. So are the files of
// images that were about to have other paths; see underWay.
func (p *Planner) RefreshOnly(found map[addrs.Image]state.File) *Plan {
	var changes []*Change
	moving := p.underWay(found)
	for addr, status := range p.prior.files {
		img := p.prior.images.Get(addr)
		if img == nil || moving[addr] || p.opts.Only != nil && !p.opts.Only[addr] {
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

// underWay returns the images whose files are not theirs, or elsewhere, since a run that was to give
// images each other's paths was cut off: the file at an image's path is another's, by that one's
// record, or by its bytes where that one's own path has others. Nobody changed these files, and the
// next apply brings each image its own.
func (p *Planner) underWay(found map[addrs.Image]state.File) map[addrs.Image]bool {
	strayed := map[string][]addrs.Image{} // by the hash of what is not at its path
	at := map[string][]addrs.Image{}      // by that path
	for addr := range p.prior.files {
		if img := p.prior.images.Get(addr); img != nil {
			strayed[img.Output.SHA256] = append(strayed[img.Output.SHA256], addr)
			at[img.Output.Path] = append(at[img.Output.Path], addr)
		}
	}
	moving := map[addrs.Image]bool{}
	for addr, file := range found {
		for _, of := range strayed[file.SHA256] {
			moving[addr], moving[of] = true, true
		}
	}
	for addr, path := range p.prior.images.Paths() {
		for _, other := range at[path] {
			if other != addr {
				moving[other] = true
			}
		}
	}
	return moving
}
