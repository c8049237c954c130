package config

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/lang"
)

// column computes an argument of the commonest form for one instance after the other: each.key,
// each.value.NAME, or a template of these and of text that is the same for all. It spares building
// a scope and walking an expression for each of a hundred thousand instances. Where a value is
// anything but a plain string or number, column gives up, and the expression is evaluated as usual.
type column struct {
	parts []columnPart
	// template says that the result is a string, whatever the part is.
	template bool
}

// columnPart is text, or where it comes from.
type columnPart struct {
	text string
	key  bool   // each.key
	attr string // each.value.ATTR, unless text or key is set
}

// compile prepares an expression. It answers nil where the expression has another form.
func (d *builder) compile(expr hcl.Expression) *column {
	switch e := expr.(type) {
	case *hclsyntax.ScopeTraversalExpr:
		if part, ok := eachPart(e); ok {
			return &column{parts: []columnPart{part}}
		}
	case *hclsyntax.TemplateExpr:
		c := &column{template: true}
		for _, sub := range e.Parts {
			part, ok := d.templatePart(sub)
			if !ok {
				return nil
			}
			c.parts = append(c.parts, part)
		}
		return c
	}
	return nil
}

func (d *builder) templatePart(expr hclsyntax.Expression) (columnPart, bool) {
	if part, ok := eachPart(expr); ok {
		return part, true
	}
	for _, traversal := range expr.Variables() {
		if root := traversal.RootName(); root == "each" || root == "count" || root == "self" {
			return columnPart{}, false
		}
	}
	v, diags := expr.Value(d.ctx)
	if len(diags) > 0 {
		return columnPart{}, false
	}
	text, ok := lang.PlainText(v)
	return columnPart{text: text}, ok
}

// eachPart recognises each.key and each.value.NAME.
func eachPart(expr hclsyntax.Expression) (columnPart, bool) {
	scope, ok := expr.(*hclsyntax.ScopeTraversalExpr)
	if !ok || scope.Traversal.RootName() != "each" || len(scope.Traversal) < 2 {
		return columnPart{}, false
	}
	first, ok := scope.Traversal[1].(hcl.TraverseAttr)
	switch {
	case !ok:
		return columnPart{}, false
	case first.Name == "key" && len(scope.Traversal) == 2:
		return columnPart{key: true}, true
	case first.Name == "value" && len(scope.Traversal) == 3:
		second, ok := scope.Traversal[2].(hcl.TraverseAttr)
		return columnPart{attr: second.Name}, ok
	}
	return columnPart{}, false
}

// value computes the column for an instance. It answers false where the expression must be
// evaluated.
func (c *column) value(x each) (cty.Value, bool) {
	if !c.template {
		return c.parts[0].value(x)
	}
	var buffer [512]byte
	text := buffer[:0]
	for i := range c.parts {
		part := &c.parts[i]
		switch {
		case part.key:
			key, _ := x.key.Text()
			text = append(text, key...)
		case part.attr == "":
			text = append(text, part.text...)
		case x.table != nil:
			cell, ok := x.table.Cell(x.row, part.attr)
			if !ok {
				return cty.NilVal, false
			}
			text = append(text, cell...)
		default:
			v, ok := part.value(x)
			if !ok {
				return cty.NilVal, false
			}
			s, ok := lang.PlainText(v)
			if !ok {
				return cty.NilVal, false
			}
			text = append(text, s...)
		}
	}
	return cty.StringVal(string(text)), true
}

func (p columnPart) value(x each) (cty.Value, bool) {
	if p.key {
		key, _ := x.key.Text()
		return cty.StringVal(key), true
	}
	return x.attr(p.attr)
}
