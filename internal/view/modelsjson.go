package view

import (
	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// The types below are what "models -json" writes. Fields are added, never renamed or removed while modelsFormat has the same major number.

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
	// Mask says whether the model takes one.
	Mask bool `json:"mask"`
	// MaxPixels bounds width times height; absent where the sides are bounded on their own.
	MaxPixels int `json:"max_pixels,omitempty"`
	// Sizes are taken although they break the rule of multiples.
	Sizes []sizeJSON `json:"sizes,omitempty"`
	// Concurrency bounds the model's active tasks in an account; absent where only the account's own limit does.
	Concurrency int             `json:"concurrency,omitempty"`
	Preview     bool            `json:"preview"`
	Arguments   []parameterJSON `json:"arguments"`
}

// priceJSON is either by megapixel or by image.
type priceJSON struct {
	FirstMegapixel *bfl.Credits `json:"first_megapixel,omitempty"`
	// Megapixel is for each further megapixel, and for each one of the references.
	Megapixel *bfl.Credits `json:"megapixel,omitempty"`
	Image     *bfl.Credits `json:"image,omitempty"`
}

type referencesJSON struct {
	Min int `json:"min"`
	Max int `json:"max"`
	// URLs says whether references can be https URLs.
	URLs bool `json:"urls"`
	// Fields are the request's fields in order.
	Fields []string `json:"fields"`
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

// ModelsJSON writes models as one JSON object.
func (v *View) ModelsJSON(models []*bfl.Model) {
	out := catalogueJSON{FormatVersion: modelsFormat, PricesAsOf: bfl.PricesAsOf, Models: make([]modelJSON, len(models))}
	for i, m := range models {
		out.Models[i] = newModelJSON(m)
	}
	v.document(out)
}

func newModelJSON(m *bfl.Model) modelJSON {
	out := modelJSON{
		Name: m.Name, Title: m.Title, Endpoint: m.Endpoint, Price: priceJSON{Image: &m.Price.Image}, Mask: m.Inputs.Mask != "",
		References: referencesJSON{Min: m.Inputs.Required, Max: len(m.Inputs.References), URLs: !m.Inputs.NoURL, Fields: m.Inputs.References},
		MaxPixels:  m.MaxPixels, Concurrency: m.Concurrency, Preview: m.Preview, Arguments: make([]parameterJSON, len(m.Params)),
	}
	if m.Price.Image == 0 {
		out.Price = priceJSON{FirstMegapixel: &m.Price.First, Megapixel: &m.Price.Further}
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
