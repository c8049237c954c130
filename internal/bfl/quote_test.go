package bfl_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

func TestQuote(t *testing.T) {
	t.Parallel()
	tiers := bfl.Price{By: "resolution", Tiers: []bfl.Tier{{"1k", 4_800}, {"4k", 60_700}, {"true", 1_000}, {"7", 2_000}}}
	byDefault := []bfl.Param{{Name: "resolution", Kind: bfl.String, Default: "1k"}}
	value := func(v any) []bfl.Argument { return []bfl.Argument{{Name: "resolution", Value: v}} }
	priced := func(c bfl.Credits) bfl.Quote { return bfl.Quote{Cost: c, Reserve: c} }
	unlisted := bfl.Quote{Unknown: true, Reserve: 60_700}
	for _, tt := range []struct {
		name   string
		price  bfl.Price
		params []bfl.Param
		args   []bfl.Argument
		want   bfl.Quote
	}{
		{"a tier", tiers, nil, value("4k"), priced(60_700)},
		{"a tier in a field that is not known", tiers, nil, value(json.RawMessage(`"4k"`)), priced(60_700)},
		{"a tier by a boolean", tiers, nil, value(json.RawMessage(`true`)), priced(1_000)},
		{"a tier by a number", tiers, nil, value(int64(7)), priced(2_000)},
		{"a tier by a number in a field that is not known", tiers, nil, value(json.RawMessage(`7`)), priced(2_000)},
		{"the default's tier", tiers, byDefault, nil, priced(4_800)},
		{"a value without a price", tiers, byDefault, value("1.5k"), unlisted},
		{"a value that is known later", tiers, byDefault, value(nil), unlisted},
		{"no value and no default", tiers, nil, nil, unlisted},
		{"no price at all", bfl.Price{Unknown: true}, byDefault, value("4k"), bfl.Quote{Unknown: true, Uncapped: true}},
		{"a price by the image", bfl.Price{Image: 4_000}, nil, nil, priced(4_000)},
		{"a price by megapixels", bfl.Price{First: 3_000, Further: 1_500}, []bfl.Param{{Name: "width"}}, nil, priced(3_000)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := bfl.Request{Model: &bfl.Model{Name: "m", Params: tt.params, Price: tt.price}, Arguments: tt.args}
			if diff := cmp.Diff(tt.want, r.Quote()); diff != "" {
				t.Errorf("quote (-want +got):\n%s", diff)
			}
		})
	}
}
