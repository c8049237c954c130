package lang

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/diag"
)

// duplicateKeys are HCL's summaries for a key that is there twice: of all that it says itself, only
// this quotes a value.
var duplicateKeys = []string{"Duplicate object key", "Duplicate object attribute"}

// discreetDetail returns the diagnostic's detail, without a value in it that is sensitive.
func discreetDetail(d *hcl.Diagnostic) string {
	if slices.Contains(duplicateKeys, d.Summary) && d.Expression != nil {
		if key, _ := d.Expression.Value(d.EvalContext); IsSensitive(key) {
			return "Two items have the same key. It is sensitive, so it is not shown."
		}
	}
	return d.Detail
}

// Detail returns the detail of a diagnostic for people. It quotes nothing sensitive, and says more
// than HCL does about a function that does not exist and about an attribute that is missed. opaque
// is that of Options.
func Detail(d *hcl.Diagnostic, opaque func(cty.Type) bool) string {
	call, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallUnknownDiagExtra](d)
	if !ok {
		return discreetDetail(d) + missedAttribute(d, opaque)
	}
	if reason, ok := refusedFunctions[call.CalledFunctionName()]; ok {
		return reason
	}
	return fmt.Sprintf("There is no function named %q.%s", call.CalledFunctionName(),
		diag.DidYouMean(call.CalledFunctionName(), Names()))
}

// maxColumns is how many attributes of an object are named where one is missed.
const maxColumns = 20

// missedAttribute returns a sentence that lists the attributes of an object, for a diagnostic about
// one that it has not: a column of a table that has another name, most likely. It is "" for other
// diagnostics.
func missedAttribute(d *hcl.Diagnostic, opaque func(cty.Type) bool) string {
	expr, ok := d.Expression.(*hclsyntax.ScopeTraversalExpr)
	if !ok || d.Summary != "Unsupported attribute" || d.EvalContext == nil {
		return ""
	}
	for n := 1; n < len(expr.Traversal); n++ {
		v, diags := expr.Traversal[:n].TraverseAbs(d.EvalContext)
		step, isAttr := expr.Traversal[n].(hcl.TraverseAttr)
		if diags.HasErrors() || IsSensitive(v) {
			return ""
		}
		ty := v.Type()
		if !isAttr || !ty.IsObjectType() || ty.HasAttribute(step.Name) || opaque(ty) {
			continue
		}
		names := slices.Sorted(maps.Keys(ty.AttributeTypes()))
		if len(names) == 0 {
			return " It has none."
		}
		if hint := diag.DidYouMean(step.Name, names); hint != "" {
			return hint
		}
		if len(names) > maxColumns {
			return fmt.Sprintf(" It has %s and %d more.", diag.QuotedList(names[:maxColumns], "and"), len(names)-maxColumns)
		}
		return fmt.Sprintf(" It has %s.", diag.QuotedList(names, "and"))
	}
	return ""
}
