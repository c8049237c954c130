package viewtest

import (
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Manifest is the source that SomeDiagnostics are about.
const Manifest = `variable "season" {
  default = "autumn"
}

image "hero" {
	prompt = "A ${var.season} scene in ${local.mood} by ${var.artist}"
  width  = var.sizes["wide"].width
  references = [
    image.logo,
    "refs/bottle.png",
  ]
}
`

// hero parses the manifest and returns the file and the attributes of its image.
func hero(t *testing.T) (*hcl.File, hclsyntax.Attributes) {
	t.Helper()
	file, diags := hclsyntax.ParseConfig([]byte(Manifest), "brand/main.flux.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return file, file.Body.(*hclsyntax.Body).Blocks[1].Body.Attributes
}

// SomeDiagnostics returns diagnostics of each kind, and the sources that they are about.
func SomeDiagnostics(t *testing.T) (hcl.Diagnostics, map[string]*hcl.File) {
	t.Helper()
	file, attributes := hero(t)
	scope := &hcl.EvalContext{Variables: map[string]cty.Value{
		"var": cty.ObjectVal(map[string]cty.Value{
			"season": cty.StringVal("autumn"), "artist": cty.StringVal("nobody").Mark("sensitive"),
			"sizes": cty.ObjectVal(map[string]cty.Value{"wide": cty.ObjectVal(map[string]cty.Value{"width": cty.NumberIntVal(1000)})}),
		}),
		"local": cty.ObjectVal(map[string]cty.Value{"mood": cty.UnknownVal(cty.String)}),
	}}
	prompt, width, references := attributes["prompt"], attributes["width"], attributes["references"]
	end := hcl.Range{Filename: "brand/main.flux.hcl", Start: prompt.NameRange.End, End: prompt.NameRange.End}
	return hcl.Diagnostics{
		{
			Severity: hcl.DiagError, Summary: "Size not allowed", Subject: width.Expr.Range().Ptr(), Context: width.Range().Ptr(),
			Expression: width.Expr, EvalContext: scope,
			Detail: "image.hero is 1000 pixels wide, and flux-2-pro makes images whose sides are multiples of 16. The nearest are 992 and 1008.",
		},
		{
			Severity: hcl.DiagError, Summary: "Prompt is too long", Subject: prompt.Expr.Range().Ptr(),
			Expression: prompt.Expr, EvalContext: scope, Detail: "Make it shorter.",
		},
		{Severity: hcl.DiagError, Summary: "Too many references", Subject: references.Expr.Range().Ptr(), Detail: "Take one away."},
		{Severity: hcl.DiagError, Summary: "Too many references", Subject: references.Expr.Range().Ptr(), Detail: "Take one away."},
		{Severity: hcl.DiagError, Summary: "Something at a point", Subject: &end},
		{Severity: hcl.DiagError, Summary: "No place at all", Detail: "A first paragraph.\n\nThen type:\n    fluxbatch init"},
		{
			Severity: hcl.DiagError, Summary: "Another file", Detail: "It is not at hand.",
			Subject: &hcl.Range{Filename: "gone.flux.hcl", Start: hcl.Pos{Line: 3, Column: 1, Byte: 30}, End: hcl.Pos{Line: 3, Column: 4, Byte: 33}},
		},
		{Severity: hcl.DiagWarning, Summary: "Model may change", Subject: prompt.NameRange.Ptr(), Detail: "The first."},
		{Severity: hcl.DiagWarning, Summary: "Model may change", Subject: width.NameRange.Ptr(), Detail: "The second."},
		{Severity: hcl.DiagWarning, Summary: "Model may change", Subject: references.NameRange.Ptr(), Detail: "The third."},
	}, map[string]*hcl.File{"brand/main.flux.hcl": file}
}
