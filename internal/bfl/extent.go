package bfl

import (
	"fmt"
	"math"
)

// CheckExtents holds the extents of the request's inputs, as far as they are known, against what
// the model takes: its limits, and a mask against its image.
func (r *Request) CheckExtents() []Violation {
	if len(r.Inputs) == 0 {
		return nil
	}
	var broken violations
	var first Size
	canvas := r.Size()
	crops, _ := r.Value("auto_crop").(bool)
	mustFit := r.Model.Param("auto_crop") != nil && canvas.Width > 0 && canvas.Height > 0 && !crops && !r.isPending("auto_crop")
	for _, in := range r.Inputs {
		if in.Size.Width <= 0 || in.Size.Height <= 0 {
			continue
		}
		if r.Model.Inputs.Mask == "" || in.Field != r.Model.Inputs.Mask {
			if reason := r.Model.Inputs.Limits.refuses(r.Model.Name, in.Size); reason != "" {
				broken.add(RuleExtent, in.Field, "%s", reason)
			}
			if mustFit && (in.Size.Width > canvas.Width || in.Size.Height > canvas.Height) {
				broken.add(RuleExtent, in.Field, "The image has %d x %d pixels and does not fit on a canvas of %d x %d. Make the canvas larger, or set auto_crop = true to cut the image.",
					in.Size.Width, in.Size.Height, canvas.Width, canvas.Height)
			}
			if len(r.Model.Inputs.References) > 0 && in.Field == r.Model.Inputs.References[0] {
				first = in.Size
			}
			continue
		}
		if first != (Size{}) && first != in.Size {
			broken.add(RuleExtent, in.Field, "The mask has %d x %d pixels, but its image has %d x %d. Make the mask that size.",
				in.Size.Width, in.Size.Height, first.Width, first.Height)
		}
	}
	return broken
}

// isPending reports whether an argument is given whose value is known only later.
func (r *Request) isPending(name string) bool { return r.Has(name) && r.Value(name) == nil }

// refuses says why an image of that extent is not taken, "" where it is.
func (l InputLimits) refuses(model string, s Size) string {
	side, longest, pixels := min(s.Width, s.Height), max(s.Width, s.Height), min(s.Width, maxSide)*min(s.Height, maxSide)
	is := fmt.Sprintf("but this one has %d x %d", s.Width, s.Height)
	switch {
	case l.MinSide > 0 && side < l.MinSide:
		return fmt.Sprintf("%s takes images of at least %d x %d pixels, %s. Scale it up.", model, l.MinSide, l.MinSide, is)
	case l.MaxSide > 0 && longest > l.MaxSide:
		return fmt.Sprintf("%s takes images of at most %d pixels a side, %s. Scale it down.", model, l.MaxSide, is)
	case l.MinPixels > 0 && pixels < l.MinPixels:
		return fmt.Sprintf("%s takes images of at least %d pixels, %s, which are %d. Scale it up.", model, l.MinPixels, is, pixels)
	case l.MaxPixels > 0 && pixels > l.MaxPixels:
		return fmt.Sprintf("%s takes images of at most %s megapixels (%d pixels), %s, which are %d. Scale it down.",
			model, number(math.Round(float64(l.MaxPixels)/pixelsPerMegapixel*100)/100), l.MaxPixels, is, pixels)
	}
	return ""
}
