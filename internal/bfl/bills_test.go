package bfl_test

import (
	"testing"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// TestBills holds quotes against bills that are known: from BFL's price list, from answers of its
// API, and from clients that kept theirs.
func TestBills(t *testing.T) {
	t.Parallel()
	size := func(w, h int) bfl.Size { return bfl.Size{Width: w, Height: h} }
	resolution := func(value string) []bfl.Argument { return args("prompt", "x", "resolution", value) }
	sides := func(w, h int64) []bfl.Argument { return args("height", h, "prompt", "x", "width", w) }
	square := sides(1024, 1024)
	for _, tt := range []struct {
		bill   string
		model  string
		args   []bfl.Argument
		inputs []bfl.Size
		want   float64
	}{
		{"one megapixel", "flux-2-pro", square, nil, 3},
		{"1.98 megapixels", "flux-2-pro", sides(1920, 1080), nil, 4.5},
		{"four megapixels", "flux-2-pro", sides(2048, 2048), nil, 7.5},
		{"an edit of one megapixel", "flux-2-pro", square, []bfl.Size{size(1024, 1024)}, 4.5},
		{"a large reference, scaled to 2024 x 2024", "flux-2-pro", square, []bfl.Size{size(4000, 3000)}, 9},
		{"two large references, each scaled to 1 megapixel", "flux-2-pro", square, []bfl.Size{size(4000, 3000), size(3000, 2000)}, 6},
		{"the smallest klein", "flux-2-klein-4b", square, nil, 1.4},
		{"klein 9B in two megapixels", "flux-2-klein-9b", sides(1920, 1088), nil, 1.7},
		{"max with two references", "flux-2-max", square, []bfl.Size{size(512, 512), size(1024, 1024)}, 13},
		{"flex in two megapixels", "flux-2-flex", sides(1920, 1088), nil, 10},
		{"kontext", "flux-kontext", args("prompt", "x"), []bfl.Size{size(2000, 2000)}, 4},
		{"kontext max", "flux-kontext-max", args("prompt", "x"), []bfl.Size{size(2000, 2000)}, 8},
		{"ultra", "flux-pro-1.1-ultra", args("prompt", "x"), nil, 6},
		{"fill", "flux-fill", args("prompt", "x"), []bfl.Size{size(1500, 1000)}, 5},
		{"dev", "flux-dev", args("prompt", "x"), nil, 2.5},
		{"FLUX 3 as it comes", "flux-3-image", args("prompt", "x"), nil, 4.8},
		{"FLUX 3 in 768sq", "flux-3-image", resolution("768sq"), nil, 4.1},
		{"FLUX 3 in 2k", "flux-3-image", resolution("2k"), nil, 10},
		{"FLUX 3 in 4k, with a reference", "flux-3-image", resolution("4k"), []bfl.Size{size(1000, 1000)}, 60.7},
	} {
		t.Run(tt.bill, func(t *testing.T) {
			t.Parallel()
			r := bfl.Request{Model: bfl.Lookup(tt.model), Arguments: tt.args}
			for i, size := range tt.inputs {
				r.Inputs = append(r.Inputs, bfl.Input{Field: r.Model.Inputs.References[i], SHA256: "00", Size: size})
			}
			if broken := r.Check(); len(broken) > 0 {
				t.Fatalf("the request is refused: %v", broken)
			}
			if got := r.Quote(); got.Cost != bfl.CreditsOf(tt.want) || got.AtLeast || got.Unknown {
				t.Errorf("%v credits (%+v), want %v", got.Cost.Float(), got, tt.want)
			}
		})
	}
}
