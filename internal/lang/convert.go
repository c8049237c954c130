package lang

import (
	"fmt"
	"iter"
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
)

// Convert converts a value to a type. It does what package convert does, and quickly where that
// takes minutes for tens of thousands of elements: a large object becomes a map, and a large tuple a
// list or set, element by element. Package convert compares the elements' types in pairs; here each
// type is looked at once.
func Convert(v cty.Value, want cty.Type) (cty.Value, error) {
	if v.IsMarked() {
		v, marks := v.Unmark()
		converted, err := Convert(v, want)
		if err != nil {
			return cty.NilVal, err
		}
		return converted.WithMarks(marks), nil
	}
	isMap := want.IsMapType() && v.Type().IsObjectType()
	isList := (want.IsListType() || want.IsSetType()) && v.Type().IsTupleType()
	if !isMap && !isList || lengthOfType(v.Type()) <= 100 || v.IsNull() {
		return convert.Convert(v, want)
	}
	element := want.ElementType()
	if element == cty.DynamicPseudoType {
		element = commonType(v.Type())
	}
	switch {
	case element == cty.NilType || element.HasDynamicTypes():
		return convert.Convert(v, want)
	case v.IsKnown():
		return convertElements(v, want, element)
	case !allConvert(v.Type(), element):
		return convert.Convert(v, want) // It says what is wrong.
	default:
		return unknownCollection(want, element, lengthOfType(v.Type())), nil
	}
}

// unknownCollection is what becomes of an unknown value with so many elements. Those of a set may be
// equal.
func unknownCollection(want, element cty.Type, length int) cty.Value {
	least, ty := length, cty.List(element)
	switch {
	case want.IsMapType():
		ty = cty.Map(element)
	case want.IsSetType():
		least, ty = 1, cty.Set(element)
	}
	return cty.UnknownVal(ty).Refine().CollectionLengthLowerBound(least).CollectionLengthUpperBound(length).NewValue()
}

// allConvert reports whether all elements of a tuple, or attributes of an object, may be converted to
// a type.
func allConvert(ty, element cty.Type) bool {
	for of := range typesIn(ty) {
		if !of.Equals(element) && convert.GetConversionUnsafe(of, element) == nil {
			return false
		}
	}
	return true
}

// convertElements makes a collection like want of the elements of a value.
func convertElements(v cty.Value, want, element cty.Type) (cty.Value, error) {
	keys, values := make([]cty.Value, 0, v.LengthInt()), make([]cty.Value, 0, v.LengthInt())
	for key, value := range v.Elements() {
		converted, err := Convert(value, element)
		if err != nil {
			return cty.NilVal, cty.Path{cty.IndexStep{Key: key}}.NewError(err)
		}
		keys, values = append(keys, key), append(values, converted)
	}
	switch {
	case want.IsListType():
		return cty.ListVal(values), nil
	case want.IsSetType():
		return cty.SetVal(values), nil
	}
	elements := make(map[string]cty.Value, len(keys))
	for i, key := range keys {
		elements[key.AsString()] = values[i]
	}
	return cty.MapVal(elements), nil
}

// commonType returns the type that all elements of a tuple, or attributes of an object, can be
// converted to. It answers cty.NilType where there is none, or where they have so many types that it
// is package convert that should tell.
func commonType(ty cty.Type) cty.Type {
	var distinct []cty.Type
	for of := range typesIn(ty) {
		if slices.ContainsFunc(distinct, of.Equals) {
			continue
		}
		if distinct = append(distinct, of); len(distinct) > 20 {
			return cty.NilType
		}
	}
	common, _ := convert.UnifyUnsafe(distinct)
	return common
}

// typesIn goes through the types of a tuple's elements, or of an object's attributes.
func typesIn(ty cty.Type) iter.Seq[cty.Type] {
	if ty.IsTupleType() {
		return slices.Values(ty.TupleElementTypes())
	}
	return maps.Values(ty.AttributeTypes())
}

func lengthOfType(ty cty.Type) int {
	if ty.IsTupleType() {
		return ty.Length()
	}
	return len(ty.AttributeTypes())
}

// Describe words an error of Convert with the path to the part at fault, such as [0].name.
func Describe(err error) error {
	if pathErr, ok := err.(cty.PathError); ok && len(pathErr.Path) > 0 {
		return fmt.Errorf("%s: %w", pathText(pathErr.Path), err)
	}
	return err
}

// pathText writes a path inside a value, such as [0].name.
func pathText(path cty.Path) string {
	var text strings.Builder
	for _, step := range path {
		switch s := step.(type) {
		case cty.GetAttrStep:
			text.WriteString("." + s.Name)
		case cty.IndexStep:
			if key, ok := Key(s.Key); ok {
				text.WriteString(key.String())
			} else {
				text.WriteString("[...]")
			}
		}
	}
	return text.String()
}

// Key returns the key that an index in brackets is. It answers false for one that is unknown, null,
// or no string and no whole number from 0 on.
func Key(v cty.Value) (addrs.Key, bool) {
	v, _ = v.Unmark()
	if v.IsNull() || !v.IsKnown() {
		return addrs.NoKey, false
	}
	switch v.Type() {
	case cty.String:
		return addrs.StringKey(v.AsString()), true
	case cty.Number:
		n, exact := v.AsBigFloat().Int64()
		return addrs.IntKey(int(n)), exact == big.Exact && n >= 0
	}
	return addrs.NoKey, false
}
