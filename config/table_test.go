package config

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/fluxbatch/fluxbatch/internal/image"
)

// TestRows holds a for_each that is gone through directly against the same one with a condition
// that always holds, which HCL evaluates.
func TestRows(t *testing.T) {
	t.Parallel()
	const people = "id,name,n\nb,Bo,1\na,\"A, nn\",2\nu\u0308,Zo\u0308,3\n"
	tests := []struct {
		name, csv, list, key string
		// direct says that the list is gone through directly.
		direct bool
	}{
		{"file", people, `csvdecode(file("rows.csv"))`, "id", true},
		{"local of a file", people, "local.rows", "id", true},
		{"rows only", "id,name,n\n", `csvdecode(file("rows.csv"))`, "id", true},
		{"no rows", "", `csvdecode(file("rows.csv"))`, "id", false},
		{"ragged", "id,name,n\na,b\n", `csvdecode(file("rows.csv"))`, "id", false},
		{"column twice", "id,id,name,n\na,b,c,1\n", `csvdecode(file("rows.csv"))`, "id", false},
		{"column twice once normal", "id,\u00fc,u\u0308,name,n\na,b,c,d,1\n", `csvdecode(file("rows.csv"))`, "id", false},
		{"no such column", people, `csvdecode(file("rows.csv"))`, "ident", false},
		{"no such file", people, `csvdecode(file("lines.csv"))`, "id", false},
		{"sensitive", people, `csvdecode(sensitive(file("rows.csv")))`, "id", false},
		{"empty key", "id,name,n\n,b,1\n", `csvdecode(file("rows.csv"))`, "id", true},
		{"no number", "id,name,n\na,b,c\n", `csvdecode(file("rows.csv"))`, "id", true},
		{"tuple", "", `[{ id = "z", name = "Z", n = 1 }, { id = "y", name = "Y", n = "2" }]`, "id", true},
		{"number as key", "", `[{ id = 2, name = "Z", n = 1 }]`, "id", false},
		{"null as key", "", `[{ id = null, name = "Z", n = 1 }]`, "id", false},
		{"sensitive value", "", `[{ id = "z", name = sensitive("Z"), n = 1 }]`, "id", true},
		{"sensitive key", "", `[{ id = sensitive("z"), name = "Z", n = 1 }]`, "id", false},
		{"not objects", "", `["a", "b"]`, "id", false},
		{"map", "", `{ a = { id = "b", name = "B", n = 1 } }`, "id", false},
		{"image", "", `[image.first]`, "model", false},
		{"null", "", "null", "id", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			see := func(condition string) []string {
				dir := write(t, "rows.csv", test.csv, "main.flux.hcl", head+fmt.Sprintf(`
locals { rows = try(csvdecode(file("rows.csv")), []) }
image "first" { prompt = "First" }
image "p" {
  for_each = { for row in %s : row.%s => row%s }
  prompt   = "Portrait of ${each.value.name} as ${each.key}"
  seed     = each.value.n
  labels   = { whole = jsonencode(nonsensitive(each.value)) }
}
`, test.list, test.key, condition))
				c, diags := Load(dir, Options{})
				var seen []string
				diags = append(diags, c.Evaluate(func(img *image.Image) *image.Result {
					seen = append(seen, img.Address.String()+" "+request(t, img)+img.Labels["whole"]+fmt.Sprint(img.Sensitive()))
					return nil
				})...)
				for _, d := range diags {
					// The condition moves what comes after it on its line, and a message may quote
					// how far a for goes.
					seen = append(seen, d.Summary+": "+strings.ReplaceAll(d.Detail, dir, "."))
				}
				return seen
			}
			if diff := cmp.Diff(see(" if true"), see("")); diff != "" {
				t.Errorf("the result is not that of HCL (-HCL +direct):\n%s", diff)
			}
		})
	}
	for _, test := range tests {
		dir := write(t, "rows.csv", test.csv, "main.flux.hcl", head+`
locals { rows = try(csvdecode(file("rows.csv")), []) }
image "first" { prompt = "First" }
output "x" { value = [local.rows, image.first] }
`)
		c := load(t, dir, Options{})
		_ = c.Evaluate(nil)
		expr, diags := hclsyntax.ParseExpression(fmt.Appendf(nil, "{ for row in %s : row.%s => row }", test.list, test.key), "", hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		ctx := c.evaluator.context(&c.evaluator.root.mod.outputs["x"].node, c.evaluator.root)
		if rows, _ := rowsByKey(expr, ctx); (rows != nil) != test.direct {
			direct := rows != nil
			t.Errorf("%s is gone through directly: %t, want %t", test.name, direct, test.direct)
		}
	}
}
