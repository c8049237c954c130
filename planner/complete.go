package planner

import (
	"slices"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
)

// complete puts into a desired image what is known of the images and renditions that it is made
// from: the content of those that stay as they are, and the extent that all have or are expected to
// have.
func (p *Planner) complete(img *image.Image) {
	if !usesMade(img) {
		return
	}
	img.References = slices.Clone(img.References)
	for i := range img.References {
		r := &img.References[i]
		if r.Derived != nil {
			r.SHA256, r.Size = p.derived(r.Derived)
		} else if c := p.change(r.Image); r.IsImage() && c != nil {
			r.SHA256, r.Size = c.content(), c.size
		}
	}
}

// usesMade reports whether an image is made from others, or from renditions.
func usesMade(img *image.Image) bool {
	return slices.ContainsFunc(img.References, func(r image.Reference) bool { return r.IsMade() })
}

// outputSize returns the extent that an image will have, zero where that cannot be told.
func outputSize(img *image.Image) bfl.Size {
	size, known := img.Request().OutputSize()
	if !known {
		return bfl.Size{}
	}
	return size
}
