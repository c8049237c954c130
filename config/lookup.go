package config

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/lang"
)

// lookupExpr is an expression such as image.card[each.value.from] in a block that cannot be put in
// order with image.card: it looks up the one instance, instead of building the value of the block,
// which needs all of them. It embeds the expression that it stands for.
type lookupExpr struct {
	hclsyntax.Expression
	w *weave
	b *imageBlock
	// key is nil where the block has a single instance.
	key hclsyntax.Expression
}

// Value implements hcl.Expression.
func (l *lookupExpr) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	var v cty.Value
	key, marks := addrs.NoKey, cty.ValueMarks(nil)
	if l.key != nil {
		var diags hcl.Diagnostics
		if v, diags = l.key.Value(ctx); diags.HasErrors() {
			return cty.DynamicVal, diags
		}
		if v, marks = v.Unmark(); !v.IsKnown() {
			l.w.late = append(l.w.late, l.key.Range())
			return cty.DynamicVal.WithMarks(marks), nil
		}
		var ok bool
		if key, ok = l.keyOf(v); !ok {
			return cty.DynamicVal, l.wrong(ctx, "The key of image."+l.b.key+" is a string, or with count a whole number, and this is "+
				describeValue(v)+".")
		}
	}
	found, ok := l.w.get(l.b, key, l.Range())
	if !ok {
		return cty.DynamicVal, l.wrong(ctx, "There is no "+addrs.Image{Name: l.b.key, Key: key}.String()+".")
	}
	return found.WithMarks(marks), nil
}

// keyOf converts a key as the index of an object or of a list is converted.
func (l *lookupExpr) keyOf(v cty.Value) (addrs.Key, bool) {
	want := cty.String
	if l.b.count != nil {
		want = cty.Number
	}
	v, err := convert.Convert(v, want)
	if err != nil || v.IsNull() {
		return addrs.NoKey, false
	}
	return lang.Key(v)
}

func (l *lookupExpr) wrong(ctx *hcl.EvalContext, detail string) hcl.Diagnostics {
	return hcl.Diagnostics{diag.About(diag.Problem(l.Range(), "Invalid index", "%s", detail), l.Expression, ctx)}
}

// timely is what a for expression with lookups goes through, or its condition: it decides which
// lookups are made, so that it must be known in time.
type timely struct {
	hclsyntax.Expression
	w    *weave
	loop *loop
	// isCondition tells the condition from the collection.
	isCondition bool
}

// loop is a for expression that is being evaluated.
type loop struct {
	// fresh says that the condition was not evaluated yet. HCL tries it with unknown values first,
	// to find errors; what is looked up then does not count.
	fresh bool
}

// Value implements hcl.Expression.
func (t *timely) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	w := t.w
	wants, looked, late := len(w.wants), len(w.looked), len(w.late)
	v, diags := t.Expression.Value(ctx)
	switch {
	case !t.isCondition:
		t.loop.fresh = true
	case t.loop.fresh:
		t.loop.fresh = false
		w.wants, w.looked, w.late = w.wants[:wants], w.looked[:looked], w.late[:late]
		return v, diags
	}
	if !v.IsKnown() && !diags.HasErrors() {
		w.late = append(w.late, t.Range())
	}
	return v, diags
}

// choice is a conditional with lookups in it. HCL evaluates both results of a conditional; of these
// only the one that is chosen may count here: that an image is made from all others but itself is
// no circle.
type choice struct {
	*hclsyntax.ConditionalExpr
}

// Value implements hcl.Expression.
func (c *choice) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	v, diags := c.Condition.Value(ctx)
	v, marks := v.Unmark()
	decided, err := convert.Convert(v, cty.Bool)
	if diags.HasErrors() || err != nil || !decided.IsKnown() || decided.IsNull() {
		return c.ConditionalExpr.Value(ctx)
	}
	chosen := c.FalseResult
	if decided.True() {
		chosen = c.TrueResult
	}
	result, more := chosen.Value(ctx)
	return result.WithMarks(marks), append(diags, more...)
}

// weaver puts lookups into expressions of the members of a weave.
type weaver struct {
	w       *weave
	members map[string]*imageBlock
	// hidden counts the for expressions around that have a variable called image.
	hidden int
	// wholes are the places where a member is named without a key.
	wholes []hcl.Traversal
}

// rewrite returns an expression with lookups in the places of names of members: the same one, where
// it has none. Expressions are shared by all calls of a module, so that those with lookups are
// copies.
func (r *weaver) rewrite(expr hcl.Expression) hcl.Expression {
	if expr == nil || !r.mentions(expr) {
		return expr
	}
	native, ok := expr.(hclsyntax.Expression)
	if !ok {
		native = fromJSON(expr)
	}
	return r.expr(native)
}

// mentions reports whether an expression names a member.
func (r *weaver) mentions(expr hcl.Expression) bool {
	for _, traversal := range expr.Variables() {
		if r.member(traversal) != nil {
			return true
		}
	}
	return false
}

func (r *weaver) member(traversal hcl.Traversal) *imageBlock {
	if len(traversal) < 2 || traversal.RootName() != "image" || r.hidden > 0 {
		return nil
	}
	step, ok := traversal[1].(hcl.TraverseAttr)
	if !ok {
		return nil
	}
	return r.members[step.Name]
}

// expr rewrites an expression; see rewrite. What is of none of these kinds keeps its names, which
// are then names of whole blocks.
func (r *weaver) expr(expr hclsyntax.Expression) hclsyntax.Expression {
	if expr == nil || !r.mentions(expr) {
		return expr
	}
	switch e := expr.(type) {
	case *hclsyntax.ScopeTraversalExpr:
		return r.traversal(e)
	case *hclsyntax.IndexExpr:
		return r.index(e)
	case *hclsyntax.ForExpr:
		return r.forExpr(e)
	case *hclsyntax.ConditionalExpr:
		c := *e
		r.all(&c.Condition, &c.TrueResult, &c.FalseResult)
		return &choice{&c}
	}
	expr, parts := copyOf(expr)
	r.all(parts...)
	if parts == nil {
		for _, traversal := range expr.Variables() {
			if r.member(traversal) != nil {
				r.wholes = append(r.wholes, traversal)
			}
		}
	}
	return expr
}

// all rewrites expressions in their places.
func (r *weaver) all(places ...*hclsyntax.Expression) {
	for _, place := range places {
		*place = r.expr(*place)
	}
}

// copyOf returns a copy of an expression, and the places in it of the expressions that it consists
// of. There are none where the expression is of another kind, and the copy is the expression
// itself.
func copyOf(expr hclsyntax.Expression) (hclsyntax.Expression, []*hclsyntax.Expression) {
	one := func(places ...*hclsyntax.Expression) []*hclsyntax.Expression { return places }
	list := func(exprs *[]hclsyntax.Expression) (places []*hclsyntax.Expression) {
		*exprs = slices.Clone(*exprs)
		for i := range *exprs {
			places = append(places, &(*exprs)[i])
		}
		return places
	}
	switch e := expr.(type) {
	case *hclsyntax.RelativeTraversalExpr:
		c := *e
		return &c, one(&c.Source)
	case *hclsyntax.FunctionCallExpr:
		c := *e
		return &c, list(&c.Args)
	case *hclsyntax.TupleConsExpr:
		c := *e
		return &c, list(&c.Exprs)
	case *hclsyntax.ParenthesesExpr:
		c := *e
		return &c, one(&c.Expression)
	case *hclsyntax.ObjectConsExpr:
		c := *e
		c.Items = slices.Clone(e.Items)
		var places []*hclsyntax.Expression
		for i := range c.Items {
			places = append(places, &c.Items[i].KeyExpr, &c.Items[i].ValueExpr)
		}
		return &c, places
	case *hclsyntax.ObjectConsKeyExpr:
		c := *e
		return &c, one(&c.Wrapped)
	case *hclsyntax.TemplateExpr:
		c := *e
		return &c, list(&c.Parts)
	case *hclsyntax.TemplateWrapExpr:
		c := *e
		return &c, one(&c.Wrapped)
	case *hclsyntax.TemplateJoinExpr:
		c := *e
		return &c, one(&c.Tuple)
	case *hclsyntax.BinaryOpExpr:
		c := *e
		return &c, one(&c.LHS, &c.RHS)
	case *hclsyntax.UnaryOpExpr:
		c := *e
		return &c, one(&c.Val)
	case *hclsyntax.SplatExpr:
		c := *e
		return &c, one(&c.Source)
	}
	return expr, nil
}

// traversal rewrites a name with what follows it, such as image.frame[0].path.
func (r *weaver) traversal(e *hclsyntax.ScopeTraversalExpr) hclsyntax.Expression {
	b, t := r.member(e.Traversal), e.Traversal
	found, rest := &lookupExpr{w: r.w, b: b}, t[2:]
	if b.isSet() {
		if len(t) == 2 {
			r.wholes = append(r.wholes, t)
			return e
		}
		index, ok := t[2].(hcl.TraverseIndex)
		if !ok {
			return e // image.card.path, which was reported.
		}
		found.key, rest = &hclsyntax.LiteralValueExpr{Val: index.Key, SrcRange: index.SrcRange}, t[3:]
	}
	named := t[:len(t)-len(rest)]
	found.Expression = &hclsyntax.ScopeTraversalExpr{Traversal: named, SrcRange: named.SourceRange()}
	if len(rest) == 0 {
		return found
	}
	return &hclsyntax.RelativeTraversalExpr{Source: found, Traversal: rest, SrcRange: e.SrcRange}
}

// index rewrites an expression such as image.card[each.value.from].
func (r *weaver) index(e *hclsyntax.IndexExpr) hclsyntax.Expression {
	c := *e
	c.Key = r.expr(e.Key)
	if scope, ok := e.Collection.(*hclsyntax.ScopeTraversalExpr); ok && len(scope.Traversal) == 2 {
		if b := r.member(scope.Traversal); b != nil && b.isSet() {
			return &lookupExpr{Expression: &c, w: r.w, b: b, key: c.Key}
		}
	}
	c.Collection = r.expr(e.Collection)
	return &c
}

// forExpr rewrites a for expression. What it goes through, and its condition, decide which lookups
// are made.
func (r *weaver) forExpr(e *hclsyntax.ForExpr) hclsyntax.Expression {
	c := *e
	c.CollExpr = r.expr(e.CollExpr)
	if e.ValVar == "image" || e.KeyVar == "image" {
		r.hidden++
		defer func() { r.hidden-- }()
	}
	value, key, cond := r.expr(e.ValExpr), r.expr(e.KeyExpr), r.expr(e.CondExpr)
	if value != e.ValExpr || key != e.KeyExpr || cond != e.CondExpr {
		l := &loop{}
		c.CollExpr = &timely{Expression: c.CollExpr, w: r.w, loop: l}
		if cond != nil {
			cond = &timely{Expression: cond, w: r.w, loop: l, isCondition: true}
		}
	}
	c.ValExpr, c.KeyExpr, c.CondExpr = value, key, cond
	return &c
}

// fromJSON returns an expression of a JSON file as one of HCL's native syntax, whose strings are
// templates.
func fromJSON(expr hcl.Expression) hclsyntax.Expression {
	at := expr.Range()
	if exprs, diags := hcl.ExprList(expr); !diags.HasErrors() {
		list := &hclsyntax.TupleConsExpr{SrcRange: at}
		for _, e := range exprs {
			list.Exprs = append(list.Exprs, fromJSON(e))
		}
		return list
	}
	if pairs, diags := hcl.ExprMap(expr); !diags.HasErrors() {
		object := &hclsyntax.ObjectConsExpr{SrcRange: at}
		for _, pair := range pairs {
			object.Items = append(object.Items, hclsyntax.ObjectConsItem{KeyExpr: fromJSON(pair.Key), ValueExpr: fromJSON(pair.Value)})
		}
		return object
	}
	v, _ := expr.Value(nil) // Without a scope, a string is its own text.
	if v.Type() == cty.String && v.IsKnown() && !v.IsNull() {
		if template, diags := hclsyntax.ParseTemplate([]byte(v.AsString()), at.Filename, at.Start); !diags.HasErrors() {
			return template
		}
	}
	return &hclsyntax.LiteralValueExpr{Val: v, SrcRange: at}
}
