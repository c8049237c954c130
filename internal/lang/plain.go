package lang

import (
	"math/big"

	"github.com/zclconf/go-cty/cty"
)

// IsPlain reports whether a value is there, and nothing more.
func IsPlain(v cty.Value) bool { return !v.IsMarked() && v.IsKnown() && !v.IsNull() }

// PlainAttr returns an attribute of an object where both are plain.
func PlainAttr(v cty.Value, name string) (cty.Value, bool) {
	if !IsPlain(v) || !v.Type().IsObjectType() || !v.Type().HasAttribute(name) {
		return cty.NilVal, false
	}
	v = v.GetAttr(name)
	return v, IsPlain(v)
}

// PlainText returns the text of a string that is known and not marked.
func PlainText(v cty.Value) (string, bool) {
	if !IsPlain(v) || v.Type() != cty.String {
		return "", false
	}
	return v.AsString(), true
}

// IsStructure reports whether values of a type have elements or attributes.
func IsStructure(ty cty.Type) bool {
	return ty.IsObjectType() || ty.IsMapType() || ty.IsTupleType() || ty.IsListType() || ty.IsSetType()
}

// Count returns a whole number from 1 to most. It answers false for all other numbers, and for
// null.
func Count(v cty.Value, most int) (int, bool) {
	if v.IsNull() {
		return 0, false
	}
	n, accuracy := v.AsBigFloat().Int64()
	return int(n), accuracy == big.Exact && n >= 1 && n <= int64(most)
}
