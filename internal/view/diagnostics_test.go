package view

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

const manifest = `variable "season" {
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
	file, diags := hclsyntax.ParseConfig([]byte(manifest), "brand/main.flux.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return file, file.Body.(*hclsyntax.Body).Blocks[1].Body.Attributes
}

func someDiagnostics(t *testing.T) (hcl.Diagnostics, map[string]*hcl.File) {
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

func TestDiagnostics(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]Options{"plain": {}, "wide": {Width: 200}, "color": {Color: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			diags, files := someDiagnostics(t)
			v, screen := newTestView(opts)
			v.Diagnostics(diags, files)
			golden(t, "diagnostics/"+name, screen.String())
		})
	}
}

// A file that was read in pieces has its bytes and no blocks to ask.
func TestContextWithoutBlocks(t *testing.T) {
	t.Parallel()
	file := &hcl.File{Bytes: []byte(manifest)}
	for text, want := range map[string]string{
		"width": `image "hero"`, "default": `variable "season"`, `image "hero"`: `image "hero"`, "\n\nimage": "",
	} {
		if got := contextOf(file, strings.Index(manifest, text)); got != want {
			t.Errorf("context at %q is %q, want %q", text, got, want)
		}
	}
}

func TestError(t *testing.T) {
	t.Parallel()
	diags, _ := someDiagnostics(t)
	err := errors.Join(
		errors.New("the state is locked by another run, which anna began on build-7 at 14:02:11 and which is still under way"),
		errors.Join(
			fmt.Errorf("fluxbatch.state.json is damaged: %w", errors.New("unexpected end of JSON input")),
			errors.New("no API key\n\nSet the variable that the provider names:\n\n    export BFL_API_KEY=..."),
		),
		diags[2:3],
		errors.New("an answer with \x1b[2J a terminal's command"),
		fmt.Errorf("several things: %w, %w", errors.New("one"), errors.New("two")),
	)
	v, screen := newTestView(Options{})
	v.Error(err)
	v.Error(nil)
	golden(t, "diagnostics/errors", screen.String())
}
