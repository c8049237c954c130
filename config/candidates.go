package config

import (
	"fmt"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/fluxbatch/fluxbatch/internal/image"
)

// candidates says how many pictures there are to choose from, and which one is chosen.
func (d *builder) candidates(img *image.Image) bool {
	candidates, ok1 := d.ordinal("candidates", image.MaxCandidates)
	most := max(candidates, 1)
	if !ok1 {
		most = image.MaxCandidates
	}
	pick, ok2 := d.ordinal("pick", most)
	if candidates > 0 || pick > 0 {
		own := img.Rare()
		own.Candidates, own.Pick = candidates, pick
	}
	return ok1 && ok2
}

// ordinal returns an argument that is a whole number from 1 to most, 0 where it is absent.
func (d *builder) ordinal(name string, most int) (n int, ok bool) {
	v := d.given(name)
	if v == nil {
		return 0, true
	}
	if !v.value.IsKnown() {
		d.unknown(v)
		return 0, false
	}
	number, err := convert.Convert(v.value, cty.Number)
	if err != nil {
		d.wrong(v, "Invalid argument type", "%s is a whole number, and this is %s.", name, describeValue(v.value))
		return 0, false
	}
	whole, accuracy := number.AsBigFloat().Int64()
	if accuracy != 0 || whole < 1 || whole > int64(most) {
		what := fmt.Sprintf("%s is a whole number from 1 to %d, and this is %s.", name, most, number.AsBigFloat().Text('g', 10))
		if name == "pick" && most == 1 {
			what = "pick chooses one of several candidates. Set candidates as well, as in candidates = 4."
		}
		d.wrong(v, "Argument out of range", "%s", what)
		return 0, false
	}
	return int(whole), true
}

// candidateType is the type of an element of an image's candidates, as expressions see it.
var candidateType = cty.Object(map[string]cty.Type{
	"seed": cty.Number, "cost": cty.Number, "sha256": cty.String, "passed": cty.Bool, "path": cty.String,
})

// candidates returns what is known of the pictures to choose from.
func (x *exporter) candidates() cty.Value {
	switch {
	case !x.img.HasChoice():
		return cty.ListValEmpty(candidateType)
	case x.result == nil:
		return cty.UnknownVal(cty.List(candidateType)).RefineNotNull()
	case len(x.result.Candidates) == 0:
		return cty.ListValEmpty(candidateType)
	}
	made := x.result.Candidates[:min(len(x.result.Candidates), max(x.img.Candidates(), 1)+x.img.Retries())]
	all := make([]cty.Value, len(made))
	for i, c := range made {
		seed := cty.NullVal(cty.Number)
		if c.Seed != nil {
			seed = cty.NumberIntVal(*c.Seed)
		}
		all[i] = cty.ObjectVal(map[string]cty.Value{
			"seed": seed, "cost": cty.NumberFloatVal(c.Cost.USD()), "sha256": cty.StringVal(c.SHA256),
			"passed": exportPassed(x.img, c), "path": cty.StringVal(c.Path),
		})
	}
	return cty.ListVal(all)
}

func exportPick(n int) cty.Value {
	if n == 0 {
		return cty.NullVal(cty.Number)
	}
	return cty.NumberIntVal(int64(n))
}

// picked says whether somebody chose the picture.
func (x *exporter) picked() cty.Value {
	switch {
	case x.img.Pick() > 0 || !x.img.HasChoice():
		return cty.BoolVal(x.img.Pick() > 0)
	case x.result == nil:
		return cty.UnknownVal(cty.Bool).RefineNotNull()
	default:
		return cty.BoolVal(x.result.Picked)
	}
}

// exportPassed tells whether a candidate passed its image's gates, null where not all have judged
// it.
func exportPassed(img *image.Image, c image.CandidateResult) cty.Value {
	known, passed := img.Judged(c.Verdicts)
	if !known {
		return cty.NullVal(cty.Bool)
	}
	return cty.BoolVal(passed)
}
