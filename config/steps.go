package config

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/lang"
)

// pathStep is a part of a reference: a name, or a key in brackets.
type pathStep struct {
	name  string
	key   addrs.Key
	isKey bool
}

// path reads an expression as a reference whose keys may be computed, such as
// image.card[each.key].prompt. It answers false where the expression is something else, or a key
// has no value.
func (d *builder) path(expr hcl.Expression) ([]pathStep, bool) {
	return referencePath(expr, func(key hcl.Expression) (cty.Value, bool) {
		v, diags := key.Value(d.instanceContext())
		d.report(diags...)
		return v, !diags.HasErrors()
	})
}

// referencePath reads an expression as a reference, with a function for the values of its keys.
func referencePath(expr hcl.Expression, value func(hcl.Expression) (cty.Value, bool)) ([]pathStep, bool) {
	switch e := expr.(type) {
	case *hclsyntax.IndexExpr:
		steps, ok := referencePath(e.Collection, value)
		if !ok {
			return nil, false
		}
		v, ok := value(e.Key)
		if !ok {
			return nil, false
		}
		key, ok := lang.Key(v)
		return append(steps, pathStep{key: key, isKey: true}), ok
	case *hclsyntax.RelativeTraversalExpr:
		steps, ok := referencePath(e.Source, value)
		if !ok {
			return nil, false
		}
		return appendSteps(steps, e.Traversal)
	}
	traversal, diags := hcl.AbsTraversalForExpr(expr)
	if diags.HasErrors() {
		return nil, false
	}
	return appendSteps([]pathStep{{name: traversal.RootName()}}, traversal[1:])
}

func appendSteps(steps []pathStep, traversal hcl.Traversal) ([]pathStep, bool) {
	for _, step := range traversal {
		switch s := step.(type) {
		case hcl.TraverseAttr:
			steps = append(steps, pathStep{name: s.Name})
		case hcl.TraverseIndex:
			key, ok := lang.Key(s.Key)
			if !ok {
				return nil, false
			}
			steps = append(steps, pathStep{key: key, isKey: true})
		default:
			return nil, false
		}
	}
	return steps, true
}
