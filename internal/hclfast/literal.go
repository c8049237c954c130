package hclfast

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// literal returns the value of a number, a string without names in it, true, false, null, or an
// object of these.
func literal(expr hcl.Expression) (cty.Value, bool) {
	object, ok := expr.(*hclsyntax.ObjectConsExpr)
	if !ok {
		return Scalar(expr)
	}
	values := make(map[string]cty.Value, len(object.Items))
	for _, item := range object.Items {
		key, ok1 := literalKey(item.KeyExpr)
		value, ok2 := Scalar(item.ValueExpr)
		if !ok1 || !ok2 {
			return cty.NilVal, false
		}
		values[key] = value
	}
	return cty.ObjectVal(values), true
}

// constant stands for a literal once its text has been looked at, in half the memory.
type constant struct {
	value cty.Value
	at    hcl.Range
}

// Compact returns an expression of the same value and range in half the memory for a literal, and
// other expressions as they are. It can be evaluated, but its text cannot be taken apart any more.
func Compact(expr hcl.Expression) hcl.Expression {
	if v, ok := literal(expr); ok {
		return &constant{v, expr.Range()}
	}
	return expr
}

func (c *constant) Value(*hcl.EvalContext) (cty.Value, hcl.Diagnostics) { return c.value, nil }
func (c *constant) Variables() []hcl.Traversal                          { return nil }
func (c *constant) Range() hcl.Range                                    { return c.at }
func (c *constant) StartRange() hcl.Range                               { return c.at }

// Scalar returns the value of an expression that is a literal and no object, or that Compact has
// been at.
func Scalar(expr hcl.Expression) (cty.Value, bool) {
	switch e := expr.(type) {
	case *constant:
		return e.value, true
	case *hclsyntax.LiteralValueExpr:
		return e.Val, true
	case *hclsyntax.TemplateExpr:
		if len(e.Parts) != 1 {
			return cty.NilVal, false
		}
		if part, ok := e.Parts[0].(*hclsyntax.LiteralValueExpr); ok && part.Val.Type() == cty.String {
			return part.Val, true
		}
	}
	return cty.NilVal, false
}

// literalKey returns the key of an object where it is a bare word or a string.
func literalKey(expr hclsyntax.Expression) (string, bool) {
	key, ok := expr.(*hclsyntax.ObjectConsKeyExpr)
	if !ok || key.ForceNonLiteral {
		return "", false
	}
	if word := hcl.ExprAsKeyword(key.Wrapped); word != "" {
		return word, true
	}
	v, ok := Scalar(key.Wrapped)
	if !ok || v.Type() != cty.String || v.IsNull() {
		return "", false
	}
	return v.AsString(), true
}

// IsIdentifier reports whether a text can be a name. HCL is asked, by way of its scanner, only
// about what is not ASCII.
func IsIdentifier(text string) bool {
	for i := range len(text) {
		if !isWord(text[i], i == 0) {
			return hclsyntax.ValidIdentifier(text)
		}
	}
	return text != ""
}
