package lang

import (
	"math/big"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// decimalSum adds numbers as they are written in decimal, so that thousands of prices such as 0.045
// add up to what a person would get. Numbers that have more digits than mostDecimals are added as
// the binary fractions that they are. The zero value is an empty sum.
type decimalSum struct {
	exact  big.Rat
	places int
	rest   cty.Value
}

// mostDecimals bounds the digits of what is added exactly.
const mostDecimals = 60

func (s *decimalSum) add(v cty.Value) {
	if v.IsKnown() && !v.IsMarked() && !v.AsBigFloat().IsInf() && v.AsBigFloat().MantExp(nil) < 200 {
		text := v.AsBigFloat().Text('f', -1)
		_, fraction, _ := strings.Cut(text, ".")
		if addend, ok := new(big.Rat).SetString(text); ok && len(fraction) <= mostDecimals {
			s.exact.Add(&s.exact, addend)
			s.places = max(s.places, len(fraction))
			return
		}
	}
	if s.rest == cty.NilVal {
		s.rest = cty.Zero
	}
	s.rest = s.rest.Add(v)
}

func (s *decimalSum) value() cty.Value {
	total := cty.MustParseNumberVal(s.exact.FloatString(s.places))
	if s.rest != cty.NilVal {
		total = total.Add(s.rest)
	}
	return total
}
