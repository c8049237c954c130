package config

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestStrangeRows checks what is said of rows that are most likely wrong, in one warning a kind.
func TestStrangeRows(t *testing.T) {
	t.Parallel()
	const table = `
image "p" {
  for_each = { for row in csvdecode(file("rows.csv")) : row.sku => row }
  prompt   = "Photo of ${each.value.name}"
}
`
	yaml := func(text string) string {
		return fmt.Sprintf("locals { rows = yamldecode(<<-EOT\n%s\nEOT\n) }\noutput \"rows\" { value = local.rows }\n", text)
	}
	tests := []struct {
		name, csv, main string
		want            []string
	}{
		{
			"semicolons", "sku;name\na;b\n", table,
			[]string{`ERROR Invalid function argument: Invalid value for "str" parameter: columns are separated by commas, and this text has semicolons: its columns ` +
				`seem to be "sku" and "name". Save it with commas, or, where no field has one, write csvdecode(replace(TEXT, ";", ",")).`},
		},
		{
			"semicolons, and numbers with commas", "sku;name\na;1,5\n", table,
			[]string{`ERROR Invalid function argument: Invalid value for "str" parameter: columns are separated by commas, and this text has semicolons: its columns ` +
				`seem to be "sku" and "name". Save it with commas, or, where no field has one, write csvdecode(replace(TEXT, ";", ",")).`},
		},
		{
			"another name of a column", "sku,titel\na,b\n", strings.ReplaceAll(table, "each.value.name", "each.value.price"),
			[]string{`ERROR Unsupported attribute: This object does not have an attribute named "price". It has "sku" and "titel".`},
		},
		{
			"a near name of a column", "sku,names\na,b\n", table,
			[]string{`ERROR Unsupported attribute: This object does not have an attribute named "name". Did you mean "names"?`},
		},
		{
			"one key twice", "sku,name\na,Otter\nb,Heron\na,Seal\nc,Fox\nc,Hare\n", table,
			[]string{`ERROR Duplicate object key: Two rows have the sku "a": row 1 (a,Otter) and row 3 (a,Seal), counted from 1 without a header. So it is with 1 more. ` +
				`Each instance needs its own key. Give one of them another key, remove it, or use a column without duplicates.`},
		},
		{
			"blank rows", "sku,name\na,Otter\n,\nb,Heron\n", table,
			[]string{`WARNING Row of blanks: 1 image comes from a row with nothing but blanks in it: image.p[""] (row 2). Remove such rows, or leave them out, as in ` +
				`{ for row in rows : row.id => row if trimspace(row.id) != "" }.`},
		},
		{
			"empty prompts", "sku,name\na,\nb,\nc,x\n", strings.ReplaceAll(table, "Photo of ", " "),
			[]string{`ERROR Empty prompt: The prompt of image.p["a"] has no word in it. flux-2-pro needs one. 1 more instance has the same problem.`},
		},
		{
			"empty prompts that are allowed", "sku,name\na,\nb,\nc,x\n", strings.ReplaceAll(table, "Photo of ${each.value.name}\"", "${each.value.name}\"\n  model = \"flux-dev\""),
			[]string{`WARNING Empty prompt: 2 images have a prompt without a word in it: image.p["a"], image.p["b"]. The model accepts that, and draws something of its own.`},
		},
		{
			"placeholders", "sku,name\na,{{name}}\nb,$${name}\nc,{{ x }} and {{y}}\nd,{{z}}\n", table,
			[]string{`WARNING Placeholder in a prompt: 4 images have a prompt with a placeholder that nothing was put into: image.p["a"] ({{name}}), image.p["b"] (${name}), ` +
				`image.p["c"] ({{ x }}) and 1 more. The API gets it as it stands. Use ${each.value.name} in the configuration, ` +
				`templatefile or templatestring for a text from elsewhere, or replace for {{name}}.`},
		},
		{
			"a long prompt", "sku,name\na," + strings.Repeat("\u00fc ", 17_000) + "\n", table,
			[]string{`WARNING Very long prompt: 1 image has a prompt of more than 32,000 characters: image.p["a"] (34009). The models read at most 32,000 tokens, which can be as few characters. What comes after is cut off or refused.`},
		},
		{"a long prompt that is none", "sku,name\na," + strings.Repeat("\u00fc", 31_000) + "\n", table, nil},
		{
			"keys of YAML", "", yaml("  no: Norway\n  Yes: 1\n  fine: |\n    on: this text"),
			[]string{`WARNING YAML key is a boolean: 2 keys of YAML are true or false, although written otherwise: no (line 1), Yes (line 2). YAML takes yes, no, on, off, ` +
				`y and n for booleans. Put quotes around it.`},
		},
		{
			"numbers of YAML", "", yaml("  - { sku: 007, zip: \"0815\" }\n  - sku: 0042\n  - [01, 1]\n  - 0.5"),
			[]string{`WARNING YAML number lost its zeros: 3 numbers of YAML begin with zeros, which are lost: 007 (line 1), 0042 (line 2), 01 (line 3). If it is a name, ` +
				`such as an article number, put quotes around it.`},
		},
		{"YAML as it should be", "", yaml("  \"no\": 1\n  list: [yes, 10]\n  text: \"in 007: x\""), nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			// A literal "$${" of HCL is "${".
			c, diags := Load(write(t, "rows.csv", strings.ReplaceAll(test.csv, "$${", "${"), "main.flux.hcl", head+test.main), Options{})
			diags = append(diags, c.Evaluate(nil)...)
			var got []string
			for _, d := range diags {
				severity := "ERROR "
				if d.Severity == 2 {
					severity = "WARNING "
				}
				got = append(got, severity+d.Summary+": "+d.Detail)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("diagnostics (-want +got):\n%s", diff)
			}
			if again := c.Evaluate(nil); len(again) > len(diags) {
				t.Errorf("a second evaluation says %v", again)
			}
		})
	}
}
