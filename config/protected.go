package config

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
)

// Protected returns where lifecycle.prevent_destroy protects an image that is to go, which may be
// an instance that is not declared any more. It is nil where nothing does: the image's block is
// gone, does not say so, or says it with values that only the instance would have.
func (c *Config) Protected(addr addrs.Image) *hcl.Range {
	b := c.block(addr)
	if b == nil || b.lifecycle.preventDestroy == nil {
		return nil
	}
	e, expr := c.evaluator, b.lifecycle.preventDestroy
	v, diags := expr.Value(nil)
	if diags.HasErrors() {
		c.ensureEvaluated()
		if v, diags = expr.Value(e.instanceContext(b, addr)); diags.HasErrors() {
			return nil
		}
	}
	protects, err := convert.Convert(unmark(v).value, cty.Bool)
	if err != nil || !protects.IsKnown() || protects.IsNull() || protects.False() {
		return nil
	}
	return expr.Range().Ptr()
}

// instanceContext returns the scope of an instance, as much as there is of it.
func (e *evaluator) instanceContext(b *imageBlock, addr addrs.Image) *hcl.EvalContext {
	s := e.byAddr[addr.Module]
	if s == nil {
		return nil
	}
	ctx := e.context(&b.node, s)
	list := s.images[b]
	if list == nil || list.expansion == nil {
		return ctx
	}
	each, ok := list.get(addr.Key)
	if !ok {
		return ctx
	}
	build := newBuilder(e, b, s, ctx, list.expansion)
	defer build.release()
	build.enter(each)
	return build.instanceContext()
}

// Where returns where the block of an image is declared, for messages about the image as a whole.
// It is nil for an address that no block of the configuration has.
func (c *Config) Where(addr addrs.Image) *hcl.Range {
	if b := c.block(addr); b != nil {
		return &b.at
	}
	return nil
}

// block returns the block that declares an image, or nil. The image may be an instance that is not
// declared any more.
func (c *Config) block(addr addrs.Image) *imageBlock {
	if c.evaluator == nil {
		return nil
	}
	m := c.evaluator.root.mod
	for name := range addr.Module.Steps() {
		call := m.calls[name]
		if call == nil || call.child == nil {
			return nil
		}
		m = call.child
	}
	return m.images[addr.Name]
}
