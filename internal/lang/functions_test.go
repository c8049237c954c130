package lang

import (
	"testing"

	"github.com/zclconf/go-cty/cty"
)

// Where a function panics, as the library's do with arguments that they do not expect, the error is
// in words, and has no lines of a program in it.
func TestPanicsInWords(t *testing.T) {
	t.Parallel()
	minus := cty.NumberIntVal(-3)
	for name, args := range map[string][]cty.Value{
		"merge":  {cty.NullVal(cty.DynamicPseudoType), cty.True},
		"log":    {minus, minus},
		"indent": {minus, cty.StringVal("x")},
	} {
		if _, err := New(Options{}).Table[name].Call(args); err == nil || err.Error() != "it cannot be called with these arguments" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
