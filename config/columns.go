package config

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/fluxbatch/fluxbatch/internal/diag"
)

// separators are those of tables that are called CSV and are not, by their names.
var separators = []struct{ text, name, expr string }{
	{";", "semicolons", `";"`}, {"\t", "tabs", `"\t"`}, {"|", "bars", `"|"`},
}

// lookAtCSV says so where a text given to csvdecode has other separators: with commas it has a single column with a strange name.
func lookAtCSV(args []cty.Value, _ cty.Value, err error) error {
	if text, ok := plainText(args[0]); ok {
		if reason := otherSeparator(text, err != nil); reason != "" {
			return function.NewArgErrorf(0, "%s", reason)
		}
	}
	return err
}

// otherSeparator says which separator a text has in the place of commas, "" where it has commas or but one column. failed says that it was found to be no
// table.
func otherSeparator(text string, failed bool) string {
	header, _, _ := strings.Cut(strings.TrimLeft(text, "\r\n"), "\n")
	header = strings.TrimRight(header, "\r")
	for _, s := range separators {
		n := strings.Count(header, s.text)
		if n == 0 || strings.Contains(header, ",") && (!failed || n <= strings.Count(header, ",")) {
			continue
		}
		columns := strings.Split(header, s.text)
		for i, column := range columns {
			columns[i] = strings.Trim(strings.TrimSpace(column), `"`)
		}
		return fmt.Sprintf("columns are separated by commas, and this text has %s: its columns seem to be %s. Save it with commas, or, where no field has one, "+
			"write csvdecode(replace(TEXT, %s, \",\"))", s.name, diag.QuotedList(columns, "and"), s.expr)
	}
	return ""
}

// maxColumns is how many attributes of an object are named where one is missed.
const maxColumns = 20

// missedAttribute returns a sentence that lists the attributes of an object, for a diagnostic about one that it has not: a column of a table that has another
// name, most likely. It is "" for other diagnostics.
func missedAttribute(d *hcl.Diagnostic) string {
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
		if !isAttr || !ty.IsObjectType() || ty.HasAttribute(step.Name) || isImage(ty) {
			continue
		}
		names := sortedKeys(ty.AttributeTypes())
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
