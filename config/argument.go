package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/lang"
)

// inputFields are the fields that carry images in requests for any model.
var inputFields = func() map[string]bool {
	fields := map[string]bool{}
	for _, model := range bfl.Models() {
		for _, field := range slices.Concat(model.Inputs.References, model.Inputs.Roles) {
			fields[field] = true
		}
		if model.Inputs.Mask != "" {
			fields[model.Inputs.Mask] = true
		}
	}
	return fields
}()

// arguments converts the arguments that go into the request under their own names.
func (d *builder) arguments(img *image.Image) bool {
	model, ok := img.Model, true
	arguments := d.e.requested[:0]
	for i := range d.values {
		v := &d.values[i]
		kind := v.arg.kind
		if kind == "" || v.value.IsNull() {
			continue
		}
		param := model.Param(v.arg.Name)
		if !model.Takes(v.arg.Name) {
			if !v.arg.inherited {
				d.report(noSuchArgument(v.arg, model))
				ok = false
			}
			continue
		}
		value, known := v.converted, v.param != nil && v.param == param
		if !known {
			var err error
			if value, err = requestValue(v.arg.Name, kind, v.value); err != nil {
				d.wrong(v, "Invalid argument type", "%s.", err)
				ok = false // The argument stays, without a value, so that it does not seem to be missing.
			}
			v.converted, v.param = value, param
		}
		arguments = append(arguments, bfl.Argument{Name: v.arg.Name, Value: value})
		if v.sensitive {
			addSensitive(img, v.arg.Name)
		}
	}
	d.e.requested = arguments
	n := len(arguments)
	if cap(img.Arguments) < n {
		if len(d.room) < n {
			d.room = make([]bfl.Argument, n*min(d.expansion.len(), imagesPiece))
		}
		img.Arguments, d.room = d.room[:0:n], d.room[n:]
	}
	img.Arguments = append(img.Arguments, arguments...)
	return ok
}

// requestValue converts a value to what a request holds: string, bool, int64 or float64. A value
// that is not known yet is nil.
func requestValue(name string, kind bfl.Kind, v cty.Value) (any, error) {
	if name == "prompt" && lang.IsStructure(v.Type()) {
		if !v.IsWhollyKnown() {
			return nil, nil
		}
		text, err := encodeJSON(v)
		return string(text), err
	}
	if !v.IsKnown() {
		return nil, nil
	}
	switch kind {
	case bfl.Integer, bfl.Number:
		n, err := convert.Convert(v, cty.Number)
		if err != nil {
			return nil, notNumber(name, kind, v)
		}
		return requestNumber(name, kind, n.AsBigFloat())
	case bfl.Boolean:
		b, err := convert.Convert(v, cty.Bool)
		if err != nil {
			return nil, fmt.Errorf("%s must be true or false, but this is %s", name, describeValue(v))
		}
		return b.True(), nil
	default:
		s, err := convert.Convert(v, cty.String)
		if err != nil {
			return nil, fmt.Errorf("%s must be a string, but this is %s", name, describeValue(v))
		}
		return s.AsString(), nil
	}
}

func notNumber(name string, kind bfl.Kind, v cty.Value) error {
	what := "a number"
	if kind == bfl.Integer {
		what = "a whole number"
	}
	if v.Type() == cty.String && v.AsString() == "" {
		return fmt.Errorf(`%s must be %s, but this is an empty string. Write null for a value that may be absent, as in each.value.%s == "" ? null : each.value.%s`,
			name, what, name, name)
	}
	return fmt.Errorf("%s must be %s, but this is %s", name, what, describeValue(v))
}

func requestNumber(name string, kind bfl.Kind, n *big.Float) (any, error) {
	if i, accuracy := n.Int64(); accuracy == big.Exact {
		if kind == bfl.Number {
			return float64(i), nil
		}
		return i, nil
	}
	f, _ := n.Float64()
	if math.IsInf(f, 0) {
		return nil, fmt.Errorf("%s is far too large a number", name)
	}
	if kind == bfl.Integer {
		if n.IsInt() {
			return nil, fmt.Errorf("%s must be a whole number that fits in 64 bits, but %s does not fit", name, n.Text('g', 20))
		}
		return nil, fmt.Errorf("%s must be a whole number, but %s is not", name, n.Text('g', 10))
	}
	return f, nil
}

// describeValue tells what a value is, with the value itself where it is short.
func describeValue(v cty.Value) string {
	if v.Type() == cty.String && v.IsKnown() && !v.IsNull() && len(v.AsString()) <= 40 {
		return fmt.Sprintf("the string %q", v.AsString())
	}
	return withArticle(v.Type().FriendlyName())
}

// encodeJSON writes a value as JSON, as jsonencode does.
func encodeJSON(v cty.Value) (json.RawMessage, error) {
	text, err := ctyjson.Marshal(v, v.Type())
	if err != nil {
		return nil, fmt.Errorf("the value cannot be written as JSON: %w", lang.Describe(err))
	}
	if !json.Valid(text) {
		return nil, errors.New("the value cannot be written as JSON, since it has an infinite number in it")
	}
	return text, nil
}

// parameters merges the parameters map into the request.
func (d *builder) parameters(img *image.Image) bool {
	v := d.given("parameters")
	if v == nil {
		return true
	}
	switch ty := v.value.Type(); {
	case !v.value.IsKnown():
		d.unknown(v)
		return false
	case !ty.IsObjectType() && !ty.IsMapType():
		d.wrong(v, "Invalid argument type", "parameters must be a map from the API's field names to values, but this is %s. Write it as in { grounding = false }.",
			describeValue(v.value))
		return false
	}
	if v.names {
		d.wrong(v, sensitiveShown, "The names of the fields come from a sensitive value, but every plan shows them. Make only their values sensitive, as in { for name, value in nonsensitive(var.fields) : name => sensitive(value) }.")
		return false
	}
	ok := true
	for key, value := range v.value.Elements() {
		name := key.AsString()
		if value.IsNull() {
			continue
		}
		reason := notAParameter(name, img.Model)
		if reason == "" && img.Request().Has(name) {
			reason = fmt.Sprintf("%s is an argument of the image already. Give it once.", name)
		}
		if reason != "" {
			d.wrong(v, "Invalid parameter", "%s", reason)
			ok = false
			continue
		}
		converted, err := parameterValue(name, img.Model.Param(name), value)
		if err != nil {
			d.wrong(v, "Invalid parameter", "%s.", err.Error())
			ok = false
			continue
		}
		img.Arguments = append(img.Arguments, bfl.Argument{Name: name, Value: converted})
		if v.sensitive {
			addSensitive(img, name)
		}
	}
	bfl.SortArguments(img.Arguments)
	return ok
}

// notAParameter says why a field cannot be set through parameters, "" where it can.
func notAParameter(name string, model *bfl.Model) string {
	switch {
	case name == "":
		return "A parameter has an empty name."
	case name == "mask":
		return "mask is an argument of the image. Write mask = ... beside parameters."
	case slices.Contains(model.Inputs.Roles, name):
		return fmt.Sprintf("%s carries an image. Give the image in inputs.", name)
	case inputFields[name] || model.IsInput(name):
		return fmt.Sprintf("%s carries an image. List the image in references.", name)
	case strings.HasPrefix(name, "webhook_"):
		return fmt.Sprintf("%s cannot be set here. Webhooks belong to the account. Write a webhook block in its provider block.", name)
	case image.OnlyArgument(name) || slices.Contains(metaArguments, name):
		return fmt.Sprintf("%s is an argument of the image. Write %s = ... beside parameters.", name, name)
	}
	return ""
}

// parameterValue converts a value for a field, by the catalogue's type where it knows the field and
// as JSON where not.
func parameterValue(name string, param *bfl.Param, v cty.Value) (any, error) {
	switch {
	case !v.IsWhollyKnown():
		return nil, nil
	case param != nil:
		return requestValue(name, param.Kind, v)
	default:
		return encodeJSON(v)
	}
}
