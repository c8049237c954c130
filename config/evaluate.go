package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/image"
)

// Evaluate goes through all images in the order of their dependencies. Each instance is built and
// checked, and then decide is asked about it, once; what decide answers is what later expressions
// see of the image. decide may be nil, as if it answered nil always. Instances that are wrong, or
// are made from such, are not asked about.
//
// Evaluate may be called again, with another decide, and then starts afresh. The diagnostics are
// about images and what depends on them; all others came from Load.
func (c *Config) Evaluate(decide Decide) hcl.Diagnostics {
	e := c.evaluator
	if e == nil {
		return nil
	}
	e.startOver()
	e.notes = diag.NewTally(noteKinds)
	e.decide = decide
	e.inputs.used, e.inputs.noted, e.sheets, e.assets = nil, nil, nil, nil
	e.paths = newOutputPaths(e.settings.OutputDir, cmp.Or(e.opts.ahead, patternLeast))
	for _, n := range e.order {
		if n.dynamic {
			n.tainted = n.broken
		}
	}
	e.run(true)
	e.findMoves()
	e.checkImports()
	e.checkInputs()
	e.add(slices.Concat(e.notes.Warnings(), e.opts.functions.Warnings())...)
	e.notes = nil
	c.evaluated = true
	return e.list()
}

// ensureEvaluated gives values to what depends on images, for those who ask without having called
// Evaluate.
func (c *Config) ensureEvaluated() {
	if !c.evaluated {
		_ = c.Evaluate(nil) // The diagnostics are for those who call Evaluate.
	}
}

// startOver begins a new list of diagnostics, for what is not known yet.
func (e *evaluator) startOver() { e.collector = &collector{earlier: e.atLoad} }

// Outputs returns the root module's output values, sorted by name. Parts of them that come from
// images without a result are unknown. With results nil, the results are what decide said in the
// last Evaluate.
func (c *Config) Outputs(results func(addrs.Image) *image.Result) ([]Output, hcl.Diagnostics) {
	e := c.evaluator
	if e == nil {
		return nil, nil
	}
	c.ensureEvaluated()
	e.startOver()
	outputs := e.root.mod.outputs
	if results != nil {
		var wanted []*node
		for _, name := range sortedKeys(outputs) {
			wanted = append(wanted, &outputs[name].node)
		}
		e.refresh(wanted, results)
	}
	list := make([]Output, 0, len(outputs))
	for _, name := range sortedKeys(outputs) {
		o := outputs[name]
		if o.collection != nil && !o.tainted {
			list = append(list, Output{Name: name, Collection: o.collection})
			continue
		}
		u := o.unmarked(e.root.get(&o.node))
		if o.tainted {
			u.value = cty.DynamicVal // A precondition says that this must not be its value.
		}
		list = append(list, Output{Name: name, Value: u.value, Sensitive: o.sensitive || u.sensitive, From: u.from})
	}
	return list, e.list()
}

// refresh brings nodes up to date with the results of images.
func (e *evaluator) refresh(wanted []*node, results func(addrs.Image) *image.Result) {
	needed := map[*node]bool{}
	var walk func(*node)
	walk = func(n *node) {
		if needed[n] || !n.dynamic {
			return
		}
		needed[n] = true
		for _, other := range n.needs {
			walk(other)
		}
	}
	for _, n := range wanted {
		walk(n)
	}
	for _, n := range e.order {
		if !needed[n] {
			continue
		}
		if b, ok := n.work.(*imageBlock); ok {
			for _, s := range e.scopes[n.mod] {
				if list := s.images[b]; list != nil {
					for _, o := range list.objects {
						e.settle(addrs.Image{Module: s.addr, Name: b.key, Key: o.key}, results)
					}
				}
			}
			continue
		}
		e.update(n)
	}
}

// update evaluates a node again if something that it needs has changed since.
func (e *evaluator) update(n *node) {
	switch n.work.(type) {
	case *sheetBlock, *assetBlock:
		return // No result is in them: all of it is known in the plan.
	}
	if n.tainted || !slices.ContainsFunc(n.needs, func(other *node) bool { return other.stamp > n.stamp }) {
		return
	}
	if call, isCall := n.work.(*moduleCall); isCall {
		e.updateCall(call)
	} else {
		e.node(n)
	}
	n.stamp = e.clock
}

// updateCall gives the instances of a module their new each.value. Which instances there are was
// known before any result.
func (e *evaluator) updateCall(c *moduleCall) {
	for _, s := range e.scopes[c.mod] {
		x, ok := e.expand(&c.node, c.repeat, e.context(&c.node, s))
		if !ok {
			continue
		}
		for _, child := range s.children[c.child] {
			if each, ok := x.get(child.each.key); ok {
				child.each = each
			}
		}
	}
	e.touch(&c.node)
}

// settle puts an image's result into the value that expressions see, once there is one. The
// arguments are evaluated again where they were not known.
func (e *evaluator) settle(addr addrs.Image, results func(addrs.Image) *image.Result) {
	s := e.byAddr[addr.Module]
	if s == nil || s.mod.images[addr.Name] == nil {
		return
	}
	b := s.mod.images[addr.Name]
	list := s.images[b]
	if list == nil {
		return
	}
	o := list.object(addr.Key)
	if o == nil || o.final || o.img == nil {
		return
	}
	result := results(addr)
	if result == nil {
		return
	}
	if !o.img.Known() {
		if img, _ := e.resolve(addr, results); img != nil {
			o.img = img
		}
	}
	o.value, o.result = e.export(b, o.img, addr, result), result
	o.final = true
	list.stale, list.bare = true, cty.NilVal
	e.touch(&b.node)
}

// newOutputPaths returns what has no file yet. least is how many instances a large block has.
func newOutputPaths(dir string, least int) *outputPaths {
	return &outputPaths{outputDir: dir, least: least, byPath: map[string]claim{}, folders: map[string]claim{}, spelt: map[string]string{}}
}

// postconditions checks a finished image against its postconditions.
func (e *evaluator) postconditions(b *imageBlock, build *builder, x each, o *object) {
	rules := b.lifecycle.postconditions
	if len(rules) == 0 || o.img == nil {
		return
	}
	build.enter(x)
	ctx := build.instanceContext().NewChild()
	value := e.lookOnly(b, build.s, o)
	ctx.Variables = map[string]cty.Value{"self": value}
	for _, r := range rules {
		if failed := e.holds(&b.node, r, ctx, "Image postcondition failed"); failed != nil {
			failed.Detail = fmt.Sprintf("%s: %s", o.img.Address, strings.TrimSpace(failed.Detail))
			e.add(failed)
		}
	}
}

// Checks evaluates the check blocks of all modules with the results of images, and returns a
// warning for each assertion that does not hold. Those that could be told before were among the
// diagnostics of Evaluate.
func (c *Config) Checks(results func(addrs.Image) *image.Result) hcl.Diagnostics {
	e := c.evaluator
	if e == nil {
		return nil
	}
	e.startOver()
	var wanted []*node
	for _, n := range e.order {
		if _, isCheck := n.work.(*check); isCheck && n.dynamic {
			wanted = append(wanted, n)
		}
	}
	e.refresh(wanted, results)
	return e.list()
}

// Postconditions checks an image that was just made against the postconditions of its block.
func (c *Config) Postconditions(addr addrs.Image, results func(addrs.Image) *image.Result) hcl.Diagnostics {
	e := c.evaluator
	if e == nil {
		return nil
	}
	e.startOver()
	s := e.byAddr[addr.Module]
	if s == nil {
		return nil
	}
	b := s.mod.images[addr.Name]
	if b == nil || len(b.lifecycle.postconditions) == 0 || s.images[b] == nil || s.images[b].expansion == nil {
		return nil
	}
	e.settle(addr, results)
	if o := s.images[b].object(addr.Key); o != nil && o.final {
		if each, ok := s.images[b].get(addr.Key); ok {
			build := newBuilder(e, b, s, e.context(&b.node, s), s.images[b].expansion)
			e.postconditions(b, build, each, o)
		}
	}
	return e.list()
}
