package executor

import (
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/state"
)

// placing is what it takes to give an address a picture that is in the store, or stands at another
// address.
type placing struct {
	files   *files
	addr    addrs.Image
	prior   *state.Image // what the address has now, or nil
	desired *image.Image
	kept    *state.Image
}

// run puts the picture in place and records it. Nothing that is there goes away before the copy
// that replaces it is whole.
func (p placing) run() (img *state.Image, told string, err error) {
	f := p.files
	img = p.kept.Updated(p.desired)
	path := img.Output.Path
	isThere := f.holds(path, img.Output.SHA256)
	if !isThere {
		if told, err = p.copy(img); err != nil {
			return nil, "", err
		}
	}
	// A crash here leaves the image at its path without a record of it. The next plan finds it
	// there. Where it was moved there by hand, what is at its former path is none of ours, unless
	// it is a copy.
	if p.prior != nil && (!isThere || f.holds(p.prior.Output.Path, p.prior.Output.SHA256)) {
		if err := f.retire(p.addr, p.prior, path); err != nil {
			return nil, "", err
		}
	}
	return img, told, f.record("the image is in place", state.Stored{Address: p.addr, Image: img})
}

func (p placing) copy(img *state.Image) (told string, err error) {
	f := p.files
	if !f.store.Whole(img.Output.SHA256) {
		if err := f.keep(p.addr, p.kept); err != nil {
			return "", err
		}
	}
	pending, err := f.store.Take(img.Output.SHA256, f.dir, img.Output.Path)
	if err != nil {
		return "", err
	}
	defer pending.Abort()
	if told, err = f.makeWay(p.addr, img, img.Output.Path); err != nil {
		return "", err
	}
	if err := pending.Commit(); err != nil {
		return "", err
	}
	f.remember(img.Output)
	return told, nil
}
