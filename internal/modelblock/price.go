package modelblock

import (
	"math"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/diag"
)

// kindsOfPrice tells what a price block can say.
const kindsOfPrice = "Write image = 5 for any size, first_megapixel = 3 and megapixel = 1.5 for a price by size, by = \"resolution\" and tiers = { \"1k\" = 4.8 } for a price by an argument, or unknown = true."

// price decodes the price block of a model.
func (d *decoder) price(model *bfl.Model, block *hcl.Block, blocks []*hcl.Block) {
	if len(blocks) != 1 {
		d.Report(diag.Problem(block.DefRange, "Missing price",
			"A model block needs one price block, in credits of one US cent, so that a plan can say what images will cost. %s", kindsOfPrice))
		return
	}
	content, diags := priceSchema.Read(blocks[0].Body)
	d.Report(diags...)
	args := content.Args
	// exclusive refuses what does not go with what decides.
	exclusive := func(decides string, with ...string) {
		for _, name := range priceSchema.Args {
			if other := args[name]; other != nil && name != decides && !slices.Contains(with, name) {
				d.Report(diag.Problem(other.NameRange, "Invalid price", "%s does not go with %s. %s", name, decides, kindsOfPrice))
			}
		}
	}
	switch {
	case d.ConstantBool(args["unknown"], false):
		exclusive("unknown")
		model.Price = bfl.Price{Unknown: true}
	case args["by"] != nil || args["tiers"] != nil:
		if args["by"] == nil || args["tiers"] == nil {
			if !diags.HasErrors() {
				d.Report(diag.Problem(blocks[0].DefRange, "Missing price", "by and tiers go together. %s", kindsOfPrice))
			}
			return
		}
		exclusive("by", "tiers", "unknown")
		model.Price = bfl.Price{By: d.ConstantString(args["by"]), Tiers: d.tiers(args["tiers"])}
		if model.Price.By == "" && !d.Constant(args["by"], cty.String).IsNull() {
			d.Report(diag.Problem(args["by"].Expr.Range(), "Invalid price", "by must be the name of the argument that decides the price. %s", kindsOfPrice))
		}
	case args["image"] != nil:
		exclusive("image", "unknown")
		model.Price = bfl.Price{Image: d.credits(args["image"])}
	case diags.HasErrors():
		// What is missing may be misspelt.
	case args["first_megapixel"] == nil || args["megapixel"] == nil:
		d.Report(diag.Problem(blocks[0].DefRange, "Missing price", "%s", kindsOfPrice))
	default:
		model.Price = bfl.Price{First: d.credits(args["first_megapixel"]), Further: d.credits(args["megapixel"])}
	}
}

// tiers decodes the prices by the values of an argument, in the order of the values.
func (d *decoder) tiers(attr *hcl.Attribute) []bfl.Tier {
	v := d.Constant(attr, cty.Map(cty.Number))
	if v.IsNull() {
		return nil
	}
	var tiers []bfl.Tier
	for key, amount := range v.Elements() {
		tiers = append(tiers, bfl.Tier{Value: key.AsString(), Price: d.creditsOf(attr, amount)})
	}
	if len(tiers) == 0 {
		d.Report(diag.Problem(attr.Expr.Range(), "Invalid price", "tiers is empty. %s", kindsOfPrice))
	}
	return tiers
}

func (d *decoder) credits(attr *hcl.Attribute) bfl.Credits {
	return d.creditsOf(attr, d.Constant(attr, cty.Number))
}

// creditsOf converts an amount that stands in an argument. It has reported what is wrong where it
// answers 0.
func (d *decoder) creditsOf(attr *hcl.Attribute, v cty.Value) bfl.Credits {
	if v.IsNull() {
		return 0
	}
	f, _ := v.AsBigFloat().Float64()
	if f < 0 || math.IsInf(f, 0) || f > 1e6 {
		d.Report(diag.Problem(attr.Expr.Range(), "Invalid price", "%s must be a number of credits. A credit is one US cent.", attr.Name))
		return 0
	}
	return bfl.CreditsOf(f)
}
