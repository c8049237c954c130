package hcltext

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"
)

// The head of a value is the begin of its text, and its lines are counted without writing them.
func TestHeadOfText(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		v := randomValue(random, 3)
		text := Text(v, 4)
		lines := strings.Split(text, "\n")
		if got := Lines(v); got != len(lines) {
			t.Fatalf("%d lines, counted as %d:\n%s", len(lines), got, text)
		}
		for most := 1; most < 6; most++ {
			want := strings.Join(lines[:min(most, len(lines))], "\n")
			if got := Head(v, 4, most); got != want {
				t.Fatalf("the first %d lines are\n%s\nof\n%s", most, got, text)
			}
		}
	}
}

func randomValue(random *rand.Rand, depth int) cty.Value {
	if kind := random.IntN(4); kind > 1 && depth > 0 {
		list, named := []cty.Value{}, map[string]cty.Value{}
		for i := range random.IntN(5) {
			v := randomValue(random, depth-1)
			list, named[fmt.Sprintf("%s%d", []string{"a", "a b", "ä", "7", "-"}[random.IntN(5)], i)] = append(list, v), v
		}
		if kind == 2 {
			return cty.TupleVal(list)
		}
		return cty.ObjectVal(named)
	}
	texts := []string{"", "one", "one\n", "one\ntwo", "one\ntwo\n", "\n\n", "- a\n- b\n", "\x1b[1m\n\r\nx"}
	return []cty.Value{
		cty.StringVal(texts[random.IntN(len(texts))]), cty.StringVal(texts[random.IntN(len(texts))]), cty.NumberFloatVal(1.5), cty.True,
		cty.NullVal(cty.String), cty.UnknownVal(cty.String), cty.StringVal("x\ny").Mark("sensitive"), cty.EmptyTupleVal, cty.EmptyObjectVal,
	}[random.IntN(9)]
}
