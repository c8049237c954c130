package config

import (
	"errors"
	"math"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/image"
)

// Resolve evaluates one image again, at apply time, with the results of the images that it depends
// on. It is needed for images that had unknown arguments or sources. Results must not change any
// more once results has answered with them.
func (c *Config) Resolve(addr addrs.Image, results func(addrs.Image) *image.Result) (*image.Image, hcl.Diagnostics) {
	e := c.evaluator
	if e == nil {
		return nil, nil
	}
	e.startOver()
	img, err := e.resolve(addr, results)
	diags := e.list()
	if err != nil {
		diags = append(diags, diag.Error("Image cannot be evaluated", "%s cannot be evaluated: %s.", addr, err))
	}
	return img, diags
}

// See makes see change each image that is evaluated again, by Resolve or because an expression
// names it, once results are there: it puts recorded values in the place of those that do not
// count, as Decide does where they are known.
func (c *Config) See(see func(*image.Image)) {
	if c.evaluator != nil {
		c.evaluator.see = see
	}
}

var errNoImage = errors.New("it is not in the configuration, or something that it depends on is wrong")

func (e *evaluator) resolve(addr addrs.Image, results func(addrs.Image) *image.Result) (*image.Image, error) {
	s := e.byAddr[addr.Module]
	if s == nil {
		return nil, errNoImage
	}
	b := s.mod.images[addr.Name]
	if b == nil || s.images[b] == nil || s.images[b].expansion == nil {
		return nil, errNoImage
	}
	// A first evaluation, with values that may be out of date, tells what the image depends on. Its
	// diagnostics are those of the plan, or come again with the second one.
	outer := e.collector
	e.collector = &collector{}
	before := e.rebuild(b, s, addr, func(x *imageBlock) cty.Value { return e.staleValue(x, s) })
	e.collector = outer
	if before == nil {
		return nil, errNoImage
	}
	if len(before.Dependencies) == 0 {
		return before, nil
	}
	for _, other := range before.Dependencies {
		e.settle(other, results)
	}
	e.updateNeeds(&b.node)
	// nil if the image turns out wrong now that its values are known; the diagnostics say why.
	return e.rebuild(b, s, addr, func(x *imageBlock) cty.Value {
		return e.partialValue(b, x, s, before.Dependencies)
	}), nil
}

// staleValue returns what expressions see of a block, which may lack results that came in since.
func (e *evaluator) staleValue(b *imageBlock, s *scope) cty.Value {
	if list := s.images[b]; list != nil && list.value != cty.NilVal {
		return list.value
	}
	return e.imageValue(b, s)
}

// partialValue returns what the expressions of one block see of another. Where they only look up
// instances by their keys, those that the image was found to depend on are enough: to build all of
// a hundred thousand anew each time that one of them is finished would take hours.
func (e *evaluator) partialValue(b, other *imageBlock, s *scope, needed []addrs.Image) cty.Value {
	list := s.images[other]
	if b.uses.whole[other] || other.forEach == nil || list == nil || list.expansion == nil {
		return e.imageValue(other, s)
	}
	values := map[string]cty.Value{}
	for _, addr := range needed {
		if addr.Module != s.addr || addr.Name != other.key {
			continue
		}
		if o := list.object(addr.Key); o != nil {
			key, _ := addr.Key.Text()
			values[key] = e.look(other, s, o)
		}
	}
	return cty.ObjectVal(values)
}

// updateNeeds brings what a node needs up to date, without asking for results of more images.
func (e *evaluator) updateNeeds(n *node) {
	for _, other := range n.needs {
		if _, isImage := other.work.(*imageBlock); !isImage && other.dynamic {
			e.updateNeeds(other)
			e.update(other)
		}
	}
}

// rebuild builds one instance anew with the values as they are now. It answers nil where that
// fails.
func (e *evaluator) rebuild(b *imageBlock, s *scope, addr addrs.Image, see func(*imageBlock) cty.Value) *image.Image {
	ctx := e.contextWith(&b.node, s, see)
	expansion, each, ok := e.again(b, s, addr.Key)
	if !ok {
		return nil
	}
	tainted, paths := b.tainted, e.paths
	e.paths = newOutputPaths(e.settings.OutputDir, math.MaxInt) // The path was claimed by the plan.
	if b.weave != nil {
		b.weave.reset()
	}
	n, _ := expansion.find(addr.Key)
	img := newBuilder(e, b, s, ctx, expansion).instance(n, each)
	b.tainted, e.paths = tainted, paths
	if img != nil && e.see != nil {
		e.see(img)
	}
	return img
}

// again finds an instance of a block with its each.value as it is now.
func (e *evaluator) again(b *imageBlock, s *scope, key addrs.Key) (*expansion, each, bool) {
	expansion := s.images[b].expansion
	x, ok := expansion.get(key)
	if !ok || b.forEach == nil || !s.mod.isDynamic(b.forEach) {
		return expansion, x, ok
	}
	if other := s.mod.instancesOf(b.forEach); other != nil && s.images[other] != nil {
		if o := s.images[other].object(key); o != nil {
			return expansion, each{key: key, value: e.look(other, s, o)}, true
		}
	}
	expansion, ok = e.expand(&b.node, b.repeat, e.context(&b.node, s))
	if !ok {
		return nil, each{}, false
	}
	x, ok = expansion.get(key)
	return expansion, x, ok
}

// isDynamic reports whether an expression names something that depends on images.
func (m *module) isDynamic(expr hcl.Expression) bool {
	for _, traversal := range expr.Variables() {
		if len(traversal) < 2 {
			continue
		}
		step, ok := traversal[1].(hcl.TraverseAttr)
		if !ok {
			return true
		}
		switch traversal.RootName() {
		case "var":
			if v := m.variables[step.Name]; v != nil && v.dynamic {
				return true
			}
		case "local":
			if l := m.locals[step.Name]; l != nil && l.dynamic {
				return true
			}
		case "image", "module":
			return true
		}
	}
	return false
}
