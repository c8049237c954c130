package config

import (
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/internal/diag"
)

// weaveOf makes a weave of nodes that need each other, where they are image blocks that name each
// other's instances by their keys. It answers false where they cannot be put in order that way
// either, with what is to blame for that where it is known.
func weaveOf(members []*node) (*hcl.Diagnostic, bool) {
	w := &weave{rules: map[*imageBlock][]hcl.Expression{}}
	r := &weaver{w: w, members: map[string]*imageBlock{}}
	isSet := false
	for _, n := range members {
		b, ok := n.work.(*imageBlock)
		if !ok || n.mod != members[0].mod {
			return nil, false
		}
		w.blocks = append(w.blocks, b)
		w.last = b
		r.members[b.key] = b
		isSet = isSet || b.isSet()
	}
	if !isSet {
		return nil, false
	}
	slices.SortFunc(w.blocks, func(a, b *imageBlock) int { return comparePlaces(a.at, b.at) })
	for _, b := range w.blocks {
		if d := r.unordered(b); d != nil {
			return d, false
		}
	}
	for _, b := range w.blocks {
		r.weave(b)
	}
	if len(r.wholes) > 0 {
		return wholeProblem(r.wholes[0]), false
	}
	for _, b := range w.blocks {
		b.weave = w
		b.exported = true
		b.uses.images = slices.DeleteFunc(b.uses.images, func(other *imageBlock) bool { return r.members[other.key] == other })
	}
	return nil, true
}

// unordered says why the instances of a block cannot be put in order with those of the other
// members, nil where they may.
func (r *weaver) unordered(b *imageBlock) *hcl.Diagnostic {
	for _, expr := range []hcl.Expression{b.forEach, b.count} {
		if expr == nil {
			continue
		}
		for _, traversal := range expr.Variables() {
			if other := r.member(traversal); other != nil {
				return diag.Problem(traversal.SourceRange(), "Cycle",
					"Which instances image.%s has cannot come from image.%s, %s. Both can go through the same local value instead.",
					b.key, other.key, whoNames(other, b))
			}
		}
	}
	for _, expr := range b.dependsOn {
		for _, traversal := range expr.Variables() {
			if other := r.member(traversal); other != nil {
				return diag.Problem(traversal.SourceRange(), "Cycle",
					"depends_on holds for all instances of image.%s, so it cannot name image.%s, %s. An image waits for those that its arguments name. List single instances in references, or use a value of theirs.", b.key, other.key, whoNames(other, b))
			}
		}
	}
	for _, expr := range b.lifecycle.triggers {
		for _, traversal := range expr.Variables() {
			if other := r.member(traversal); other != nil && other.isSet() && len(traversal) == 2 && !isIndexOf(expr) {
				return wholeProblem(traversal)
			}
		}
	}
	return nil
}

// isIndexOf reports whether an expression is more than a name.
func isIndexOf(expr hcl.Expression) bool {
	_, diags := hcl.AbsTraversalForExpr(expr)
	return diags.HasErrors()
}

func whoNames(other, b *imageBlock) string {
	if other == b {
		return "which is itself"
	}
	return "which needs image." + b.key + " in turn"
}

// wholeProblem is about all instances of a block being used where they need one of them.
func wholeProblem(traversal hcl.Traversal) *hcl.Diagnostic {
	name := traversal[1].(hcl.TraverseAttr).Name
	return diag.Problem(traversal.SourceRange(), "Cycle",
		"This uses all instances of image.%s, but one of them is needed to find them. Name the images of the same block by their keys, as in image.%s[each.value.from].", name, name)
}

// weave puts lookups into the expressions of a block.
func (r *weaver) weave(b *imageBlock) {
	for i := range b.args {
		r.argument(&b.args[i])
		if other := b.args[i].fallback; other != nil {
			r.argument(other)
			if other.woven {
				b.args[i].woven, b.args[i].perInstance = true, true
			}
		}
	}
	if b.lifecycle == &noLifecycle {
		return
	}
	l := *b.lifecycle
	l.preventDestroy, l.frozen, l.requirePick = r.rule(b, l.preventDestroy), r.rule(b, l.frozen), r.rule(b, l.requirePick)
	l.preconditions = slices.Clone(l.preconditions)
	for i := range l.preconditions {
		p := &l.preconditions[i]
		p.condition, p.message = r.rule(b, p.condition), r.rule(b, p.message)
	}
	l.postconditions = slices.Clone(l.postconditions)
	for i := range l.postconditions {
		// They are evaluated when all instances are there.
		p := &l.postconditions[i]
		p.condition, p.message = r.rewrite(p.condition), r.rewrite(p.message)
	}
	b.lifecycle = &l
}

func (r *weaver) argument(arg *argument) {
	if expr := r.rewrite(arg.Expr); expr != arg.Expr {
		arg.Expr, arg.woven, arg.perInstance = expr, true, true
	}
}

// rule rewrites an expression of the lifecycle block that is evaluated for each instance before it
// is decided on.
func (r *weaver) rule(b *imageBlock, expr hcl.Expression) hcl.Expression {
	woven := r.rewrite(expr)
	if woven != expr {
		r.w.rules[b] = append(r.w.rules[b], woven)
	}
	return woven
}
