package bfl

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
)

// Model describes one endpoint that makes images. Models of the catalogue are shared and never
// changed.
type Model struct {
	// Name is what configurations call it, such as "flux-2-pro".
	Name string
	// Endpoint is the path of the POST, such as "/v1/flux-2-pro".
	Endpoint string
	// Title is one line for people.
	Title string
	// Params are the parameters in the API's own order.
	Params []Param
	// Inputs says which fields carry images.
	Inputs Inputs
	// MaxPixels bounds width x height; 0 leaves it to the parameters' own ranges.
	MaxPixels int
	// Sizes are (width, height) pairs that the API takes although they break the rule of multiples.
	// The image may come out some lines higher or lower.
	Sizes []Size
	// Price is the model's line in the price table.
	Price Price
	// Concurrency bounds the model's active tasks in an account; 0 is bounded by the account alone.
	Concurrency int
	// Repeatable says that a seed makes the model draw the same image again.
	Repeatable bool
	// Preview marks a model that the API may replace without notice.
	Preview bool
	// Deprecated marks a model that the API's schema advises against.
	Deprecated bool
	// NoWebhook says that requests cannot ask for a webhook. The client sends none, and such tasks
	// are polled.
	NoWebhook bool
	// Strict says that the API refuses a request with a field that it does not know; others ignore
	// it.
	Strict bool
	// Custom marks a model declared in a configuration: its parameters are unknown here and go to
	// the API unchecked.
	Custom bool
	// Fields are the parameters that a Custom model which is Strict has, sorted. NoSeed says of a
	// Custom model that it has no seed.
	Fields []string
	NoSeed bool
}

// Size is an image's extent in pixels.
type Size struct{ Width, Height int }

// Kind is the JSON type of a parameter.
type Kind string

// The kinds of parameters.
const (
	String  Kind = "string"
	Integer Kind = "integer"
	Number  Kind = "number"
	Boolean Kind = "boolean"
)

// Param describes one field of a request that is not an image.
type Param struct {
	Name string
	Kind Kind
	// Required parameters must be given. A prompt is required where the model makes nothing without
	// one.
	Required bool
	// Nullable parameters accept JSON's null for "not given". The client never sends one.
	Nullable bool
	// Min and Max bound a number, both inclusive; Bounded says which of them hold.
	Min, Max float64
	Bounded  Bounds
	// MultipleOf, when not 0, is what an integer must be divisible by.
	MultipleOf int
	// Enum, when not empty, lists the strings allowed.
	Enum []string
	// Ratio marks a string of the form "W:H" between 21:9 and 9:21.
	Ratio bool
	// Default is what the API assumes when the field is absent, nil where it says nothing. It is
	// for people's information: a default is never sent, since sources disagree on some and the API
	// may change them.
	Default any
	// About is one line for people.
	About string
}

// Bounds tells which ends of a range hold.
type Bounds uint8

// The ends of a range.
const (
	Unbounded Bounds = 0
	Below     Bounds = 1 // Min holds
	Above     Bounds = 2 // Max holds
	Between          = Below | Above
)

// Inputs describes the fields of a request that carry images.
type Inputs struct {
	// References are the fields for references in order: "image 1" of a prompt is the first. With
	// List they are the places in that list; see ReferenceList.
	References []string
	// List is the one field that carries all references, as a list; "" where each has a field of
	// its own.
	List string
	// OneOrList says that List takes a single image bare as well. The client always sends a list.
	OneOrList bool
	// Roles are fields for images that each mean something of its own, such as "person". A request
	// must have all of them.
	Roles []string
	// Required says how many references a request must have at least.
	Required int
	// Documented is how many references the published schema has fields for, where that is fewer
	// than References; the others are there by another document only. 0 where the two agree.
	Documented int
	// Mask is the field for a mask: "mask", or "" where the model takes none. MaskRequired says
	// that there must be one.
	Mask         string
	MaskRequired bool
	// NoURL says that the fields take Base64 only.
	NoURL bool
	// Limits bound the extent of each image but a mask.
	Limits InputLimits
}

// InputLimits bound the extent of an image that is sent as an input. What is 0 is not bounded.
type InputLimits struct {
	// MinSide and MaxSide bound each side, in pixels.
	MinSide, MaxSide int
	// MinPixels and MaxPixels bound the area.
	MinPixels, MaxPixels int
}

// Param returns the parameter of that name, or nil.
func (m *Model) Param(name string) *Param {
	for i := range m.Params {
		if m.Params[i].Name == name {
			return &m.Params[i]
		}
	}
	return nil
}

// Takes reports whether a request for the model can have a parameter, as far as that is known.
func (m *Model) Takes(name string) bool {
	switch {
	case !m.Custom:
		return m.Param(name) != nil
	case m.NoSeed && name == "seed":
		return false
	default:
		return !m.Strict || slices.Contains(m.Fields, name)
	}
}

// ReferenceList returns the inputs of a model whose field is a list of at most that many
// references. The places in the list are References of their own, "images[0]" and so on, so that
// what is said of an image's field can be said of each.
func ReferenceList(field string, most int) Inputs {
	in := Inputs{References: make([]string, most), List: field}
	for i := range in.References {
		in.References[i] = field + "[" + strconv.Itoa(i) + "]"
	}
	return in
}

// IsInput reports whether a field of the request, or a place in its list of references, carries an
// image.
func (m *Model) IsInput(field string) bool {
	in := &m.Inputs
	return field != "" && (field == in.Mask || field == in.List || slices.Contains(in.References, field) || slices.Contains(in.Roles, field))
}

// IsReference reports whether a field of the request, or a place in its list of references, is
// filled from the list of references. Fields beyond those that the model has are taken for such.
func (m *Model) IsReference(field string) bool {
	return field != "mask" && !slices.Contains(m.Inputs.Roles, field)
}

// Spread returns the fields of a body, or of the canonical form of one, with the list of references
// taken apart: its elements are under the names that Inputs.References has for them. The argument
// is not changed.
func (m *Model) Spread(body map[string]json.RawMessage) map[string]json.RawMessage {
	var list []json.RawMessage
	raw, ok := body[m.Inputs.List]
	if m.Inputs.List == "" || !ok || json.Unmarshal(raw, &list) != nil {
		return body
	}
	spread := maps.Clone(body)
	delete(spread, m.Inputs.List)
	for i, element := range list {
		// There may be more than the model takes now.
		spread[m.Inputs.List+"["+strconv.Itoa(i)+"]"] = element
	}
	return spread
}

// DefaultFormat returns the file format ("jpeg", "png", "webp") that the model makes when a request
// names none.
func (m *Model) DefaultFormat() string {
	if p := m.Param("output_format"); p != nil {
		if format, ok := p.Default.(string); ok {
			return format
		}
	}
	return "jpeg"
}

// Lookup returns the catalogue's model of that name, or nil.
func Lookup(name string) *Model { return byName[name] }

// Models returns the catalogue in the order in which it is shown. The caller must not change it.
func Models() []*Model { return catalogue }

var byName = func() map[string]*Model {
	m := make(map[string]*Model, len(catalogue))
	for _, model := range catalogue {
		m[model.Name] = model
		if model.Endpoint == "" {
			model.Endpoint = "/v1/" + model.Name
		}
	}
	return m
}()
