package config

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/lang"
)

func (o *output) evaluate(e *evaluator, s *scope) {
	o.collection = nil
	if c, ok := o.collect(e, s); ok {
		o.collection = c
		e.set(&o.node, s, cty.DynamicVal)
		return
	}
	v := o.evaluateValue(e, s)
	for _, after := range o.after {
		for _, addr := range e.waitsFor(after, s) {
			v = v.Mark(dependency{addr: addr})
		}
	}
	if !o.bare && v.HasMarkDeep(lang.Sensitive) && !o.sensitive && s.parent == nil {
		e.fail(&o.node, diag.Problem(o.value.Range(), "Output is sensitive",
			"The value comes from a sensitive variable. Add sensitive = true to the output, or use nonsensitive(...) if everybody may see the value."))
	}
	if o.sensitive {
		v = v.Mark(lang.Sensitive)
	}
	e.set(&o.node, s, v)
}

// isBare reports whether an output's value is that of its expression, on which nothing depends, and
// nothing is to be said about it besides.
func (o *output) isBare(s *scope) bool {
	return s.parent == nil && o.value != nil && !o.sensitive && len(o.preconditions)+len(o.after) == 0
}

// collect returns the value of an output of the root module that is nothing but a gathering.
func (o *output) collect(e *evaluator, s *scope) (*Collection, bool) {
	if ahead := o.ahead; ahead != nil {
		o.ahead = nil
		return ahead.collection, ahead.ok
	}
	if !o.isBare(s) {
		return nil, false
	}
	g, of, ok := e.recognise(&o.node, s, o.value)
	if !ok {
		return nil, false
	}
	return g.bare(of)
}

// evaluateValue checks an output's preconditions and returns its value.
func (o *output) evaluateValue(e *evaluator, s *scope) cty.Value {
	o.bare = false
	if len(o.preconditions) == 0 && o.value != nil {
		if s.parent == nil {
			v, ok := e.bare(&o.node, s, o.value)
			if o.bare = ok; ok {
				return v
			}
		}
		if v, ok := e.gathered(&o.node, s, o.value); ok {
			return v
		}
	}
	ctx := e.outputContext(o, s)
	for _, r := range o.preconditions {
		if failed := e.holds(&o.node, r, ctx, "Output precondition failed"); failed != nil {
			e.fail(&o.node, failed)
		}
	}
	if o.value == nil {
		return cty.DynamicVal
	}
	v, _ := e.value(&o.node, o.value, ctx)
	return v
}

// outputContext returns what an output's expressions see. Nothing depends on an output of the root
// module, whose images therefore go without marks: of a hundred thousand, each value that is made
// of one would carry one.
func (e *evaluator) outputContext(o *output, s *scope) *hcl.EvalContext {
	if s.parent != nil || len(o.uses.images) == 0 {
		return e.context(&o.node, s)
	}
	return e.contextWith(&o.node, s, func(b *imageBlock) cty.Value { return e.bareValue(b, s) })
}

// unmarked returns the output's value without marks.
func (o *output) unmarked(v cty.Value) unmarked {
	if !o.bare {
		return unmark(v)
	}
	v, marks := v.Unmark()
	return unmarked{value: v, sensitive: marks.Has(lang.Sensitive)}
}
