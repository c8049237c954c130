package bfl

import "fmt"

// SizeFor returns the smallest size that the model makes and that covers width x height, so that it can be
// cut to exactly that. The error says, in a sentence, why there is none.
func (m *Model) SizeFor(width, height int) (Size, error) {
	if m.Param("width") == nil || m.Param("height") == nil {
		return Size{}, fmt.Errorf("%s is not asked for by width and height", m.Name)
	}
	if asked := (Size{width, height}); len(sizeOnly(m, asked).Check()) == 0 {
		return asked, nil
	}
	size := Size{m.Param("width").cover(width), m.Param("height").cover(height)}
	if broken := sizeOnly(m, size).Check(); len(broken) > 0 {
		fit := m.largest(size)
		if m.MaxPixels == 0 {
			return Size{}, fmt.Errorf("%s makes no size that covers %d x %d. %s", m.Name, width, height, broken[0].Reason)
		}
		return Size{}, fmt.Errorf("%s makes no size that covers %d x %d. Make it %d x %d, the largest of about this shape, and enlarge that in a rendition",
			m.Name, width, height, fit.Width, fit.Height)
	}
	return size, nil
}

// cover returns the least value that the parameter allows and that is no less than n.
func (p *Param) cover(n int) int {
	step := max(p.MultipleOf, 1)
	return max((n+step-1)/step*step, int(p.Min))
}

// sizeOnly is a request that can only be wrong in its size.
func sizeOnly(m *Model, size Size) *Request {
	bare := *m
	bare.Params = nil
	for _, p := range m.Params {
		if p.Name == "width" || p.Name == "height" {
			bare.Params = append(bare.Params, p)
		}
	}
	bare.Inputs = Inputs{}
	return &Request{Model: &bare, Arguments: []Argument{{Name: "height", Value: int64(size.Height)}, {Name: "width", Value: int64(size.Width)}}}
}
