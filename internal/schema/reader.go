package schema

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/fluxbatch/fluxbatch/internal/diag"
)

// Reader reads arguments that are needed before anything is evaluated.
type Reader struct {
	// Report takes what is wrong with them.
	Report func(...*hcl.Diagnostic)
}

// Expressions splits a list that is written out, such as that of depends_on.
func (r Reader) Expressions(attr *hcl.Attribute) []hcl.Expression {
	if attr == nil {
		return nil
	}
	exprs, diags := hcl.ExprList(attr.Expr)
	if diags.HasErrors() {
		r.Report(diag.Problem(attr.Expr.Range(), "Invalid list",
			"%s is a list that is written out, as in %s = [image.logo].", attr.Name, attr.Name))
	}
	return exprs
}

// Constant evaluates an argument that may not name anything, and converts it. It returns a null
// where the argument is absent or wrong.
func (r Reader) Constant(attr *hcl.Attribute, ty cty.Type) cty.Value {
	if attr == nil {
		return cty.NullVal(ty)
	}
	if vars := attr.Expr.Variables(); len(vars) > 0 {
		r.Report(diag.Problem(vars[0].SourceRange(), "Value must be constant",
			"%s must be written out here, because it is read before there are any variables.", attr.Name))
		return cty.NullVal(ty)
	}
	v, diags := attr.Expr.Value(nil)
	r.Report(diags...)
	if diags.HasErrors() {
		return cty.NullVal(ty)
	}
	converted, err := convert.Convert(v, ty)
	if err != nil {
		r.Report(diag.Problem(attr.Expr.Range(), "Invalid argument type", "%s is wrong here: %s.", attr.Name, err))
		return cty.NullVal(ty)
	}
	return converted
}

// ConstantString is Constant for a string, "" where that is null.
func (r Reader) ConstantString(attr *hcl.Attribute) string {
	if v := r.Constant(attr, cty.String); !v.IsNull() {
		return v.AsString()
	}
	return ""
}

// ConstantBool is Constant for a bool, absent where that is null.
func (r Reader) ConstantBool(attr *hcl.Attribute, absent bool) bool {
	if v := r.Constant(attr, cty.Bool); !v.IsNull() {
		return v.True()
	}
	return absent
}

// First returns the first of some blocks, of a kind that there can be one of, and reports the
// others.
func (r Reader) First(what string, blocks []*hcl.Block) []*hcl.Block {
	for i := 1; i < len(blocks); i++ {
		r.OnlyOne(what, blocks[i].DefRange, blocks[0].DefRange)
	}
	return blocks[:min(len(blocks), 1)]
}

// OnlyOne reports a second block of a kind that there can be one of.
func (r Reader) OnlyOne(what string, second, first hcl.Range) {
	r.Report(diag.Problem(second, "Duplicate declaration",
		"%s is declared at %s already, and there can be only one. Put everything into one block.", what, diag.Place(first)))
}
