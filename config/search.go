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
