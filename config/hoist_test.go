package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/lang"
)

// TestHoist counts the calls of a function that is the same for all instances of a block, and sees
// that one that is not is called for each.
func TestHoist(t *testing.T) {
	t.Parallel()
	const head = "defaults {\n  model = \"flux-2-pro\"\n}\nlocals {\n  m = { a = \"A\", b = \"B\", c = \"C\" }\n}\n"
	for prompt, want := range map[string]struct {
		calls int
		first string
	}{
		`"${length(local.m)} ${each.key}"`:                                       {2, "3 a"},
		`"${length(local.m) > 2 ? length(local.m) : 0} ${each.key}"`:             {4, "3 a"},
		`"${length(each.value)} of ${length(local.m)}"`:                          {4, "1 of 3"},
		`"${join(",", [for k in keys(local.m) : "${k}${length(each.value)}"])}"`: {9, "a1,b1,c1"},
		`try(local.m.x, "${length(local.m)}${each.key}")`:                        {1, "3a"},
	} {
		t.Run(prompt, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			block := "image \"p\" {\n  for_each = { a = [1], b = [1], c = [1] }\n  prompt   = " + prompt + "\n}\n"
			if err := os.WriteFile(filepath.Join(dir, "main.flux.hcl"), []byte(head+block), 0o600); err != nil {
				t.Fatal(err)
			}
			c, diags := Load(dir, Options{})
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			calls := 0
			c.evaluator.opts.functions.Table["length"] = counting(&calls)
			var prompts []string
			diags = c.Evaluate(func(img *image.Image) *image.Result {
				prompts = append(prompts, fmt.Sprint(img.Arguments))
				return nil
			})
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			if calls != want.calls || len(prompts) != 3 || !strings.Contains(prompts[0], want.first) {
				t.Errorf("%d calls, prompts %q; want %d, and %q first", calls, prompts, want.calls, want.first)
			}
		})
	}
}

func counting(calls *int) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "of", Type: cty.DynamicPseudoType}},
		Type:   function.StaticReturnType(cty.Number),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			*calls++
			return cty.NumberIntVal(int64(args[0].LengthInt())), nil
		},
	})
}

// What is evaluated with its parts hoisted has the value that HCL gives, and names the same
// variables, whose values messages show.
func TestHoistedIsEvaluated(t *testing.T) {
	t.Parallel()
	text := cty.StringVal
	ctx := &hcl.EvalContext{
		Functions: lang.New(lang.Options{}).Table,
		Variables: map[string]cty.Value{"local": cty.ObjectVal(map[string]cty.Value{
			"names": cty.ObjectVal(map[string]cty.Value{"a": text("x"), "x": text("a")}), "list": cty.TupleVal([]cty.Value{text("a"), text("b")}),
		})},
	}
	inner := ctx.NewChild()
	inner.Variables = map[string]cty.Value{"each": cty.ObjectVal(map[string]cty.Value{"key": text("a")})}
	for _, source := range []string{
		"[for k, k in local.names : k if k == each.key]",
		"{ for k, k in local.names : k => k if each.key == k }",
		"[for k, v in local.names : [k, v] if k == each.key]",
		"lookup(local.names, each.key, local.list)",
		"contains(local.list, each.key)",
		"[for n in local.list : n if n == each.key]",
		"[for n in toset(local.list) : n if n == each.key]",
		"[for i, n in toset(local.list) : [i, n] if n == each.key]",
		"{ for k, v in tomap(local.names) : v => k... if v == each.key || k == each.key }",
		`[for i, n in local.list : "${i}${n}" if n == each.key && i < 5 || !(n != each.key)]`,
		`[for i, n in local.list : n if contains([each.key], n) && n != "b"]`,
		"[for k, v in local.names : k if contains([v], each.key)]",
		`anytrue([for n in local.list : n == each.key && each.key == "a" if n != ""])`,
	} {
		expr, diags := hclsyntax.ParseExpression([]byte(source), "", hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		hoisted := hoister{ctx: ctx, varies: namesInstance, repeats: true}.parts(expr)
		want, diags := expr.Value(inner)
		got, more := hoisted.Value(inner)
		if len(diags)+len(more) > 0 || !got.RawEquals(want) {
			t.Errorf("%s is %#v, hoisted %#v; %s, %s", source, want, got, diags, more)
		}
		if diff := cmp.Diff(variablesOf(expr), variablesOf(hoisted)); diff != "" {
			t.Errorf("variables of %s: (-as it stands +hoisted)\n%s", source, diff)
		}
	}
}

func variablesOf(expr hcl.Expression) (names []string) {
	for _, t := range expr.Variables() {
		names = append(names, string(hclwrite.TokensForTraversal(t).Bytes()))
	}
	return names
}

// What is wrong with a part that is hoisted is told in HCL's words, with the names that HCL finds near
// where it stands.
func TestHoistedMistakes(t *testing.T) {
	t.Parallel()
	row := cty.ObjectVal(map[string]cty.Value{"sku": cty.StringVal("a"), "name": cty.StringVal("A")})
	ctx := &hcl.EvalContext{Functions: lang.New(lang.Options{}).Table, Variables: map[string]cty.Value{
		"local": cty.ObjectVal(map[string]cty.Value{"rows": cty.TupleVal([]cty.Value{row, row}), "styles": cty.ObjectVal(map[string]cty.Value{"flat": cty.True})}),
	}}
	inner := ctx.NewChild()
	inner.Variables = map[string]cty.Value{"each": cty.ObjectVal(map[string]cty.Value{"key": cty.StringVal("a")})}
	for source, hint := range map[string]string{
		`[for row in local.rows : upper(rov.name)]`:                                 `"row"`,
		`[for row in local.rows : upper("${rov.name}${each.key}")]`:                 `"row"`,
		`[for row in local.rows : row.name if row.sku == upper(eech.key)]`:          `"each"`,
		`[for row in local.rows : row.name if rov.sku == each.key]`:                 `"row"`,
		`[for row in local.rows : row.nam if row.sku == each.key]`:                  "",
		`[for row in local.rows : row.name if row.skv == each.key]`:                 "",
		`anytrue([for row in local.rows : rov.sku == each.key])`:                    `"row"`,
		`contains(keys(local.stiles), each.key)`:                                    "",
		`contains(keys(locals.styles), each.key)`:                                   `"local"`,
		`each.key == "a" ? locall.rows : local.styles`:                              `"local"`,
		`lookup(local.stylez, each.key, "x")`:                                       "",
		`[for row in local.rows : [for s in keys(local.styles) : upper(rov.name)]]`: `"row"`,
		`"${each.key}${length(locl.rows[*].name)}"`:                                 `"local"`,
	} {
		expr, diags := hclsyntax.ParseExpression([]byte(source), "", hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatal(source, diags)
		}
		_, want := expr.Value(inner)
		hoisted := hoister{ctx: ctx, varies: namesInstance, repeats: true}.parts(expr)
		for range 2 {
			_, got := hoisted.Value(inner)
			if diff := cmp.Diff(textsOf(want), textsOf(got)); diff != "" || hint != "" && !strings.Contains(strings.Join(textsOf(got), " "), "Did you mean "+hint) {
				t.Errorf("%s is told as %q (-evaluated +hoisted):\n%s", source, textsOf(got), diff)
			}
		}
	}
}
