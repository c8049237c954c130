package config

import (
	"math/big"
	"slices"
	"strconv"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/lang"
)

// term gives the value of an expression for one instance of a block. It answers false where the
// expression has to be evaluated by HCL after all: where types have to be converted, or anything is
// wrong.
type term func(*instance) (cty.Value, bool)

// instance is one of a block, as a for expression goes through them.
type instance struct {
	exporter
	key addrs.Key
	// marks has what the attributes are marked with, nil where nobody depends on them.
	marks cty.ValueMarks
}

func (i *instance) get(attr string) cty.Value {
	v := i.attribute(attr)
	if i.marks != nil {
		v = v.WithMarks(i.marks)
	}
	return v
}

// compiler makes terms of the expressions in a for expression over the instances of a block. It
// knows the commonest: attributes of the instance, its key, what is the same for all instances,
// operators, templates, functions, lists and objects. What it makes gives the very values that HCL
// gives, without a scope and an object for each instance, of which an output of a hundred thousand
// has use for a moment.
type compiler struct {
	keyVar, valueVar string
	functions        map[string]function.Function
	// constant evaluates what is the same for all instances.
	constant func(hclsyntax.Expression) (cty.Value, bool)
	// remembers says that one of the functions called may keep something of its calls, as those do
	// that read files.
	remembers bool
}

// compile answers false where the expression has another form.
func (c *compiler) compile(expr hclsyntax.Expression) (term, bool) {
	if !c.varies(expr) {
		v, ok := c.constant(expr)
		return func(*instance) (cty.Value, bool) { return v, true }, ok
	}
	switch e := expr.(type) {
	case *hclsyntax.ScopeTraversalExpr:
		return c.traversal(e)
	case *hclsyntax.ParenthesesExpr:
		return c.compile(e.Expression)
	case *hclsyntax.TemplateWrapExpr:
		return c.compile(e.Wrapped)
	case *hclsyntax.TemplateExpr:
		return c.template(e)
	case *hclsyntax.BinaryOpExpr:
		return c.operation(e.Op, e.LHS, e.RHS)
	case *hclsyntax.ConditionalExpr:
		return c.conditional(e)
	case *hclsyntax.UnaryOpExpr:
		return c.operation(e.Op, e.Val)
	case *hclsyntax.FunctionCallExpr:
		return c.call(e)
	case *hclsyntax.TupleConsExpr:
		return c.tuple(e)
	case *hclsyntax.ObjectConsExpr:
		return c.object(e)
	}
	return nil, false
}

// varies reports whether an expression is about the instance.
func (c *compiler) varies(expr hclsyntax.Expression) bool {
	return slices.ContainsFunc(expr.Variables(), func(t hcl.Traversal) bool {
		return t.RootName() == c.valueVar || c.keyVar != "" && t.RootName() == c.keyVar
	})
}

// traversal compiles a name: the key, or an attribute with what may follow it.
func (c *compiler) traversal(e *hclsyntax.ScopeTraversalExpr) (term, bool) {
	steps := e.Traversal[1:]
	if e.Traversal.RootName() == c.keyVar { // The key is the later variable where both have one name.
		return func(i *instance) (cty.Value, bool) { return keyValue(i.key), true }, len(steps) == 0 && c.keyVar != c.valueVar
	}
	if len(steps) == 0 {
		return nil, false // the instance as a whole
	}
	return attributeOf(steps)
}

// attributeOf gives an attribute of the instance, with what may follow it.
func attributeOf(steps hcl.Traversal) (term, bool) {
	attr, ok := steps[0].(hcl.TraverseAttr)
	if !ok || attr.Name != "address" && !slices.Contains(image.Exported, attr.Name) {
		return nil, false
	}
	rest := steps[1:]
	return func(i *instance) (cty.Value, bool) {
		v := i.get(attr.Name)
		if len(rest) == 0 {
			return v, true
		}
		v, diags := rest.TraverseRel(v)
		return v, len(diags) == 0
	}, true
}

// keyValue is an instance's key as expressions see it.
func keyValue(key addrs.Key) cty.Value {
	if n, ok := key.Int(); ok {
		return cty.NumberIntVal(int64(n))
	}
	text, _ := key.Text()
	return cty.StringVal(text)
}

// all compiles several expressions into one that gives all their values.
func (c *compiler) all(exprs []hclsyntax.Expression) (func(*instance, []cty.Value) bool, bool) {
	terms := make([]term, len(exprs))
	for i, e := range exprs {
		var ok bool
		if terms[i], ok = c.compile(e); !ok {
			return nil, false
		}
	}
	return func(i *instance, values []cty.Value) bool {
		for at, t := range terms {
			var ok bool
			if values[at], ok = t(i); !ok {
				return false
			}
		}
		return true
	}, true
}

func (c *compiler) tuple(e *hclsyntax.TupleConsExpr) (term, bool) {
	all, ok := c.all(e.Exprs)
	return func(i *instance) (cty.Value, bool) {
		values := make([]cty.Value, len(e.Exprs))
		ok := all(i, values)
		return cty.TupleVal(values), ok
	}, ok
}

// object compiles an object whose keys are the same for all instances.
func (c *compiler) object(e *hclsyntax.ObjectConsExpr) (term, bool) {
	names := make([]string, len(e.Items))
	exprs := make([]hclsyntax.Expression, len(e.Items))
	for i, item := range e.Items {
		key, ok := c.constant(item.KeyExpr)
		if ok = ok && !c.varies(item.KeyExpr); !ok {
			return nil, false
		}
		if names[i], ok = lang.PlainText(key); !ok {
			return nil, false
		}
		exprs[i] = item.ValueExpr
	}
	all, ok := c.all(exprs)
	return func(i *instance) (cty.Value, bool) {
		values := make([]cty.Value, len(exprs))
		if !all(i, values) {
			return cty.NilVal, false
		}
		attrs := make(map[string]cty.Value, len(names))
		for at, name := range names {
			attrs[name] = values[at]
		}
		return cty.ObjectVal(attrs), true
	}, ok
}

// template compiles a template of strings and numbers.
func (c *compiler) template(e *hclsyntax.TemplateExpr) (term, bool) {
	all, ok := c.all(e.Parts)
	parts := make([]cty.Value, len(e.Parts))
	return func(i *instance) (cty.Value, bool) {
		if !all(i, parts) {
			return cty.NilVal, false
		}
		var buffer [256]byte
		text := buffer[:0]
		var marks []cty.ValueMarks
		for _, part := range parts {
			part, m := part.Unmark()
			s, ok := keyText(part)
			if !ok {
				return cty.NilVal, false
			}
			text = append(text, s...)
			if len(m) > 0 {
				marks = append(marks, m)
			}
		}
		return cty.StringVal(string(text)).WithMarks(marks...), true
	}, ok && len(e.Parts) > 1
}

// keyText returns a string or a number as text.
func keyText(v cty.Value) (string, bool) {
	switch {
	case !lang.IsPlain(v):
		return "", false
	case v.Type().Equals(cty.String):
		return v.AsString(), true
	case !v.Type().Equals(cty.Number):
		return "", false
	}
	if n, accuracy := v.AsBigFloat().Int64(); accuracy == big.Exact && n != 0 {
		return strconv.FormatInt(n, 10), true // as convert does, in a tenth of its time; zero may be -0
	}
	text, err := convert.Convert(v, cty.String)
	return text.AsString(), err == nil
}

// operation compiles an operator whose operands have the types that it takes, and are known.
func (c *compiler) operation(op *hclsyntax.Operation, operands ...hclsyntax.Expression) (term, bool) {
	all, ok := c.all(operands)
	params := op.Impl.Params()
	values := make([]cty.Value, len(operands)) // It is used again for each instance.
	return func(i *instance) (cty.Value, bool) {
		if !all(i, values) {
			return cty.NilVal, false
		}
		var marks []cty.ValueMarks
		for at, v := range values {
			v, m := v.Unmark()
			if !lang.IsPlain(v) || !v.Type().IsPrimitiveType() || params[at].Type != cty.DynamicPseudoType && !params[at].Type.Equals(v.Type()) {
				return cty.NilVal, false
			}
			if values[at] = v; len(m) > 0 {
				marks = append(marks, m)
			}
		}
		v, ok := operate(op, values)
		return v.WithMarks(marks...), ok
	}, ok
}

// operate does what an operator does on values that are plain. The commonest are spared a call.
func operate(op *hclsyntax.Operation, values []cty.Value) (cty.Value, bool) {
	left, right := values[0], values[len(values)-1]
	switch op {
	case hclsyntax.OpEqual:
		if left.Type().Equals(right.Type()) {
			return left.Equals(right), true
		}
	case hclsyntax.OpNotEqual:
		if left.Type().Equals(right.Type()) {
			return left.Equals(right).Not(), true
		}
	case hclsyntax.OpGreaterThan:
		return left.GreaterThan(right), true
	case hclsyntax.OpGreaterThanOrEqual:
		return left.GreaterThanOrEqualTo(right), true
	case hclsyntax.OpLessThan:
		return left.LessThan(right), true
	case hclsyntax.OpLessThanOrEqual:
		return left.LessThanOrEqualTo(right), true
	case hclsyntax.OpLogicalAnd:
		return left.And(right), true
	case hclsyntax.OpLogicalOr:
		return left.Or(right), true
	case hclsyntax.OpLogicalNot:
		return left.Not(), true
	}
	v, err := op.Impl.Call(values)
	return v, err == nil
}

// conditional compiles a choice between two values of one type.
func (c *compiler) conditional(e *hclsyntax.ConditionalExpr) (term, bool) {
	all, ok := c.all([]hclsyntax.Expression{e.Condition, e.TrueResult, e.FalseResult})
	values := make([]cty.Value, 3)
	return func(i *instance) (cty.Value, bool) {
		if !all(i, values) {
			return cty.NilVal, false
		}
		condition, marks := values[0].Unmark()
		one, _ := values[1].Unmark()
		other, _ := values[2].Unmark()
		isFit := lang.IsPlain(one) && lang.IsPlain(other) && one.Type().IsPrimitiveType() && one.Type().Equals(other.Type())
		if !isFit || !lang.IsPlain(condition) || !condition.Type().Equals(cty.Bool) {
			return cty.NilVal, false
		}
		if condition.True() {
			return values[1].WithMarks(marks), true
		}
		return values[2].WithMarks(marks), true
	}, ok
}

// call compiles the call of a function whose arguments have the types that it takes.
func (c *compiler) call(e *hclsyntax.FunctionCallExpr) (term, bool) {
	f, exists := c.functions[e.Name]
	if !exists || e.ExpandFinal || len(e.Args) < len(f.Params()) || len(e.Args) > len(f.Params()) && f.VarParam() == nil {
		return nil, false
	}
	all, ok := c.all(e.Args)
	c.remembers = c.remembers || !lang.KeepsNothing[e.Name]
	test := lang.TextTests[e.Name]
	args := make([]cty.Value, len(e.Args))
	return func(i *instance) (cty.Value, bool) {
		if !all(i, args) {
			return cty.NilVal, false
		}
		if test != nil {
			text, isText := lang.PlainText(args[0])
			if part, ok := lang.PlainText(args[1]); ok && isText {
				return cty.BoolVal(test(text, part)), true
			}
		}
		for at, v := range args {
			param := f.VarParam()
			if at < len(f.Params()) {
				param = &f.Params()[at]
			}
			if param.Type != cty.DynamicPseudoType && !param.Type.Equals(v.Type()) {
				return cty.NilVal, false
			}
		}
		v, err := f.Call(slices.Clone(args)) // It may keep them.
		return v, err == nil
	}, ok
}
