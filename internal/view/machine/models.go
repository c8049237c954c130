package machine

import (
	"io"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// The types below are what "models -json" writes. Fields are added, never renamed or removed while
// modelsFormat has the same major number.

// modelsFormat is the version of the catalogue's JSON form.
const modelsFormat = "1.0"

type catalogueJSON struct {
	FormatVersion string `json:"format_version"`
	// PricesAsOf is a month, such as "2026-02".
	PricesAsOf string      `json:"prices_as_of"`
	Models     []modelJSON `json:"models"`
}

type modelJSON struct {
	Name     string `json:"name"`
	Title    string `json:"title"`
	Endpoint string `json:"endpoint"`
	// Price is in credits of one US cent.
	Price      priceJSON      `json:"price"`
	References referencesJSON `json:"references"`
	// Inputs are the fields for images that each mean something of its own, all required.
	Inputs []string `json:"inputs,omitempty"`
	// InputLimits bound the extent of each image that goes into a request.
	InputLimits *inputLimitsJSON `json:"input_limits,omitempty"`
	// Mask says whether the model takes one, MaskRequired whether it needs one.
	Mask         bool `json:"mask"`
	MaskRequired bool `json:"mask_required,omitempty"`
	// MaxPixels bounds width times height; absent where the sides are bounded on their own.
	MaxPixels int `json:"max_pixels,omitempty"`
	// Sizes are taken although they break the rule of multiples.
	Sizes []sizeJSON `json:"sizes,omitempty"`
	// Concurrency bounds the model's active tasks in an account; absent where only the account's
	// own limit does.
	Concurrency int  `json:"concurrency,omitempty"`
	Preview     bool `json:"preview"`
	Deprecated  bool `json:"deprecated"`
	// Webhooks says whether a request can ask for one.
	Webhooks bool `json:"webhooks"`
	// Strict says that fields other than the arguments are refused.
	Strict    bool            `json:"strict"`
	Arguments []parameterJSON `json:"arguments"`
}

// priceJSON is by megapixel, by image, by an argument, or unknown.
type priceJSON struct {
	FirstMegapixel *bfl.Credits `json:"first_megapixel,omitempty"`
	// Megapixel is for each further megapixel, and for each one of the references.
	Megapixel *bfl.Credits `json:"megapixel,omitempty"`
	Image     *bfl.Credits `json:"image,omitempty"`
	// By is the argument whose value decides, and Tiers are the prices by its values. Other values
	// have none that is known.
	By    string                 `json:"by,omitempty"`
	Tiers map[string]bfl.Credits `json:"tiers,omitempty"`
	// Unknown says that no price is known.
	Unknown bool `json:"unknown,omitempty"`
	// Source is "list" (BFL's price list), "seen" (listed, and seen in answers) or "unlisted"; Of
	// is then the model whose price stands in.
	Source bfl.PriceSource `json:"source"`
	Of     string          `json:"of,omitempty"`
}

type referencesJSON struct {
	Min int `json:"min"`
	Max int `json:"max"`
	// URLs says whether references can be https URLs.
	URLs bool `json:"urls"`
	// Fields are the request's fields in order.
	Fields []string `json:"fields"`
}

// inputLimitsJSON has zero, which is absent, for what is not bounded.
type inputLimitsJSON struct {
	MinSide   int `json:"min_side,omitempty"`
	MaxSide   int `json:"max_side,omitempty"`
	MinPixels int `json:"min_pixels,omitempty"`
	MaxPixels int `json:"max_pixels,omitempty"`
}

type sizeJSON struct {
	Width  int `json:"width"`
	Height int `json:"height"`
}

type parameterJSON struct {
	Name string `json:"name"`
	// Type is "string", "integer", "number" or "boolean".
	Type     string `json:"type"`
	Required bool   `json:"required"`
	// Min and Max are inclusive.
	Min        *float64 `json:"min,omitempty"`
	Max        *float64 `json:"max,omitempty"`
	MultipleOf int      `json:"multiple_of,omitempty"`
	Enum       []string `json:"enum,omitempty"`
	// Ratio says that the string is "W:H", from "21:9" to "9:21".
	Ratio bool `json:"ratio,omitempty"`
	// Default is what the API assumes.
	Default     any    `json:"default,omitempty"`
	Description string `json:"description,omitempty"`
}

// WriteModels writes models as one JSON object.
func WriteModels(out io.Writer, models []*bfl.Model) {
	catalogue := catalogueJSON{FormatVersion: modelsFormat, PricesAsOf: bfl.PricesAsOf, Models: make([]modelJSON, len(models))}
	for i, m := range models {
		catalogue.Models[i] = newModelJSON(m)
	}
	document(out, catalogue)
}

func newPriceJSON(p bfl.Price) priceJSON {
	out := priceJSON{Source: p.Source, Of: p.Of, Unknown: p.Unknown, By: p.By}
	switch {
	case p.Unknown:
	case p.By != "":
		out.Tiers = map[string]bfl.Credits{}
		for _, tier := range p.Tiers {
			out.Tiers[tier.Value] = tier.Price
		}
	case p.Image != 0:
		out.Image = &p.Image
	default:
		out.FirstMegapixel, out.Megapixel = &p.First, &p.Further
	}
	return out
}

func newModelJSON(m *bfl.Model) modelJSON {
	out := modelJSON{
		Name: m.Name, Title: m.Title, Endpoint: m.Endpoint, Price: newPriceJSON(m.Price),
		Inputs: m.Inputs.Roles, Mask: m.Inputs.Mask != "", MaskRequired: m.Inputs.MaskRequired,
		Deprecated: m.Deprecated, Webhooks: !m.NoWebhook, Strict: m.Strict,
		References: referencesJSON{Min: m.Inputs.Required, Max: len(m.Inputs.References), URLs: !m.Inputs.NoURL, Fields: m.Inputs.References},
		MaxPixels:  m.MaxPixels, Concurrency: m.Concurrency, Preview: m.Preview, Arguments: make([]parameterJSON, len(m.Params)),
	}
	if l := m.Inputs.Limits; l != (bfl.InputLimits{}) {
		out.InputLimits = new(inputLimitsJSON(l))
	}
	for _, s := range m.Sizes {
		out.Sizes = append(out.Sizes, sizeJSON(s))
	}
	for i, p := range m.Params {
		arg := parameterJSON{
			Name: p.Name, Type: string(p.Kind), Required: p.Required, MultipleOf: p.MultipleOf, Enum: p.Enum, Ratio: p.Ratio,
			Default: p.Default, Description: p.About,
		}
		if p.Bounded&bfl.Below != 0 {
			arg.Min = new(p.Min)
		}
		if p.Bounded&bfl.Above != 0 {
			arg.Max = new(p.Max)
		}
		out.Arguments[i] = arg
	}
	return out
}
