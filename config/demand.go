package config

import (
	"maps"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/fluxbatch/fluxbatch/internal/image"
)

// demand says which attributes of an image block's instances anything reads. What expressions see
// of an instance is an object with some thirty attributes; built in full for a hundred thousand
// instances of which an output lists the paths, they would take most of the time and memory of a
// plan.
type demand struct {
	// all says that the objects can be looked at as a whole. It is so for blocks with a single
	// instance.
	all   bool
	attrs map[string]bool
}

func (d *demand) add(name string) {
	if d.attrs == nil {
		d.attrs = map[string]bool{}
	}
	d.attrs[name] = true
}

// size grows with everything that is demanded.
func (d *demand) size() int {
	if d.all {
		return len(image.Exported) + 1
	}
	return len(d.attrs)
}

// demander finds out what an expression reads of images with several instances. Where it does not
// understand an expression, it takes all.
type demander struct {
	m *module
	// each is the block whose instances each.value goes through, nil where it is something else.
	each *imageBlock
	// own is the image block that the expression stands in, nil where it is no image's.
	own *imageBlock
	// uses are those of the node whose expression it is.
	uses *uses
	// bound are the variables of for expressions around, with the block whose instances they go
	// through or nil.
	bound map[string]*imageBlock
}

// demands notes what an expression reads.
func (l *linker) demands(n *node, m *module, expr hcl.Expression, allowed symbols) {
	d := demander{m: m, uses: &n.uses, each: m.instancesOf(allowed.repeat.forEach)}
	d.own, _ = n.work.(*imageBlock)
	native, ok := expr.(hclsyntax.Expression)
	if !ok {
		for _, traversal := range expr.Variables() {
			d.traversal(traversal, false)
		}
		return
	}
	d.expr(native, allowed.asReferences)
}

// instancesOf returns the block where an expression is just its name, as in for_each = image.card.
func (m *module) instancesOf(expr hcl.Expression) *imageBlock {
	scope, ok := expr.(*hclsyntax.ScopeTraversalExpr)
	if !ok || len(scope.Traversal) != 2 || scope.Traversal.RootName() != "image" {
		return nil
	}
	step, ok := scope.Traversal[1].(hcl.TraverseAttr)
	if !ok || m.images[step.Name] == nil || !m.images[step.Name].isSet() {
		return nil
	}
	return m.images[step.Name]
}

// instance notes that an instance, or all of them, are used as a whole.
func (d *demander) instance(b *imageBlock, asReference bool) {
	if !asReference {
		b.demand.all = true
	}
}

// whole notes that an expression looks at all instances of a block, rather than at those with
// certain keys.
func (d *demander) whole(b *imageBlock) {
	if d.uses.whole == nil {
		d.uses.whole = map[*imageBlock]bool{}
	}
	d.uses.whole[b] = true
}

// traversal notes what a name with what follows it reads.
func (d *demander) traversal(t hcl.Traversal, asReference bool) {
	b, rest := d.resolve(t)
	if b != nil {
		d.steps(b, rest, asReference)
	}
}

// steps notes what is read of an instance by the steps after it.
func (d *demander) steps(b *imageBlock, rest hcl.Traversal, asReference bool) {
	if len(rest) == 0 {
		d.instance(b, asReference)
		return
	}
	if attr, ok := rest[0].(hcl.TraverseAttr); ok {
		b.demand.add(attr.Name)
		return
	}
	b.demand.all = true
}

// resolve finds the block whose instance a name starts with, and the steps after the instance.
func (d *demander) resolve(t hcl.Traversal) (*imageBlock, hcl.Traversal) {
	root := t.RootName()
	if b, ok := d.bound[root]; ok {
		return b, t[1:]
	}
	if len(t) < 2 {
		return nil, nil
	}
	step, ok := t[1].(hcl.TraverseAttr)
	switch {
	case !ok:
		return nil, nil
	case root == "each" && step.Name == "value":
		return d.each, t[2:]
	case root != "image" || d.m.images[step.Name] == nil:
		return nil, nil
	}
	b := d.m.images[step.Name]
	if len(t) > 2 && b.isSet() {
		return b, t[3:] // after the key
	}
	d.whole(b)
	return b, t[2:]
}

// expr notes what an expression reads.
func (d *demander) expr(expr hclsyntax.Expression, asReference bool) {
	switch e := expr.(type) {
	case *hclsyntax.ScopeTraversalExpr:
		d.traversal(e.Traversal, asReference)
	case *hclsyntax.RelativeTraversalExpr:
		if index, b := d.index(e.Source); b != nil {
			d.expr(index.Key, false)
			d.steps(b, e.Traversal, asReference)
			return
		}
		d.expr(e.Source, false)
	case *hclsyntax.IndexExpr:
		d.expr(e.Key, false)
		if _, b := d.index(e); b != nil {
			d.instance(b, asReference)
			return
		}
		d.expr(e.Collection, false)
	case *hclsyntax.SplatExpr:
		d.splat(e)
	case *hclsyntax.ForExpr:
		d.forExpr(e, asReference)
	case *hclsyntax.TupleConsExpr:
		d.list(e.Exprs, asReference)
	case *hclsyntax.ObjectConsExpr:
		for _, item := range e.Items {
			d.expr(item.KeyExpr, false)
			d.expr(item.ValueExpr, asReference)
		}
	case *hclsyntax.ParenthesesExpr:
		d.expr(e.Expression, asReference)
	case *hclsyntax.FunctionCallExpr:
		if b := d.counted(e); b != nil {
			d.whole(b)
			return
		}
		d.list(e.Args, asReference && passesOn[e.Name])
	case *hclsyntax.ConditionalExpr:
		d.expr(e.Condition, false)
		// The results must have one type, so that images in them are taken as a whole: all but
		// those that can only be of one block.
		asReference = asReference && d.onlyOwn(e.TrueResult) && d.onlyOwn(e.FalseResult)
		d.list([]hclsyntax.Expression{e.TrueResult, e.FalseResult}, asReference)
	default:
		d.parts(expr)
	}
}

// counted returns the block in length(image.card) or keys(image.card), which read nothing of the
// instances.
func (d *demander) counted(e *hclsyntax.FunctionCallExpr) *imageBlock {
	if e.Name != "length" && e.Name != "keys" || len(e.Args) != 1 {
		return nil
	}
	return d.collection(e.Args[0])
}

// onlyOwn reports whether an expression names no images but those of the block that it stands in,
// which therefore cannot be single.
func (d *demander) onlyOwn(expr hclsyntax.Expression) bool {
	if d.own == nil || !d.own.isSet() {
		return false
	}
	for _, traversal := range expr.Variables() {
		b, _ := d.resolve(traversal)
		if b != nil && b != d.own {
			return false
		}
		if root := traversal.RootName(); b == nil && (root == "local" || root == "module" || root == "var") {
			return false // These may have images as values.
		}
	}
	return true
}

// passesOn are functions whose result has the elements of their arguments, and which do not look
// into them.
var passesOn = map[string]bool{"values": true, "concat": true, "flatten": true, "reverse": true, "slice": true, "try": true}

func (d *demander) list(exprs []hclsyntax.Expression, asReference bool) {
	for _, e := range exprs {
		d.expr(e, asReference)
	}
}

// parts goes into expressions whose own result never is an image's, and takes all of what is in
// others.
func (d *demander) parts(expr hclsyntax.Expression) {
	switch e := expr.(type) {
	case *hclsyntax.TemplateExpr:
		d.list(e.Parts, false)
	case *hclsyntax.TemplateWrapExpr:
		d.expr(e.Wrapped, false)
	case *hclsyntax.TemplateJoinExpr:
		d.expr(e.Tuple, false)
	case *hclsyntax.BinaryOpExpr:
		d.list([]hclsyntax.Expression{e.LHS, e.RHS}, false)
	case *hclsyntax.UnaryOpExpr:
		d.expr(e.Val, false)
	case *hclsyntax.ObjectConsKeyExpr:
		if e.ForceNonLiteral {
			d.expr(e.Wrapped, false)
		}
	case *hclsyntax.LiteralValueExpr, *hclsyntax.AnonSymbolExpr:
	default:
		for _, traversal := range expr.Variables() {
			d.traversal(traversal, false)
		}
		for _, b := range d.m.images {
			b.demand.all = true
			d.whole(b)
		}
	}
}

// index returns the block of an expression such as image.card[each.key].
func (d *demander) index(expr hclsyntax.Expression) (*hclsyntax.IndexExpr, *imageBlock) {
	index, ok := expr.(*hclsyntax.IndexExpr)
	if !ok {
		return nil, nil
	}
	return index, d.collection(index.Collection)
}

// collection returns the block of an expression that is all of its instances.
func (d *demander) collection(expr hclsyntax.Expression) *imageBlock {
	if scope, ok := expr.(*hclsyntax.ScopeTraversalExpr); ok {
		if _, hidden := d.bound[scope.Traversal.RootName()]; hidden {
			return nil
		}
	}
	if call, ok := expr.(*hclsyntax.FunctionCallExpr); ok && call.Name == "values" && len(call.Args) == 1 {
		b := d.collection(call.Args[0])
		if b != nil {
			d.whole(b)
		}
		return b
	}
	return d.m.instancesOf(expr)
}

// splat notes what an expression such as image.card[*].path reads.
func (d *demander) splat(e *hclsyntax.SplatExpr) {
	b := d.collection(e.Source)
	if b == nil || b.forEach != nil {
		// With for_each, the source is a map, and as such the one element of the splat.
		d.expr(e.Source, false)
	}
	if b != nil {
		d.whole(b)
	}
	each, ok := e.Each.(*hclsyntax.RelativeTraversalExpr)
	switch {
	case b == nil:
		d.expr(e.Each, false)
	case ok && each.Source == e.Item:
		d.steps(b, each.Traversal, false)
	default:
		b.demand.all = true
	}
}

// forExpr notes what a for expression reads.
func (d *demander) forExpr(e *hclsyntax.ForExpr, asReference bool) {
	b := d.collection(e.CollExpr)
	if b == nil {
		d.expr(e.CollExpr, false)
	} else {
		d.whole(b)
	}
	inner := demander{m: d.m, own: d.own, each: d.each, uses: d.uses, bound: map[string]*imageBlock{}}
	maps.Copy(inner.bound, d.bound)
	inner.bound[e.ValVar] = b
	if e.KeyVar != "" {
		inner.bound[e.KeyVar] = nil
	}
	if e.KeyExpr != nil {
		inner.expr(e.KeyExpr, false)
		asReference = false
	}
	inner.expr(e.ValExpr, asReference)
	if e.CondExpr != nil {
		inner.expr(e.CondExpr, false)
	}
}
