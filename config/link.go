package config

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/hclfast"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/lang"
)

// uses is what the expressions of a node name.
type uses struct {
	variables []*variable
	locals    []*local
	images    []*imageBlock
	modules   []moduleUse
	assets    []*assetBlock
	sheets    []*sheetBlock
	// whole are the image blocks of which all instances are looked at, rather than only those with
	// certain keys.
	whole map[*imageBlock]bool
	// missing are names that do not exist, by their root: they were reported, and evaluate to
	// unknown values.
	missing map[string][]string
}

// moduleUse is a module call with the outputs that are named.
type moduleUse struct {
	call    *moduleCall
	outputs []*output
}

// symbols says which names an expression may use besides those of its module.
type symbols struct {
	repeat repeat // each, or count
	self   bool
	// asReferences says that images in the result are only used by their addresses, addressOnly
	// that this is all that is used of any.
	asReferences, addressOnly bool
	// block is how messages call the block that the expression stands in.
	block string
}

// linker resolves what expressions name, and so makes the graph.
type linker struct {
	*collector
}

// module links the nodes of a module and of those that it calls.
func (l *linker) module(m *module) {
	for _, name := range sortedKeys(m.locals) {
		l.use(&m.locals[name].node, m, m.locals[name].expr, symbols{block: "a local value"})
	}
	for _, n := range m.nodes {
		switch w := n.work.(type) {
		case *validation:
			need(n, &w.variable.node)
			l.rules(n, m, []rule{w.rule}, symbols{block: "a validation"})
		case *output:
			l.use(n, m, w.value, symbols{block: "an output"})
			l.rules(n, m, w.preconditions, symbols{block: "an output"})
			w.after = l.explicit(n, m, w.dependsOn)
		case *check:
			l.rules(n, m, w.asserts, symbols{block: "a check"})
		case *settingsBlock:
			for _, name := range sortedKeys(w.args) {
				l.use(n, m, w.args[name].Expr, symbols{block: "a settings block"})
			}
		case *imageBlock:
			l.image(w)
		case *assetBlock:
			if w.file != nil {
				l.use(n, m, w.file.Expr, symbols{block: "an asset block"})
			}
			for i := range w.renditions {
				for _, name := range sortedKeys(w.renditions[i].args) {
					l.use(n, m, w.renditions[i].args[name].Expr, symbols{block: "an asset block"})
				}
			}
		case *sheetBlock:
			for _, name := range sortedKeys(w.args) {
				l.use(n, m, w.args[name].Expr, symbols{asReferences: name == "images", block: "a sheet block"})
			}
		case *moduleCall:
			l.call(w)
		case *importBlock:
			l.imported(w)
		}
	}
	if m.defaults != nil {
		for _, name := range sortedKeys(m.defaults.args) {
			if name != "provider" {
				// Only for the messages: what counts is the images that take the argument over.
				inside := symbols{block: "a defaults block", addressOnly: true}
				l.use(&m.defaults.node, m, m.defaults.args[name].Expr, inside)
			}
		}
	}
}

func (l *linker) rules(n *node, m *module, rules []rule, allowed symbols) {
	for _, r := range rules {
		l.use(n, m, r.condition, allowed)
		l.use(n, m, r.message, allowed)
	}
}

// call links a module call and what it passes in, and then the module.
func (l *linker) call(c *moduleCall) {
	l.use(&c.node, c.mod, c.forEach, symbols{block: "for_each", addressOnly: c.mod.instancesOf(c.forEach) != nil})
	l.use(&c.node, c.mod, c.count, symbols{block: "count"})
	c.after = l.explicit(&c.node, c.mod, c.dependsOn)
	if c.child == nil {
		return
	}
	for _, name := range sortedKeys(c.inputs) {
		attr := c.inputs[name]
		v := c.child.variables[name]
		if v == nil {
			l.add(diag.Problem(attr.NameRange, "Unsupported argument", "The module %s has no variable %q.%s",
				c.child.rel, name, diag.DidYouMean(name, sortedKeys(c.child.variables))))
			continue
		}
		v.expr = attr.Expr
		l.use(&v.node, c.mod, attr.Expr, symbols{repeat: c.repeat, block: "a module block"})
	}
	for _, name := range sortedKeys(c.child.variables) {
		if v := c.child.variables[name]; v.expr == nil && v.preset == cty.NilVal {
			l.add(diag.Problem(c.at, "Missing required argument", "The module %s needs a value for %q%s.",
				c.child.rel, name, describeVariable(v)))
		}
	}
	c.child.providers = l.childProviders(c)
	for _, n := range c.child.nodes {
		// Every node of a module needs to know the module's instances.
		need(n, &c.node)
	}
	l.module(c.child)
}

// childProviders tells under which names the images of a module may call accounts.
func (l *linker) childProviders(c *moduleCall) map[string]string {
	providers := map[string]string{}
	if outer, ok := c.mod.providers["bfl"]; ok {
		providers["bfl"] = outer
	}
	for _, p := range c.passed {
		outer, ok := c.mod.providers[p.outer]
		if !ok {
			l.add(unknownProvider(p.at, p.outer, c.mod))
			continue
		}
		providers[p.inner] = outer
	}
	return providers
}

func unknownProvider(at hcl.Range, name string, m *module) *hcl.Diagnostic {
	known := slices.Sorted(maps.Keys(m.providers))
	if m.parent == nil {
		return diag.Problem(at, "Unknown provider", "There is no account %s.%s Declare it with provider \"bfl\" "+
			"{ alias = ... }.",
			name, diag.DidYouMean(name, known))
	}
	return diag.Problem(at, "Unknown provider",
		"This module has no account %s.%s Pass it in where the module is called, as in providers = { %s = "+
			"bfl.eu }.",
		name, diag.DidYouMean(name, known), name)
}

// image links an image block: it merges the module's defaults into its arguments, and tells which
// of them are the same for all instances.
func (l *linker) image(b *imageBlock) {
	m, n := b.mod, &b.node
	inside := symbols{repeat: b.repeat, block: "an image"}
	l.use(n, m, b.forEach, symbols{block: "for_each", addressOnly: m.instancesOf(b.forEach) != nil})
	l.use(n, m, b.count, symbols{block: "count"})
	for i := range b.args {
		arg := &b.args[i]
		inside.asReferences = takesImages(arg.Name)
		arg.perInstance = l.use(n, m, arg.Expr, inside)
	}
	if m.defaults != nil {
		l.inherit(b)
	}
	sizedByInstance(b)
	l.imageProvider(b)
	b.after = l.explicit(n, m, b.dependsOn)
	for up := m; up.call != nil; up = up.parent {
		for _, after := range up.call.after {
			needBlocks(n, after.blocks)
		}
	}
	inside.asReferences = false
	l.imageLifecycle(b, inside)
}

// takesImages reports whether an argument takes images as a whole, as references.
func takesImages(name string) bool { return name == "references" || name == "inputs" || name == "mask" }

// inherit adds the arguments that the module's defaults have and the image has not, or may have as
// null.
func (l *linker) inherit(b *imageBlock) {
	own := b.args
	b.args = make([]argument, 0, len(own)+len(b.mod.defaults.args))
	for _, name := range image.Arguments {
		var arg *argument
		if len(own) > 0 && own[0].Name == name {
			arg, own = &own[0], own[1:]
		}
		attr := b.mod.defaults.args[name]
		if attr != nil && (arg == nil || !neverNull(arg.Expr)) {
			l.use(&b.node, b.mod, attr.Expr, symbols{block: "a defaults block", asReferences: takesImages(name)})
			inherited := new(newArgument(name, attr.Expr, attr.NameRange.Start))
			inherited.inherited = true
			if arg == nil {
				arg = inherited
			} else {
				arg.fallback = inherited
			}
		}
		if arg != nil {
			b.args = append(b.args, *arg)
		}
	}
}

func (l *linker) imageLifecycle(b *imageBlock, inside symbols) {
	for _, g := range b.gates {
		for _, name := range sortedKeys(g.args) {
			l.use(&b.node, b.mod, g.args[name].Expr, inside)
		}
	}
	for i := range b.renditions {
		r := &b.renditions[i]
		for _, name := range sortedKeys(r.args) {
			each := l.use(&b.node, b.mod, r.args[name].Expr, inside)
			r.outputPerInstance = r.outputPerInstance || each && name == "output"
			r.perInstance = r.perInstance || each && name != "output"
		}
	}
	c := b.lifecycle
	l.use(&b.node, b.mod, c.preventDestroy, inside)
	l.use(&b.node, b.mod, c.frozen, inside)
	l.use(&b.node, b.mod, c.requirePick, inside)
	inside.addressOnly = true
	for _, expr := range c.triggers {
		l.use(&b.node, b.mod, expr, inside)
	}
	inside.addressOnly = false
	l.rules(&b.node, b.mod, c.preconditions, inside)
	inside.self = true
	l.rules(&b.node, b.mod, c.postconditions, inside)
	if len(c.postconditions) > 0 {
		b.exported = true
		b.demand.all = true // self
	}
}

// imageProvider resolves the account of an image.
func (l *linker) imageProvider(b *imageBlock) {
	name := "bfl"
	account := b.account
	if account == nil && b.mod.defaults != nil && b.mod.defaults.args["provider"] != nil {
		account = b.mod.defaults.args["provider"].Expr
	}
	at := b.at
	if account != nil {
		var ok bool
		at = account.Range()
		if name, ok = providerName(account); !ok {
			l.add(diag.Problem(at, "Invalid provider reference",
				"provider names an account without quotes: bfl, or bfl.ALIAS for one of several."))
			return
		}
	}
	if b.mod.providers == nil {
		return // The settings are wrong, which was reported.
	}
	address, ok := b.mod.providers[name]
	if !ok {
		l.add(unknownProvider(at, name, b.mod))
	}
	b.provider = address
}

// neverNull reports whether an expression is one whose value cannot be null, whatever it names.
func neverNull(expr hcl.Expression) bool {
	switch expr.(type) {
	case *hclsyntax.TupleConsExpr, *hclsyntax.ObjectConsExpr, *hclsyntax.TemplateExpr, *hclsyntax.BinaryOpExpr:
		return true
	}
	v, ok := hclfast.Scalar(expr)
	return ok && !v.IsNull()
}

// explicit resolves the entries of a depends_on: each is an image or a module, whole or one
// instance.
func (l *linker) explicit(n *node, m *module, exprs []hcl.Expression) []explicit {
	var out []explicit
	for _, expr := range exprs {
		traversal, diags := hcl.AbsTraversalForExpr(expr)
		after, ok := explicit{}, false
		if !diags.HasErrors() {
			after, ok = l.dependency(m, traversal)
		}
		if !ok {
			l.add(diag.Problem(expr.Range(), "Invalid dependency", "depends_on lists images and modules, as in "+
				"[image.logo, module.brand]."))
			continue
		}
		if after.call != nil {
			need(n, &after.call.node)
		}
		needBlocks(n, after.blocks)
		out = append(out, after)
	}
	return out
}

// dependency resolves one entry of a depends_on. It reports names that do not exist itself.
func (l *linker) dependency(m *module, traversal hcl.Traversal) (explicit, bool) {
	if len(traversal) < 2 || len(traversal) > 3 {
		return explicit{}, false
	}
	step, ok := traversal[1].(hcl.TraverseAttr)
	if !ok {
		return explicit{}, false
	}
	var after explicit
	if len(traversal) == 3 {
		index, ok := traversal[2].(hcl.TraverseIndex)
		if !ok {
			return explicit{}, false
		}
		if after.key, ok = lang.Key(index.Key); !ok {
			return explicit{}, false
		}
	}
	switch traversal.RootName() {
	case "image":
		if b := m.images[step.Name]; b != nil {
			after.blocks = []*imageBlock{b}
		} else {
			l.add(undeclared(traversal, "image", step.Name, sortedKeys(m.images)))
		}
	case "module":
		if c := m.calls[step.Name]; c != nil {
			after.call, after.blocks = c, c.child.allImages()
		} else {
			l.add(undeclared(traversal, "module", step.Name, sortedKeys(m.calls)))
		}
	default:
		return explicit{}, false
	}
	return after, true
}

// allImages returns the image blocks of a module and of those below it.
func (m *module) allImages() []*imageBlock {
	if m == nil {
		return nil
	}
	var blocks []*imageBlock
	for _, name := range sortedKeys(m.images) {
		blocks = append(blocks, m.images[name])
	}
	for _, name := range sortedKeys(m.calls) {
		blocks = append(blocks, m.calls[name].child.allImages()...)
	}
	return blocks
}

func needBlocks(n *node, blocks []*imageBlock) {
	for _, b := range blocks {
		need(n, &b.node)
	}
}

func need(n, other *node) {
	if !slices.Contains(n.needs, other) {
		n.needs = append(n.needs, other)
	}
}

func describeVariable(v *variable) string {
	if v.description == "" {
		return ""
	}
	return fmt.Sprintf(" (%s)", v.description)
}
