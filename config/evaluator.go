package config

import (
	"path/filepath"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/lang"
)

// evaluator holds the values of a configuration and finds them.
type evaluator struct {
	*collector
	// atLoad are the diagnostics that Load returned.
	atLoad   map[diagKey][]int
	opts     *Options
	sources  *parser
	settings Settings
	given    map[string]givenValue
	order    []*node
	root     *scope
	// scopes are the instances of each module, and byAddr all of them by address.
	scopes map[*module][]*scope
	byAddr map[addrs.Module]*scope
	base   *hcl.EvalContext
	inputs *inputFiles
	paths  *outputPaths
	// decide is asked about each image; see Config.Evaluate.
	decide Decide
	// see changes an image that was evaluated again; see Config.See.
	see func(*image.Image)
	// labelSets are sets of labels by their text; see sharedLabels.
	labelSets map[string]map[string]string
	// advised are the warnings that are given once; see builder.adviseOnce.
	advised map[string]bool
	// spare is a builder whose memory the next one may use, nil where there is none; see
	// builder.release.
	spare *builder
	// requested is where the arguments of the request in the making are gathered.
	requested []bfl.Argument
	// clock counts changes of values, so that what depends on them is found to be out of date.
	clock uint64

	// notes are about the images of the present evaluation.
	notes *diag.Tally

	// sheets and assets are those of the present evaluation.
	sheets []*image.Sheet
	assets []*image.Asset

	moves    []Move
	removals []Removal
	imports  []Import
}

// scope is one instance of a module.
type scope struct {
	mod    *module
	parent *scope // nil for the root
	addr   addrs.Module
	each   each
	base   *hcl.EvalContext
	// values are those of the module's nodes by their index.
	values   []cty.Value
	images   map[*imageBlock]*instances
	children map[*module][]*scope
	// contexts are those of nodes that use nothing but certain variables and locals, by the names
	// of these.
	contexts map[string]timedContext
	// refused has the values of variables that a validation found wrong, which are unknown to all
	// but its validations.
	refused map[*variable]cty.Value
}

// timedContext is a context with the time of the last change of a value in it.
type timedContext struct {
	*hcl.EvalContext
	stamp uint64
}

func (s *scope) get(n *node) cty.Value {
	if v := s.values[n.index]; v != cty.NilVal {
		return v
	}
	return cty.DynamicVal
}

// addScope makes the scope of one instance of a module.
func (e *evaluator) addScope(m *module, parent *scope, each each) *scope {
	s := &scope{
		mod: m, parent: parent, each: each,
		values:   make([]cty.Value, len(m.nodes)),
		images:   map[*imageBlock]*instances{},
		children: map[*module][]*scope{},
	}
	if parent != nil {
		s.addr = parent.addr.Child(m.call.key, each.key)
		parent.children[m] = append(parent.children[m], s)
	}
	s.base = e.base.NewChild()
	s.base.Variables = map[string]cty.Value{"path": e.pathValue(m)}
	e.scopes[m] = append(e.scopes[m], s)
	e.byAddr[s.addr] = s
	return s
}

// dropScopes forgets the instances of a module in one scope, and all below them.
func (e *evaluator) dropScopes(m *module, parent *scope) {
	gone := parent.children[m]
	delete(parent.children, m)
	for _, s := range gone {
		for child := range s.children {
			e.dropScopes(child, s)
		}
		delete(e.byAddr, s.addr)
	}
	e.scopes[m] = slices.DeleteFunc(e.scopes[m], func(s *scope) bool { return slices.Contains(gone, s) })
}

func (e *evaluator) pathValue(m *module) cty.Value {
	cwd, err := filepath.Abs(".")
	if err != nil {
		cwd = "." // The working directory was deleted; files are found nonetheless.
	}
	return cty.ObjectVal(map[string]cty.Value{
		"module": cty.StringVal(m.rel),
		"root":   cty.StringVal("."),
		"cwd":    cty.StringVal(filepath.ToSlash(cwd)),
	})
}

// run evaluates those nodes that are dynamic, or those that are not. The outputs of the root module,
// on which nothing depends, come last.
func (e *evaluator) run(dynamic bool) {
	var outputs []*node
	for _, n := range e.order {
		switch {
		case n.dynamic != dynamic:
		case e.isRootOutput(n):
			outputs = append(outputs, n)
		default:
			e.node(n)
		}
	}
	e.gatherBeside(outputs)
	for _, n := range outputs {
		e.node(n)
	}
}

// node evaluates a node in all instances of its module.
func (e *evaluator) node(n *node) {
	if n.skip {
		e.taint(n)
		return
	}
	for _, other := range n.needs {
		if other.tainted {
			e.taint(n)
		}
	}
	for _, s := range slices.Clone(e.scopes[n.mod]) {
		e.instance = addrs.Image{Module: s.addr}
		n.work.evaluate(e, s)
	}
}

// set gives a node its value in a scope.
func (e *evaluator) set(n *node, s *scope, v cty.Value) {
	s.values[n.index] = v
	e.touch(n)
}

// touch notes that a node's value changed.
func (e *evaluator) touch(n *node) {
	e.clock++
	n.stamp = e.clock
}

// taint marks a node as unknown because of an error that was reported.
func (e *evaluator) taint(n *node) { n.tainted = true }

// fail reports an error that leaves a node without a proper value.
func (e *evaluator) fail(n *node, diags ...*hcl.Diagnostic) {
	e.add(diags...)
	e.taint(n)
}

// value evaluates an expression. It answers false, with an unknown value, where the expression is
// wrong.
func (e *evaluator) value(n *node, expr hcl.Expression, ctx *hcl.EvalContext) (cty.Value, bool) {
	v, diags := e.hoistLoops(expr, ctx).Value(ctx)
	if len(diags) > 0 {
		e.add(diags...)
		if diags.HasErrors() {
			e.taint(n)
			return cty.DynamicVal, false
		}
	}
	if lang.IsHuge(v) {
		e.fail(n, diag.Problem(expr.Range(), "Number too large", "%s.", capitalise(lang.ErrHuge.Error())))
		return cty.DynamicVal, false
	}
	return v, true
}

// context returns what a node's expressions see in a scope.
func (e *evaluator) context(n *node, s *scope) *hcl.EvalContext {
	u := &n.uses
	_, isValidation := n.work.(*validation) // It may see a value that is refused to others.
	if isValidation || len(u.images)+len(u.modules)+len(u.missing)+len(u.assets)+len(u.sheets) > 0 {
		return e.contextWith(n, s, func(b *imageBlock) cty.Value { return e.imageValue(b, s) })
	}
	// Of ten thousand images, most name the same few locals.
	var buffer [256]byte
	names, stamp := buffer[:0], uint64(0)
	for _, v := range u.variables {
		names = append(append(names, "var."...), v.key...)
		stamp = max(stamp, v.stamp)
	}
	for _, l := range u.locals {
		names = append(append(names, "local."...), l.key()...)
		stamp = max(stamp, l.stamp)
	}
	ctx, ok := s.contexts[string(names)]
	if !ok || ctx.stamp != stamp {
		ctx = timedContext{e.contextWith(n, s, nil), stamp}
		if s.contexts == nil {
			s.contexts = map[string]timedContext{}
		}
		s.contexts[string(names)] = ctx
	}
	return ctx.EvalContext
}

// contextWith is like context, with images as a function gives them.
func (e *evaluator) contextWith(n *node, s *scope, image func(*imageBlock) cty.Value) *hcl.EvalContext {
	u := &n.uses
	if len(u.variables)+len(u.locals)+len(u.images)+len(u.modules)+len(u.missing)+len(u.assets)+len(u.sheets) == 0 {
		return s.base
	}
	members := map[string]map[string]cty.Value{}
	put := func(root, name string, v cty.Value) {
		if members[root] == nil {
			members[root] = map[string]cty.Value{}
		}
		members[root][name] = v
	}
	rule, _ := n.work.(*validation)
	for _, v := range u.variables {
		value := s.get(&v.node)
		if refused, ok := s.refused[v]; ok && rule != nil && rule.variable == v {
			value = refused
		}
		put("var", v.key, value)
	}
	for _, l := range u.locals {
		put("local", l.key(), s.get(&l.node))
	}
	for _, b := range u.images {
		put("image", b.key, image(b))
	}
	for _, m := range u.modules {
		put("module", m.call.key, e.moduleValue(m.call, m.outputs, s))
	}
	for _, b := range u.assets {
		put("asset", b.key, s.get(&b.node))
	}
	for _, b := range u.sheets {
		put("sheet", b.key, s.get(&b.node))
	}
	ctx := s.base.NewChild()
	ctx.Variables = make(map[string]cty.Value, len(members)+len(u.missing))
	for root, names := range u.missing {
		if slices.Contains(names, "") {
			ctx.Variables[root] = noValue
			continue
		}
		for _, name := range names {
			put(root, name, noValue)
		}
	}
	for root, values := range members {
		if _, missing := ctx.Variables[root]; !missing {
			ctx.Variables[root] = cty.ObjectVal(values)
		}
	}
	return ctx
}

// holds evaluates a condition. It returns a problem of the given summary where the condition is
// false, nil where it holds or is not known yet. What is wrong with the rule itself is reported
// directly.
func (e *evaluator) holds(n *node, r rule, ctx *hcl.EvalContext, summary string) *hcl.Diagnostic {
	_, failed := e.test(n, r, ctx, summary)
	return failed
}

// test is like holds, and returns the condition too.
func (e *evaluator) test(n *node, r rule, ctx *hcl.EvalContext, summary string) (unmarked, *hcl.Diagnostic) {
	raw, ok := e.value(n, r.condition, ctx)
	if !ok {
		return unmarked{value: cty.DynamicVal}, nil
	}
	condition := unmark(raw)
	decided, err := convert.Convert(condition.value, cty.Bool)
	if err != nil || condition.value.IsNull() {
		e.fail(n, diag.About(diag.Problem(r.at, "Invalid condition",
			"A condition must be true or false, but this is neither."), r.condition, ctx))
		return condition, nil
	}
	if !decided.IsKnown() || decided.True() {
		return condition, nil
	}
	message := "(The error message is not known yet.)"
	if v, ok := e.value(n, r.message, ctx); ok {
		v, marks := v.UnmarkDeep()
		text, err := convert.Convert(v, cty.String)
		switch {
		case err != nil || v.IsNull():
			e.add(diag.Problem(r.message.Range(), "Invalid error message", "An error_message is a string."))
		case marks.Has(lang.Sensitive):
			message = "(The error message is sensitive.)"
		case text.IsKnown():
			message = text.AsString()
		}
	}
	return condition, diag.About(diag.Problem(r.at, summary, "%s", message), r.condition, ctx)
}

func (l *local) key() string { return l.name[len("local."):] }

func (l *local) evaluate(e *evaluator, s *scope) {
	v, ok := e.gathered(&l.node, s, l.expr)
	if !ok {
		v, _ = e.value(&l.node, l.expr, e.context(&l.node, s))
	}
	e.set(&l.node, s, v)
}

func (c *check) evaluate(e *evaluator, s *scope) {
	for _, r := range c.asserts {
		if v, ok := e.bare(&c.node, s, r.condition); ok && lang.IsPlain(v) && v.Type() == cty.Bool && v.True() {
			continue // It holds, and what it is about was not built.
		}
		ctx := e.context(&c.node, s)
		if failed := e.holds(&c.node, r, ctx, "Check failed"); failed != nil {
			failed.Severity = hcl.DiagWarning
			e.add(failed)
		}
	}
}
