package config

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/lang"
)

// gathering is an expression that goes through the instances of a block and takes something of
// each: [for k, i in image.card : i.path if i.width > 512], or image.card[*].path where the block
// has count. It is what most outputs are. Its value is made of the images directly, without what
// expressions see of each of them, an object for all of these, and a scope for each step.
type gathering struct {
	block *imageBlock
	// filter and key are nil where there is none.
	filter, key, value term
	// group says that values with one key become a list.
	group bool
	// alone says that it calls functions that must not be called at the same time as others.
	alone bool
}

// gatherer evaluates expressions that are, or have in them, gatherings.
type gatherer struct {
	e *evaluator
	n *node
	s *scope
	// marked says that the values are marked with the images that they come from. Otherwise no value
	// may have any mark.
	marked bool
	ctx    *hcl.EvalContext
}

// gathered returns the value of an expression with gatherings, marked as the expression's own is. It
// answers false where the expression is another one, and has to be evaluated.
func (e *evaluator) gathered(n *node, s *scope, expr hcl.Expression) (cty.Value, bool) {
	g, native, ok := e.gatherer(n, s, expr, true)
	if !ok {
		return cty.NilVal, false
	}
	return g.whole(native)
}

// bare is like gathered for values that nobody depends on, and without marks. It answers false,
// too, where one of them is sensitive.
func (e *evaluator) bare(n *node, s *scope, expr hcl.Expression) (cty.Value, bool) {
	g, native, ok := e.gatherer(n, s, expr, false)
	if !ok {
		return cty.NilVal, false
	}
	v, ok := g.whole(native)
	return v, ok && !v.ContainsMarked()
}

// recognise returns the gathering that an expression is, and nothing but that, for values without
// marks.
func (e *evaluator) recognise(n *node, s *scope, expr hcl.Expression) (*gatherer, gathering, bool) {
	g, native, ok := e.gatherer(n, s, expr, false)
	if !ok {
		return nil, gathering{}, false
	}
	of, ok := g.gathering(native)
	return g, of, ok
}

// bare is like collect for a gathering that nobody depends on.
func (g *gatherer) bare(of gathering) (*Collection, bool) {
	c, _, ok := g.collect(of)
	return c, ok
}

func (e *evaluator) gatherer(n *node, s *scope, expr hcl.Expression, marked bool) (*gatherer, hclsyntax.Expression, bool) {
	native, ok := expr.(hclsyntax.Expression)
	return &gatherer{e: e, n: n, s: s, marked: marked}, native, ok && !e.opts.general && len(n.uses.images) > 0
}

// whole returns the value of an expression in which all that is looked at of images is gathered.
func (g *gatherer) whole(expr hclsyntax.Expression) (cty.Value, bool) {
	replaced, ok := g.replace(expr)
	if !ok {
		return cty.NilVal, false
	}
	if literal, ok := replaced.(*hclsyntax.LiteralValueExpr); ok {
		return literal.Val, true
	}
	return g.constant(replaced)
}

// replace puts the values of gatherings in their places. It answers false where images are looked at
// in any other way.
func (g *gatherer) replace(expr hclsyntax.Expression) (hclsyntax.Expression, bool) {
	if !namesImages(expr) {
		return expr, true
	}
	if v, ok := g.value(expr); ok {
		return &hclsyntax.LiteralValueExpr{Val: v, SrcRange: expr.Range()}, true
	}
	var parts []*hclsyntax.Expression
	switch e := expr.(type) {
	case *hclsyntax.ForExpr, *hclsyntax.SplatExpr:
		return nil, false
	case *hclsyntax.ConditionalExpr:
		c := *e
		expr, parts = &c, []*hclsyntax.Expression{&c.Condition, &c.TrueResult, &c.FalseResult}
	default:
		expr, parts = copyOf(expr)
	}
	for _, part := range parts {
		var ok bool
		if *part, ok = g.replace(*part); !ok {
			return nil, false
		}
	}
	return expr, len(parts) > 0
}

// value returns the value of an expression that looks at images itself, in one of the ways that
// need no more of them than is asked for.
func (g *gatherer) value(expr hclsyntax.Expression) (cty.Value, bool) {
	switch e := expr.(type) {
	case *hclsyntax.ForExpr, *hclsyntax.SplatExpr:
		of, ok := g.gathering(e)
		if !ok {
			return cty.NilVal, false
		}
		c, marks, ok := g.collect(of)
		if !ok {
			return cty.NilVal, false
		}
		return c.Elements().Whole().WithMarks(marks), true
	case *hclsyntax.FunctionCallExpr:
		return g.counted(e)
	case *hclsyntax.ScopeTraversalExpr:
		return g.single(e)
	}
	return cty.NilVal, false
}

// counted returns what length(image.card) and keys(image.card) are. The instances need not be
// there for it, nor do their marks count: which there are was said by the block.
func (g *gatherer) counted(e *hclsyntax.FunctionCallExpr) (cty.Value, bool) {
	if len(e.Args) != 1 || e.ExpandFinal {
		return cty.NilVal, false
	}
	b := g.n.mod.instancesOf(e.Args[0])
	if b == nil || g.s.images[b] == nil || g.s.images[b].expansion == nil {
		return cty.NilVal, false
	}
	objects := g.s.images[b].objects
	switch {
	case e.Name == "length":
		return cty.NumberIntVal(int64(len(objects))), true
	case e.Name == "keys" && b.forEach != nil && len(objects) > 0:
		keys := make([]cty.Value, len(objects))
		for i := range objects {
			keys[i] = keyValue(objects[i].key)
		}
		return cty.TupleVal(keys), true
	}
	return cty.NilVal, false
}

// single returns what an expression such as image.logo.path or image.card["winter"].path is.
func (g *gatherer) single(e *hclsyntax.ScopeTraversalExpr) (cty.Value, bool) {
	t := e.Traversal
	if len(t) < 3 || t.RootName() != "image" {
		return cty.NilVal, false
	}
	name, ok := t[1].(hcl.TraverseAttr)
	b := g.n.mod.images[name.Name]
	if !ok || b == nil || g.s.images[b] == nil || g.s.images[b].expansion == nil {
		return cty.NilVal, false
	}
	list, rest, key := g.s.images[b], t[2:], addrs.NoKey
	if b.isSet() {
		index, ok := t[2].(hcl.TraverseIndex)
		if !ok || !lang.IsPlain(index.Key) {
			return cty.NilVal, false
		}
		if key, ok = (&lookupExpr{b: b}).keyOf(index.Key); !ok {
			return cty.NilVal, false
		}
		rest = t[3:]
	}
	at, ok := list.find(key)
	if !ok || at >= len(list.objects) {
		return cty.NilVal, false
	}
	see := g.e.look
	if !g.marked {
		see = g.e.lookOnly
	}
	v, diags := rest.TraverseRel(see(b, g.s, &list.objects[at]))
	return v, len(diags) == 0
}

func namesImages(expr hclsyntax.Expression) bool {
	return slices.ContainsFunc(expr.Variables(), func(t hcl.Traversal) bool { return t.RootName() == "image" })
}

// constant evaluates an expression that names no images. It answers false where there is anything
// to say about it: then it is evaluated, with that, as it stands.
func (g *gatherer) constant(expr hclsyntax.Expression) (cty.Value, bool) {
	if namesImages(expr) {
		return cty.NilVal, false
	}
	if g.ctx == nil {
		g.ctx = g.e.contextWith(g.n, g.s, func(*imageBlock) cty.Value { return cty.DynamicVal })
	}
	v, diags := expr.Value(g.ctx)
	return v, len(diags) == 0
}

// gathering recognises the form. It answers false for all other expressions.
func (g *gatherer) gathering(expr hclsyntax.Expression) (found gathering, ok bool) {
	switch x := expr.(type) {
	case *hclsyntax.ForExpr:
		collection, isList := listed(x.CollExpr)
		if found.block = g.n.mod.instancesOf(collection); found.block == nil || x.KeyVar == x.ValVar {
			return gathering{}, false
		}
		if isList && (found.block.forEach == nil || x.KeyVar != "") {
			return gathering{}, false
		}
		c := compiler{keyVar: x.KeyVar, valueVar: x.ValVar, functions: g.e.opts.functions.Table, constant: g.constant}
		found.group = x.Group
		filterOK, keyOK, valueOK := true, true, false
		if x.CondExpr != nil {
			found.filter, filterOK = c.compile(x.CondExpr)
		}
		if x.KeyExpr != nil {
			found.key, keyOK = c.compile(x.KeyExpr)
		}
		found.value, valueOK = c.compile(x.ValExpr)
		found.alone = c.remembers
		return found, filterOK && keyOK && valueOK
	case *hclsyntax.SplatExpr:
		collection, isList := listed(x.Source)
		if found.block = g.n.mod.instancesOf(collection); found.block == nil {
			return gathering{}, false
		}
		step, isStep := x.Each.(*hclsyntax.RelativeTraversalExpr)
		if !isStep || step.Source != x.Item {
			return gathering{}, false
		}
		var ok bool
		found.value, ok = attributeOf(step.Traversal)
		// With for_each, the source is a map, and as such the one element of the splat, but for a list
		// of its values.
		return found, ok && isList == (found.block.forEach != nil)
	}
	return gathering{}, false
}

// listed returns what values(...) is called with.
func listed(expr hclsyntax.Expression) (of hclsyntax.Expression, isCall bool) {
	call, ok := expr.(*hclsyntax.FunctionCallExpr)
	if !ok || call.Name != "values" || len(call.Args) != 1 || call.ExpandFinal {
		return expr, false
	}
	return call.Args[0], true
}

// collect returns what a gathering gives, and the marks of which elements there are. It answers
// false where it cannot be told which instances there are, and where there are none: what is wrong
// with the expression then is found by looking at it as it stands.
func (g *gatherer) collect(of gathering) (*Collection, cty.ValueMarks, bool) {
	list := g.s.images[of.block]
	if list == nil || list.expansion == nil || len(list.objects) == 0 {
		return nil, nil, false
	}
	i := instance{exporter: g.e.exporter(of.block, nil, addrs.Image{}, nil)}
	h := harvest{of: &of, all: len(list.objects), marks: cty.ValueMarks{}}
	for at := range list.objects {
		o := &list.objects[at]
		i.key, i.addr = o.key, addrs.Image{Module: g.s.addr, Name: of.block.key, Key: o.key}
		i.img, i.result = o.img, o.result
		if g.marked {
			i.marks = cty.NewValueMarks(dependency{addr: i.addr})
		}
		if !h.add(&i) {
			return nil, nil, false
		}
	}
	if !g.marked && (h.isMarked || len(h.marks) > 0) {
		return nil, nil, false
	}
	collected, ok := h.collection()
	return collected, h.marks, ok
}
