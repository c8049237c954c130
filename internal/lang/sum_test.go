package lang

import (
	"testing"

	"github.com/zclconf/go-cty/cty"
)

// Prices add up in decimal, also where there are many of them.
func TestSumOfPrices(t *testing.T) {
	t.Parallel()
	prices := make([]cty.Value, 144)
	for i := range prices {
		prices[i] = cty.MustParseNumberVal("0.045")
	}
	got, err := sum.Call([]cty.Value{cty.TupleVal(prices)})
	if err != nil || got.AsBigFloat().Text('f', -1) != "6.48" {
		t.Errorf("144 times 0.045 is %s (%v)", got.AsBigFloat().Text('f', -1), err)
	}
	huge := cty.MustParseNumberVal("1e100")
	if got, err = sum.Call([]cty.Value{cty.TupleVal([]cty.Value{huge, prices[0]})}); err != nil || got.LessThan(huge).True() {
		t.Errorf("1e100 and 0.045 is %s (%v)", got.GoString(), err)
	}
}
