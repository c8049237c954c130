package config

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/lang"
)

// hoisted is a part of an expression that is the same for all instances of a block, or in all turns
// of a loop, such as keys(local.sizes): it is evaluated once. A function goes through all that it is given, so that a
// thousand instances that each ask for the length of a list of a thousand would look at a million
// elements. It belongs to one builder, or to one evaluation of a loop.
type hoisted struct {
	hclsyntax.Expression
	ctx   *hcl.EvalContext
	value cty.Value
	known bool
}

// Value implements hcl.Expression. What is wrong is evaluated again for each instance, since each
// is told of it, and in the place where it stands, which has names that may be meant.
func (h *hoisted) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	if h.known {
		return h.value, nil
	}
	v, diags := h.Expression.Value(h.ctx)
	h.value, h.known = v, len(diags) == 0
	if !h.known && ctx != nil {
		return h.Expression.Value(ctx)
	}
	return v, diags
}

// plain returns the value where all of it is there, and nothing of it is marked.
func (h *hoisted) plain() (cty.Value, bool) {
	v, diags := h.Value(nil)
	return v, len(diags) == 0 && lang.IsPlain(v) && v.IsWhollyKnown() && !v.ContainsMarked()
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
	done := hoister{ctx: d.ctx, varies: namesInstance, repeats: true}.parts(native)
	d.hoists[arg] = done
	return done
}

// hoistLoops returns an expression with the parts hoisted that are the same in all turns of its for
// expressions.
func (e *evaluator) hoistLoops(expr hcl.Expression, ctx *hcl.EvalContext) hcl.Expression {
	native, ok := expr.(hclsyntax.Expression)
	if !ok || e.opts.general || !hasLoop(native) {
		return expr
	}
	return hoister{ctx: ctx, varies: func(hclsyntax.Expression) bool { return false }}.parts(native)
}

func hasLoop(expr hclsyntax.Expression) (found bool) {
	// The function returns no diagnostics.
	_ = hclsyntax.VisitAll(expr, func(node hclsyntax.Node) hcl.Diagnostics {
		_, isLoop := node.(*hclsyntax.ForExpr)
		found = found || isLoop
		return nil
	})
	return found
}

// hoister takes out of an expression what is evaluated many times and the same each time.
type hoister struct {
	// ctx is what all turns see.
	ctx *hcl.EvalContext
	// varies reports whether a part differs from turn to turn.
	varies func(hclsyntax.Expression) bool
	// repeats says that there are turns: that the expression is inside of a loop.
	repeats bool
}

// hoist returns the part itself, which does not vary, as one that is evaluated once.
func (h hoister) hoist(expr hclsyntax.Expression) *hoisted {
	if _, isName := expr.(*hclsyntax.ScopeTraversalExpr); isName {
		// Whoever asks for the variables of the expression that the part is in looks at its children.
		expr = &hclsyntax.ParenthesesExpr{Expression: expr, SrcRange: expr.Range()}
	}
	return &hoisted{Expression: expr, ctx: h.ctx}
}

func (h hoister) parts(expr hclsyntax.Expression) hclsyntax.Expression {
	if h.repeats {
		if done := h.whole(expr); done != nil {
			return done
		}
	}
	parts := []*hclsyntax.Expression(nil)
	switch e := expr.(type) {
	case *hclsyntax.ForExpr:
		return h.loop(e)
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
		*part = h.parts(*part)
	}
	return expr
}

// whole returns what takes the place of an expression as a whole, nil where its parts are looked at.
func (h hoister) whole(expr hclsyntax.Expression) hclsyntax.Expression {
	switch e := expr.(type) {
	case *hclsyntax.FunctionCallExpr:
		if !h.varies(e) {
			return h.hoist(e)
		}
		if found := h.anyOf(e); found != nil {
			return found
		}
		return h.search(e)
	case *hclsyntax.ConditionalExpr:
		return h.branch(e)
	case *hclsyntax.ForExpr:
		if !h.varies(e) {
			return h.hoist(e)
		}
		if f := h.filter(e); f != nil {
			return f
		}
	case *hclsyntax.SplatExpr:
		if !h.varies(e) {
			return h.hoist(e)
		}
	}
	return nil
}

// loop returns a for expression with what is the same in all of its turns hoisted.
func (h hoister) loop(e *hclsyntax.ForExpr) *hclsyntax.ForExpr {
	c := *e
	c.CollExpr = h.parts(e.CollExpr)
	inner := hoister{ctx: h.ctx, repeats: true, varies: func(expr hclsyntax.Expression) bool { return h.varies(expr) || names(expr, e.KeyVar, e.ValVar) }}
	c.ValExpr = inner.parts(e.ValExpr)
	if e.KeyExpr != nil {
		c.KeyExpr = inner.parts(e.KeyExpr)
	}
	if e.CondExpr != nil {
		c.CondExpr = inner.parts(e.CondExpr)
	}
	return &c
}

// names reports whether an expression has a variable of one of these names.
func names(expr hclsyntax.Expression, of ...string) bool {
	return slices.ContainsFunc(expr.Variables(), func(t hcl.Traversal) bool { return slices.Contains(of, t.RootName()) })
}

// namesInstance reports whether an expression has what differs from instance to instance: it names
// it, or calls size_for, which goes by the instance's model.
func namesInstance(expr hclsyntax.Expression) bool {
	return callsSizeFor(expr) || names(expr, "each", "count", "self")
}
