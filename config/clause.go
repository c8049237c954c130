package config

import (
	"math/big"
	"slices"
	"strconv"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/lang"
)

// clause is a condition of a filter, or a part of it. It looks once at each element of the
// collection, and then tells for an instance which elements the condition can hold for.
//
// HCL evaluates the whole condition for each element. A clause is only for what is a plain value,
// and no mistake, for each of them, so that nothing is missed of those that are left out.
type clause interface {
	// add takes in the element at a place, which is the variable of a context. It answers false
	// where what the condition says of it depends on more than it seems.
	add(at int, ctx *hcl.EvalContext) bool
	// holds returns the elements that it can hold for, to an instance.
	holds(ctx *hcl.EvalContext) holding
}

// holding are the elements that a clause can hold for.
type holding struct {
	// isTold is false where that cannot be told, and isAny says that it can be any.
	isTold, isAny bool
	places        []int // sorted
}

var anyElement, noElement = holding{isTold: true, isAny: true}, holding{isTold: true}

// clause returns a condition of a for expression as one, nil where it has a part of another form.
func (h hoister) clause(e *hclsyntax.ForExpr, condition hclsyntax.Expression) clause {
	switch c := condition.(type) {
	case *hclsyntax.ParenthesesExpr:
		return h.clause(e, c.Expression)
	case *hclsyntax.BinaryOpExpr:
		if c.Op == hclsyntax.OpLogicalAnd || c.Op == hclsyntax.OpLogicalOr {
			left, right := h.clause(e, c.LHS), h.clause(e, c.RHS)
			if left == nil || right == nil {
				return nil
			}
			return &pair{left: left, right: right, isOr: c.Op == hclsyntax.OpLogicalOr}
		}
	case *hclsyntax.UnaryOpExpr:
		of := h.clause(e, c.Val)
		if test, ok := of.(*comparison); ok && c.Op == hclsyntax.OpLogicalNot && test.isEquality() {
			test.isWanted = !test.isWanted
			return test
		}
		if of != nil && c.Op == hclsyntax.OpLogicalNot {
			return &negation{of}
		}
	}
	return h.single(e, condition)
}

// single returns a condition as a clause that has no others in it, nil where it is of another form.
func (h hoister) single(e *hclsyntax.ForExpr, condition hclsyntax.Expression) clause {
	switch {
	case !names(condition, e.KeyVar, e.ValVar):
		return &ofInstance{condition}
	case !h.varies(condition):
		return &ofElement{expr: condition}
	}
	switch c := condition.(type) {
	case *hclsyntax.BinaryOpExpr:
		if of, wanted, _, ok := h.sides(e, c.LHS, c.RHS); ok && slices.Contains(comparisons, c.Op) {
			return &comparison{op: c.Op, of: of, wanted: wanted, isWanted: c.Op == hclsyntax.OpEqual, places: map[string][]int{}}
		}
	case *hclsyntax.FunctionCallExpr:
		if c.Name != "contains" || len(c.Args) != 2 || c.ExpandFinal {
			return nil
		}
		if of, wanted, isFirst, ok := h.sides(e, c.Args[0], c.Args[1]); ok {
			return &membership{of: of, wanted: wanted, isList: isFirst, places: map[string][]int{}}
		}
	}
	return nil
}

// sides tells which of two expressions is about the element, and whether it is the first. The other
// must not be.
func (h hoister) sides(e *hclsyntax.ForExpr, one, other hclsyntax.Expression) (of, wanted hclsyntax.Expression, isFirst, ok bool) {
	of, wanted, isFirst = one, other, true
	if names(other, e.KeyVar, e.ValVar) {
		of, wanted, isFirst = other, one, false
	}
	return of, wanted, isFirst, !names(wanted, e.KeyVar, e.ValVar) && names(of, e.KeyVar, e.ValVar) && !h.varies(of)
}

var comparisons = []*hclsyntax.Operation{
	hclsyntax.OpEqual, hclsyntax.OpNotEqual, hclsyntax.OpGreaterThan, hclsyntax.OpGreaterThanOrEqual, hclsyntax.OpLessThan, hclsyntax.OpLessThanOrEqual,
}

// pair are two clauses joined by && or ||.
type pair struct {
	left, right clause
	isOr        bool
}

func (p *pair) add(at int, ctx *hcl.EvalContext) bool {
	return p.left.add(at, ctx) && p.right.add(at, ctx)
}

func (p *pair) holds(ctx *hcl.EvalContext) holding {
	left, right := p.left.holds(ctx), p.right.holds(ctx)
	switch {
	case !left.isTold || !right.isTold:
		return holding{}
	case p.isOr && (left.isAny || right.isAny):
		return anyElement
	case p.isOr:
		places := slices.Concat(left.places, right.places)
		slices.Sort(places)
		return holding{isTold: true, places: slices.Compact(places)}
	case left.isAny || !right.isAny && len(right.places) < len(left.places):
		return right
	default:
		return left
	}
}

// negation is a clause with ! in front. What the clause does not hold for is as good as all.
type negation struct{ of clause }

func (n *negation) add(at int, ctx *hcl.EvalContext) bool { return n.of.add(at, ctx) }

func (n *negation) holds(ctx *hcl.EvalContext) holding {
	if !n.of.holds(ctx).isTold {
		return holding{}
	}
	return anyElement
}

// ofInstance is a clause that says the same of all elements.
type ofInstance struct{ expr hclsyntax.Expression }

func (*ofInstance) add(int, *hcl.EvalContext) bool { return true }

func (o *ofInstance) holds(ctx *hcl.EvalContext) holding {
	switch v, ok := plainBool(o.expr, ctx); {
	case !ok:
		return holding{}
	case v:
		return anyElement
	default:
		return noElement
	}
}

// ofElement is a clause that says the same to all instances.
type ofElement struct {
	expr   hclsyntax.Expression
	places []int
}

func (o *ofElement) add(at int, ctx *hcl.EvalContext) bool {
	v, ok := plainBool(o.expr, ctx)
	if v {
		o.places = append(o.places, at)
	}
	return ok
}

func (o *ofElement) holds(*hcl.EvalContext) holding {
	return holding{isTold: true, places: o.places}
}

// comparison holds what an element says of itself against what an instance wants.
type comparison struct {
	op         *hclsyntax.Operation
	of, wanted hclsyntax.Expression
	// isWanted says that it holds for what is equal. The places of elements are then of use, by what
	// they say, as equalText writes it.
	isWanted bool
	places   map[string][]int
}

func (c *comparison) isEquality() bool {
	return c.op == hclsyntax.OpEqual || c.op == hclsyntax.OpNotEqual
}

func (c *comparison) add(at int, ctx *hcl.EvalContext) bool {
	v, diags := c.of.Value(ctx)
	if len(diags) > 0 || !c.isEquality() && (!lang.IsPlain(v) || v.Type() != cty.Number) {
		return false
	}
	if c.isEquality() && v.IsKnown() && !v.IsMarked() && v.IsNull() {
		return true // It is equal to no plain value.
	}
	key, ok := equalText(v)
	if ok && c.isWanted {
		c.places[key] = append(c.places[key], at)
	}
	return ok || !c.isEquality()
}

func (c *comparison) holds(ctx *hcl.EvalContext) holding {
	v, diags := c.wanted.Value(ctx)
	if len(diags) > 0 || !c.isEquality() && (!lang.IsPlain(v) || v.Type() != cty.Number) {
		return holding{}
	}
	if key, ok := equalText(v); c.isWanted && ok {
		return holding{isTold: true, places: c.places[key]}
	} else if !ok && c.isEquality() {
		return holding{}
	}
	return anyElement
}

// membership asks whether a list contains a text: that of an element one of the instance, or that of
// an instance one of the element.
type membership struct {
	of, wanted hclsyntax.Expression
	// isList says that the list is that of an element.
	isList bool
	// places are those of the elements by their texts.
	places map[string][]int
}

func (m *membership) add(at int, ctx *hcl.EvalContext) bool {
	texts, ok := m.texts(m.of, m.isList, ctx)
	for _, text := range texts {
		if here := m.places[text]; len(here) == 0 || here[len(here)-1] != at {
			m.places[text] = append(here, at)
		}
	}
	return ok
}

func (m *membership) holds(ctx *hcl.EvalContext) holding {
	texts, ok := m.texts(m.wanted, !m.isList, ctx)
	var places []int
	for _, text := range texts {
		places = append(places, m.places[text]...)
	}
	slices.Sort(places)
	return holding{isTold: ok, places: slices.Compact(places)}
}

// texts returns the texts of a list, or the one text.
func (m *membership) texts(expr hclsyntax.Expression, isList bool, ctx *hcl.EvalContext) ([]string, bool) {
	v, diags := expr.Value(ctx)
	if !isList {
		text, ok := lang.PlainText(v)
		return []string{text}, ok && len(diags) == 0
	}
	if len(diags) > 0 || !lang.IsPlain(v) || !v.Type().IsTupleType() && !v.Type().IsListType() && !v.Type().IsSetType() {
		return nil, false
	}
	texts := make([]string, 0, v.LengthInt())
	for it := v.ElementIterator(); it.Next(); {
		_, element := it.Element()
		text, ok := lang.PlainText(element)
		if !ok {
			return nil, false
		}
		texts = append(texts, text)
	}
	return texts, true
}

// equalText writes a value so that equal ones are written the same: a text, a whole number that is
// not too large, or a boolean.
func equalText(v cty.Value) (string, bool) {
	if !lang.IsPlain(v) {
		return "", false
	}
	switch v.Type() {
	case cty.String:
		return "s" + v.AsString(), true
	case cty.Bool:
		return "b" + strconv.FormatBool(v.True()), true
	case cty.Number:
		n, accuracy := v.AsBigFloat().Int64()
		return "n" + strconv.FormatInt(n, 10), accuracy == big.Exact
	}
	return "", false
}

func plainBool(expr hclsyntax.Expression, ctx *hcl.EvalContext) (value, ok bool) {
	v, diags := expr.Value(ctx)
	if len(diags) > 0 || !lang.IsPlain(v) || v.Type() != cty.Bool {
		return false, false
	}
	return v.True(), true
}
