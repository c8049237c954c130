package config

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

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
	for _, v := range broken {
		if v.Rule == bfl.RuleReferences && img.OpenReferences() {
			continue
		}
		d.violation(img, v)
	}
	return len(broken) == 0
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

// inputRange returns where the image stands that goes into a field: the element of a list that is written out, or else the argument.
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
			return diag.Problem(arg.at(), "Model has no such argument", "%s", broken[0].Reason)
		}
	}
	var others, own []string
	for _, m := range bfl.Models() {
		if m.Param(arg.Name) != nil {
			others = append(others, m.Name)
		}
	}
	for _, p := range model.Params {
		own = append(own, p.Name)
	}
	slices.Sort(own)
	have := "have"
	if len(others) == 1 {
		have = "has"
	}
	return diag.Problem(arg.at(), "Model has no such argument", "%s has no %s; %s %s it. The arguments of %s are %s.",
		model.Name, arg.Name, strings.Join(others, ", "), have, model.Name, strings.Join(own, ", "))
}

// advise warns of what is legal and probably not meant.
func (d *builder) advise(img *image.Image) {
	model := img.Model
	if v := d.given("model"); v != nil && model.Preview {
		d.e.add(diag.Warning(v.arg.valueAt(), "Model may change without notice",
			"%s is a preview, which the API may replace at any time. The same request may then give another image; "+
				"pin a released model for images that are to be made again.",
			model.Name))
	}
	if model.Deprecated {
		d.adviseOnce(model.Name, "Model is deprecated", "The API's schema marks "+model.Name+" as deprecated. It works, and may go; flux-2-pro and flux-2-max "+
			"edit images as well.", d.given("model"))
	}
	for _, doubt := range img.Request().Doubts() {
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

// adviseOnce warns once in a run: about a subject wherever it comes up or, where that is "", about a place, for all images that share it.
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
			"%d x %d is in the API's table of sizes although %d is no multiple of 16. The image may come with %d "+
				"or %d lines; the size that came is what is recorded.",
			size.Width, size.Height, short, low, low+16))
	case model.MaxPixels > 0 && size.Width*size.Height > bfl.MaxPixelsAdvised:
		d.e.add(diag.Warning(at, "Size near the limit",
			"%d x %d is more than 4,000,000 pixels. The API's documents can be read to allow that or not; a "+
				"smaller size is safe.", size.Width, size.Height))
	}
}

// imageNumber finds a reference by its number in a prompt.
var imageNumber = lazyregexp.New(`(?i)\b(?:image|picture|reference)s? +#?(\d{1,2})\b`)

// numbered are parts of the words in imageNumber, without first letters since these may be capitals.
var numbered = []string{"mage", "icture", "eference", "MAGE", "ICTURE", "EFERENCE"}

// mayNumberImages is a quick look for what imageNumber finds.
func mayNumberImages(prompt string) bool {
	return slices.ContainsFunc(numbered, func(word string) bool { return strings.Contains(prompt, word) })
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
			"The published schema of %s has fields for %s; another document names %d. The API may refuse or ignore "+
				"the further ones.",
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
			"The prompt speaks of %q, and there %s. References are counted from 1 in the order of the list.",
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
		"When an element is added or removed anywhere but at the end, all after it get other numbers, and their "+
			"images are made and paid for again. "+
			"With for_each the instances have names that stay, as in for_each = toset(...)."))
}
