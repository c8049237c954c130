package config

import (
	"errors"
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// maxTemplateDepth bounds templates that render templates.
const maxTemplateDepth = 64

// templateFunctions are templatefile and templatestring.
type templateFunctions struct {
	files *fileFunctions
	table map[string]function.Function
	depth int
}

// variables of a template: an object or a map.
var templateVariables = function.Parameter{
	Name: "vars", Type: cty.DynamicPseudoType, AllowUnknown: true, AllowMarked: true, AllowDynamicType: true,
}

func (t *templateFunctions) file() function.Function {
	return t.function(func(v cty.Value) (string, string, error) {
		text, err := t.files.readText(v.AsString())
		return text, v.AsString(), err
	})
}

func (t *templateFunctions) text() function.Function {
	return t.function(func(v cty.Value) (string, string, error) { return v.AsString(), "<template>", nil })
}

// function makes a function that renders a template, which source gets with the name that messages call it.
func (t *templateFunctions) function(source func(cty.Value) (text, name string, err error)) function.Function {
	render := func(args []cty.Value) (cty.Value, error) {
		text, name, err := source(args[0])
		if err != nil {
			return cty.DynamicVal, err
		}
		return t.render(text, name, args[1])
	}
	return function.New(&function.Spec{
		Params: []function.Parameter{param("template", cty.String), templateVariables},
		Type: func(args []cty.Value) (cty.Type, error) {
			if !args[0].IsKnown() || !args[1].IsKnown() {
				return cty.DynamicPseudoType, nil
			}
			v, err := render(args)
			return v.Type(), err
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			vars, marks := args[1].Unmark()
			if !vars.IsKnown() {
				_, nested := args[1].UnmarkDeep()
				return cty.DynamicVal.WithMarks(marks, nested), nil
			}
			v, err := render(args)
			return v.WithMarks(marks), err
		},
	})
}

func (t *templateFunctions) render(text, name string, vars cty.Value) (cty.Value, error) {
	vars, _ = vars.Unmark()
	if ty := vars.Type(); vars.IsNull() || !ty.IsObjectType() && !ty.IsMapType() {
		return cty.DynamicVal, function.NewArgErrorf(1, "the variables are a map, as in { name = \"heron\" }")
	}
	if t.depth >= maxTemplateDepth {
		return cty.DynamicVal, errors.New("templates render each other without end")
	}
	expr, diags := hclsyntax.ParseTemplate([]byte(text), name, hcl.InitialPos)
	if diags.HasErrors() {
		return cty.DynamicVal, templateError(diags)
	}
	ctx := &hcl.EvalContext{Variables: map[string]cty.Value{}, Functions: t.table}
	for key, v := range vars.Elements() {
		if !hclsyntax.ValidIdentifier(key.AsString()) {
			return cty.DynamicVal, function.NewArgErrorf(1, "%q cannot be the name of a variable", key.AsString())
		}
		ctx.Variables[key.AsString()] = v
	}
	for _, traversal := range expr.Variables() {
		if root := traversal.RootName(); ctx.Variables[root] == cty.NilVal {
			return cty.DynamicVal, function.NewArgErrorf(1, "the template at %s names %q, which is not among the "+
				"variables passed",
				place(traversal.SourceRange()), root)
		}
	}
	t.depth++
	v, diags := expr.Value(ctx)
	t.depth--
	if diags.HasErrors() {
		return cty.DynamicVal, templateError(diags)
	}
	return v, nil
}

func templateError(diags hcl.Diagnostics) error {
	for _, d := range diags {
		if d.Severity == hcl.DiagError && d.Subject != nil {
			return fmt.Errorf("the template is wrong at %s: %s", place(*d.Subject), detailOf(d))
		}
	}
	return diags
}
