package lang

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
)

// Convert converts a value to a type. It does what package convert does, and quickly where that
// takes minutes for tens of thousands of elements: where the type is settled for all elements, it
// converts a large object to a map, and a large tuple to a list, element by element, whose types
// are then not compared in pairs.
func Convert(v cty.Value, want cty.Type) (cty.Value, error) {
	isMap := want.IsMapType() && v.Type().IsObjectType()
	isList := want.IsListType() && v.Type().IsTupleType()
	if !isMap && !isList || !isLarge(v) || want.HasDynamicTypes() {
		return convert.Convert(v, want)
	}
	keys, values := make([]cty.Value, 0, v.LengthInt()), make([]cty.Value, 0, v.LengthInt())
	for key, element := range v.Elements() {
		converted, err := Convert(element, want.ElementType())
		if err != nil {
			return cty.NilVal, cty.Path{cty.IndexStep{Key: key}}.NewError(err)
		}
		keys, values = append(keys, key), append(values, converted)
	}
	if isList {
		return cty.ListVal(values), nil
	}
	elements := make(map[string]cty.Value, len(keys))
	for i, key := range keys {
		elements[key.AsString()] = values[i]
	}
	return cty.MapVal(elements), nil
}

func isLarge(v cty.Value) bool {
	return v.IsKnown() && !v.IsNull() && !v.IsMarked() && IsStructure(v.Type()) && v.LengthInt() > 100
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
