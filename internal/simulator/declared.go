package simulator

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// declared returns what a model that is not in the catalogue is taken to be: nothing is known of
// its parameters, so that it has those that most models have, all of them optional, and of all
// other fields nothing is said. Where references go and what an image costs is as declared.
func declared(m *bfl.Model) *bfl.Model {
	known := *m
	known.Params = slices.DeleteFunc(slices.Clone(declaredParams), func(p bfl.Param) bool { return !m.Takes(p.Name) })
	return &known
}

var declaredParams = []bfl.Param{
	{Name: "prompt", Kind: bfl.String, Nullable: true},
	{Name: "width", Kind: bfl.Integer, Nullable: true},
	{Name: "height", Kind: bfl.Integer, Nullable: true},
	{Name: "aspect_ratio", Kind: bfl.String, Nullable: true},
	{Name: "seed", Kind: bfl.Integer, Nullable: true},
	{Name: "output_format", Kind: bfl.String, Nullable: true},
}

// checkDeclared makes sure that a picture can be drawn, since the request's own check leaves
// declared models alone.
func (r *orderReader) checkDeclared() {
	if !r.order.model.Custom || len(r.errs) > 0 {
		return
	}
	for _, side := range []string{"width", "height"} {
		if v := r.order.request.Value(side); v != nil && (r.order.whole(side) < 1 || r.order.whole(side) > maxOutput) {
			r.fail(valueError(side, fmt.Sprintf("an image has from 1 to %d pixels", maxOutput), r.fields[side]))
		}
	}
	switch r.order.format() {
	case "jpeg", "png", "webp":
	default:
		r.fail(valueError("output_format", "the format is none of jpeg, png and webp", r.fields["output_format"]))
	}
	if size := r.order.size(); len(r.errs) == 0 && size.Width > maxOutput/size.Height {
		r.fail(valueError("", fmt.Sprintf("the image would have more than %d pixels", maxOutput), nil))
	}
}

// list reads the field that carries all references.
func (r *orderReader) list(m *bfl.Model) {
	name := m.Inputs.List
	if !r.fields.given(name) {
		return
	}
	raw := r.fields[name]
	var elements []json.RawMessage
	if _, ok := text(raw); ok && m.Inputs.OneOrList {
		elements = []json.RawMessage{raw}
	} else if raw[0] != '[' || json.Unmarshal(raw, &elements) != nil {
		r.fail(newFieldError(name, "list_type", "Input should be a valid list", raw))
		return
	}
	switch most := len(m.Inputs.References); {
	case len(elements) == 0:
		r.fail(newFieldError(name, "too_short", "List should have at least 1 item after validation, not 0", raw).with("min_length", 1))
		return
	case len(elements) > most:
		items := "items"
		if most == 1 {
			items = "item"
		}
		r.fail(newFieldError(name, "too_long",
			fmt.Sprintf("List should have at most %d %s after validation, not %d", most, items, len(elements)), raw).with("max_length", most))
		return
	}
	for i, element := range elements {
		wrong := func(e fieldError) {
			e.Loc = append(e.Loc, i)
			r.fail(e)
		}
		value, ok := text(element)
		if !ok {
			wrong(wrongType(name, bfl.String, element))
			continue
		}
		in, err := readInput(m.Inputs.References[i], value)
		if err != nil {
			e := valueError(name, err.Error(), element)
			e.Loc = append(e.Loc, i)
			r.refuse(m, e, err)
			continue
		}
		r.take(in)
	}
}
