package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/schema"
)

var (
	modelSchema = schema.Body{
		In: "a model block", Args: []string{
			"endpoint", "reference_fields", "reference_list", "min_references", "max_references", "inputs", "mask", "urls",
			"fields", "strict", "seed", "webhook", "concurrency",
		},
		Blocks: []schema.Block{{Name: "price"}, {Name: "limits"}},
	}
	limitsSchema = schema.Body{In: "a limits block", Args: []string{"min_side", "max_side", "min_pixels", "max_pixels"}}
	priceSchema  = schema.Body{In: "a price block", Args: []string{"first_megapixel", "megapixel", "image", "by", "tiers", "unknown"}}
)

// model decodes a model block, which describes an endpoint that the catalogue does not know.
func (d *decoder) model(m *module, block *hcl.Block) {
	name := block.Labels[0]
	content, diags := modelSchema.Read(block.Body)
	d.add(diags...)
	switch {
	case name == "" || strings.ContainsAny(name, " \t\n/\\"):
		d.add(diag.Problem(block.LabelRanges[0], "Invalid name", "%q cannot be the name of a model. Call it as the API "+
			"does, such as \"flux-next\".", name))
		return
	case bfl.Lookup(name) != nil:
		d.add(diag.Problem(block.LabelRanges[0], "Model is in the catalogue", "%s is known already, with all its "+
			"arguments and limits. Give this one another name, or remove the block.", name))
		return
	case m.models[name] != nil:
		d.add(diag.Problem(block.DefRange, "Duplicate declaration", "The model %s was declared already. Remove one of "+
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
		n, ok := slots(d.Constant(attr, cty.Number))
		if !ok {
			d.add(diag.Problem(attr.Expr.Range(), "Invalid concurrency", "concurrency is how many tasks for the model "+
				"may be active, a whole number of at least 1."))
		}
		model.Concurrency = n
	}
	d.modelInputs(model, content)
	d.modelFields(model, content.Args)
	model.NoWebhook = !d.ConstantBool(content.Args["webhook"], true)
	d.price(model, block, content.Named("price"))
	m.models[name] = model
}

func (d *decoder) endpoint(block *hcl.Block, attr *hcl.Attribute) string {
	if attr == nil {
		d.add(diag.Problem(block.DefRange, "Missing required argument",
			`A model block needs an endpoint, as in endpoint = "/v1/flux-next".`))
		return ""
	}
	path := d.ConstantString(attr)
	isPath := strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "//")
	if !isPath || strings.ContainsAny(path, "?# \\") || strings.Contains(path, "..") {
		d.add(diag.Problem(attr.Expr.Range(), "Invalid endpoint",
			"endpoint is the path of the request, such as \"/v1/flux-next\". The host is that of the provider, "+
				"so that the key goes nowhere else."))
	}
	return path
}

// maxReferences bounds how many references a model block can allow. No model comes near it.
const maxReferences = 100

// referenceInputs decodes where references go: each into a field of its own, or all into one that is a list.
func (d *decoder) referenceInputs(args map[string]*hcl.Attribute) bfl.Inputs {
	list, most := args["reference_list"], args["max_references"]
	if list == nil && most == nil {
		return bfl.Inputs{References: d.referenceFields(args["reference_fields"])}
	}
	wrong := func(attr *hcl.Attribute, detail string) bfl.Inputs {
		d.add(diag.Problem(attr.Expr.Range(), "Invalid reference list", "%s", detail))
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
	n, ok := slots(d.Constant(most, cty.Number))
	if !ok || n > maxReferences {
		return wrong(most, fmt.Sprintf("max_references is a whole number from 1 to %d.", maxReferences))
	}
	if field == "" || !mayCarryImages(field) {
		return wrong(list, both+" It cannot be the field of an argument.")
	}
	return bfl.ReferenceList(field, n)
}

// mayCarryImages reports whether a field of a request can be declared to carry images: no argument and no webhook has it.
func mayCarryImages(field string) bool {
	_, isArgument := kinds[field]
	return !isArgument && field != "mask" && !strings.HasPrefix(field, "webhook_")
}

func (d *decoder) referenceFields(attr *hcl.Attribute) []string {
	return d.fieldNames(attr, "Invalid reference fields", `reference_fields lists the request's fields for images in their order, each once, as in `+
		`["input_image", "input_image_2"]. None can be the field of an argument.`, mayCarryImages)
}
