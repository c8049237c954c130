package config

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/lazyregexp"
)

// summaries are what diagnostics about broken rules of the API are called.
var summaries = map[bfl.Rule]string{
	bfl.RuleMissing:    "Missing argument",
	bfl.RuleUnknown:    "Invalid parameter",
	bfl.RuleType:       "Invalid argument type",
	bfl.RuleMin:        "Argument out of range",
	bfl.RuleMax:        "Argument out of range",
	bfl.RuleMultiple:   "Unsupported size",
	bfl.RuleEnum:       "Invalid argument value",
	bfl.RuleRatio:      "Invalid argument value",
	bfl.RulePixels:     "Image too large",
	bfl.RuleReferences: "Wrong number of references",
	bfl.RuleRole:       "Missing input",
	bfl.RuleMask:       "Missing mask",
	bfl.RuleExtent:     "Unsupported size of an image",
	bfl.RuleURL:        "Reference cannot be a URL",
}

// check holds the image against its model's rules.
func (d *builder) check(img *image.Image) bool {
	request := img.Request()
	broken := append(request.Check(), request.CheckExtents()...)
	d.nameTheRendition(img, broken)
	for _, v := range broken {
		if v.Rule == bfl.RuleReferences && img.OpenReferences() {
			continue
		}
		d.violation(img, v)
	}
	return len(broken) == 0
}

// nameTheRendition says, with the first side that is no size of the model's, how the image can have exactly
// that size.
func (d *builder) nameTheRendition(img *image.Image, broken []bfl.Violation) {
	size := img.Request().Size()
	i := slices.IndexFunc(broken, func(v bfl.Violation) bool { return v.Rule == bfl.RuleMultiple })
	if i < 0 || size.Width == 0 || size.Height == 0 {
		return
	}
	if larger, err := img.Model.SizeFor(size.Width, size.Height); err == nil {
		broken[i].Reason += fmt.Sprintf(" For exactly %[1]d x %[2]d, ask for size_for(%[1]d, %[2]d), which is %[3]d x %[4]d, and have a rendition of width = %[1]d and height = %[2]d cut it.",
			size.Width, size.Height, larger.Width, larger.Height)
	}
}

// violation reports a broken rule at the argument that breaks it.
func (d *builder) violation(img *image.Image, v bfl.Violation) {
	name := v.Field
	model := img.Model
	switch {
	case slices.Contains(model.Inputs.Roles, v.Field):
		name = "inputs"
	case v.Rule == bfl.RuleReferences, model.IsInput(v.Field) && v.Field != model.Inputs.Mask:
		name = "references"
	}
	detail := v.Reason
	if v.Rule == bfl.RuleEnum && v.Param != nil {
		given, _ := img.Request().Value(v.Field).(string)
		detail += diag.DidYouMean(given, v.Param.Enum)
	}
	arg := d.given(name)
	if arg == nil && v.Rule != bfl.RuleMissing && v.Rule != bfl.RuleReferences && v.Rule != bfl.RuleRole && v.Rule != bfl.RuleMask {
		arg = d.given("parameters")
	}
	if arg == nil && d.misspelt(name) {
		return
	}
	if arg != nil && v.Rule == bfl.RuleExtent && !arg.sensitive {
		d.report(diag.About(diag.Problem(inputRange(img, arg, v.Field), summaries[v.Rule], "%s", detail), arg.arg.Expr, d.context(arg)))
		return
	}
	if arg == nil {
		d.report(diag.Problem(d.b.at, summaries[v.Rule], "%s", detail))
		return
	}
	if arg.arg.inherited {
		detail += fmt.Sprintf(" The value is a default, taken over by image.%s.", d.b.key)
	}
	d.wrong(arg, summaries[v.Rule], "%s", detail)
}

// inputRange returns where the image stands that goes into a field: the element of a list that is
// written out, or else the argument.
func inputRange(img *image.Image, arg *argumentValue, field string) hcl.Range {
	if slices.Contains(img.Model.Inputs.Roles, field) {
		return roleRange(arg.arg, field)
	}
	ranges := elementRanges(arg.arg.Expr)
	i := slices.IndexFunc(img.References, func(r image.Reference) bool { return r.Field == field })
	if ty := arg.value.Type(); (ty.IsTupleType() || ty.IsListType()) && len(ranges) == arg.value.LengthInt() && i < len(ranges) {
		return ranges[i]
	}
	return arg.arg.valueAt()
}

// noSuchArgument reports an argument that the image's model does not have.
func noSuchArgument(arg *argument, model *bfl.Model) *hcl.Diagnostic {
	if model.Custom {
		r := bfl.Request{Model: model, Arguments: []bfl.Argument{{Name: arg.Name}}}
		if broken := r.Check(); len(broken) > 0 {
			return diag.Problem(arg.at(), "Model does not support the argument", "%s", broken[0].Reason)
		}
	}
	return diag.Problem(arg.at(), "Model does not support the argument", "%s does not support %s. %s", model.Name, arg.Name, wayOut(arg.Name, model))
}

// standIns are the arguments that do in some models what another does in others, the best first.
var standIns = map[string][][]string{
	"width":        {{"aspect_ratio"}, {"resolution"}},
	"height":       {{"aspect_ratio"}, {"resolution"}},
	"aspect_ratio": {{"width", "height"}},
	"resolution":   {{"width", "height"}, {"aspect_ratio"}},
}

// wayOut says what to write instead of an argument that a model does not have.
func wayOut(name string, model *bfl.Model) string {
	lacks := func(name string) bool { return model.Param(name) == nil }
	for _, instead := range standIns[name] {
		if !slices.ContainsFunc(instead, lacks) {
			return "Use " + strings.Join(instead, " and ") + "."
		}
	}
	var others []string
	for _, m := range bfl.Models() {
		if m.Param(name) != nil && !m.Deprecated {
			others = append(others, m.Name)
		}
	}
	switch n := len(others); {
	case n == 0:
		return "Remove it."
	case n == 1:
		return "Remove it, or use " + others[0] + "."
	case n > mostNamed:
		return fmt.Sprintf("Remove it, or use %s or one of %d other models that support it.", strings.Join(others[:mostNamed], ", "), n-mostNamed)
	default:
		return "Remove it, or use " + strings.Join(others[:n-1], ", ") + " or " + others[n-1] + "."
	}
}

// mostNamed is how many alternatives a message names before it counts the rest.
const mostNamed = 3

// advise warns of what is legal and probably not meant.
func (d *builder) advise(img *image.Image) {
	model := img.Model
	if v := d.given("model"); v != nil && model.Preview {
		d.e.add(diag.Warning(v.arg.valueAt(), "Model may change without notice",
			"%s is a preview, which the API may replace at any time. The same request can then give another image. Use a released model for images that you want to be able to repeat.",
			model.Name))
	}
	if model.Deprecated {
		d.adviseOnce(model.Name, "Model is deprecated", "The API's schema marks "+model.Name+" as deprecated. It still works, but it may go away. Use flux-2-pro or flux-2-max, which edit images as well.", d.given("model"))
	}
	if d.doubted == nil {
		d.doubted = new(bfl.Request)
	}
	*d.doubted = *img.Request()
	for _, doubt := range d.doubted.Doubts() {
		if model.IsInput(doubt.Field) && (img.OpenReferences() || doubt.Field != model.Inputs.References[0]) {
			continue // How many there are is said by adviseOnReferences.
		}
		name := doubt.Field
		if model.IsInput(name) {
			name = "references"
		}
		d.adviseOnce("", "Documents of the API differ", doubt.Reason, cmp.Or(d.given(name), d.given("parameters")))
	}
	d.adviseOnSize(img)
	d.adviseOnReferences(img)
}

// adviseOnce warns once in a run: about a subject wherever it comes up or, where that is "", about
// a place, for all images that share it.
func (d *builder) adviseOnce(subject, summary, detail string, v *argumentValue) {
	at := d.b.at
	if v != nil {
		at = v.arg.valueAt()
	}
	key := summary + " " + subject
	if subject == "" {
		key += detail + at.String()
	}
	if d.e.advised[key] {
		return
	}
	if d.e.advised == nil {
		d.e.advised = map[string]bool{}
	}
	d.e.advised[key] = true
	d.e.add(diag.Warning(at, summary, "%s", detail))
}

func (d *builder) adviseOnSize(img *image.Image) {
	model, size := img.Model, img.Request().Size()
	width := d.given("width")
	if width == nil || model.Custom {
		return
	}
	at := width.arg.valueAt()
	switch {
	case slices.Contains(model.Sizes, size):
		short := min(size.Width, size.Height)
		low := short / 16 * 16
		d.e.add(diag.Warning(at, "Size may be rounded",
			"%d x %d is in the API's table of sizes, although %d is not a multiple of 16. Its short side may have %d or %d pixels instead. The state records the size that comes.",
			size.Width, size.Height, short, low, low+16))
	case model.MaxPixels > 0 && size.Width*size.Height > bfl.MaxPixelsAdvised:
		d.e.add(diag.Warning(at, "Size near the limit",
			"%d x %d is more than 4,000,000 pixels. The API's documents do not say clearly whether that is allowed. Use a smaller size to be safe.", size.Width, size.Height))
	}
}

// imageNumber finds a reference by its number in a prompt.
var imageNumber = lazyregexp.New(`(?i)\b(?:image|picture|reference)s? +#?(\d{1,2})\b`)

// mayNumberImages is a quick look for what imageNumber finds: a number behind a word that ends as
// those in it do.
func mayNumberImages(prompt string) bool {
	for i := range len(prompt) {
		if c := prompt[i]; c < '0' || c > '9' || i == 0 || prompt[i-1] != ' ' && prompt[i-1] != '#' {
			continue
		}
		words := strings.TrimRight(strings.TrimSuffix(prompt[:i], "#"), " ")
		if words == "" {
			continue
		}
		switch last := words[len(words)-1]; {
		case last >= utf8.RuneSelf, strings.IndexByte("eEsS", last) >= 0:
			return true
		}
	}
	return false
}

func (d *builder) adviseOnReferences(img *image.Image) {
	model := img.Model
	references := 0
	for i := range img.References {
		if model.IsReference(img.References[i].Field) {
			references++
		}
	}
	if limit := model.Inputs.Documented; limit > 0 && references > limit {
		v := d.given("references")
		d.e.add(diag.Warning(v.arg.valueAt(), "More references than documented",
			"The published schema of %s has fields for %s, but another document names %d. The API may refuse or ignore the others.",
			model.Name, plural(limit, "reference"), len(model.Inputs.References)))
	}
	prompt, ok := img.Request().Value("prompt").(string)
	if !ok || !mayNumberImages(prompt) || img.OpenReferences() {
		return
	}
	for _, match := range imageNumber().FindAllStringSubmatch(prompt, -1) {
		n, err := strconv.Atoi(match[1])
		if err != nil || n <= references || n == 0 || n > 16 || references == 0 && len(model.Inputs.References) == 0 {
			continue
		}
		v := d.given("prompt")
		d.e.add(diag.About(diag.Warning(v.arg.valueAt(), "Prompt names an image that is not there",
			"The prompt speaks of %q, but there %s. References are counted from 1 in the order of the list.",
			match[0], howMany(references)),
			v.arg.Expr, d.context(v)))
		return
	}
}

func howMany(references int) string {
	switch references {
	case 0:
		return "are no references"
	case 1:
		return "is only 1 reference"
	default:
		return fmt.Sprintf("are only %d references", references)
	}
}

// adviseOnCount warns where the instances are numbered after a list, whose elements can move.
func (e *evaluator) adviseOnCount(b *imageBlock) {
	call, ok := b.count.(*hclsyntax.FunctionCallExpr)
	if !ok || call.Name != "length" {
		return
	}
	if !slices.ContainsFunc(b.args, func(a argument) bool { return a.perInstance }) {
		return
	}
	e.add(diag.Warning(b.count.Range(), "Instances numbered after a list",
		"An element that is added or removed before the end renumbers all after it, and their images get other addresses and files. Use for_each, whose keys stay, as in for_each = toset(...)."))
}
