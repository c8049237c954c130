package lang

import (
	"errors"
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/fluxbatch/fluxbatch/internal/diag"
)

const (
	// maxTemplateDepth bounds templates that render templates, and maxRenderings how many there are
	// while one of them is rendered: of templates that render themselves, the first bound alone
	// would let each of 64 levels do it twice.
	maxTemplateDepth = 64
	maxRenderings    = 10_000
)

// templateFunctions are templatefile and templatestring. They are used by one goroutine at a time.
type templateFunctions struct {
	files *fileFunctions
	table map[string]function.Function
	// opaque is that of Options.
	opaque func(cty.Type) bool
	// depth and renderings are those of the rendering under way. endless is set once they are too
	// many; from then on it renders nothing.
	depth, renderings int
	endless           error
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

// function makes a function that renders a template, which source gets with the name that messages
// call it.
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
		// To tell the type is to render the template.
		Type: function.StaticReturnType(cty.DynamicPseudoType),
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
	if err := t.begin(); err != nil {
		return cty.DynamicVal, err
	}
	expr, diags := hclsyntax.ParseTemplate([]byte(text), name, hcl.InitialPos)
	if diags.HasErrors() {
		return cty.DynamicVal, t.wrong(diags)
	}
	if huge := HugeNumbers([]byte(text), name); huge.HasErrors() {
		return cty.DynamicVal, t.wrong(huge)
	}
	ctx := &hcl.EvalContext{Variables: map[string]cty.Value{}, Functions: t.table}
	for key, v := range vars.Elements() {
		if !hclsyntax.ValidIdentifier(key.AsString()) {
			return cty.DynamicVal, function.NewArgErrorf(1, "%q cannot be the name of a variable", key.AsString())
		}
		ctx.Variables[key.AsString()] = v
	}
	length := int64(len(text))
	for _, traversal := range expr.Variables() {
		length = plus(length, int64(len(plainString(ctx.Variables[traversal.RootName()]))))
		if root := traversal.RootName(); ctx.Variables[root] == cty.NilVal {
			return cty.DynamicVal, function.NewArgErrorf(1, "the template at %s names %q, which is not among the "+
				"variables passed",
				diag.Place(traversal.SourceRange()), root)
		}
	}
	if err := (amount{text: length}).refused(); err != nil {
		return cty.DynamicVal, err
	}
	t.depth++
	v, diags := expr.Value(ctx)
	t.depth--
	if err := t.endless; err != nil && (t.renderings > maxRenderings || isBecauseOf(diags, err)) {
		// Said once, it tells more than with a sentence for each level around it.
		return cty.DynamicVal, err
	}
	if diags.HasErrors() {
		return cty.DynamicVal, t.wrong(diags)
	}
	return v, nil
}

// begin counts a rendering, and refuses it where there is no end of them. HCL evaluates both sides
// of a condition and then drops one, so that a template which renders itself under a condition goes
// on whatever the condition says; what is dropped is an error, too.
func (t *templateFunctions) begin() error {
	if t.depth == 0 {
		t.renderings, t.endless = 0, nil
	}
	t.renderings++
	switch {
	case t.renderings > maxRenderings:
		t.endless = endlessTemplates("%d times in all", maxRenderings)
	case t.depth >= maxTemplateDepth:
		t.endless = endlessTemplates("%d levels deep", maxTemplateDepth)
		return t.endless
	default:
		return nil
	}
	return t.endless
}

// isBecauseOf reports whether a call of a function failed with an error.
func isBecauseOf(diags hcl.Diagnostics, err error) bool {
	return slices.ContainsFunc(diags, func(d *hcl.Diagnostic) bool {
		call, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallDiagExtra](d)
		return ok && errors.Is(call.FunctionCallError(), err)
	})
}

func endlessTemplates(bound string, n int) error {
	return fmt.Errorf("templates render each other without end: they may do so "+bound+". A condition does not end it, since both of its sides are "+
		"evaluated before one is taken. Pass a list to the template, and go through it with %%{ for }", n)
}

func (t *templateFunctions) wrong(diags hcl.Diagnostics) error {
	for _, d := range diags {
		if d.Severity == hcl.DiagError && d.Subject != nil {
			return fmt.Errorf("the template is wrong at %s: %s", diag.Place(*d.Subject), Detail(d, t.opaque))
		}
	}
	return diags
}
