package bfl

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Sides and areas that models aim at when a request does not say all of the size.
const (
	defaultSide = 1024
	defaultStep = 16
	shapedArea  = pixelsPerMegapixel     // of an aspect_ratio
	ultraArea   = 4 * pixelsPerMegapixel // of models that have no other way to say a size
	// maxSide bounds what is reckoned with. Nothing comes near it, and areas stay within an int.
	maxSide = 1 << 30
)

// OutputSize returns the extent that the image will have. It reports false where something is not
// known that the extent depends on, which is then as if it were not there:
//
//   - for fill it is the image's size, for expand that of the image and its margins;
//   - a resolution, where the model has one, gives the area, and aspect_ratio or the first reference the shape;
//   - a model that has neither sides nor a shape follows its first input, as with a side that is left;
//   - what width and height say holds, with the model's default for a side that is absent;
//   - an aspect_ratio, where the model has one, gives a side that is left: the multiples nearest to it at 1 megapixel, at 4 for models that have nothing else; without one the
//     first reference gives the shape;
//   - else such a side is the first reference's, rounded to a multiple, and shrunk with the other where both are left and would be more than the model makes;
//   - or 1024.
//
// It is the one rule for estimates and for the simulator's charges. The API's own answer corrects
// both.
func (r *Request) OutputSize() (size Size, known bool) {
	model := r.Model
	reference, known := r.firstReference()
	switch {
	case model.Param("top") != nil:
		left, leftKnown := r.whole("left")
		right, rightKnown := r.whole("right")
		top, topKnown := r.whole("top")
		bottom, bottomKnown := r.whole("bottom")
		return Size{reference.Width + left + right, reference.Height + top + bottom}, known && leftKnown && rightKnown && topKnown && bottomKnown
	case model.Inputs.Mask != "":
		return reference, known
	case model.Param("resolution") != nil:
		return r.resolutionSize(reference, known)
	case model.Param("width") == nil && model.Param("aspect_ratio") == nil && !model.Custom:
		return model.naturalSize(reference), known
	case model.Param("width") == nil && !model.Custom:
		ratio, ratioKnown := r.ratio(Size{16, 9})
		return ofRatio(ratio, ultraArea, 2*defaultStep), ratioKnown
	}
	width, widthKnown := r.whole("width")
	height, heightKnown := r.whole("height")
	if !widthKnown || !heightKnown {
		known = false
	}
	if width > 0 && height > 0 {
		return Size{width, height}, widthKnown && heightKnown
	}
	natural := model.naturalSize(reference)
	if model.Param("aspect_ratio") != nil || model.Custom {
		ratio, ratioKnown := r.ratio(reference)
		natural = ofRatio(ratio, shapedArea, defaultStep)
		if r.Has("aspect_ratio") {
			known = ratioKnown && widthKnown && heightKnown
		}
	}
	if width > 0 {
		natural.Width = width
	}
	if height > 0 {
		natural.Height = height
	}
	return natural, known
}

// resolutionAreas are the areas that the values of resolution stand for; the sides follow the
// aspect_ratio.
var resolutionAreas = map[string]int{
	"768sq": 768 * 768, "1k": 1024 * 1024, "1.5k": 1536 * 1536, "2k": 2048 * 2048, "4k": 4096 * 4096,
}

// resolutionSize is OutputSize for models that have a resolution: an area of that, in the shape
// that aspect_ratio says or, with "auto", in that of the first reference.
func (r *Request) resolutionSize(reference Size, known bool) (Size, bool) {
	ratio, ratioKnown := r.ratio(reference)
	if text, ok := r.decisive("aspect_ratio"); ok && text != autoRatio {
		known = true
	}
	resolution, resolutionKnown := r.decisive("resolution")
	area, ok := resolutionAreas[resolution]
	if !ok {
		area, resolutionKnown = shapedArea, false
	}
	return ofRatio(ratio, area, defaultStep), known && ratioKnown && resolutionKnown
}

// autoRatio leaves the shape to the model.
const autoRatio = "auto"

// firstReference returns the extent of the first input that is no mask, and whether it is known or
// there is none.
func (r *Request) firstReference() (Size, bool) {
	i := slices.IndexFunc(r.Inputs, func(in Input) bool { return in.Field != "mask" })
	if i < 0 {
		return Size{}, true
	}
	size := r.Inputs[i].Size
	if size.Width <= 0 || size.Height <= 0 {
		return Size{}, false
	}
	return Size{min(size.Width, maxSide), min(size.Height, maxSide)}, true
}

// whole returns an argument in pixels, or what it is by default, 0 where it is neither given nor
// defaulted. It reports false for one that is known only later.
func (r *Request) whole(name string) (n int, known bool) {
	var value float64
	switch v := r.Value(name).(type) {
	case int64:
		value = float64(v)
	case float64:
		value = v
	case json.RawMessage:
		value, _ = jsonNumber(v)
	default:
		if r.Has(name) {
			return 0, false
		}
		if p := r.Model.Param(name); p != nil {
			n, _ = p.Default.(int)
		}
		return n, true
	}
	if !(value > 0) {
		return 0, true
	}
	return int(min(value, maxSide)), true
}

// naturalSize is the size of an image made from a reference when none is asked for.
func (m *Model) naturalSize(reference Size) Size {
	if reference.Width <= 0 || reference.Height <= 0 {
		return Size{defaultSide, defaultSide}
	}
	step, most := defaultStep, m.MaxPixels
	if p := m.Param("width"); p != nil && p.MultipleOf > 0 {
		step = p.MultipleOf
	}
	if most == 0 {
		most = maxPixels
	}
	w, h := float64(reference.Width), float64(reference.Height)
	size := Size{toMultiple(w, step), toMultiple(h, step)}
	if size.Width <= most/size.Height {
		return size
	}
	// Rounded down, since one line above the limit is charged as a further megapixel.
	shrink := min(math.Sqrt(float64(most)/(w*h)), 1)
	half := float64(step) / 2
	return Size{toMultiple(w*shrink-half, step), toMultiple(h*shrink-half, step)}
}

// ratio returns width / height as aspect_ratio says, or else as that of a size, or 1. It reports
// false where it is known only later.
func (r *Request) ratio(otherwise Size) (float64, bool) {
	value := r.Value("aspect_ratio")
	text, _ := value.(string)
	if raw, ok := value.(json.RawMessage); ok {
		text = jsonText(raw)
	}
	known := value != nil || !r.Has("aspect_ratio")
	if text == "" || text == autoRatio {
		if otherwise.Width <= 0 || otherwise.Height <= 0 {
			return 1, known
		}
		return float64(otherwise.Width) / float64(otherwise.Height), known
	}
	w, h, _ := strings.Cut(text, ":")
	width, err1 := strconv.ParseFloat(w, 64)
	height, err2 := strconv.ParseFloat(h, 64)
	if err1 != nil || err2 != nil || !(width > 0) || !(height > 0) {
		return 1, known
	}
	return width / height, known
}

func ofRatio(ratio float64, area, step int) Size {
	// A reference may be a narrow strip; what is made from it is no narrower than an aspect_ratio
	// can say.
	ratio = min(max(ratio, 9.0/21), 21.0/9)
	h := math.Sqrt(float64(area) / ratio)
	return Size{toMultiple(h*ratio, step), toMultiple(h, step)}
}

func toMultiple(n float64, step int) int {
	return max(int(math.Round(n/float64(step)))*step, 4*defaultStep)
}
