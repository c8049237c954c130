package config

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
)

// gathering is an expression that takes one attribute of each instance of a block, and nothing
// else: [for k, i in image.card : i.path], or image.card[*].path where the block has count. It is
// what most outputs are. Its value is made of the images directly, without what expressions see of
// each of them, an object for all of these, and a scope for each step.
type gathering struct {
	block *imageBlock
	attr  string
}

// gathering recognises the form. It answers false for all other expressions.
func (m *module) gathering(expr hcl.Expression) (g gathering, ok bool) {
	switch x := expr.(type) {
	case *hclsyntax.ForExpr:
		isList := x.KeyExpr == nil && x.CondExpr == nil && x.KeyVar != x.ValVar
		if isList && x.ValVar != "image" && x.KeyVar != "image" {
			g.block = m.instancesOf(x.CollExpr)
			g.attr, ok = steps(x.ValExpr, x.ValVar, 1)
		}
	case *hclsyntax.SplatExpr:
		step, isStep := x.Each.(*hclsyntax.RelativeTraversalExpr)
		if isStep && step.Source == x.Item && len(step.Traversal) == 1 {
			var attr hcl.TraverseAttr
			g.block = m.instancesOf(x.Source)
			attr, ok = step.Traversal[0].(hcl.TraverseAttr)
			g.attr = attr.Name
		}
		// With for_each, the source is a map, and as such the one element of the splat.
		ok = ok && g.block != nil && g.block.count != nil
	}
	return g, ok && g.block != nil && slices.Contains(image.Exported, g.attr)
}

// values returns what the expression gives for each instance, and the instances' addresses. It
// answers false where it cannot be told which there are.
func (g gathering) values(e *evaluator, s *scope) (values []cty.Value, of []addrs.Image, ok bool) {
	list := s.images[g.block]
	if list == nil || list.expansion == nil {
		return nil, nil, false
	}
	values, of = make([]cty.Value, len(list.objects)), make([]addrs.Image, len(list.objects))
	for i := range list.objects {
		o := &list.objects[i]
		of[i] = addrs.Image{Module: s.addr, Name: g.block.key, Key: o.key}
		x := e.exporter(g.block, o.img, of[i], o.result)
		values[i] = x.attribute(g.attr)
	}
	return values, of, true
}

// gathered returns the value of a gathering, marked as the expression's own is. It answers false
// where the expression is another one, and has to be evaluated.
func (e *evaluator) gathered(n *node, s *scope, expr hcl.Expression) (cty.Value, bool) {
	g, ok := n.mod.gathering(expr)
	if !ok || e.opts.general {
		return cty.NilVal, false
	}
	values, of, ok := g.values(e, s)
	for i := range values {
		values[i] = values[i].Mark(dependency{addr: of[i]})
	}
	return cty.TupleVal(values), ok
}

// bare is like gathered for values that nobody depends on, and without marks. It answers false,
// too, where one of them is sensitive.
func (e *evaluator) bare(n *node, s *scope, expr hcl.Expression) (cty.Value, bool) {
	g, ok := n.mod.gathering(expr)
	if !ok || e.opts.general {
		return cty.NilVal, false
	}
	values, _, ok := g.values(e, s)
	if !ok || slices.ContainsFunc(values, cty.Value.ContainsMarked) {
		return cty.NilVal, false
	}
	return cty.TupleVal(values), true
}
