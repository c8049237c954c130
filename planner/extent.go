package planner

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// extents refuses to ask for an image whose inputs the model does not take, such as a mask that is not as large as the picture that it is for, as far as
// they are images whose extents are certain. Of files alone the configuration has said so.
func (p *Planner) extents(c *Change) {
	isImage := func(s config.Source) bool { return s.IsImage }
	if c.Origin != Generate || !slices.ContainsFunc(c.Desired.Sources, isImage) {
		return
	}
	sizes := make([]bfl.Size, len(c.Desired.Sources))
	for i, source := range c.Desired.Sources {
		sizes[i] = source.Size
		if up := p.change(source.Image); source.IsImage && up != nil && up.isCertain() {
			sizes[i] = up.size
		}
	}
	for _, broken := range c.Request.CheckExtents(sizes) {
		at := slices.IndexFunc(c.Request.Inputs, func(in bfl.Input) bool { return in.Field == broken.Field })
		if at < 0 || at >= len(sizes) || sizes[at] == (bfl.Size{}) {
			continue
		}
		p.diags = append(p.diags, &hcl.Diagnostic{
			Severity: hcl.DiagError,
			Summary:  "Image does not fit the model",
			Detail:   fmt.Sprintf("%s cannot be made by %s. %s", c.Address, c.Request.Model.Name, broken.Reason),
			Subject:  c.Desired.Range.Ptr(),
		})
	}
}

// isCertain reports whether the image is there and stays, or is asked for in an extent that the API makes exactly.
func (c *Change) isCertain() bool {
	const exact = 16 // The API rounds sides that are no multiple of it.
	if c.content != "" {
		return true
	}
	asked := c.Request
	return asked != nil && asked.Size() == c.size && c.size.Width > 0 && c.size.Height > 0 && c.size.Width%exact == 0 && c.size.Height%exact == 0
}
