package config

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
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
	return e.gather(n, s, expr, true)
}

// bare is like gathered for values that nobody depends on, and without marks. It answers false,
// too, where one of them is sensitive.
func (e *evaluator) bare(n *node, s *scope, expr hcl.Expression) (cty.Value, bool) {
	return e.gather(n, s, expr, false)
}

func (e *evaluator) gather(n *node, s *scope, expr hcl.Expression, marked bool) (cty.Value, bool) {
	native, ok := expr.(hclsyntax.Expression)
	if !ok || e.opts.general || len(n.uses.images) == 0 {
		return cty.NilVal, false
	}
	g := gatherer{e: e, n: n, s: s, marked: marked}
	replaced, ok := g.replace(native)
	if !ok {
		return cty.NilVal, false
	}
	if literal, ok := replaced.(*hclsyntax.LiteralValueExpr); ok {
		return literal.Val, true
	}
	v, ok := g.constant(replaced)
	return v, ok && (marked || !v.ContainsMarked())
}

// replace puts the values of gatherings in their places. It answers false where images are looked at
// in any other way.
func (g *gatherer) replace(expr hclsyntax.Expression) (hclsyntax.Expression, bool) {
	if !namesImages(expr) {
		return expr, true
	}
	switch e := expr.(type) {
	case *hclsyntax.ForExpr, *hclsyntax.SplatExpr:
		gathering, ok := g.gathering(e)
		if !ok {
			return nil, false
		}
		v, ok := g.values(gathering)
		return &hclsyntax.LiteralValueExpr{Val: v, SrcRange: expr.Range()}, ok
	case *hclsyntax.ParenthesesExpr:
		return g.replace(e.Expression)
	case *hclsyntax.FunctionCallExpr:
		call := *e
		var ok bool
		call.Args, ok = g.replaceAll(e.Args)
		return &call, ok
	case *hclsyntax.TupleConsExpr:
		list := *e
		var ok bool
		list.Exprs, ok = g.replaceAll(e.Exprs)
		return &list, ok
	case *hclsyntax.ObjectConsExpr:
		object := *e
		object.Items = slices.Clone(e.Items)
		for i := range object.Items {
			item, ok := g.replace(object.Items[i].ValueExpr)
			if !ok || namesImages(object.Items[i].KeyExpr) {
				return nil, false
			}
			object.Items[i].ValueExpr = item
		}
		return &object, true
	}
	return nil, false
}

func (g *gatherer) replaceAll(exprs []hclsyntax.Expression) ([]hclsyntax.Expression, bool) {
	all := slices.Clone(exprs)
	for i := range all {
		var ok bool
		if all[i], ok = g.replace(all[i]); !ok {
			return nil, false
		}
	}
	return all, true
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
		if found.block = g.n.mod.instancesOf(x.CollExpr); found.block == nil || x.KeyVar == x.ValVar {
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
		return found, filterOK && keyOK && valueOK
	case *hclsyntax.SplatExpr:
		step, isStep := x.Each.(*hclsyntax.RelativeTraversalExpr)
		if !isStep || step.Source != x.Item || len(step.Traversal) != 1 {
			return gathering{}, false
		}
		attr, isAttr := step.Traversal[0].(hcl.TraverseAttr)
		found.block = g.n.mod.instancesOf(x.Source)
		found.value = func(i *instance) (cty.Value, bool) { return i.get(attr.Name), true }
		// With for_each, the source is a map, and as such the one element of the splat.
		return found, isAttr && found.block != nil && found.block.count != nil && slices.Contains(image.Exported, attr.Name)
	}
	return gathering{}, false
}

// values returns what a gathering gives. It answers false where it cannot be told which instances
// there are, and where there are none: what is wrong with the expression then is found by looking at
// it as it stands.
func (g *gatherer) values(of gathering) (cty.Value, bool) {
	list := g.s.images[of.block]
	if list == nil || list.expansion == nil || len(list.objects) == 0 {
		return cty.NilVal, false
	}
	i := instance{exporter: g.e.exporter(of.block, nil, addrs.Image{}, nil)}
	result := collection{of: &of, marks: cty.ValueMarks{}}
	if of.key == nil && of.filter == nil {
		result.list = make([]cty.Value, 0, len(list.objects))
	}
	for at := range list.objects {
		o := &list.objects[at]
		i.key, i.addr = o.key, addrs.Image{Module: g.s.addr, Name: of.block.key, Key: o.key}
		i.img, i.result = o.img, o.result
		if g.marked {
			i.marks = cty.NewValueMarks(dependency{addr: i.addr})
		}
		if !result.add(&i) {
			return cty.NilVal, false
		}
	}
	if !g.marked && (result.isMarked || len(result.marks) > 0) {
		return cty.NilVal, false
	}
	return result.value().WithMarks(result.marks), true
}

// collection is the value of a gathering in the making.
type collection struct {
	of    *gathering
	list  []cty.Value
	named map[string]cty.Value
	// groups are the lists of values by their keys.
	groups map[string][]cty.Value
	// marks are those of the keys and filters, from which it follows which elements there are, and
	// isMarked says that an element has some.
	marks    cty.ValueMarks
	isMarked bool
}

// add adds what an instance gives. It answers false where that cannot be told.
func (c *collection) add(i *instance) bool {
	if c.of.filter != nil {
		v, ok := c.of.filter(i)
		v, ok = c.plain(v, ok)
		if !ok || !v.Type().Equals(cty.Bool) {
			return false
		}
		if v.False() {
			return true
		}
	}
	key := ""
	if c.of.key != nil {
		v, ok := c.of.key(i)
		if v, ok = c.plain(v, ok); !ok {
			return false
		}
		if key, ok = keyText(v); !ok {
			return false
		}
	}
	v, ok := c.of.value(i)
	if !ok {
		return false
	}
	c.isMarked = c.isMarked || v.ContainsMarked()
	switch {
	case c.of.key == nil:
		c.list = append(c.list, v)
	case c.of.group:
		put(&c.groups, key, append(c.groups[key], v))
	case c.named[key] != cty.NilVal:
		return false
	default:
		put(&c.named, key, v)
	}
	return true
}

// plain takes the marks of a filter or a key. It answers false where the value is not plain.
func (c *collection) plain(v cty.Value, ok bool) (cty.Value, bool) {
	if !ok {
		return v, false
	}
	v, marks := v.Unmark()
	for mark := range marks {
		c.marks[mark] = struct{}{}
	}
	return v, lang.IsPlain(v)
}

func (c *collection) value() cty.Value {
	switch {
	case c.of.key == nil:
		return cty.TupleVal(c.list)
	case c.of.group:
		for key, list := range c.groups {
			put(&c.named, key, cty.TupleVal(list))
		}
	}
	return cty.ObjectVal(c.named)
}

// put adds to a map that may not be there yet.
func put[K comparable, V any](m *map[K]V, key K, value V) {
	if *m == nil {
		*m = map[K]V{}
	}
	(*m)[key] = value
}
