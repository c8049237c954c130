package config

import (
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/schema"
	"github.com/fluxbatch/fluxbatch/internal/sourcefile"
)

// maxModuleDepth bounds how deep modules call modules. It is far above what people write, and below
// what exhausts a file system's paths.
const maxModuleDepth = 32

var callSchema = schema.Body{
	In:   "a module block",
	Args: []string{"source", "for_each", "count", "depends_on", "providers"},
	Open: true,
}

func (d *decoder) moduleCall(m *module, block *hcl.Block) {
	name := block.Labels[0]
	if first, ok := m.calls[name]; ok {
		d.duplicate("module."+name, block.DefRange, first.at)
		return
	}
	content, diags := callSchema.Read(block.Body)
	d.add(diags...)
	c := &moduleCall{node: node{name: "module." + name, at: block.DefRange}, key: name}
	c.repeat = d.repeat(content.Args)
	c.dependsOn = d.Expressions(content.Args["depends_on"])
	c.inputs = cloneArgs(content.Args, callSchema.Args...)
	c.passed = d.passedProviders(content.Args["providers"])
	if source := content.Args["source"]; source != nil {
		c.source, c.sourceAt = d.ConstantString(source), source.Expr.Range()
	} else {
		d.add(diag.Problem(block.DefRange, "Missing required argument",
			`A module block needs a source, as in source = "./modules/brand".`))
	}
	if version := c.inputs["version"]; version != nil {
		delete(c.inputs, "version")
		d.add(diag.Problem(version.NameRange, "Unsupported argument",
			"Modules are directories beside this configuration, so there are no versions to choose from."))
	}
	m.calls[name] = c
	m.add(&c.node, c)
}

// passedProviders decodes the providers argument, such as { bfl = bfl.eu }.
func (d *decoder) passedProviders(attr *hcl.Attribute) []passedProvider {
	if attr == nil {
		return nil
	}
	pairs, diags := hcl.ExprMap(attr.Expr)
	if diags.HasErrors() {
		d.add(diag.Problem(attr.Expr.Range(), "Invalid providers argument", "providers is a map that is written out, as "+
			"in providers = { bfl = bfl.eu }."))
		return nil
	}
	var passed []passedProvider
	for _, pair := range pairs {
		inner, ok1 := providerName(pair.Key)
		outer, ok2 := providerName(pair.Value)
		if !ok1 || !ok2 {
			d.add(diag.Problem(hcl.RangeBetween(pair.Key.Range(), pair.Value.Range()), "Invalid providers argument",
				"An entry names the account as the module calls it, and as it is called here: bfl = bfl.eu."))
			continue
		}
		passed = append(passed, passedProvider{inner: inner, outer: outer, at: pair.Value.Range()})
	}
	return passed
}

// providerName reads an expression such as bfl or bfl.eu.
func providerName(expr hcl.Expression) (string, bool) {
	traversal, diags := hcl.AbsTraversalForExpr(expr)
	if diags.HasErrors() || traversal.RootName() != "bfl" || len(traversal) > 2 {
		return "", false
	}
	if len(traversal) == 1 {
		return "bfl", true
	}
	step, ok := traversal[1].(hcl.TraverseAttr)
	if !ok {
		return "", false
	}
	return "bfl." + step.Name, true
}

// child loads the module that a call names. A call whose source is wrong keeps no child;
// expressions that name it are then unknown.
func (d *decoder) child(c *moduleCall) {
	source, ok := d.source(c)
	if !ok {
		return
	}
	m := &module{call: c, parent: c.mod, depth: c.mod.depth + 1}
	m.rel = path.Join(c.mod.rel, source)
	m.dir = sourcefile.Named(filepath.Join(c.mod.dir, filepath.FromSlash(source)))
	identity := m.dir
	if real, err := filepath.EvalSymlinks(m.dir); err == nil {
		identity = real
	}
	if abs, err := filepath.Abs(identity); err == nil {
		identity = abs
	}
	switch {
	case slices.Contains(d.dirs, identity):
		d.add(diag.Problem(c.sourceAt, "Module calls itself",
			"%s is the directory of this module or of one that calls it, so there would be no end to it.", m.rel))
		return
	case m.depth > maxModuleDepth:
		d.add(diag.Problem(c.sourceAt, "Modules nested too deep",
			"Modules can call each other at most %d levels deep.", maxModuleDepth))
		return
	}
	files, diags := d.directory(m.dir)
	for _, diag := range diags {
		if diag.Subject == nil {
			diag.Subject = &c.sourceAt
		}
	}
	d.add(diags...)
	switch {
	case diags.HasErrors():
		d.unparsed = d.unparsed || len(files) > 0
		return
	case len(files) == 0:
		d.add(diag.Problem(c.sourceAt, "Module is empty", "The directory %s has no *.flux.hcl file.", m.rel))
		return
	}
	c.child = m
	d.dirs = append(d.dirs, identity)
	d.module(m, files)
	d.dirs = d.dirs[:len(d.dirs)-1]
}

// source checks the form of a module's source.
func (d *decoder) source(c *moduleCall) (string, bool) {
	switch {
	case c.source == "":
		return "", false
	case strings.HasPrefix(c.source, "./"), strings.HasPrefix(c.source, "../"), c.source == ".", c.source == "..":
		return c.source, true
	}
	hint := ""
	if !strings.ContainsAny(c.source, ":\\") && !path.IsAbs(c.source) {
		hint = " Write \"./" + c.source + "\" for a directory beside this file."
	}
	d.add(diag.Problem(c.sourceAt, "Unsupported module source",
		"A module is a directory, named by a path that starts with ./ or ../ and has forward slashes.%s", hint))
	return "", false
}

// evaluate makes the scopes of a module's instances.
func (c *moduleCall) evaluate(e *evaluator, s *scope) {
	if c.child == nil {
		e.taint(&c.node)
		return
	}
	ctx := e.context(&c.node, s)
	instances, ok := e.expand(&c.node, c.repeat, ctx)
	e.dropScopes(c.child, s)
	if !ok {
		e.taint(&c.node)
		return
	}
	for each := range instances.all() {
		e.addScope(c.child, s, each)
	}
	e.touch(&c.node)
}

// moduleValue builds what expressions see of a module: an object of the outputs given, or a
// collection of such objects.
func (e *evaluator) moduleValue(c *moduleCall, outputs []*output, s *scope) cty.Value {
	if c.child == nil || c.tainted {
		return cty.DynamicVal
	}
	object := func(child *scope) cty.Value {
		values := make(map[string]cty.Value, len(outputs))
		for _, o := range outputs {
			values[o.key] = child.get(&o.node)
		}
		return cty.ObjectVal(values)
	}
	children := s.children[c.child]
	if !c.isSet() {
		if len(children) == 0 {
			return cty.DynamicVal
		}
		return object(children[0])
	}
	if c.count != nil {
		elements := make([]cty.Value, len(children))
		for i, child := range children {
			elements[i] = object(child)
		}
		return cty.TupleVal(elements)
	}
	elements := make(map[string]cty.Value, len(children))
	for _, child := range children {
		key, _ := child.each.key.Text()
		elements[key] = object(child)
	}
	return cty.ObjectVal(elements)
}
