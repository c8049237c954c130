package planner

import (
	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// estimate returns what a request will cost by the price table. The extent of an image that is made in the same run is known only later, and that of
// one behind a URL never.
func (p *Planner) estimate(img *config.Image, request *bfl.Request) bfl.Quote {
	return request.Quote(p.inputSizes(img))
}

// outputSize returns the extent that the image will have, zero where that cannot be told.
func (p *Planner) outputSize(img *config.Image, request *bfl.Request) bfl.Size {
	size, known := request.OutputSize(p.inputSizes(img))
	if !known {
		return bfl.Size{}
	}
	return size
}

// inputSizes returns the extents of the inputs, zero for those that are not known.
func (p *Planner) inputSizes(img *config.Image) []bfl.Size {
	if len(img.Sources) == 0 {
		return nil
	}
	sizes := make([]bfl.Size, len(img.Sources))
	for i, source := range img.Sources {
		if !source.IsImage {
			sizes[i] = source.Size
		} else if c := p.change(source.Image); c != nil {
			sizes[i] = c.size
		}
	}
	return sizes
}
