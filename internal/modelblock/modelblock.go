// Package modelblock decodes the model blocks of a configuration. Such a block describes an
// endpoint that is newer than the catalogue: where its requests go, which fields they have, which
// of them carry images and within what limits, and what an image costs.
package modelblock

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/lang"
	"github.com/fluxbatch/fluxbatch/internal/schema"
)

var (
	// Schema is what may stand in a model block. It is not to be changed.
	Schema = schema.Body{
		In: "a model block", Args: []string{
			"endpoint", "reference_fields", "reference_list", "min_references", "max_references", "inputs", "mask", "urls",
			"fields", "strict", "seed", "webhook", "concurrency",
		},
		Blocks: []schema.Block{{Name: "price"}, {Name: "limits"}},
	}
	limitsSchema = schema.Body{In: "a limits block", Args: []string{"min_side", "max_side", "min_pixels", "max_pixels"}}
	priceSchema  = schema.Body{In: "a price block", Args: []string{"first_megapixel", "megapixel", "image", "by", "tiers", "unknown"}}
)

// decoder decodes one model block.
type decoder struct {
	schema.Reader
	isArgument func(string) bool
}

// Decode decodes a model block, and adds the model to those that are declared, by their names,
// unless there is one of that name or it cannot be one. It reports what is wrong, and adds the
// model nonetheless, so that what uses it is checked. isArgument reports whether an image has an
// argument of a name, whose field cannot carry images.
func Decode(
	r schema.Reader, block *hcl.Block, isArgument func(string) bool, declared map[string]*bfl.Model,
) {
	d := &decoder{Reader: r, isArgument: isArgument}
	name := block.Labels[0]
	content, diags := Schema.Read(block.Body)
	d.Report(diags...)
	switch {
	case name == "" || strings.ContainsAny(name, " \t\n/\\"):
		d.Report(diag.Problem(block.LabelRanges[0], "Invalid name", "%q cannot be the name of a model. Use the API's name, such as \"flux-next\".", name))
		return
	case bfl.Lookup(name) != nil:
		d.Report(diag.Problem(block.LabelRanges[0], "Model is in the catalogue", "The catalogue has %s already, with all its arguments and limits. Give this model another name, or remove the block.", name))
		return
	case declared[name] != nil:
		d.Report(diag.Problem(block.DefRange, "Duplicate declaration", "The model %s was declared already. Remove one of "+
			"the two blocks.", name))
		return
	}
	model := &bfl.Model{Name: name, Custom: true, Title: "declared at " + diag.Place(block.DefRange)}
	wrong := schema.Misspelt(diags)
	if !slices.Contains(wrong, "endpoint") {
		model.Endpoint = d.endpoint(block, content.Args["endpoint"])
	}
	if !slices.Contains(wrong, "reference_list") && !slices.Contains(wrong, "max_references") {
		model.Inputs = d.referenceInputs(content.Args)
	}
	if attr := content.Args["concurrency"]; attr != nil {
		n, ok := lang.Count(d.Constant(attr, cty.Number), maxConcurrency)
		if !ok {
			d.Report(diag.Problem(attr.Expr.Range(), "Invalid concurrency", "concurrency is how many tasks of the model can be active. It must be a whole number of at least 1."))
		}
		model.Concurrency = n
	}
	d.modelInputs(model, content)
	d.modelFields(model, content.Args)
	model.NoWebhook = !d.ConstantBool(content.Args["webhook"], true)
	d.price(model, block, content.Named("price"))
	declared[name] = model
}

func (d *decoder) endpoint(block *hcl.Block, attr *hcl.Attribute) string {
	if attr == nil {
		d.Report(diag.Problem(block.DefRange, "Missing required argument",
			`A model block needs an endpoint, as in endpoint = "/v1/flux-next".`))
		return ""
	}
	path := d.ConstantString(attr)
	isPath := strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "//")
	if !isPath || strings.ContainsAny(path, "?# \\") || strings.Contains(path, "..") {
		d.Report(diag.Problem(attr.Expr.Range(), "Invalid endpoint",
			"endpoint is the path of the request, such as \"/v1/flux-next\". The host is the provider's, so that the key goes nowhere else."))
	}
	return path
}

// What a model block can allow at most. No model comes near it.
const (
	maxReferences  = 100
	maxConcurrency = 1_000_000
	maxLimit       = 1 << 30 // in pixels
)

// referenceInputs decodes where references go: each into a field of its own, or all into one that
// is a list.
func (d *decoder) referenceInputs(args map[string]*hcl.Attribute) bfl.Inputs {
	list, most := args["reference_list"], args["max_references"]
	if list == nil && most == nil {
		return bfl.Inputs{References: d.referenceFields(args["reference_fields"])}
	}
	wrong := func(attr *hcl.Attribute, detail string) bfl.Inputs {
		d.Report(diag.Problem(attr.Expr.Range(), "Invalid reference list", "%s", detail))
		return bfl.Inputs{}
	}
	const both = `reference_list names the one field that is a list of images and max_references says how many it takes, as in ` +
		`reference_list = "images" and max_references = 10.`
	switch {
	case list == nil:
		return wrong(most, "max_references goes with reference_list. "+both)
	case args["reference_fields"] != nil:
		return wrong(list, "References go into one list or each into a field of its own, so a model has either reference_list or reference_fields.")
	case most == nil:
		return wrong(list, both)
	}
	field := d.ConstantString(list)
	n, ok := lang.Count(d.Constant(most, cty.Number), maxReferences)
	if !ok {
		return wrong(most, fmt.Sprintf("max_references is a whole number from 1 to %d.", maxReferences))
	}
	if field == "" || !d.mayCarryImages(field) {
		return wrong(list, both+" It cannot be the field of an argument.")
	}
	return bfl.ReferenceList(field, n)
}

// mayCarryImages reports whether a field of a request can be declared to carry images: no argument
// and no webhook has it.
func (d *decoder) mayCarryImages(field string) bool {
	return !d.isArgument(field) && field != "mask" && !strings.HasPrefix(field, "webhook_")
}

func (d *decoder) referenceFields(attr *hcl.Attribute) []string {
	return d.fieldNames(attr, "Invalid reference fields", `reference_fields lists the request's fields for images in their order, each once, as in `+
		`["input_image", "input_image_2"]. None can be the field of an argument.`, d.mayCarryImages)
}
