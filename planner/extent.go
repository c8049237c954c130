package planner

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
)

// extents refuses to ask for an image whose inputs the model does not take, such as a mask that is
// not as large as the picture that it is for, as far as they are images whose extents are certain.
// Of files alone the configuration has said so.
func (p *Planner) extents(c *decision) {
	if c.Origin != Generate || !usesMade(c.Desired) {
		return
	}
	certain := *c.Desired
	certain.References = slices.Clone(certain.References)
	for i := range certain.References {
		r := &certain.References[i]
		if !p.isCertain(r) {
			r.Size = bfl.Size{}
		}
	}
	for _, broken := range certain.Request().CheckExtents() {
		p.diags = append(p.diags, &hcl.Diagnostic{
			Severity: hcl.DiagError,
			Summary:  "Image does not fit the model",
			Detail:   fmt.Sprintf("%s cannot be made by %s. %s", c.Address, c.Desired.Model.Name, broken.Reason),
			Subject:  p.where(c.Address),
		})
	}
}

// isCertain reports whether the extent of a reference is known before apply.
func (p *Planner) isCertain(r *image.Reference) bool {
	if !r.IsImage() || r.Derived != nil && r.Derived.IsExact() {
		return true
	}
	up := p.change(r.Image)
	return up != nil && up.isCertain()
}

// isCertain reports whether the image is there and stays, or is asked for in an extent that the API
// makes exactly.
func (c *decision) isCertain() bool {
	const exact = 16 // The API rounds sides that are no multiple of it.
	if c.content() != "" {
		return true
	}
	return c.Desired != nil && c.Desired.Request().Size() == c.size && c.size.Width > 0 && c.size.Height > 0 && c.size.Width%exact == 0 && c.size.Height%exact == 0
}
