package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/hclfast"
	"github.com/fluxbatch/fluxbatch/internal/image"
)

// use resolves the names in an expression, and records them as what the node needs. It reports
// whether the expression names each, count or self, so that it has a value of its own for each
// instance.
func (l *linker) use(n *node, m *module, expr hcl.Expression, allowed symbols) (perInstance bool) {
	if expr == nil {
		return false
	}
	if _, ok := hclfast.Scalar(expr); ok {
		return false
	}
	for _, traversal := range expr.Variables() {
		if l.name(n, m, expr, traversal, allowed) {
			perInstance = true
		}
	}
	if !allowed.addressOnly {
		l.demands(n, m, expr, allowed)
	}
	return perInstance
}

// name resolves one name in an expression. Names that do not exist are reported, and become unknown values when the
// expression is evaluated.
func (l *linker) name(n *node, m *module, expr hcl.Expression, traversal hcl.Traversal, allowed symbols) (perInstance bool) {
	root := traversal.RootName()
	switch root {
	case "each", "count", "self":
		l.instanceSymbol(n, traversal, allowed)
		return true
	case "path":
		l.pathSymbol(traversal)
		return false
	case "var", "local", "image", "module", "asset", "sheet":
	default:
		l.add(strangeName(traversal, m, loopNames(expr, traversal.SourceRange())))
		n.miss(root, "")
		return false
	}
	if len(traversal) > 1 {
		if step, ok := traversal[1].(hcl.TraverseAttr); ok {
			l.member(n, m, traversal, step.Name)
			return false
		}
	}
	l.add(diag.Problem(traversal.SourceRange(), "Incomplete reference",
		"%s must be followed by a dot and a name, as in %s.", root, exampleOf[root]))
	n.miss(root, "")
	return false
}

// member resolves a name such as var.season by its two first parts.
func (l *linker) member(n *node, m *module, traversal hcl.Traversal, name string) {
	switch traversal.RootName() {
	case "var":
		if v := m.variables[name]; v != nil {
			n.uses.variables = appendNew(n.uses.variables, v)
			need(n, &v.node)
		} else {
			l.missing(n, traversal, name, sortedKeys(m.variables))
		}
	case "local":
		if v := m.locals[name]; v != nil {
			n.uses.locals = appendNew(n.uses.locals, v)
			need(n, &v.node)
		} else {
			l.missing(n, traversal, name, sortedKeys(m.locals))
		}
	case "image":
		if b := m.images[name]; b != nil {
			n.uses.images = appendNew(n.uses.images, b)
			b.exported = true
			b.demand.all = b.demand.all || !b.isSet()
			need(n, &b.node)
			l.imageAttribute(n, b, traversal)
		} else {
			l.missing(n, traversal, name, sortedKeys(m.images))
		}
	case "asset":
		if b := m.assets[name]; b != nil {
			n.uses.assets = appendNew(n.uses.assets, b)
			need(n, &b.node)
		} else {
			l.missing(n, traversal, name, sortedKeys(m.assets))
		}
	case "sheet":
		if b := m.sheets[name]; b != nil {
			n.uses.sheets = appendNew(n.uses.sheets, b)
			need(n, &b.node)
		} else {
			l.missing(n, traversal, name, sortedKeys(m.sheets))
		}
	case "module":
		if c := m.calls[name]; c != nil {
			l.moduleOutput(n, c, traversal)
		} else {
			l.missing(n, traversal, name, sortedKeys(m.calls))
		}
	}
}

var exampleOf = map[string]string{
	"var": "var.season", "local": "local.style", "image": "image.logo", "module": "module.brand", "asset": "asset.logo", "sheet": "sheet.icons",
}

// missing reports a name that nothing declares.
func (l *linker) missing(n *node, traversal hcl.Traversal, name string, known []string) {
	root := traversal.RootName()
	n.miss(root, name)
	l.add(undeclared(traversal, root, name, known))
}

var kindOf = map[string]string{"var": "variable", "local": "local value", "image": "image", "module": "module", "asset": "asset", "sheet": "sheet"}

func undeclared(traversal hcl.Traversal, root, name string, known []string) *hcl.Diagnostic {
	how := map[string]string{
		"var":    fmt.Sprintf(`Declare it with variable %q { ... }.`, name),
		"local":  fmt.Sprintf("Declare it in a locals block, as in locals { %s = ... }.", name),
		"image":  fmt.Sprintf("Declare it with image %q { ... }.", name),
		"module": fmt.Sprintf("Declare it with module %q { ... }.", name),
		"asset":  fmt.Sprintf("Declare it with asset %q { ... }.", name),
		"sheet":  fmt.Sprintf("Declare it with sheet %q { ... }.", name),
	}[root]
	if hint := cmp.Or(difference(root+".", name, known), diag.DidYouMean(name, known)); hint != "" {
		how = hint[1:]
	}
	return diag.Problem(traversal.SourceRange(), "Reference to undeclared "+kindOf[root],
		"There is no %s %q in this module. %s", kindOf[root], name, how)
}

// difference returns a sentence for a name that is one of those known, a dash and something to
// subtract: to the language that is one name. It is "" where a difference cannot be meant. of
// stands before the names.
func difference(of, name string, known []string) string {
	for i := range name {
		if name[i] == '-' && i+1 < len(name) && slices.Contains(known, name[:i]) {
			return fmt.Sprintf(" Write %s%s - %s, with spaces around the dash, for a difference.", of, name[:i], name[i+1:])
		}
	}
	return ""
}

// loopNames returns the variables of the for expressions that are around a place in an expression.
func loopNames(expr hcl.Expression, at hcl.Range) (all []string) {
	native, ok := expr.(hclsyntax.Expression)
	if !ok {
		return nil
	}
	// The function returns no diagnostics.
	_ = hclsyntax.VisitAll(native, func(node hclsyntax.Node) hcl.Diagnostics {
		e, isLoop := node.(*hclsyntax.ForExpr)
		if isLoop && e.Range().Overlaps(at) && !e.CollExpr.Range().Overlaps(at) {
			all = append(all, e.ValVar)
			if e.KeyVar != "" {
				all = append(all, e.KeyVar)
			}
		}
		return nil
	})
	return all
}

// strangeName reports a name whose first part means nothing here. loops are the variables of the for
// expressions around it.
func strangeName(traversal hcl.Traversal, m *module, loops []string) *hcl.Diagnostic {
	root := traversal.RootName()
	hint := cmp.Or(difference("", root, loops), diag.DidYouMean(root, loops))
	switch {
	case hint != "":
	case m.images[root] != nil:
		hint = fmt.Sprintf(" For the image, write image.%s.", root)
	case m.variables[root] != nil:
		hint = fmt.Sprintf(" For the variable, write var.%s.", root)
	case m.locals[root] != nil:
		hint = fmt.Sprintf(" For the local value, write local.%s.", root)
	case root == "bfl":
		hint = " Accounts can only be named by the provider argument, and by providers of a module block."
	case root == "locals":
		hint = " A local value is written local.NAME."
	case root == "variable" || root == "variables" || root == "vars":
		hint = " A variable is written var.NAME."
	case len(traversal) == 1:
		hint = fmt.Sprintf(" For the text itself, write %q with quotes", root)
		if strings.Contains(root, "-") {
			hint += ". Put spaces around the dash for a difference"
		}
		hint += "."
	default:
		hint = diag.DidYouMean(root, []string{"var", "local", "image", "asset", "sheet", "module", "each", "count", "self", "path"})
	}
	return diag.Problem(traversal.SourceRange(), "Unknown name", "There is no %q here.%s", root, hint)
}

// instanceSymbol checks each, count and self, which exist in some places only.
func (l *linker) instanceSymbol(n *node, traversal hcl.Traversal, allowed symbols) {
	root := traversal.RootName()
	at := traversal.SourceRange()
	exists := map[string]bool{
		"each": allowed.repeat.forEach != nil, "count": allowed.repeat.count != nil, "self": allowed.self,
	}[root]
	if !exists {
		n.miss(root, "")
		switch {
		case root == "self":
			l.add(diag.Problem(at, "Not available here", "self is the finished image. Only its own postconditions can use it."))
		case root == "each" && allowed.repeat.count != nil:
			l.add(diag.Problem(at, "Not available here", "The block has count rather than for_each. Its instances are "+
				"told apart by count.index."))
		case root == "count" && allowed.repeat.forEach != nil:
			l.add(diag.Problem(at, "Not available here", "The block has for_each rather than count. Its instances are "+
				"told apart by each.key."))
		default:
			l.add(diag.Problem(at, "Not available here", "%s exists inside a block with %s, but this is %s without.",
				root, map[string]string{"each": "for_each", "count": "count"}[root], allowed.block))
		}
		return
	}
	members := map[string][]string{"each": {"key", "value"}, "count": {"index"}, "self": image.Exported}[root]
	if len(traversal) < 2 {
		return
	}
	if step, ok := traversal[1].(hcl.TraverseAttr); ok && !slices.Contains(members, step.Name) {
		n.broken = true
		l.add(diag.Problem(step.SrcRange, "Unsupported attribute", "%s has no attribute %q.%s",
			root, step.Name, cmp.Or(difference(root+".", step.Name, members),
				didYouMeanOr(step.Name, members, fmt.Sprintf(" There is %s.", diag.QuotedList(members, "and"))))))
	}
}

func didYouMeanOr(name string, candidates []string, otherwise string) string {
	if hint := diag.DidYouMean(name, candidates); hint != "" || len(candidates) > 5 {
		return hint
	}
	return otherwise
}

// pathSymbol checks path.module, path.root and path.cwd.
func (l *linker) pathSymbol(traversal hcl.Traversal) {
	members := []string{"module", "root", "cwd"}
	if len(traversal) > 1 {
		if step, ok := traversal[1].(hcl.TraverseAttr); ok && !slices.Contains(members, step.Name) {
			l.add(diag.Problem(step.SrcRange, "Unsupported attribute",
				`path has no attribute %q. There is "module", "root" and "cwd".`, step.Name))
		}
	}
}

// imageAttribute checks what follows an image's name, as far as it is written out.
func (l *linker) imageAttribute(n *node, b *imageBlock, traversal hcl.Traversal) {
	rest := traversal[2:]
	if len(rest) == 0 {
		return
	}
	index, isIndex := rest[0].(hcl.TraverseIndex)
	switch {
	case isIndex && !b.isSet():
		n.miss("image", b.key)
		l.add(diag.Problem(index.SrcRange, "Unexpected instance key",
			"image.%s has neither for_each nor count, so there is only one. Write image.%s without a key.", b.key, b.key))
		return
	case !isIndex && b.isSet():
		key := `["KEY"]`
		if b.count != nil {
			key = "[0]"
		}
		n.miss("image", b.key)
		l.add(diag.Problem(traversal.SourceRange(), "Missing instance key",
			"image.%s has several instances. Name one of them, as in image.%s%s.%s, or take all with a for expression.",
			b.key, b.key, key, attrName(rest[0])))
		return
	case isIndex:
		rest = rest[1:]
	}
	if len(rest) == 0 {
		return
	}
	if step, ok := rest[0].(hcl.TraverseAttr); ok && !slices.Contains(image.Exported, step.Name) {
		n.miss("image", b.key)
		l.add(diag.Problem(step.SrcRange, "Unsupported attribute", "An image has no attribute %q.%s",
			step.Name, cmp.Or(difference("", step.Name, image.Exported), diag.DidYouMean(step.Name, image.Exported))))
	}
}

func attrName(step hcl.Traverser) string {
	if attr, ok := step.(hcl.TraverseAttr); ok {
		return attr.Name
	}
	return "path"
}

// moduleOutput records which outputs of a module are named: one where it is written out, else all.
func (l *linker) moduleOutput(n *node, c *moduleCall, traversal hcl.Traversal) {
	need(n, &c.node)
	if c.child == nil {
		n.uses.addModule(c, nil)
		return
	}
	rest, ok := l.moduleKey(c, traversal)
	if !ok {
		n.miss("module", c.key)
		return
	}
	if len(rest) > 0 {
		if step, ok := rest[0].(hcl.TraverseAttr); ok {
			o := c.child.outputs[step.Name]
			if o == nil {
				l.add(diag.Problem(step.SrcRange, "Unsupported attribute", "The module %s has no output %q.%s",
					c.child.rel, step.Name, diag.DidYouMean(step.Name, sortedKeys(c.child.outputs))))
				n.miss("module", c.key)
				return
			}
			n.uses.addModule(c, []*output{o})
			need(n, &o.node)
			return
		}
	}
	var all []*output
	for _, name := range sortedKeys(c.child.outputs) {
		o := c.child.outputs[name]
		all = append(all, o)
		need(n, &o.node)
	}
	n.uses.addModule(c, all)
}

// moduleKey checks whether a reference to a module has a key where it must, and returns the steps
// after it.
func (l *linker) moduleKey(c *moduleCall, traversal hcl.Traversal) (hcl.Traversal, bool) {
	rest := traversal[2:]
	if len(rest) == 0 {
		return nil, true
	}
	_, isIndex := rest[0].(hcl.TraverseIndex)
	switch {
	case isIndex && !c.isSet():
		l.add(diag.Problem(traversal.SourceRange(), "Unexpected instance key",
			"module.%s has neither for_each nor count, so there is only one. Write module.%s without a key.", c.key, c.key))
		return nil, false
	case !isIndex && c.isSet():
		l.add(diag.Problem(traversal.SourceRange(), "Missing instance key",
			"module.%s has several instances. Name one of them, as in module.%s[...].%s, "+
				"or take all with a for expression.", c.key, c.key, attrName(rest[0])))
		return nil, false
	case isIndex:
		rest = rest[1:]
	}
	return rest, true
}

func (u *uses) addModule(c *moduleCall, outputs []*output) {
	for i := range u.modules {
		if u.modules[i].call == c {
			for _, o := range outputs {
				u.modules[i].outputs = appendNew(u.modules[i].outputs, o)
			}
			return
		}
	}
	u.modules = append(u.modules, moduleUse{call: c, outputs: outputs})
}

// miss notes a name that does not exist; name is "" where its root alone does not.
func (n *node) miss(root, name string) {
	n.broken = true
	if n.uses.missing == nil {
		n.uses.missing = map[string][]string{}
	}
	n.uses.missing[root] = append(n.uses.missing[root], name)
}

func appendNew[T comparable](list []T, item T) []T {
	if slices.Contains(list, item) {
		return list
	}
	return append(list, item)
}
