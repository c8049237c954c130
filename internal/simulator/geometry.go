package simulator

import (
	"math"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// Bounds of what is drawn, in pixels.
const (
	megapixel   = 1024 * 1024
	maxOutput   = 4 * megapixel
	maxExpanded = bfl.MaxInputPixels
)

// size returns the size of the picture that an order makes. It is the rule that estimates go by
// too: a sum that a plan names and the simulator does not charge would be a mistake in one of two
// rules otherwise.
func (o *order) size() bfl.Size {
	size, _ := o.request.OutputSize()
	return size
}

// isTooLarge reports whether the size breaks the model's limit, with one side given as well as with
// both.
func (o *order) isTooLarge() bool {
	if o.model.MaxPixels == 0 {
		return false
	}
	for _, side := range []string{"width", "height"} {
		if _, huge := o.request.Value(side).(float64); huge { // an integer of more than 64 bits
			return true
		}
	}
	size := o.size()
	return size.Height > 0 && size.Width > o.model.MaxPixels/size.Height
}

// megapixels returns pixels as exact megapixels, rounded to two decimals as the API answers them.
func megapixels(pixels int) float64 { return math.Round(float64(pixels)/megapixel*100) / 100 }

// unknownPrice is charged for images of models of which no price is known: the real API does not
// make them for nothing either.
const unknownPrice = bfl.Credits(5_000)

// price returns what an order costs, with the megapixels of its inputs, as the API scales them, and
// of its output.
func (o *order) price() (cost bfl.Credits, inputMP, outputMP float64) {
	pixels := 0
	for _, n := range o.request.BilledPixels() {
		pixels += n
	}
	quote := o.request.Quote()
	cost = quote.Reserve
	if quote.Uncapped {
		cost = unknownPrice
	}
	size := o.size()
	return cost, megapixels(pixels), megapixels(size.Width * size.Height)
}
