package planner

import (
	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// defaultSide is the side of an image for which neither the request nor the model names one.
const defaultSide = 1024

// estimate returns what a request will cost by the price table, and whether that is a lower bound: a size that is known only
// later, or that of an image behind a URL, counts as one megapixel.
func (p *Planner) estimate(img *config.Image, request *bfl.Request) (cost bfl.Credits, atLeast bool) {
	inputs := 0
	for i := range img.Sources {
		size := p.inputSize(img, i)
		if size == (bfl.Size{}) {
			atLeast = true
		}
		inputs += max(bfl.Megapixels(size), 1)
	}
	for _, side := range []string{"width", "height"} {
		atLeast = atLeast || request.Has(side) && request.Value(side) == nil
	}
	price := request.Model.Price
	cost = price.Cost(bfl.Megapixels(p.outputSize(img, request)), inputs)
	return cost, atLeast && price.Image == 0 && price.Further != 0
}

// outputSize returns the extent that the image will have as far as can be told. Sides that are not asked for follow the model's default, the
// first reference, or are 1024.
func (p *Planner) outputSize(img *config.Image, request *bfl.Request) bfl.Size {
	size := request.Size()
	var reference bfl.Size
	if len(img.Sources) > 0 && size == (bfl.Size{}) {
		reference = p.inputSize(img, 0)
	}
	side := func(asked int, name string, reference int) int {
		if asked > 0 {
			return asked
		}
		if param := request.Model.Param(name); param != nil {
			if byDefault, ok := param.Default.(int); ok {
				return byDefault
			}
		}
		if reference > 0 {
			return reference
		}
		return defaultSide
	}
	size = bfl.Size{
		Width:  side(size.Width, "width", reference.Width),
		Height: side(size.Height, "height", reference.Height),
	}
	if most := request.Model.MaxPixels; most > 0 && size.Width*size.Height > most {
		// A reference may be larger than what the model makes; the API then makes its largest.
		return bfl.Size{Width: 2048, Height: most / 2048}
	}
	return size
}

// inputSize returns the extent of the ith input, zero where it is not known.
func (p *Planner) inputSize(img *config.Image, i int) bfl.Size {
	source := img.Sources[i]
	if source.IsImage {
		if c := p.change(source.Image); c != nil {
			return c.size
		}
		return bfl.Size{}
	}
	return source.Size
}
