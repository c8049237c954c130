package bfl_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// TestCost has the examples of BFL's price pages and of answers seen.
func TestCost(t *testing.T) {
	t.Parallel()
	mp := func(width, height int) int { return bfl.Megapixels(bfl.Size{Width: width, Height: height}) }
	tests := []struct {
		name          string
		model         string
		output, input int
		want          float64
	}{
		{"1024 x 1024", "flux-2-pro", mp(1024, 1024), 0, 3},
		{"1.98 megapixels", "flux-2-pro", mp(1920, 1080), 0, 4.5},
		{"one pixel more than a megapixel", "flux-2-pro", mp(1025, 1024), 0, 4.5},
		{"the largest size", "flux-2-pro", mp(2048, 2048), 0, 7.5},
		{"the smallest size", "flux-2-pro", mp(64, 64), 0, 3},
		{"a size that is not known", "flux-2-pro", mp(0, 0), 0, 3},
		{"editing one megapixel", "flux-2-pro", 1, 1, 4.5},
		{"two references of 1.5 and 0.3 megapixels", "flux-2-pro", 1, mp(1536, 1024) + mp(640, 480), 7.5},
		{"klein 4B", "flux-2-klein-4b", 1, 0, 1.4},
		{"klein 4B, four megapixels, four references", "flux-2-klein-4b", 4, 4, 2.1},
		{"klein 9B", "flux-2-klein-9b", 2, 0, 1.7},
		{"max", "flux-2-max", 2, 1, 13},
		{"flex", "flux-2-flex", 2, 0, 10},
		{"a fixed price", "flux-kontext-max", 4, 8, 8},
		{"kontext", "flux-kontext", 1, 1, 4},
		{"ultra", "flux-pro-1.1-ultra", 4, 0, 6},
		{"fill", "flux-fill", 1, 1, 5},
		{"dev", "flux-dev", 1, 0, 2.5},
	}
	for _, test := range tests {
		if got := bfl.Lookup(test.model).Price.Cost(test.output, test.input); got != bfl.CreditsOf(test.want) {
			t.Errorf("%s: %v credits, want %v", test.name, got.Float(), test.want)
		}
	}
}

func TestCredits(t *testing.T) {
	t.Parallel()
	for credits, want := range map[float64]string{
		0: "$0.00", 1: "$0.01", 4.5: "$0.045", 1.4: "$0.014", 19: "$0.19", 123456: "$1234.56", -4.5: "-$0.045", 0.4: "$0.004",
	} {
		if got := bfl.CreditsOf(credits).Dollars(); got != want {
			t.Errorf("%v credits are %s, want %s", credits, got, want)
		}
	}
	// Thousands of prices with tenths add up exactly.
	var sum bfl.Credits
	for range 10_000 {
		sum += bfl.CreditsOf(1.4)
	}
	if sum != bfl.CreditsOf(14_000) || sum.USD() != 140 {
		t.Errorf("ten thousand times 1.4 credits is %v", sum.Float())
	}
	for _, odd := range []float64{math.NaN(), math.Inf(1), 1e300} {
		if got := bfl.CreditsOf(odd); got != 0 {
			t.Errorf("CreditsOf(%v) = %d", odd, got)
		}
	}
}

func TestCreditsJSON(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"0", "1.4", "4.5", "-3", "1234567.891"} {
		var c bfl.Credits
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if got, err := json.Marshal(c); err != nil || string(got) != text {
			t.Errorf("%s comes back as %s, %v", text, got, err)
		}
	}
	for _, text := range []string{`"3"`, "1e300", "true", "{}"} {
		if err := json.Unmarshal([]byte(text), new(bfl.Credits)); err == nil {
			t.Errorf("%s passes for an amount", text)
		}
	}
	v := struct{ C bfl.Credits }{C: 7}
	if err := json.Unmarshal([]byte(`{"C":null}`), &v); err != nil || v.C != 7 {
		t.Errorf("null gives %v, %v", v.C, err)
	}
}
