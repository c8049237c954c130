package config

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/lang"
)

// search is a call of lookup, contains or index that looks for a text in what is the same for all
// instances of a block, or in all turns of a loop. A call goes through all of its arguments for marks, and sorts their names,
// so that ten thousand instances that each look for a name among ten thousand would take minutes.
// Here each search takes a step or two. What is not of that form is left to the function.
type search struct {
	*hclsyntax.FunctionCallExpr
	in *hoisted
	// isReady says that in was looked at, and isFit that it has nothing but plain values, or plain
	// texts where places are looked for.
	isReady, isFit bool
	// places are where the texts of a list are first.
	places map[string]int
}

// search returns a call with its first argument hoisted, nil where it has another form.
func (h hoister) search(call *hclsyntax.FunctionCallExpr) hclsyntax.Expression {
	isSearch := call.Name == "lookup" && len(call.Args) <= 3 || (call.Name == "contains" || call.Name == "index") && len(call.Args) == 2
	if !isSearch || len(call.Args) < 2 || call.ExpandFinal || h.varies(call.Args[0]) {
		return nil
	}
	c := *call
	s := &search{FunctionCallExpr: &c, in: h.hoist(call.Args[0])}
	c.Args = slices.Clone(call.Args)
	c.Args[0] = s.in
	for i := range c.Args[1:] {
		c.Args[1+i] = h.parts(c.Args[1+i])
	}
	return s
}

// Value implements hcl.Expression.
func (s *search) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	if v, ok := s.find(ctx); ok {
		return v, nil
	}
	return s.FunctionCallExpr.Value(ctx)
}

func (s *search) find(ctx *hcl.EvalContext) (cty.Value, bool) {
	if !s.isReady {
		s.ready()
	}
	if !s.isFit {
		return cty.NilVal, false
	}
	value, diags := s.Args[1].Value(ctx)
	text, ok := lang.PlainText(value)
	if !ok || len(diags) > 0 {
		return cty.NilVal, false
	}
	if s.Name == "lookup" {
		return s.lookup(ctx, text)
	}
	at, ok := s.places[text]
	if s.Name == "contains" {
		return cty.BoolVal(ok), true
	}
	return cty.NumberIntVal(int64(at)), ok
}

// lookup gets an attribute of an object, or the default.
func (s *search) lookup(ctx *hcl.EvalContext, name string) (cty.Value, bool) {
	otherwise := cty.NilVal
	if len(s.Args) == 3 {
		var diags hcl.Diagnostics
		if otherwise, diags = s.Args[2].Value(ctx); len(diags) > 0 || otherwise.ContainsMarked() {
			return cty.NilVal, false
		}
	}
	if s.in.value.Type().HasAttribute(name) {
		return s.in.value.GetAttr(name), true
	}
	return otherwise, otherwise != cty.NilVal
}

// ready looks at what is searched, once.
func (s *search) ready() {
	s.isReady = true
	v, ok := s.in.plain()
	if !ok {
		return
	}
	ty := v.Type()
	if s.Name == "lookup" {
		s.isFit = ty.IsObjectType()
		return
	}
	if !ty.IsTupleType() && !ty.IsListType() && (!ty.IsSetType() || s.Name == "index") {
		return
	}
	s.places = make(map[string]int, v.LengthInt())
	n := 0
	for _, element := range v.Elements() {
		text, ok := lang.PlainText(element)
		if !ok {
			return
		}
		if _, isThere := s.places[text]; !isThere {
			s.places[text] = n
		}
		n++
	}
	s.isFit = true
}

// branch is a conditional whose results are the same for all instances of a block. HCL finds a type
// that fits both, for which it goes through all that they have; here it does so once for each.
type branch struct {
	*hclsyntax.ConditionalExpr
	yes, no *hoisted
}

// branch returns a conditional with its results hoisted, nil where it has another form.
func (h hoister) branch(e *hclsyntax.ConditionalExpr) hclsyntax.Expression {
	if h.varies(e.TrueResult) || h.varies(e.FalseResult) {
		return nil
	}
	decided := func(condition cty.Value) *hoisted {
		c := *e
		c.Condition = &hclsyntax.LiteralValueExpr{Val: condition, SrcRange: e.Condition.Range()}
		return h.hoist(&c)
	}
	c := *e
	c.Condition = h.parts(e.Condition)
	return &branch{ConditionalExpr: &c, yes: decided(cty.True), no: decided(cty.False)}
}

// Value implements hcl.Expression.
func (b *branch) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	condition, diags := b.Condition.Value(ctx)
	if len(diags) == 0 && lang.IsPlain(condition) && condition.Type() == cty.Bool {
		chosen := b.no
		if condition.True() {
			chosen = b.yes
		}
		if v, diags := chosen.Value(ctx); len(diags) == 0 {
			return v, nil
		}
	}
	return b.ConditionalExpr.Value(ctx)
}

// filter is a for expression over what is the same for all instances of a block, whose condition
// picks the elements that have a certain text: [for r in local.rows : r.name if r.sku == each.key].
// That is how two tables are joined. HCL goes through all elements each time; here it goes through
// those that are found to have the text.
type filter struct {
	*hclsyntax.ForExpr
	in *hoisted
	// of is the side of the condition that tells of an element, and wanted the other one.
	of, wanted     hclsyntax.Expression
	isReady, isFit bool
	// found are the elements by their texts: attributes of an object by their names, or elements of a
	// list.
	found map[string][]element
}

type element struct {
	name  string
	value cty.Value
}

// filter returns a for expression as one, nil where it has another form.
func (h hoister) filter(e *hclsyntax.ForExpr) hclsyntax.Expression {
	test, ok := e.CondExpr.(*hclsyntax.BinaryOpExpr)
	if !ok || test.Op != hclsyntax.OpEqual || h.varies(e.CollExpr) {
		return nil
	}
	f := &filter{in: h.hoist(e.CollExpr), of: test.LHS, wanted: test.RHS}
	isBound := func(expr hclsyntax.Expression) bool { return names(expr, e.KeyVar, e.ValVar) }
	if isBound(f.wanted) {
		f.of, f.wanted = f.wanted, f.of
	}
	if isBound(f.wanted) || !isBound(f.of) || h.varies(f.of) {
		return nil
	}
	f.ForExpr = h.loop(e)
	return f
}

// Value implements hcl.Expression.
func (f *filter) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	if !f.isReady {
		f.ready()
	}
	if f.isFit {
		v, diags := f.wanted.Value(ctx)
		if text, ok := lang.PlainText(v); ok && len(diags) == 0 {
			few := *f.ForExpr
			few.CollExpr = &hclsyntax.LiteralValueExpr{Val: f.few(text), SrcRange: f.CollExpr.Range()}
			if v, diags := few.Value(ctx); len(diags) == 0 {
				return v, nil
			}
		}
	}
	return f.ForExpr.Value(ctx)
}

// few returns a collection of the elements that have a text.
func (f *filter) few(text string) cty.Value {
	found := f.found[text]
	if !f.in.value.Type().IsObjectType() {
		list := make([]cty.Value, len(found))
		for i := range found {
			list[i] = found[i].value
		}
		return cty.TupleVal(list)
	}
	attrs := make(map[string]cty.Value, len(found))
	for _, e := range found {
		attrs[e.name] = e.value
	}
	return cty.ObjectVal(attrs)
}

// ready finds the texts of all elements, once.
func (f *filter) ready() {
	f.isReady = true
	v, ok := f.in.plain()
	if !ok {
		return
	}
	// The key of an element of a list is its place among all.
	isList := (v.Type().IsTupleType() || v.Type().IsListType()) && f.KeyVar == ""
	if !isList && !v.Type().IsObjectType() {
		return
	}
	f.found = map[string][]element{}
	ctx := f.in.ctx.NewChild()
	for key, value := range v.Elements() {
		ctx.Variables = map[string]cty.Value{f.KeyVar: key}
		ctx.Variables[f.ValVar] = value // It is the later variable where both have one name.
		of, diags := f.of.Value(ctx)
		text, ok := lang.PlainText(of)
		if !ok || len(diags) > 0 {
			return
		}
		e := element{value: value}
		if !isList {
			e.name = key.AsString()
		}
		f.found[text] = append(f.found[text], e)
	}
	f.isFit = true
}
