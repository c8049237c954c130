package config

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// hoisted is a part of an expression that is the same for all instances of a block, such as
// keys(local.sizes): it is evaluated once. A function goes through all that it is given, so that a
// thousand instances that each ask for the length of a list of a thousand would look at a million
// elements. It belongs to one builder.
type hoisted struct {
	hclsyntax.Expression
	ctx   *hcl.EvalContext
	value cty.Value
	known bool
}

// Value implements hcl.Expression. What is wrong is evaluated again for each instance, since each
// is told of it.
func (h *hoisted) Value(*hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	if h.known {
		return h.value, nil
	}
	v, diags := h.Expression.Value(h.ctx)
	h.value, h.known = v, len(diags) == 0
	return v, diags
}

// hoist returns an argument's expression with the parts hoisted that are the same for all instances.
// It does so once, when the first instance asks.
func (d *builder) hoist(arg *argument) hcl.Expression {
	native, ok := arg.Expr.(hclsyntax.Expression)
	if !ok || !arg.perInstance || arg.woven || d.e.opts.general {
		return arg.Expr
	}
	if done, ok := d.hoists[arg]; ok {
		return done
	}
	if d.hoists == nil {
		d.hoists = map[*argument]hcl.Expression{}
	}
	done := d.hoistParts(native)
	d.hoists[arg] = done
	return done
}

// hoistParts is hoist for a part of an expression. What stands inside of a for expression may name
// its variables, and stays.
func (d *builder) hoistParts(expr hclsyntax.Expression) hclsyntax.Expression {
	switch expr.(type) {
	case *hclsyntax.FunctionCallExpr, *hclsyntax.ForExpr, *hclsyntax.SplatExpr:
		if !namesInstance(expr) {
			return &hoisted{Expression: expr, ctx: d.ctx}
		}
	}
	switch e := expr.(type) {
	case *hclsyntax.FunctionCallExpr:
		if s := d.search(e); s != nil {
			return s
		}
	case *hclsyntax.ConditionalExpr:
		if b := d.branch(e); b != nil {
			return b
		}
	}
	parts := []*hclsyntax.Expression(nil)
	switch e := expr.(type) {
	case *hclsyntax.ForExpr:
		c := *e
		expr, parts = &c, []*hclsyntax.Expression{&c.CollExpr}
	case *hclsyntax.ConditionalExpr:
		c := *e
		expr, parts = &c, []*hclsyntax.Expression{&c.Condition, &c.TrueResult, &c.FalseResult}
	case *hclsyntax.IndexExpr:
		c := *e
		expr, parts = &c, []*hclsyntax.Expression{&c.Collection, &c.Key}
	case *hclsyntax.ObjectConsKeyExpr, *hclsyntax.SplatExpr:
		return expr // A key may be a bare word; a splat's parts hang together.
	default:
		expr, parts = copyOf(expr)
	}
	for _, part := range parts {
		*part = d.hoistParts(*part)
	}
	return expr
}

// namesInstance reports whether an expression has what differs from instance to instance: it names
// it, or calls size_for, which goes by the instance's model.
func namesInstance(expr hclsyntax.Expression) bool {
	return callsSizeFor(expr) || slices.ContainsFunc(expr.Variables(), func(t hcl.Traversal) bool {
		root := t.RootName()
		return root == "each" || root == "count" || root == "self"
	})
}
