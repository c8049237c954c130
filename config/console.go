package config

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/lang"
)

// Eval evaluates an expression in the root module, as a console does. Values of images that are not
// known are unknown; those that come from sensitive variables carry a mark, which lang.IsSensitive
// finds. The source is added to Files under the name "<console>".
func (c *Config) Eval(src string) (cty.Value, hcl.Diagnostics) {
	const name = "<console>"
	c.files[name] = &hcl.File{Bytes: []byte(src)}
	expr, diags := hclsyntax.ParseExpression([]byte(src), name, hcl.InitialPos)
	diags = append(diags, lang.HugeNumbers([]byte(src), name)...)
	if diags.HasErrors() {
		return cty.DynamicVal, diags
	}
	e := c.evaluator
	if e == nil {
		return cty.DynamicVal, nil
	}
	c.ensureEvaluated()
	e.startOver()
	root := e.root.mod
	n := &node{name: "console", mod: root}
	before := totalDemand(root)
	l := &linker{collector: e.collector}
	l.use(n, root, expr, symbols{block: "an expression"})
	if n.broken {
		return cty.DynamicVal, e.list()
	}
	if totalDemand(root) != before {
		// The expression reads something of an image that nothing else does, so that it was not
		// built.
		decide, outer := e.decide, e.collector
		_ = c.Evaluate(decide) // The same again that was reported before.
		e.collector = outer
	}
	v, _ := e.value(n, expr, e.context(n, e.root))
	return lang.OnlySensitive(v), e.list()
}

// totalDemand grows with everything that is read of a module's images.
func totalDemand(m *module) int {
	n := 0
	for _, b := range m.images {
		if b.exported {
			n += 1 + b.demand.size()
		}
	}
	return n
}

// Format brings a file in HCL's native syntax into its canonical layout. A file that cannot be
// parsed is not changed. Diagnostics quote nothing of a file of values, whose lines are not to be
// shown with them either; see IsValues.
func Format(src []byte, filename string) ([]byte, hcl.Diagnostics) {
	if _, diags := hclsyntax.ParseConfig(src, filename, hcl.InitialPos); diags.HasErrors() {
		if IsValues(filename) {
			diags = discreetly(diags, src)
		}
		return src, diags
	}
	return hclwrite.Format(src), nil
}
