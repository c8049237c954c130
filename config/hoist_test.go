package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/fluxbatch/fluxbatch/internal/image"
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
