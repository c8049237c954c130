package bfl_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// args makes sorted arguments of names and values in turn.
func args(pairs ...any) []bfl.Argument {
	var a []bfl.Argument
	for i := 0; i < len(pairs); i += 2 {
		a = append(a, bfl.Argument{Name: pairs[i].(string), Value: pairs[i+1]})
	}
	bfl.SortArguments(a)
	return a
}

// files makes inputs that are files.
func files(fields ...string) []bfl.Input {
	var in []bfl.Input
	for _, f := range fields {
		in = append(in, bfl.Input{Field: f, SHA256: "00"})
	}
	return in
}

func TestCheck(t *testing.T) {
	t.Parallel()
	const (
		pro   = "flux-2-pro"
		eight = `prompt, seed, width, height, safety_tolerance, output_format, disable_pup`
	)
	custom := &bfl.Model{Name: "mine", Endpoint: "/v1/mine", Custom: true, Inputs: bfl.Inputs{References: []string{"images"}}}
	none := &bfl.Model{Name: "textual", Endpoint: "/v1/textual", Custom: true}
	p := func(more ...any) []bfl.Argument { return args(append([]any{"prompt", "a heron"}, more...)...) }
	v := func(rule bfl.Rule, field, reason string) bfl.Violation {
		return bfl.Violation{Rule: rule, Field: field, Reason: reason}
	}
	tests := []struct {
		name   string
		model  any
		args   []bfl.Argument
		inputs []bfl.Input
		want   []bfl.Violation
	}{
		{"all is well", pro, p("width", int64(1024), "height", int64(1024), "seed", int64(0), "safety_tolerance", int64(0), "output_format", "webp"), nil, nil},
		{"no prompt", pro, args("seed", int64(1)), nil, []bfl.Violation{v(bfl.RuleMissing, "prompt", "flux-2-pro needs the argument prompt.")}},
		{"a prompt that is known later", pro, args("prompt", nil), nil, nil},
		{"values that are known later", pro, p("width", nil, "height", int64(64), "output_format", nil), nil, nil},
		{"no parameter of the model", pro, p("steps", int64(9)), nil, []bfl.Violation{v(bfl.RuleUnknown, "steps", "flux-2-pro has no parameter steps. It has "+eight+".")}},
		{"a field that nobody knows", pro, p("beta_feature", json.RawMessage("true")), nil, nil},

		{"a number for a string", pro, args("prompt", int64(3)), nil, []bfl.Violation{v(bfl.RuleType, "prompt", "prompt must be a string.")}},
		{"a string for a number", pro, p("seed", "7"), nil, []bfl.Violation{v(bfl.RuleType, "seed", "seed is a number.")}},
		{"a fraction for an integer", pro, p("seed", 1.5), nil, []bfl.Violation{v(bfl.RuleType, "seed", "seed must be a whole number, but 1.5 is not.")}},
		{"a whole float for an integer", pro, p("seed", 2.0), nil, nil},
		{"a string for a bool", "flux-2-flex", p("prompt_upsampling", "no"), nil, []bfl.Violation{v(bfl.RuleType, "prompt_upsampling", "prompt_upsampling must be true or false.")}},
		{"not a number", "flux-2-flex", p("guidance", math.NaN()), nil, []bfl.Violation{v(bfl.RuleType, "guidance", "guidance is a number.")}},

		{"below a range", "flux-2-flex", p("steps", int64(0)), nil, []bfl.Violation{v(bfl.RuleMin, "steps", "steps must be from 1 to 50, but it is 0.")}},
		{"above a range", "flux-2-flex", p("guidance", 10.01), nil, []bfl.Violation{v(bfl.RuleMax, "guidance", "guidance must be from 1.5 to 10, but it is 10.01.")}},
		{"at the ends of ranges", "flux-2-flex", p("guidance", 1.5, "steps", int64(50)), nil, nil},
		{"below a lower bound", pro, p("width", int64(48)), nil, []bfl.Violation{v(bfl.RuleMin, "width", "width must be at least 64, but it is 48.")}},
		{"tolerance of the schema", "flux-pro-1.1", p("safety_tolerance", int64(6)), nil, nil},
		{"more than that", "flux-pro-1.1", p("safety_tolerance", int64(7)), nil, []bfl.Violation{v(bfl.RuleMax, "safety_tolerance", "safety_tolerance must be from 0 to 6, but it is 7.")}},
		{"no multiple", pro, p("width", int64(1000)), nil, []bfl.Violation{v(bfl.RuleMultiple, "width", "width must be a multiple of 16, but it is 1000. Use 992 or 1008.")}},
		{"no multiple of 32", "flux-pro-1.1", p("height", int64(784)), nil, []bfl.Violation{v(bfl.RuleMultiple, "height", "height must be a multiple of 32, but it is 784. Use 768 or 800.")}},
		{"a listed size", pro, p("width", int64(1920), "height", int64(1080)), nil, nil},
		{"the other listed size", "flux-kontext", p("width", int64(1080), "height", int64(1920)), files("input_image"), nil},
		{"half of a listed size", pro, p("width", int64(1024), "height", int64(1080)), nil, []bfl.Violation{v(bfl.RuleMultiple, "height", "height must be a multiple of 16, but it is 1080. Use 1072 or 1088.")}},
		{"no format", pro, p("output_format", "gif"), nil, []bfl.Violation{v(bfl.RuleEnum, "output_format", `output_format cannot be "gif". Use "jpeg", "png" or "webp".`)}},
		{"a ratio", "flux-pro-1.1-ultra", p("aspect_ratio", "21:9"), nil, nil},
		{"too wide a ratio", "flux-pro-1.1-ultra", p("aspect_ratio", "22:9"), nil, []bfl.Violation{v(bfl.RuleRatio, "aspect_ratio", `"22:9" is not a ratio of width to height between 21:9 and 9:21, such as "16:9".`)}},
		{"no ratio", "flux-kontext", p("aspect_ratio", "wide"), files("input_image"), []bfl.Violation{v(bfl.RuleRatio, "aspect_ratio", `"wide" is not a ratio of width to height between 21:9 and 9:21, such as "16:9".`)}},

		{"four megapixels", pro, p("width", int64(2048), "height", int64(2048)), nil, nil},
		{"more than four megapixels", pro, p("width", int64(2064), "height", int64(2048)), nil, []bfl.Violation{v(bfl.RulePixels, "width", "2064 x 2048 is 4.03 megapixels, but flux-2-pro makes at most 4 megapixels (4194304 pixels). Use 2048 x 2032, the largest size of about this shape.")}},
		{"a long strip", pro, p("width", int64(160000), "height", int64(64)), nil, []bfl.Violation{v(bfl.RulePixels, "width", "160000 x 64 is 9.77 megapixels, but flux-2-pro makes at most 4 megapixels (4194304 pixels). Use 65536 x 64, the largest size of about this shape.")}},
		{"sides whose product overflows", pro, p("width", int64(1<<40), "height", int64(1<<40)), nil, []bfl.Violation{v(bfl.RulePixels, "width", "1099511627776 x 1099511627776 is 1152921504606846976.00 megapixels, but flux-2-pro makes at most 4 megapixels (4194304 pixels). Use 2048 x 2048, the largest size of about this shape.")}},

		{"kontext from a prompt alone", "flux-kontext-max", p(), nil, nil},
		{"filling without an image", "flux-fill", p(), nil, []bfl.Violation{v(bfl.RuleReferences, "image", "flux-fill needs an image to work on. Give it in references.")}},
		{"kontext-pro makes images from nothing", "flux-kontext-pro", p(), nil, nil},
		{"fill with a mask", "flux-fill", p(), files("image", "mask"), nil},
		{"fill with a mask only", "flux-fill", p(), files("mask"), []bfl.Violation{v(bfl.RuleReferences, "image", "flux-fill needs an image to work on. Give it in references.")}},
		{"a mask for a model without", pro, p(), files("mask"), []bfl.Violation{v(bfl.RuleMask, "mask", "flux-2-pro does not support a mask.")}},
		{"eight references", pro, p(), files(bfl.Lookup(pro).Inputs.References...), nil},
		{"nine references", pro, p(), append(files(bfl.Lookup(pro).Inputs.References...), bfl.Input{SHA256: "00"}), []bfl.Violation{v(bfl.RuleReferences, "input_image", "flux-2-pro takes at most 8 references, but there are 9.")}},
		{"two references for one field", "flux-dev", p(), files("image_prompt", ""), []bfl.Violation{v(bfl.RuleReferences, "image_prompt", "flux-dev takes at most 1 reference, but there are 2.")}},
		{"a URL where Base64 is wanted", "flux-dev", p(), []bfl.Input{{Field: "image_prompt", URL: "https://example.com/a.png"}}, []bfl.Violation{v(bfl.RuleURL, "image_prompt", "flux-dev takes images as files only. Download the image and name the file.")}},
		{"a URL where it is welcome", pro, p(), []bfl.Input{{Field: "input_image", URL: "https://example.com/a.png"}}, nil},

		{"several at once", "flux-pro-1.1", args("height", int64(100), "output_format", "bmp", "width", int64(2000)), nil, []bfl.Violation{
			v(bfl.RuleMin, "height", "height must be from 256 to 1440, but it is 100."),
			v(bfl.RuleEnum, "output_format", `output_format cannot be "bmp". Use "jpeg", "png" or "webp".`),
			v(bfl.RuleMax, "width", "width must be from 256 to 1440, but it is 2000."),
		}},
		{"a custom model takes anything", custom, args("anything", int64(-1), "prompt", true), files("images", "mask"), nil},
		{"a custom model has its fields", custom, nil, files("images", "more"), []bfl.Violation{v(bfl.RuleReferences, "images", "mine takes at most 1 reference, but there are 2.")}},
		{"a custom model without references", none, nil, files("image"), []bfl.Violation{v(bfl.RuleReferences, "", "textual does not support references.")}},
	}
	covered := map[bfl.Rule]bool{}
	for _, test := range tests {
		for _, violation := range test.want {
			covered[violation.Rule] = true
		}
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			model, ok := test.model.(*bfl.Model)
			if !ok {
				model = bfl.Lookup(test.model.(string))
			}
			r := bfl.Request{Model: model, Arguments: test.args, Inputs: test.inputs}
			got := r.Check()
			if diff := cmp.Diff(test.want, got, cmpopts.IgnoreFields(bfl.Violation{}, "Param")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for _, violation := range got {
				if violation.Param != model.Param(violation.Field) {
					t.Errorf("%s does not come with its parameter", violation.Field)
				}
			}
		})
	}
	for _, rule := range []bfl.Rule{
		bfl.RuleMissing, bfl.RuleUnknown, bfl.RuleType, bfl.RuleMin, bfl.RuleMax, bfl.RuleMultiple, bfl.RuleEnum,
		bfl.RuleRatio, bfl.RulePixels, bfl.RuleReferences, bfl.RuleMask, bfl.RuleURL,
	} {
		if !covered[rule] {
			t.Errorf("no case breaks the rule %q", rule)
		}
	}
}

func TestRatios(t *testing.T) {
	t.Parallel()
	ratio := bfl.Lookup("flux-pro-1.1-ultra").Param("aspect_ratio")
	for _, s := range []string{"1:1", "16:9", "9:21", "21:9", "7:3", "2100:900"} {
		if v := ratio.Check(s); v != nil {
			t.Errorf("%s: %s", s, v.Reason)
		}
	}
	for _, s := range []string{"", ":", "1", "1:", ":1", "0:1", "1:0", "9:22", "-1:-1", "1.5:1", "16/9", "16:9:1", " 16:9", "99999999999:1"} {
		if ratio.Check(s) == nil {
			t.Errorf("%q passes for a ratio", s)
		}
	}
}

func TestRequestValues(t *testing.T) {
	t.Parallel()
	r := bfl.Request{
		Model:     bfl.Lookup("flux-2-pro"),
		Arguments: args("width", int64(640), "prompt", "x", "height", nil, "seed", int64(0)),
		Inputs:    []bfl.Input{{Field: "input_image"}},
	}
	if r.Arguments[0].Name != "height" || r.Arguments[3].Name != "width" {
		t.Error("the arguments are not sorted")
	}
	if r.Value("width") != int64(640) || r.Value("steps") != nil || r.Value("height") != nil {
		t.Error("Value returns the wrong values")
	}
	if !r.Has("height") || r.Has("steps") {
		t.Error("Has does not tell what is given")
	}
	if got := r.Size(); got != (bfl.Size{Width: 640}) {
		t.Errorf("Size is %v", got)
	}
	if r.Known() {
		t.Error("a request with unknown values passes for known")
	}
	r.Arguments[0].Value = int64(640)
	if r.Known() || r.Fingerprint() != "" {
		t.Error("a request with an unknown input passes for known")
	}
	r.Inputs[0].URL = "https://example.com/a.png"
	if !r.Known() || r.Fingerprint() == "" {
		t.Error("a request whose values are all known does not pass for it")
	}
}

func TestSizesOfAnyShapeAreRefusedWithASuggestion(t *testing.T) {
	t.Parallel()
	for _, shape := range [][2]int64{{64, 10_000_000}, {10_000_000, 64}, {64, 1 << 40}, {1 << 40, 1 << 20}} {
		r := bfl.Request{Model: bfl.Lookup("flux-2-pro"), Arguments: []bfl.Argument{
			{Name: "height", Value: shape[1]}, {Name: "prompt", Value: "a heron"}, {Name: "width", Value: shape[0]},
		}}
		broken := r.Check()
		if len(broken) == 0 || broken[len(broken)-1].Reason == "" {
			t.Errorf("%d x %d is not refused: %v", shape[0], shape[1], broken)
		}
	}
}
