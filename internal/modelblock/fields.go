package modelblock

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/lang"
	"github.com/fluxbatch/fluxbatch/internal/schema"
)

// modelInputs decodes what a model block says of images beside references: those of roles, the
// mask, and what extents are taken.
func (d *decoder) modelInputs(model *bfl.Model, content *schema.Content) {
	in := &model.Inputs
	args := content.Args
	in.Roles = d.fieldNames(args["inputs"], "Invalid inputs", `inputs lists the request's fields for images that each mean something of its own, each once, `+
		`as in ["person", "garment"]. None can be the field of an argument or of a reference.`, func(field string) bool {
		return d.mayCarryImages(field) && !slices.Contains(in.References, field) && field != in.List
	})
	if d.ConstantBool(args["mask"], false) {
		in.Mask = "mask"
	}
	in.NoURL = !d.ConstantBool(args["urls"], true)
	if attr := args["min_references"]; attr != nil {
		n, ok := lang.Count(d.Constant(attr, cty.Number), len(in.References))
		if !ok {
			d.Report(diag.Problem(attr.Expr.Range(), "Invalid reference list", "min_references is how many references a request needs: a whole number from 1 "+
				"to as many as the model takes, which is %d.", len(in.References)))
		} else {
			in.Required = n
		}
	}
	for _, block := range d.First("The limits block of this model", content.Named("limits")) {
		limits, diags := limitsSchema.Read(block.Body)
		d.Report(diags...)
		in.Limits = bfl.InputLimits{
			MinSide: d.limit(limits.Args["min_side"]), MaxSide: d.limit(limits.Args["max_side"]),
			MinPixels: d.limit(limits.Args["min_pixels"]), MaxPixels: d.limit(limits.Args["max_pixels"]),
		}
		d.crossed(limits.Args["max_side"], in.Limits.MinSide, in.Limits.MaxSide)
		d.crossed(limits.Args["max_pixels"], in.Limits.MinPixels, in.Limits.MaxPixels)
	}
}

func (d *decoder) limit(attr *hcl.Attribute) int {
	if attr == nil {
		return 0
	}
	v := d.Constant(attr, cty.Number)
	if v.IsNull() {
		return 0 // It was reported why, unless null means that there is none.
	}
	n, ok := lang.Count(v, maxLimit)
	if !ok {
		d.Report(diag.Problem(attr.Expr.Range(), "Invalid limit", "%s is a number of pixels, a whole number of at least 1.", attr.Name))
		return 0
	}
	return n
}

// crossed reports a range that nothing is in.
func (d *decoder) crossed(attr *hcl.Attribute, least, most int) {
	if most > 0 && most < least {
		d.Report(diag.Problem(attr.Expr.Range(), "Invalid limit", "%s is less than the least, %d, so no image could be used.", attr.Name, least))
	}
}

// modelFields decodes which fields the requests of a model have.
func (d *decoder) modelFields(model *bfl.Model, args map[string]*hcl.Attribute) {
	model.NoSeed = !d.ConstantBool(args["seed"], true)
	model.Strict = d.ConstantBool(args["strict"], false)
	model.Fields = d.fieldNames(args["fields"], "Invalid fields", `fields lists the request's fields but those for images, each once, as in `+
		`["prompt", "aspect_ratio"].`, func(field string) bool { return !model.IsInput(field) })
	slices.Sort(model.Fields)
	switch {
	case model.Strict && args["fields"] == nil:
		d.Report(diag.Problem(args["strict"].NameRange, "Invalid fields", `With strict = true a request must not have fields that the model does not know. List those that it knows, as in fields = ["prompt", "aspect_ratio"].`))
		model.Strict = false
	case model.Fields != nil && !model.Strict:
		d.Report(diag.Problem(args["fields"].NameRange, "Invalid fields", "fields goes with strict = true. Without it the API ignores what it does not know."))
	case model.NoSeed && slices.Contains(model.Fields, "seed"):
		d.Report(diag.Problem(args["fields"].Expr.Range(), "Invalid fields", "fields lists seed, but seed = false says that the model does not have it. Remove one of the two."))
	}
}

// fieldNames decodes a list of different names of fields, all of them allowed. It is nil where the
// argument is absent or wrong.
func (d *decoder) fieldNames(attr *hcl.Attribute, summary, detail string, allowed func(string) bool) []string {
	v := d.Constant(attr, cty.List(cty.String))
	if v.IsNull() {
		return nil
	}
	var fields []string
	for _, element := range v.Elements() {
		if element.IsNull() || element.AsString() == "" || slices.Contains(fields, element.AsString()) || !allowed(element.AsString()) {
			d.Report(diag.Problem(attr.Expr.Range(), summary, "%s", detail))
			return nil
		}
		fields = append(fields, element.AsString())
	}
	return fields
}
