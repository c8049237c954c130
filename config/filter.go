package config

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/lang"
)

// filter is a for expression over what is the same for all instances of a block, whose condition
// picks a few of the elements: [for r in local.rows : r.name if r.sku == each.key].
// That is how two tables are joined. HCL goes through all elements each time; here it goes through
// those that the condition can hold for. Whatever is said about the others, it would be said
// about one of a collection that is not fit for this, which HCL goes through.
type filter struct {
	*hclsyntax.ForExpr
	in             *hoisted
	clause         clause
	isReady, isFit bool
	// hasNames says that the collection is an object or a map, and isNumbered that the expression sees
	// the places of elements in a list.
	hasNames, isNumbered bool
	elements             []element
}

type element struct {
	// name is that of an attribute of an object, or of an element of a map.
	name  string
	value cty.Value
}

// filter returns a for expression as one, nil where it has another form.
func (h hoister) filter(e *hclsyntax.ForExpr) *filter {
	if e.CondExpr == nil {
		return nil
	}
	return h.filterBy(e, e.CondExpr)
}

// filterBy returns a for expression as one that leaves out elements for which a condition cannot hold.
func (h hoister) filterBy(e *hclsyntax.ForExpr, condition hclsyntax.Expression) *filter {
	if h.varies(e.CollExpr) {
		return nil
	}
	clause := h.clause(e, condition)
	if clause == nil {
		return nil
	}
	return &filter{in: h.hoist(e.CollExpr), clause: clause, ForExpr: h.loop(e)}
}

// Value implements hcl.Expression.
func (f *filter) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	if v, ok := f.find(ctx); ok {
		return v, nil
	}
	return f.ForExpr.Value(ctx)
}

// find returns the value, and answers false where all elements have to be gone through.
func (f *filter) find(ctx *hcl.EvalContext) (cty.Value, bool) {
	if !f.isReady {
		f.ready()
	}
	if !f.isFit {
		return cty.NilVal, false
	}
	found := f.clause.holds(ctx)
	if !found.isTold || found.isAny {
		return cty.NilVal, false
	}
	if f.isNumbered {
		return f.numbered(ctx, found.places)
	}
	return f.over(f.few(found.places), ctx)
}

// over goes through a collection in the place of all elements.
func (f *filter) over(few cty.Value, ctx *hcl.EvalContext) (cty.Value, bool) {
	e := *f.ForExpr
	e.CollExpr = &hclsyntax.LiteralValueExpr{Val: few, SrcRange: f.CollExpr.Range()}
	v, diags := e.Value(ctx)
	return v, len(diags) == 0
}

// few returns a collection of the elements at some places.
func (f *filter) few(places []int) cty.Value {
	if !f.hasNames {
		list := make([]cty.Value, len(places))
		for i, at := range places {
			list[i] = f.elements[at].value
		}
		return cty.TupleVal(list)
	}
	attrs := make(map[string]cty.Value, len(places))
	for _, at := range places {
		attrs[f.elements[at].name] = f.elements[at].value
	}
	return cty.ObjectVal(attrs)
}

// numbered goes through the elements of a list at some places. In a collection of these alone, they
// would have other numbers.
func (f *filter) numbered(ctx *hcl.EvalContext, places []int) (cty.Value, bool) {
	if _, ok := f.over(cty.EmptyTupleVal, ctx); !ok {
		return cty.NilVal, false // HCL tries the condition with unknown values first.
	}
	values := make([]cty.Value, 0, len(places))
	turn := ctx.NewChild()
	for _, at := range places {
		turn.Variables = f.variables(cty.NumberIntVal(int64(at)), f.elements[at].value)
		if f.CondExpr != nil {
			isIncluded, ok := plainBool(f.CondExpr, turn)
			if !ok {
				return cty.NilVal, false
			}
			if !isIncluded {
				continue
			}
		}
		v, diags := f.ValExpr.Value(turn)
		if len(diags) > 0 {
			return cty.NilVal, false
		}
		values = append(values, v)
	}
	return cty.TupleVal(values), true
}

func (f *filter) variables(key, value cty.Value) map[string]cty.Value {
	all := map[string]cty.Value{f.KeyVar: key}
	all[f.ValVar] = value // It is the later variable where both have one name.
	return all
}

// ready looks at all elements, once.
func (f *filter) ready() {
	f.isReady = true
	v, ok := f.in.plain()
	if !ok {
		return
	}
	ty := v.Type()
	f.hasNames = ty.IsObjectType() || ty.IsMapType()
	f.isNumbered = !f.hasNames && f.KeyVar != ""
	if !lang.IsStructure(ty) || f.isNumbered && (f.KeyExpr != nil || ty.IsSetType()) {
		return
	}
	turn := f.in.ctx.NewChild()
	for key, value := range v.Elements() {
		turn.Variables = f.variables(key, value)
		if !f.clause.add(len(f.elements), turn) {
			return
		}
		e := element{value: value}
		if f.hasNames {
			e.name = key.AsString()
		}
		f.elements = append(f.elements, e)
	}
	f.isFit = true
}

// anyOf is a call of anytrue on what a for expression says of each element of what is the same for
// all instances: anytrue([for r in local.rows : r.sku == each.key]).
type anyOf struct {
	*hclsyntax.FunctionCallExpr
	holding *filter
}

// anyOf returns a call as one, nil where it has another form.
func (h hoister) anyOf(call *hclsyntax.FunctionCallExpr) hclsyntax.Expression {
	if call.Name != "anytrue" || len(call.Args) != 1 || call.ExpandFinal {
		return nil
	}
	loop, ok := call.Args[0].(*hclsyntax.ForExpr)
	if !ok || loop.KeyExpr != nil {
		return nil
	}
	condition := loop.ValExpr
	if loop.CondExpr != nil {
		// This only tells which elements to go through: evaluated, && may pass over what is wrong with
		// one of its sides.
		condition = &hclsyntax.BinaryOpExpr{LHS: loop.CondExpr, Op: hclsyntax.OpLogicalAnd, RHS: loop.ValExpr, SrcRange: loop.ValExpr.Range()}
	}
	holding := h.filterBy(loop, condition)
	if holding == nil {
		return nil
	}
	c := *call
	c.Args = []hclsyntax.Expression{h.parts(loop)}
	return &anyOf{FunctionCallExpr: &c, holding: holding}
}

// Value implements hcl.Expression.
func (a *anyOf) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	if v, ok := a.holding.find(ctx); ok {
		if isAny, ok := anyTrue(v); ok {
			return cty.BoolVal(isAny), nil
		}
	}
	return a.FunctionCallExpr.Value(ctx)
}

// anyTrue reports whether one of a tuple is true. It answers false where one is no plain boolean.
func anyTrue(of cty.Value) (isAny, ok bool) {
	for it := of.ElementIterator(); it.Next(); {
		_, v := it.Element()
		if !lang.IsPlain(v) || v.Type() != cty.Bool {
			return false, false
		}
		isAny = isAny || v.True()
	}
	return isAny, true
}
