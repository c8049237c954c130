package hclfast

import (
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// TestLiteral holds the values of literals against those that HCL evaluates.
func TestLiteral(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text string
		want bool
	}{
		{`1`, true},
		{`"text"`, true},
		{`""`, true},
		{`"u\u0308"`, true},
		{`true`, true},
		{`null`, true},
		{`{}`, true},
		{`{ a = 1, "b c" = "x", a = 2, null = null, true = false }`, true},
		{`-1`, false},
		{`"a ${var.b}"`, false},
		{`"${1}"`, false},
		{`<<EOT
text
EOT
`, true},
		{`{ (a) = 1 }`, false},
		{`{ a = [1] }`, false},
		{`{ a.b = 1 }`, false},
		{`{ 1 = 1 }`, false},
		{`{ "${"a"}" = 1 }`, false},
		{`{ a = b }`, false},
		{`[1]`, false},
		{`a`, false},
	}
	for _, test := range tests {
		expr, diags := hclsyntax.ParseExpression([]byte(test.text), "", hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		got, ok := literal(expr)
		if _, isConstant := Compact(expr).(*constant); ok != test.want || isConstant != test.want {
			t.Errorf("%s is a literal: %t, want %t", test.text, ok, test.want)
		}
		if !ok {
			continue
		}
		if want, diags := expr.Value(nil); diags.HasErrors() || !got.RawEquals(want) {
			t.Errorf("%s is %#v, want %#v", test.text, got, want)
		}
	}
}
