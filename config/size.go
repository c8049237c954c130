package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/hclfast"
)

// sizeFor is the function that gives the smallest size of a model that covers another.
const sizeFor = "size_for"

// sizeFinder answers size_for. It belongs to the goroutine that evaluates.
type sizeFinder struct {
	// current is the model of the image whose arguments are evaluated, nil outside of images, and
	// module the one that it stands in.
	current *bfl.Model
	module  *module
}

func (f *sizeFinder) find(name string, width, height int) (int, int, error) {
	model := f.current
	if name != "" {
		if model = f.module.model(name); model == nil {
			return 0, 0, fmt.Errorf("there is no model %q.%s", name, diag.DidYouMean(name, f.module.modelNames()))
		}
	}
	if model == nil {
		return 0, 0, errors.New(`outside of an image it needs a model, as in size_for(1080, 1350, "flux-2-pro")`)
	}
	size, err := model.SizeFor(width, height)
	return size.Width, size.Height, err
}

// sizedByInstance notes whether the arguments of a block call size_for. Where each instance has its own
// model, what calls it has its own value too.
func sizedByInstance(b *imageBlock) {
	byInstance := slices.ContainsFunc(b.args, func(a argument) bool { return a.Name == "model" && a.perInstance })
	for i := range b.args {
		if arg := &b.args[i]; arg.Name != "model" && (callsSizeFor(arg.Expr) || arg.fallback != nil && callsSizeFor(arg.fallback.Expr)) {
			b.sized = true
			arg.perInstance = arg.perInstance || byInstance
		}
	}
}

func callsSizeFor(expr hcl.Expression) bool {
	if _, isPlain := hclfast.Scalar(expr); isPlain {
		return false
	}
	node, ok := expr.(hclsyntax.Node)
	if !ok {
		return true // In JSON it may.
	}
	found := false
	_ = hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics { // It returns what the function does.
		call, isCall := n.(*hclsyntax.FunctionCallExpr)
		found = found || isCall && call.Name == sizeFor
		return nil
	})
	return found
}

// sizeForModel has size_for answer for the model of the instance in the making, until the function
// that it returns is called.
func (d *builder) sizeForModel() (restore func()) {
	i, ok := slices.BinarySearchFunc(d.b.args, "model", func(a argument, name string) int { return strings.Compare(a.Name, name) })
	sizes := d.e.opts.sizes
	before := *sizes
	sizes.module, sizes.current = d.s.mod, nil
	if ok {
		d.evaluateArgument(i)
		if v := d.values[i].value; v.IsKnown() && !v.IsNull() && v.Type() == cty.String {
			sizes.current = d.s.mod.model(v.AsString())
		}
	}
	return func() { *sizes = before }
}
