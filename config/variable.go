package config

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/lang"
	"github.com/fluxbatch/fluxbatch/internal/schema"
)

var variableSchema = schema.Body{
	In:     "a variable block",
	Args:   []string{"type", "default", "description", "sensitive", "nullable"},
	Blocks: []schema.Block{{Name: "validation"}},
}

// reservedVariables would clash with the arguments of a module block.
var reservedVariables = []string{"source", "for_each", "count", "depends_on", "providers", "lifecycle", "version"}

func (d *decoder) variable(m *module, block *hcl.Block) {
	name := block.Labels[0]
	if first, ok := m.variables[name]; ok {
		d.duplicate("var."+name, block.DefRange, first.at)
		return
	}
	if slices.Contains(reservedVariables, name) {
		d.add(diag.Problem(block.LabelRanges[0], "Invalid name",
			"A variable cannot be called %s, since a module block has an argument of that name.", name))
		return
	}
	content, diags := variableSchema.Read(block.Body)
	d.add(diags...)
	v := &variable{node: node{name: "var." + name, at: block.DefRange}, key: name}
	v.description = d.ConstantString(content.Args["description"])
	v.sensitive = d.ConstantBool(content.Args["sensitive"], false)
	v.nullable = d.ConstantBool(content.Args["nullable"], true)
	d.variableType(v, content.Args["type"])
	m.variables[name] = v
	m.add(&v.node, v)
	if attr := content.Args["default"]; attr != nil {
		d.variableDefault(v, attr)
	}
	for _, b := range content.Blocks {
		for _, r := range d.rule(b) {
			check := &validation{node: node{name: v.name, at: b.DefRange}, variable: v, rule: r}
			m.add(&check.node, check)
		}
	}
}

// variableType decodes a type constraint. A variable without one takes any value, and text from
// outside as a string.
func (d *decoder) variableType(v *variable, attr *hcl.Attribute) {
	v.typ, v.literal = cty.DynamicPseudoType, true
	if attr == nil {
		return
	}
	ty, defaults, diags := typeexpr.TypeConstraintWithDefaults(attr.Expr)
	d.add(diags...)
	if diags.HasErrors() {
		// The right type is not known, so no value can be held against it.
		v.broken = true
		return
	}
	v.typ, v.defaults = ty, defaults
	v.literal = ty.IsPrimitiveType()
}

func (d *decoder) variableDefault(v *variable, attr *hcl.Attribute) {
	v.preset = cty.DynamicVal
	ok := false
	defer func() { v.broken = v.broken || !ok }()
	if vars := attr.Expr.Variables(); len(vars) > 0 {
		d.add(diag.Problem(vars[0].SourceRange(), "Value must be constant",
			"A default cannot name other values. Leave the default out or null, and choose the value where it is "+
				"used, as in coalesce(%s, local.other).",
			v.name))
		return
	}
	value, diags := attr.Expr.Value(&hcl.EvalContext{Functions: d.opts.functions.Table})
	d.add(diags...)
	if diags.HasErrors() {
		return
	}
	value, err := v.convert(value)
	if err != nil {
		d.add(diag.Problem(v.shown(attr.Expr.Range()), "Invalid default value",
			"The default does not fit the type of %s%s", v.name, v.unfit(err, lang.IsSensitive(value))))
		return
	}
	if value.IsNull() && !v.nullable {
		d.add(diag.Problem(v.shown(attr.Expr.Range()), "Invalid default value",
			"The default is null, but %s has nullable = false.", v.name))
		return
	}
	v.preset, ok = value, true
}

// convert makes a value fit the variable's type, with the defaults of optional attributes filled
// in. A variable that is declared wrong has no value, whatever it is given.
func (v *variable) convert(value cty.Value) (cty.Value, error) {
	if v.broken {
		return cty.UnknownVal(v.typ), nil
	}
	if v.defaults != nil && !value.IsNull() {
		value = v.defaults.Apply(value)
	}
	converted, err := lang.Convert(value, v.typ)
	if err != nil {
		return cty.UnknownVal(v.typ), lang.Describe(err)
	}
	if lang.HasHuge(converted) {
		return cty.UnknownVal(v.typ), lang.ErrHuge
	}
	return converted, nil
}

// unfit ends a sentence about a value that does not fit the variable's type: with the reason, which
// names keys, unless these are not to be shown.
func (v *variable) unfit(err error, hidden bool) string {
	if v.sensitive || hidden {
		return ". " + noMoreSaid
	}
	return ": " + err.Error() + "."
}

// evaluate sets the variable's value in a scope: from outside in the root module, from the module
// call elsewhere.
func (v *variable) evaluate(e *evaluator, s *scope) {
	value, at := v.preset, v.at
	switch {
	case s.parent == nil:
		if given, ok := e.given[v.key]; ok {
			value, at = given.value, given.at
		}
	case v.expr != nil:
		at = v.expr.Range()
		value = e.input(v, s)
	}
	if value == cty.NilVal {
		// Reported as a missing value when the sources of values were read, or when the module call
		// was.
		e.taint(&v.node)
		value = cty.UnknownVal(v.typ)
	}
	if value.IsNull() && !v.nullable {
		if v.preset == cty.NilVal {
			e.fail(&v.node, diag.Problem(at, "Missing value of variable", "%s must not be null, because it has nullable = false.", v.name))
			value = cty.UnknownVal(v.typ)
		} else {
			value = v.preset
		}
	}
	if v.sensitive {
		value = value.Mark(lang.Sensitive)
	}
	delete(s.refused, v)
	e.set(&v.node, s, value)
}

// refuse makes a variable unknown in a scope, since a rule says that its value is wrong: what
// follows from that would hide the mistake. The other rules still see the value.
func (e *evaluator) refuse(v *variable, s *scope) {
	e.taint(&v.node)
	if _, again := s.refused[v]; again {
		return
	}
	if s.refused == nil {
		s.refused = map[*variable]cty.Value{}
	}
	s.refused[v] = s.get(&v.node)
	e.set(&v.node, s, cty.UnknownVal(v.typ).WithSameMarks(s.refused[v]))
}

// input evaluates what a module call passes to a variable.
func (e *evaluator) input(v *variable, s *scope) cty.Value {
	ctx := e.context(&v.node, s.parent)
	if s.each.isSet() {
		ctx = s.each.context(ctx)
	}
	value, ok := e.value(&v.node, v.expr, ctx)
	if !ok {
		return cty.UnknownVal(v.typ)
	}
	converted, err := v.convert(value)
	if err != nil {
		e.fail(&v.node, diag.About(diag.Problem(v.expr.Range(), "Invalid value for variable", "The value does not fit the "+
			"type of %s in %s%s",
			v.name, s.mod.call.name, v.unfit(err, lang.IsSensitive(value))), v.expr, ctx))
		return cty.UnknownVal(v.typ)
	}
	return converted
}

// evaluate holds a variable's value against one of its validation rules.
func (c *validation) evaluate(e *evaluator, s *scope) {
	ctx := e.context(&c.node, s)
	at := c.variable.at
	if given, ok := e.given[c.variable.key]; ok && s.parent == nil && given.at.Filename != "" {
		at = given.at
	}
	if s.parent != nil && c.variable.expr != nil {
		at = c.variable.expr.Range()
	}
	failed := e.holds(&c.node, c.rule, ctx, "Invalid value for variable")
	if failed == nil {
		return
	}
	failed.Subject = &at
	failed.Detail = fmt.Sprintf("%s This is what the validation rule at %s says.", ended(failed.Detail), diag.Place(c.rule.at))
	e.add(failed)
	e.refuse(c.variable, s)
}
