package config

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/hclfast"
	"github.com/fluxbatch/fluxbatch/internal/lang"
)

// quick evaluates expressions with lookups of the commonest forms without a scope: for ten thousand
// rows that name each other, building one for each, and HCL's walk through the expression, would
// take most of the time. It knows lists, conditionals on equal texts, for expressions over lists,
// functions, each.key and each.value.NAME, and values that are plain. Whatever is anything else
// makes it give up, and the expression is evaluated as usual.
type quick struct {
	each      each
	w         *weave
	functions map[string]function.Function
	// name and value are of the variable of the for expression around.
	name  string
	value cty.Value
	marks *quickMarks
}

// quickMarks tell of the marks of a value.
type quickMarks struct {
	// from are the images whose marks were taken off where they were looked up. That is done for
	// those of which nothing but the address is seen.
	from []addrs.Image
	// deep says that there may be others somewhere in the value.
	deep bool
}

func (q *quick) expr(expr hclsyntax.Expression) (cty.Value, bool) {
	switch e := expr.(type) {
	case *hclsyntax.LiteralValueExpr, *hclsyntax.TemplateExpr:
		v, ok := hclfast.Scalar(e)
		return v, ok && lang.IsPlain(v)
	case *hclsyntax.ParenthesesExpr:
		return q.expr(e.Expression)
	case *hclsyntax.ScopeTraversalExpr:
		return q.variable(e)
	case *lookupExpr:
		return q.lookup(e)
	case *choice:
		return q.choice(e)
	case *hclsyntax.TupleConsExpr:
		if len(e.Exprs) == 0 {
			return cty.EmptyTupleVal, true
		}
		values := make([]cty.Value, len(e.Exprs))
		for i, element := range e.Exprs {
			var ok bool
			if values[i], ok = q.expr(element); !ok {
				return cty.NilVal, false
			}
		}
		return q.tuple(values), true
	case *hclsyntax.ForExpr:
		return q.loop(e)
	case *timely:
		return q.expr(e.Expression)
	case *hclsyntax.FunctionCallExpr:
		return q.call(e)
	}
	return cty.NilVal, false
}

// call calls a function whose arguments have the types that it takes.
func (q *quick) call(e *hclsyntax.FunctionCallExpr) (cty.Value, bool) {
	if e.Name == "try" && !e.ExpandFinal {
		for _, arg := range e.Args {
			if v, ok := q.expr(arg); ok || !q.lacks(arg) {
				return v, ok
			}
		}
		return cty.NilVal, false
	}
	f, ok := q.functions[e.Name]
	if !ok || e.ExpandFinal || f.VarParam() != nil || len(f.Params()) != len(e.Args) {
		return cty.NilVal, false
	}
	args := make([]cty.Value, len(e.Args))
	for i, arg := range e.Args {
		if args[i], ok = q.expr(arg); !ok || !lang.IsPlain(args[i]) || !args[i].Type().Equals(f.Params()[i].Type) {
			return cty.NilVal, false
		}
	}
	v, err := f.Call(args)
	return q.found(v), err == nil
}

// lacks reports whether an expression is each.value.NAME, and this row has no such field.
func (q *quick) lacks(expr hclsyntax.Expression) bool {
	part, ok := eachPart(expr)
	switch {
	case !ok || part.key || q.name == "each" || !q.each.isSet():
		return false
	case q.each.table != nil:
		_, ok := q.each.table.Cell(q.each.row, part.attr)
		return !ok
	}
	v := q.each.value
	return lang.IsPlain(v) && v.Type().IsObjectType() && !v.Type().HasAttribute(part.attr)
}

// variable returns a value of each, or of the variable of a for expression. Lists come whole.
func (q *quick) variable(e *hclsyntax.ScopeTraversalExpr) (cty.Value, bool) {
	if len(e.Traversal) == 1 {
		return q.found(q.value), q.name != "" && e.Traversal.RootName() == q.name
	}
	part, ok := eachPart(e)
	switch {
	case !ok || q.name == "each" || !q.each.isSet():
		return cty.NilVal, false
	case part.key:
		return part.value(q.each)
	case q.each.table != nil:
		text, ok := q.each.table.Cell(q.each.row, part.attr)
		return cty.StringVal(text), ok
	}
	v, ok := lang.PlainAttr(q.each.value, part.attr)
	return q.found(v), ok
}

// found notes that a value may have marks.
func (q *quick) found(v cty.Value) cty.Value {
	if v != cty.NilVal && (v.IsMarked() || !v.Type().IsPrimitiveType()) {
		q.marks.deep = true
	}
	return v
}

func (q *quick) lookup(e *lookupExpr) (cty.Value, bool) {
	if e.key == nil {
		return cty.NilVal, false
	}
	v, ok := q.expr(e.key)
	if !ok || !lang.IsPlain(v) {
		return cty.NilVal, false
	}
	key, ok := e.keyOf(v)
	if !ok {
		return cty.NilVal, false
	}
	found, ok := e.w.get(e.b, key, e.Range())
	switch {
	case !ok || !found.IsKnown():
	case e.b.demand.size() == 0:
		q.marks.from = append(q.marks.from, addrs.Image{Module: e.w.scope.addr, Name: e.b.key, Key: key})
		found, _ = found.Unmark()
	default:
		q.marks.deep = true
	}
	return found, ok // What there is none of is reported by HCL's way.
}

func (q *quick) choice(e *choice) (cty.Value, bool) {
	chosen, ok := q.test(e.Condition)
	switch {
	case !ok:
		return cty.NilVal, false
	case chosen:
		return q.expr(e.TrueResult)
	}
	return q.expr(e.FalseResult)
}

// test evaluates a condition that compares two texts.
func (q *quick) test(expr hclsyntax.Expression) (result, ok bool) {
	if t, ok := expr.(*timely); ok {
		expr = t.Expression
	}
	test, ok := expr.(*hclsyntax.BinaryOpExpr)
	if !ok || test.Op != hclsyntax.OpEqual && test.Op != hclsyntax.OpNotEqual {
		return false, false
	}
	left, ok1 := q.text(test.LHS)
	right, ok2 := q.text(test.RHS)
	return (left == right) == (test.Op == hclsyntax.OpEqual), ok1 && ok2
}

func (q *quick) text(expr hclsyntax.Expression) (string, bool) {
	v, ok := q.expr(expr)
	if !ok {
		return "", false
	}
	return lang.PlainText(v)
}

func (q *quick) loop(e *hclsyntax.ForExpr) (cty.Value, bool) {
	if e.KeyVar != "" || e.KeyExpr != nil || q.name != "" {
		return cty.NilVal, false
	}
	deep := q.marks.deep
	list, ok := q.expr(e.CollExpr)
	q.marks.deep = deep // What of the list becomes part of the result is looked at then.
	if !ok || !lang.IsPlain(list) || !list.Type().IsTupleType() && !list.Type().IsListType() {
		return cty.NilVal, false
	}
	inner := quick{each: q.each, w: q.w, functions: q.functions, name: e.ValVar, marks: q.marks}
	values := make([]cty.Value, 0, list.LengthInt())
	for it := list.ElementIterator(); it.Next(); {
		_, inner.value = it.Element()
		if e.CondExpr != nil {
			switch included, ok := inner.test(e.CondExpr); {
			case !ok:
				return cty.NilVal, false
			case !included:
				continue
			}
		}
		v, ok := inner.expr(e.ValExpr)
		if !ok {
			return cty.NilVal, false
		}
		values = append(values, v)
	}
	return q.tuple(values), true
}

// tuple returns a list, but for one that means nothing yet, since elements are missing.
func (q *quick) tuple(values []cty.Value) cty.Value {
	if q.w.waiting() {
		return cty.DynamicVal
	}
	return cty.TupleVal(values)
}

// quickly evaluates an expression with lookups for the instance in the making. It answers false
// where the expression has to be evaluated as usual.
func (d *builder) quickly(expr hcl.Expression) (unmarked, bool) {
	native, ok := expr.(hclsyntax.Expression)
	if !ok || d.b.forEach == nil || d.e.opts.general {
		return unmarked{}, false
	}
	w := d.b.weave
	wants, looked := len(w.wants), len(w.looked)
	var marks quickMarks
	q := quick{each: d.current, w: w, functions: d.e.opts.functions.Table, marks: &marks}
	v, ok := q.expr(native)
	if !ok {
		w.wants, w.looked = w.wants[:wants], w.looked[:looked]
		return unmarked{}, false
	}
	u := unmarked{value: v}
	if marks.deep {
		u = unmark(v)
	}
	u.from = append(u.from, marks.from...)
	return u, !u.sensitive
}
