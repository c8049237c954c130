package config

import (
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// convertTo converts a value to a type. Where the type is settled for all elements, it converts a large object to a
// map, and a large tuple to a list, element by element: cty's own conversion compares the elements' types in pairs,
// which takes minutes for tens of thousands.
func convertTo(v cty.Value, want cty.Type) (cty.Value, error) {
	if !isLarge(v) || want.HasDynamicTypes() {
		return convert.Convert(v, want)
	}
	switch {
	case want.IsMapType() && v.Type().IsObjectType():
		return convertToMap(v, want.ElementType())
	case want.IsListType() && v.Type().IsTupleType():
		return convertToList(v, want.ElementType())
	default:
		return convert.Convert(v, want)
	}
}

func isLarge(v cty.Value) bool {
	return v.IsKnown() && !v.IsNull() && !v.IsMarked() && isStructure(v.Type()) && v.LengthInt() > 100
}

func convertToMap(v cty.Value, want cty.Type) (cty.Value, error) {
	elements := make(map[string]cty.Value, v.LengthInt())
	for key, element := range v.Elements() {
		converted, err := convertTo(element, want)
		if err != nil {
			return cty.NilVal, cty.Path{cty.IndexStep{Key: key}}.NewError(err)
		}
		elements[key.AsString()] = converted
	}
	return cty.MapVal(elements), nil
}

func convertToList(v cty.Value, want cty.Type) (cty.Value, error) {
	elements := make([]cty.Value, 0, v.LengthInt())
	for key, element := range v.Elements() {
		converted, err := convertTo(element, want)
		if err != nil {
			return cty.NilVal, cty.Path{cty.IndexStep{Key: key}}.NewError(err)
		}
		elements = append(elements, converted)
	}
	return cty.ListVal(elements), nil
}
