package bfl

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Rule names a way in which a request can break what its model asks for.
type Rule string

// The rules.
const (
	RuleMissing    Rule = "missing"    // a required field is absent
	RuleUnknown    Rule = "unknown"    // the model has no such parameter, and the value is no json.RawMessage
	RuleType       Rule = "type"       // the value has another JSON type
	RuleMin        Rule = "min"        // a number is below its range
	RuleMax        Rule = "max"        // a number is above its range
	RuleMultiple   Rule = "multiple"   // an integer is no multiple of what it must be
	RuleEnum       Rule = "enum"       // a string is none of those allowed
	RuleRatio      Rule = "ratio"      // a string is no ratio between 21:9 and 9:21
	RulePixels     Rule = "pixels"     // width x height is too large
	RuleReferences Rule = "references" // too many references, or too few
	RuleRole       Rule = "role"       // an image of a role is missing
	RuleMask       Rule = "mask"       // the model takes no mask, or needs one
	RuleExtent     Rule = "extent"     // an input is too small or too large, or a mask has not its image's size
	RuleURL        Rule = "url"        // the field takes Base64 only
)

// Violation is one rule broken by one field of a request.
type Violation struct {
	Rule Rule
	// Field is the parameter or input field at fault.
	Field string
	// Param describes the field where it is a parameter of the model.
	Param *Param
	// Reason says what is wrong and what would be right, as full sentences that can follow a
	// summary.
	Reason string
}

// violations are those found so far.
type violations []Violation

func (v *violations) add(rule Rule, field, format string, args ...any) {
	*v = append(*v, Violation{rule, field, nil, fmt.Sprintf(format, args...)})
}

// Argument is the value of one parameter of a request.
type Argument struct {
	Name string
	// Value is a string, bool, int64, float64 or, for fields that the catalogue does not know, a
	// json.RawMessage. It is nil for an argument that is given but whose value is known only later;
	// Check leaves those alone.
	Value any
}

// Input is an image that travels in a request.
type Input struct {
	// Field is the request's field for it. A mask's is "mask", whether or not the model takes one;
	// references beyond those that the model has fields for have any other name.
	Field string
	// URL is set for an input that the API fetches itself.
	URL string
	// SHA256 is the content's hash in hexadecimal, for all other inputs. It is "" while the content
	// is known only later.
	SHA256 string
	// Size is the image's extent in pixels, zero where it is not known: of a URL, and of what is
	// known only later.
	Size Size
}

// Request is what one task is asked to do, with inputs by hash rather than by content. It says
// neither where the answer goes nor who pays for it.
type Request struct {
	Model *Model
	// Arguments are sorted by name, without duplicates.
	Arguments []Argument
	// Inputs are in the order of the model's fields.
	Inputs []Input
}

// SortArguments brings arguments into the order that a Request keeps them in.
func SortArguments(args []Argument) {
	slices.SortFunc(args, func(a, b Argument) int { return strings.Compare(a.Name, b.Name) })
}

// Value returns the value of an argument, nil if it is absent or not known yet.
func (r *Request) Value(name string) any {
	for i := range r.Arguments { // They are few, and are asked for often.
		if r.Arguments[i].Name == name {
			return r.Arguments[i].Value
		}
	}
	return nil
}

// Has reports whether an argument is given, known or not.
func (r *Request) Has(name string) bool {
	for i := range r.Arguments {
		if r.Arguments[i].Name == name {
			return true
		}
	}
	return false
}

// Check holds the request against its model's rules and returns what breaks them: what is missing,
// then the rest in the order of the arguments, then the inputs. A custom model has no rules but the
// number of its reference fields.
func (r *Request) Check() []Violation {
	var broken violations
	for i := range r.Model.Params {
		if p := &r.Model.Params[i]; p.Required && !r.Has(p.Name) {
			broken = append(broken, Violation{
				RuleMissing, p.Name, p, fmt.Sprintf("%s needs the argument %s.", r.Model.Name, p.Name),
			})
		}
	}
	listed := r.isListedSize()
	for _, a := range r.Arguments {
		if r.Model.Custom && !r.Model.Takes(a.Name) {
			broken.add(RuleUnknown, a.Name, "%s", r.Model.lacks(a.Name))
		}
		if a.Value == nil || r.Model.Custom {
			continue
		}
		p := r.Model.Param(a.Name)
		if p == nil {
			// Fields that the catalogue has not heard of are raw JSON, and go to the API unchecked.
			if _, ok := a.Value.(json.RawMessage); !ok {
				broken.add(RuleUnknown, a.Name, "%s has no parameter %s. It has %s.", r.Model.Name, a.Name, strings.Join(r.Model.paramNames(), ", "))
			}
			continue
		}
		v := p.Check(a.Value)
		if v == nil || v.Rule == RuleMultiple && listed {
			continue
		}
		broken = append(broken, *v)
	}
	if v := r.checkPixels(); v != nil && len(broken) == 0 {
		broken = append(broken, *v)
	}
	r.checkInputs(&broken)
	return broken
}

func (m *Model) paramNames() []string {
	names := make([]string, len(m.Params))
	for i, p := range m.Params {
		names[i] = p.Name
	}
	return names
}

// lacks says that a model which a configuration declares does not take a parameter.
func (m *Model) lacks(name string) string {
	if m.NoSeed && name == "seed" {
		return m.Name + " does not support seed, as its model block says."
	}
	return fmt.Sprintf("%s does not support %s. Its model block lists %s.", m.Name, name, strings.Join(m.Fields, ", "))
}

// Size returns the width and height that the request asks for; a side that it leaves to the API, or
// that is known only later, is 0.
func (r *Request) Size() Size {
	width, _ := r.Value("width").(int64)
	height, _ := r.Value("height").(int64)
	return Size{int(width), int(height)}
}

// isListedSize reports whether the size asked for is one that the API takes as an exception.
func (r *Request) isListedSize() bool {
	return len(r.Model.Sizes) > 0 && slices.Contains(r.Model.Sizes, r.Size())
}

func (r *Request) checkPixels() *Violation {
	size, most := r.Size(), r.Model.MaxPixels
	if most == 0 || size.Width <= 0 || size.Height <= 0 || size.Width <= most/size.Height {
		return nil
	}
	fit := r.Model.largest(size)
	return &Violation{RulePixels, "width", r.Model.Param("width"), fmt.Sprintf(
		"%d x %d is %.2f megapixels, but %s makes at most %s megapixels (%d pixels). Use %d x %d, the largest size of about this shape.",
		size.Width, size.Height, float64(size.Width)*float64(size.Height)/pixelsPerMegapixel, r.Model.Name,
		number(float64(most)/pixelsPerMegapixel), most, fit.Width, fit.Height,
	)}
}

// largest returns the largest size that the model makes of about the shape given.
func (m *Model) largest(shape Size) Size {
	step, least := 1, 1
	if p := m.Param("width"); p != nil {
		step, least = max(p.MultipleOf, 1), max(int(p.Min), 1)
	}
	shrink := math.Sqrt(float64(m.MaxPixels) / (float64(shape.Width) * float64(shape.Height)))
	// No side is so long that the other would be shorter than the least.
	most := m.MaxPixels / least / step * step
	fit := func(side int) int { return min(max(int(float64(side)*shrink)/step*step, least), most) }
	size := Size{fit(shape.Width), fit(shape.Height)}
	// A side that had to be lengthened to the least shortens the other.
	size.Width = min(size.Width, m.MaxPixels/size.Height/step*step)
	size.Height = min(size.Height, m.MaxPixels/size.Width/step*step)
	return size
}

func (r *Request) checkInputs(broken *violations) {
	in := r.Model.Inputs
	references := 0
	for _, input := range r.Inputs {
		if in.NoURL && input.URL != "" {
			broken.add(RuleURL, input.Field, "%s takes images as files only. Download the image and name the file.",
				r.Model.Name)
		}
		switch {
		case r.Model.IsReference(input.Field):
			references++
		case input.Field != "mask":
		case in.Mask == "" && !r.Model.Custom:
			broken.add(RuleMask, input.Field, "%s does not support a mask.", r.Model.Name)
		}
	}
	fills := func(field string) bool {
		return slices.ContainsFunc(r.Inputs, func(input Input) bool { return input.Field == field })
	}
	for _, role := range in.Roles {
		if !fills(role) {
			broken.add(RuleRole, role, "%s needs %s. Give it in inputs, as in inputs = { %s = %q }.", r.Model.Name, role, role, role+".png")
		}
	}
	if in.MaskRequired && !fills(in.Mask) {
		broken.add(RuleMask, in.Mask, "%s needs a mask, which is white where the image is to change.", r.Model.Name)
	}
	switch {
	case references < in.Required && len(in.References) > 1 && in.Required > 1:
		broken.add(RuleReferences, in.References[0], "%s needs at least %s, but there %s. Give them in references.", r.Model.Name, count(in.Required, "image"), isOrAre(references))
	case references < in.Required:
		broken.add(RuleReferences, in.References[0], "%s needs an image to work on. Give it in references.", r.Model.Name)
	case references > len(in.References) && len(in.References) == 0:
		broken.add(RuleReferences, "", "%s does not support references.", r.Model.Name)
	case references > len(in.References):
		broken.add(RuleReferences, in.References[0], "%s takes at most %s, but there are %d.", r.Model.Name, count(len(in.References), "reference"), references)
	}
}

func isOrAre(n int) string {
	if n == 1 {
		return "is 1"
	}
	return fmt.Sprintf("are %d", n)
}

func number(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func quoted(words []string) string {
	q := make([]string, len(words))
	for i, w := range words {
		q[i] = strconv.Quote(w)
	}
	if last := len(q) - 1; last > 0 {
		return strings.Join(q[:last], ", ") + " or " + q[last]
	}
	return strings.Join(q, "")
}
