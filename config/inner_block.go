package config

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/fluxbatch/fluxbatch/internal/diag"
)

// innerReader reads the arguments of a block inside of an image block, for one instance, or those of
// another block that are read in one way.
type innerReader struct {
	args map[string]*hcl.Attribute
	// summary is that of what is wrong, and types say what each argument is.
	summary string
	types   map[string]string
	context func() *hcl.EvalContext
	report  func(...*hcl.Diagnostic)
	// wrong says that something was reported.
	wrong bool
}

// inner reads a block of the instance in the making.
func (d *builder) inner(args map[string]*hcl.Attribute, summary string, types map[string]string) *innerReader {
	return &innerReader{args: args, summary: summary, types: types, context: d.instanceContext, report: d.report}
}

func (r *innerReader) bad(name, detail string) {
	r.wrong = true
	expr := r.args[name].Expr
	r.report(diag.About(diag.Problem(expr.Range(), r.summary, "%s", detail), expr, r.context()))
}

// value returns an argument, converted. It reports false for one that is absent, null or wrong.
func (r *innerReader) value(name string, ty cty.Type) (cty.Value, bool) {
	attr := r.args[name]
	if attr == nil {
		return cty.NilVal, false
	}
	raw, diags := attr.Expr.Value(r.context())
	r.report(diags...)
	if diags.HasErrors() {
		r.wrong = true
		return cty.NilVal, false
	}
	given := unmark(raw)
	v, err := convert.Convert(given.value, ty)
	switch {
	case err != nil:
		r.bad(name, name+" is of another type. "+r.types[name])
	case !v.IsWhollyKnown():
		r.bad(name, name+" must be known in the plan.")
	case !v.IsNull():
		return v, true
	}
	return cty.NilVal, false
}

func (r *innerReader) text(name string) string {
	v, given := r.value(name, cty.String)
	if !given {
		return ""
	}
	return v.AsString()
}

func (r *innerReader) texts(name string) []string {
	v, given := r.value(name, cty.List(cty.String))
	if !given {
		return nil
	}
	var texts []string
	for _, element := range v.AsValueSlice() {
		if element.IsNull() {
			r.bad(name, name+" has an element that is null.")
			return nil
		}
		texts = append(texts, element.AsString())
	}
	return texts
}

func (r *innerReader) number(name string, least, most float64) float64 {
	v, given := r.value(name, cty.Number)
	if !given {
		return 0
	}
	n, _ := v.AsBigFloat().Float64()
	if n < least || n > most {
		r.bad(name, fmt.Sprintf("%s is a number from %g to %g.", name, least, most))
		return 0
	}
	return n
}

func (r *innerReader) whole(name string, least, most int) int {
	v, given := r.value(name, cty.Number)
	if !given {
		return 0
	}
	n, accuracy := v.AsBigFloat().Int64()
	if accuracy != 0 || n < int64(least) || n > int64(most) {
		r.bad(name, fmt.Sprintf("%s is a whole number from %d to %d.", name, least, most))
		return 0
	}
	return int(n)
}
