package config

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/lang"
)

// Filters give what HCL gives, for one instance after the other, whatever is in the collection and
// in the instance, and say the same of what is wrong.
func TestFilterIsEvaluated(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		ctx := &hcl.EvalContext{Functions: lang.New(lang.Options{}).Table, Variables: map[string]cty.Value{"local": filtered(random)}}
		source := filterOf(random)
		expr, diags := hclsyntax.ParseExpression([]byte(source), "", hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatal(source, diags)
		}
		hoisted := hoister{ctx: ctx, varies: namesInstance, repeats: true}.parts(expr)
		for range 4 {
			inner := ctx.NewChild()
			inner.Variables = map[string]cty.Value{"each": cty.ObjectVal(map[string]cty.Value{
				"key": cty.StringVal(oneOf(random, "a", "b", "1", "é")), "value": oddValue(random),
			})}
			want, wantDiags := expr.Value(inner)
			got, gotDiags := hoisted.Value(inner)
			if !got.RawEquals(want) {
				t.Fatalf("%s is %#v, as a filter %#v\nof %#v\nfor %#v", source, want, got, ctx.Variables, inner.Variables)
			}
			if diff := cmp.Diff(textsOf(wantDiags), textsOf(gotDiags)); diff != "" {
				t.Fatalf("%s\nof %#v\nfor %#v\n-evaluated +filtered:\n%s", source, ctx.Variables, inner.Variables, diff)
			}
		}
	}
}

func textsOf(diags hcl.Diagnostics) (texts []string) {
	for _, d := range diags {
		texts = append(texts, d.Summary+": "+d.Detail)
	}
	return texts
}

func oneOf[T any](random *rand.Rand, of ...T) T { return of[random.IntN(len(of))] }

// oddValue returns a value; most are such as one finds in tables.
func oddValue(random *rand.Rand) cty.Value {
	text := cty.StringVal(oneOf(random, "a", "b", "c", "1", "1.0", "true", "", "é", "e\u0301", "n1", "null"))
	if random.IntN(3) > 0 {
		return text
	}
	return oneOf(random,
		cty.NumberIntVal(0), cty.NumberIntVal(1), cty.NumberFloatVal(1.5), cty.Zero.Negate(), cty.MustParseNumberVal("1e30"), cty.MustParseNumberVal("1.0"),
		cty.True, cty.False, cty.NullVal(cty.String), cty.NullVal(cty.DynamicPseudoType), cty.NullVal(cty.Number), cty.UnknownVal(cty.String), cty.DynamicVal,
		text.Mark("secret"), cty.NumberIntVal(1).Mark("secret"), cty.NullVal(cty.String).Mark("secret"), cty.EmptyTupleVal, cty.TupleVal([]cty.Value{text}),
		cty.TupleVal([]cty.Value{text, text}), cty.ListVal([]cty.Value{text}), cty.SetVal([]cty.Value{text}), cty.TupleVal([]cty.Value{text, cty.NumberIntVal(1)}),
		cty.TupleVal([]cty.Value{cty.NullVal(cty.String)}), cty.EmptyObjectVal, cty.ObjectVal(map[string]cty.Value{"a": text}), cty.UnknownVal(cty.Bool),
		cty.ListValEmpty(cty.String), cty.UnknownVal(cty.List(cty.String)),
	)
}

// filtered returns a collection as local.rows: of values, or of rows with columns.
func filtered(random *rand.Rand) cty.Value {
	isOdd := random.IntN(2) == 0
	column := func() cty.Value {
		if isOdd && random.IntN(3) == 0 {
			return oddValue(random)
		}
		return cty.StringVal(oneOf(random, "a", "b", "1", "é", "e\u0301", "true"))
	}
	number := func() cty.Value {
		if isOdd && random.IntN(4) == 0 {
			return oddValue(random)
		}
		return oneOf(random, cty.NumberIntVal(int64(random.IntN(3))), cty.Zero.Negate())
	}
	var list []cty.Value
	names := map[string]cty.Value{}
	for i := range random.IntN(6) {
		row := cty.ObjectVal(map[string]cty.Value{
			"c": column(), "n": number(), "l": cty.TupleVal([]cty.Value{column(), column()}), "b": cty.BoolVal(random.IntN(2) == 0),
		})
		list = append(list, row)
		names[string(rune('a'+i))] = row
	}
	rows := oneOf(random, cty.TupleVal(list), cty.ObjectVal(names))
	switch random.IntN(8) {
	case 0:
		rows = rows.Mark("secret")
	case 1:
		rows = oneOf(random, cty.NullVal(rows.Type()), cty.UnknownVal(rows.Type()), cty.DynamicVal)
	case 2, 3:
		texts := []cty.Value{cty.StringVal("a"), cty.StringVal("1"), cty.StringVal("b")}
		rows = oneOf(random, cty.ListVal(texts), cty.SetVal(texts), cty.MapVal(map[string]cty.Value{"a": texts[0], "x": texts[1]}), cty.TupleVal(texts))
	}
	return cty.ObjectVal(map[string]cty.Value{"rows": rows, "odd": oddValue(random)})
}

// filterOf returns a for expression over local.rows, with a condition.
func filterOf(random *rand.Rand) string {
	vars, key := oneOf(random, "r", "r", "k, r", "r, r", "each, r"), "r"
	if vars == "k, r" {
		key = "k"
	}
	element := func() string {
		return oneOf(random, "r.c", "r.c", "r.n", "r", key, "r.b", "r.nothing", "upper(r.c)", `"${r.c}x"`, "r.l[0]", "null", "r.n + 1")
	}
	instance := func() string {
		return oneOf(random, "each.key", "each.key", "each.value", "upper(each.key)", `"1"`, "1", "null", "local.odd", "length(each.key)", "each.value.a", "true", "-0")
	}
	var test func(depth int) string
	test = func(depth int) string {
		if depth > 0 && random.IntN(2) == 0 {
			return oneOf(random,
				fmt.Sprintf("%s && %s", test(depth-1), test(depth-1)), fmt.Sprintf("(%s) || %s", test(depth-1), test(depth-1)), fmt.Sprintf("!(%s)", test(depth-1)),
			)
		}
		sides := []string{element(), instance()}
		if random.IntN(2) == 0 {
			sides[0], sides[1] = sides[1], sides[0]
		}
		return oneOf(random,
			strings.Join(sides, " == "), strings.Join(sides, " == "), strings.Join(sides, " != "), strings.Join(sides, " < "), strings.Join(sides, " >= "),
			"contains(r.l, each.key)", "contains([each.key], r.c)", "contains(each.value, r.c)", fmt.Sprintf("contains(%s, %s)", sides[0], sides[1]),
			"r.b", "each.value", "anytrue([for q in local.rows : q.c == each.key])", "length([for r in local.rows : r if r.c == each.key]) > 1", "r.c == r.n",
		)
	}
	value := oneOf(random, "r", "r.c", "1", `"${r.c}-${each.key}"`, "each.value", "[for q in local.rows : q.n if q.c == r.c]", "[for q in local.rows : q.n if q.c == each.key]", key)
	loop := oneOf(random,
		fmt.Sprintf("[for %s in local.rows : %s if %s]", vars, value, test(2)), fmt.Sprintf("[for %s in local.rows : %s if %s]", vars, value, test(1)),
		fmt.Sprintf("{ for %s in local.rows : %s => %s if %s }", vars, element(), value, test(1)),
		fmt.Sprintf("{ for %s in local.rows : %s => %s... if %s }", vars, element(), value, test(1)),
		fmt.Sprintf("anytrue([for %s in local.rows : %s])", vars, test(2)), fmt.Sprintf("anytrue([for %s in local.rows : %s if %s])", vars, test(1), test(1)),
	)
	return oneOf(random, loop, loop, "one("+loop+")", "length("+loop+")", "join(\",\", "+loop+")")
}
