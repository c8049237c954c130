package simulator

import (
	"math"
	"strconv"
	"strings"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// Areas that models aim at when a request gives a shape but no size.
const (
	megapixel     = 1024 * 1024
	ultraArea     = 4 * megapixel
	kontextArea   = megapixel
	maxOutput     = 4 * megapixel
	maxExpanded   = bfl.MaxInputPixels
	defaultSide   = 1024
	defaultFactor = 16
)

// size returns the size of the picture that an order makes:
//
//   - what width and height say, with the model's default for a side that is absent;
//   - for fill the image's size, for expand the image and its margins;
//   - for an aspect_ratio the multiples of 16 nearest to it at 1 megapixel, of 32 at 4 megapixels for ultra;
//   - else the first reference's, rounded to 16 and shrunk to what the model makes; 1024 x 1024 without one.
func (o *order) size() bfl.Size {
	var reference bfl.Size
	if len(o.inputs) > 0 {
		reference = o.inputs[0].size
	}
	switch {
	case o.model.Param("top") != nil:
		return bfl.Size{
			Width:  reference.Width + o.whole("left") + o.whole("right"),
			Height: reference.Height + o.whole("top") + o.whole("bottom"),
		}
	case o.model.Inputs.Mask != "":
		return reference
	case o.model.Param("width") == nil:
		return ofRatio(o.ratio("16:9"), ultraArea, 2*defaultFactor)
	}
	asked := bfl.Size{Width: o.whole("width"), Height: o.whole("height")}
	if asked.Width > 0 && asked.Height > 0 {
		return asked
	}
	natural := naturalSize(reference)
	if o.model.Param("aspect_ratio") != nil {
		natural = ofRatio(o.ratio(ratioOf(reference)), kontextArea, defaultFactor)
	}
	if asked.Width > 0 {
		natural.Width = asked.Width
	}
	if asked.Height > 0 {
		natural.Height = asked.Height
	}
	return natural
}

// isTooLarge reports whether the size breaks the model's limit, with one side given as well as with both.
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

// naturalSize is the size of an image made from a reference when none is asked for.
func naturalSize(reference bfl.Size) bfl.Size {
	if reference.Width <= 0 || reference.Height <= 0 {
		return bfl.Size{Width: defaultSide, Height: defaultSide}
	}
	w, h := float64(reference.Width), float64(reference.Height)
	size := bfl.Size{Width: toMultiple(w, defaultFactor), Height: toMultiple(h, defaultFactor)}
	if size.Width*size.Height <= maxOutput {
		return size
	}
	// Rounded down, since one line above the limit is charged as a fifth megapixel.
	shrink := min(math.Sqrt(maxOutput/(w*h)), 1)
	return bfl.Size{
		Width:  toMultiple(w*shrink-defaultFactor/2, defaultFactor),
		Height: toMultiple(h*shrink-defaultFactor/2, defaultFactor),
	}
}

// ratio returns width / height as aspect_ratio says, or else as the other string does.
func (o *order) ratio(otherwise string) float64 {
	s := o.text("aspect_ratio")
	if s == "" {
		s = otherwise
	}
	w, h, _ := strings.Cut(s, ":")
	width, err1 := strconv.ParseFloat(w, 64)
	height, err2 := strconv.ParseFloat(h, 64)
	if err1 != nil || err2 != nil || width <= 0 || height <= 0 {
		return 1
	}
	return width / height
}

func ratioOf(s bfl.Size) string { return strconv.Itoa(s.Width) + ":" + strconv.Itoa(s.Height) }

func ofRatio(ratio float64, area int, factor int) bfl.Size {
	// A reference may be a narrow strip; what is made from it is no narrower than an aspect_ratio can say.
	ratio = min(max(ratio, 9.0/21), 21.0/9)
	h := math.Sqrt(float64(area) / ratio)
	return bfl.Size{Width: toMultiple(h*ratio, factor), Height: toMultiple(h, factor)}
}

func toMultiple(n float64, factor int) int {
	return max(int(math.Round(n/float64(factor)))*factor, 4*defaultFactor)
}

// megapixels returns the exact megapixels of sizes together, rounded to two decimals as the API answers them.
func megapixels(sizes ...bfl.Size) float64 {
	pixels := 0
	for _, s := range sizes {
		pixels += s.Width * s.Height
	}
	return math.Round(float64(pixels)/megapixel*100) / 100
}

// price returns what an order costs, with the megapixels of its inputs and of its output.
func (o *order) price() (cost bfl.Credits, inputMP, outputMP float64) {
	var sizes []bfl.Size
	charged := 0
	for _, in := range o.inputs {
		sizes = append(sizes, in.size)
		charged += bfl.Megapixels(in.size)
	}
	size := o.size()
	return o.model.Price.Cost(bfl.Megapixels(size), charged), megapixels(sizes...), megapixels(size)
}
