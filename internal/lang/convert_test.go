package lang

import (
	"fmt"
	"testing"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// TestConvertLikeCty holds the conversion of what is large against that of package convert, for
// values known and unknown.
func TestConvertLikeCty(t *testing.T) {
	t.Parallel()
	const n = 150
	elements := map[string]func(i int) cty.Value{
		"strings": func(i int) cty.Value { return cty.StringVal(fmt.Sprint(i % 120)) },
		"mixed": func(i int) cty.Value {
			return []cty.Value{cty.NumberIntVal(int64(i)), cty.StringVal("x"), cty.True}[i%3]
		},
		"objects":       func(i int) cty.Value { return cty.ObjectVal(map[string]cty.Value{"i": cty.NumberIntVal(int64(i))}) },
		"of two shapes": func(i int) cty.Value { return cty.ObjectVal(map[string]cty.Value{fmt.Sprint("k", i%2): cty.True}) },
		"nulls":         func(i int) cty.Value { return []cty.Value{cty.NullVal(cty.String), cty.StringVal("x")}[i%2] },
		"untyped nulls": func(i int) cty.Value { return []cty.Value{cty.NullVal(cty.DynamicPseudoType), cty.StringVal("x")}[i%2] },
		"unknown":       func(i int) cty.Value { return []cty.Value{cty.UnknownVal(cty.String), cty.StringVal("x")}[i%2] },
		"marked":        func(i int) cty.Value { return []cty.Value{cty.StringVal("y").Mark("m"), cty.StringVal("x")}[i%2] },
		"incompatible":  func(i int) cty.Value { return []cty.Value{cty.EmptyTupleVal, cty.StringVal("x")}[i%2] },
		"many types":    func(i int) cty.Value { return cty.TupleVal(make([]cty.Value, 0)) },
	}
	for name, element := range elements {
		list, attrs := make([]cty.Value, n), map[string]cty.Value{}
		for i := range n {
			list[i] = element(i)
			attrs[fmt.Sprintf("k%03d", i)] = element(i)
		}
		for _, of := range []cty.Type{cty.DynamicPseudoType, cty.String, cty.Number} {
			for _, c := range []struct {
				v    cty.Value
				want cty.Type
			}{
				{cty.TupleVal(list), cty.List(of)},
				{cty.TupleVal(list), cty.Set(of)},
				{cty.ObjectVal(attrs), cty.Map(of)},
			} {
				for _, v := range []cty.Value{c.v, cty.UnknownVal(c.v.Type()), c.v.Mark("whole")} {
					got, err := Convert(v, c.want)
					want, wantErr := convert.Convert(v, c.want)
					if (err == nil) != (wantErr == nil) || err == nil && !got.RawEquals(want) {
						t.Errorf("%s to %s: %#v, %v; want %#v, %v", name, c.want.GoString(), got, err, want, wantErr)
					}
				}
			}
		}
	}
}

// TestNoLongListIsLeftToHCL holds that all functions convert their lists, sets and maps themselves:
// before a call, package convert would compare their elements' types in pairs.
func TestNoLongListIsLeftToHCL(t *testing.T) {
	t.Parallel()
	for name, f := range New(Options{}).Table {
		params := f.Params()
		if rest := f.VarParam(); rest != nil {
			params = append(params, *rest)
		}
		for _, p := range params {
			if p.Type.IsCollectionType() {
				t.Errorf("%s takes %s as %#v", name, p.Name, p.Type)
			}
		}
	}
}

// BenchmarkConvert converts a long tuple. What an element costs must not grow with their number.
func BenchmarkConvert(b *testing.B) {
	for _, n := range []int{4_000, 40_000} {
		list := make([]cty.Value, n)
		for i := range list {
			list[i] = cty.StringVal(fmt.Sprint(i))
		}
		v := cty.TupleVal(list)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				if _, err := Convert(v, cty.Set(cty.DynamicPseudoType)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/element")
		})
	}
}
