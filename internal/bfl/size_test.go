package bfl_test

import (
	"encoding/json"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// asking returns a request with arguments by name and value, and with references.
func asking(m *bfl.Model, references int, args ...any) *bfl.Request {
	r := &bfl.Request{Model: m}
	for i := 0; i < len(args); i += 2 {
		r.Arguments = append(r.Arguments, bfl.Argument{Name: args[i].(string), Value: args[i+1]})
	}
	bfl.SortArguments(r.Arguments)
	for i := range references {
		r.Inputs = append(r.Inputs, bfl.Input{Field: m.Inputs.References[i]})
	}
	return r
}

func TestOutputSize(t *testing.T) {
	t.Parallel()
	pro, fill, expand, ultra, kontext, pro11 := bfl.Lookup("flux-2-pro"), bfl.Lookup("flux-fill"), bfl.Lookup("flux-pro-1.0-expand"),
		bfl.Lookup("flux-pro-1.1-ultra"), bfl.Lookup("flux-kontext"), bfl.Lookup("flux-pro-1.1")
	custom := &bfl.Model{Name: "newest", Custom: true, Inputs: bfl.ReferenceList("images", 3)}
	masked := asking(fill, 0)
	masked.Inputs = []bfl.Input{{Field: "mask"}, {Field: "image"}}
	sizes := func(s ...int) (list []bfl.Size) {
		for pair := range slices.Chunk(s, 2) {
			list = append(list, bfl.Size{Width: pair[0], Height: pair[1]})
		}
		return list
	}
	tests := []struct {
		name   string
		r      *bfl.Request
		inputs []bfl.Size
		want   bfl.Size
		known  bool
	}{
		{"nothing said", asking(pro, 0), nil, bfl.Size{Width: 1024, Height: 1024}, true},
		{"both sides", asking(pro, 1, "width", int64(512), "height", int64(640)), sizes(0, 0), bfl.Size{Width: 512, Height: 640}, true},
		{"a listed size", asking(pro, 0, "width", int64(1920), "height", int64(1080)), nil, bfl.Size{Width: 1920, Height: 1080}, true},
		{"one side", asking(pro, 0, "width", int64(512)), nil, bfl.Size{Width: 512, Height: 1024}, true},
		{"one side that is known only later", asking(pro, 0, "width", nil), nil, bfl.Size{Width: 1024, Height: 1024}, false},
		{"one of both", asking(pro, 0, "width", nil, "height", int64(640)), nil, bfl.Size{Width: 1024, Height: 640}, false},
		{"one side and a reference", asking(pro, 1, "height", int64(512)), sizes(810, 600), bfl.Size{Width: 816, Height: 512}, true},
		{"a reference between multiples", asking(pro, 1), sizes(1448, 1448), bfl.Size{Width: 1456, Height: 1456}, true},
		{"a large reference", asking(pro, 1), sizes(4000, 3000), bfl.Size{Width: 2352, Height: 1760}, true},
		{"a reference that only rounding makes too large", asking(pro, 1), sizes(2040, 2056), bfl.Size{Width: 2032, Height: 2048}, true},
		{"a reference of any size", asking(pro, 1), sizes(math.MaxInt, math.MaxInt), bfl.Size{Width: 2048, Height: 2048}, true},
		{"the first of several", asking(pro, 2), sizes(320, 640, 0, 0), bfl.Size{Width: 320, Height: 640}, true},
		{"a reference that is not known", asking(pro, 1), sizes(0, 0), bfl.Size{Width: 1024, Height: 1024}, false},
		{"one that is not given", asking(pro, 1), nil, bfl.Size{Width: 1024, Height: 1024}, false},
		{"the model's defaults", asking(pro11, 1), sizes(0, 0), bfl.Size{Width: 1024, Height: 768}, true},
		{"one of the defaults", asking(pro11, 0, "width", int64(320)), nil, bfl.Size{Width: 320, Height: 768}, true},
		{"ultra", asking(ultra, 1), sizes(0, 0), bfl.Size{Width: 2720, Height: 1536}, true},
		{"ultra, by a shape", asking(ultra, 0, "aspect_ratio", "1:1"), nil, bfl.Size{Width: 2048, Height: 2048}, true},
		{"ultra, by a shape known later", asking(ultra, 0, "aspect_ratio", nil), nil, bfl.Size{Width: 2720, Height: 1536}, false},
		{"kontext", asking(kontext, 1), sizes(400, 300), bfl.Size{Width: 1184, Height: 880}, true},
		{"kontext, by a shape", asking(kontext, 1, "aspect_ratio", "16:9"), sizes(0, 0), bfl.Size{Width: 1360, Height: 768}, true},
		{"kontext, by a side and a shape", asking(kontext, 1, "aspect_ratio", "16:9", "width", int64(512)), sizes(0, 0), bfl.Size{Width: 512, Height: 768}, true},
		{"kontext, by a strip", asking(kontext, 1), sizes(10, 5000), bfl.Size{Width: 672, Height: 1568}, true},
		{"fill", masked, sizes(5, 5, 333, 222), bfl.Size{Width: 333, Height: 222}, true},
		{"fill of what is not known", asking(fill, 1), sizes(0, 0), bfl.Size{}, false},
		{"expand", asking(expand, 1, "left", int64(10), "bottom", int64(2048)), sizes(300, 200), bfl.Size{Width: 310, Height: 2248}, true},
		{"expand by what is known later", asking(expand, 1, "left", nil), sizes(300, 200), bfl.Size{Width: 300, Height: 200}, false},
		{"a declared model", asking(custom, 0), nil, bfl.Size{Width: 1024, Height: 1024}, true},
		{"with sides", asking(custom, 0, "width", int64(1000), "height", int64(10)), nil, bfl.Size{Width: 1000, Height: 10}, true},
		{"with sides as JSON", asking(custom, 0, "width", json.RawMessage("2000"), "height", json.RawMessage("1e3")), nil, bfl.Size{Width: 2000, Height: 1000}, true},
		{"with nonsense", asking(custom, 0, "width", json.RawMessage("[]"), "height", "x", "aspect_ratio", json.RawMessage(`"1:x"`)), nil, bfl.Size{Width: 1024, Height: 1024}, false},
		{"with sides beyond reason", asking(custom, 0, "width", 1e300, "height", int64(-7)), nil, bfl.Size{Width: 1 << 30, Height: 1024}, true},
	}
	for _, test := range tests {
		for i := range min(len(test.r.Inputs), len(test.inputs)) {
			test.r.Inputs[i].Size = test.inputs[i]
		}
		got, known := test.r.OutputSize()
		if diff := cmp.Diff(test.want, got); diff != "" || known != test.known {
			t.Errorf("%s: known is %v (-want +got):\n%s", test.name, known, diff)
		}
	}
}

func TestBilledPixels(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		inputs []bfl.Size
		want   []int
	}{
		{nil, []int{}},
		{[]bfl.Size{{Width: 100, Height: 10}}, []int{1000}},
		{[]bfl.Size{{Width: 4000, Height: 3000}}, []int{2024 * 2024}},
		{[]bfl.Size{{Width: math.MaxInt, Height: math.MaxInt}}, []int{2024 * 2024}},
		{[]bfl.Size{{Width: 4000, Height: 3000}, {}, {Width: 1024, Height: 1024}, {Width: 30, Height: 3}}, []int{1 << 20, 0, 1 << 20, 90}},
	} {
		var r bfl.Request
		for _, size := range test.inputs {
			r.Inputs = append(r.Inputs, bfl.Input{Size: size})
		}
		if diff := cmp.Diff(test.want, r.BilledPixels()); diff != "" {
			t.Errorf("%v (-want +got):\n%s", test.inputs, diff)
		}
	}
}
