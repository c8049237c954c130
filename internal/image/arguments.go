package image

import (
	"slices"
	"strconv"
	"strings"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// kinds are the types of the catalogue's parameters by name. Models agree on them.
var kinds = func() map[string]bfl.Kind {
	kinds := map[string]bfl.Kind{}
	for _, model := range bfl.Models() {
		for _, p := range model.Params {
			kinds[p.Name] = p.Kind
		}
	}
	return kinds
}()

// Parameter returns the type of an argument that goes into the request under its own name. It
// reports false for all other names.
func Parameter(name string) (bfl.Kind, bool) {
	kind, ok := kinds[name]
	return kind, ok
}

// treated are the arguments that do not go into the request under their own names.
var treated = []string{"model", "references", "inputs", "mask", "parameters", "output", "labels", "candidates", "pick"}

// Arguments are the arguments of an image whose values each instance has of its own, sorted: the
// catalogue's parameters, and those that are treated in ways of their own.
var Arguments = with(treated, parameters...)

// Defaultable are the arguments that can be the same for all images, sorted.
var Defaultable = slices.DeleteFunc(with(Arguments, "provider"), func(name string) bool { return name == "output" || name == "pick" })

// Exported are the attributes of an image that expressions can read, sorted.
var Exported = with(Arguments, "address", "provider", "path", "sha256", "id", "format", "cost", "picked", "rendition")

var parameters = func() []string {
	var names []string
	for name := range kinds {
		names = append(names, name)
	}
	return names
}()

func with(names []string, more ...string) []string {
	all := slices.Concat(names, more)
	slices.Sort(all)
	return all
}

// common are the parameters that are arguments and nothing else. What the catalogue has besides,
// few models have, and may stand in the map parameters as well: configurations that are older than
// the catalogue write it so.
var common = []string{
	"aspect_ratio", "bottom", "finetune_id", "finetune_strength", "guidance", "height", "image_prompt_strength", "left",
	"output_format", "prompt", "prompt_upsampling", "raw", "right", "safety_tolerance", "seed", "steps", "top", "width",
}

// OnlyArgument reports whether a name is that of an argument which cannot stand in the map
// parameters.
func OnlyArgument(name string) bool {
	_, isParameter := kinds[name]
	return slices.Contains(common, name) || !isParameter && slices.Contains(Arguments, name)
}

// freeArguments can change without a new image.
var freeArguments = []string{"output", "labels", "provider"}

// IsFree reports whether an attribute can change without a new image.
func IsFree(name string) bool { return slices.Contains(freeArguments, base(name)) }

// base returns the argument that an attribute is one of: "references" of "references[0]".
func base(name string) string {
	name, _, _ = strings.Cut(name, "[")
	return name
}

// LabelName is the name of the attribute that is a single label.
func LabelName(key string) string { return keyed("labels", key) }

func keyed(name, key string) string { return name + "[" + strconv.Quote(key) + "]" }

// fieldName returns the language's name of an input's field: "references[0]" for the first.
func fieldName(model *bfl.Model, field string) string {
	if i := slices.Index(model.Inputs.References, field); i >= 0 {
		return "references[" + strconv.Itoa(i) + "]"
	}
	if slices.Contains(model.Inputs.Roles, field) {
		return keyed("inputs", field)
	}
	return field
}

// argumentOf returns the argument that an input's field is given in.
func argumentOf(model *bfl.Model, field string) string {
	switch {
	case field == model.Inputs.Mask:
		return "mask"
	case slices.Contains(model.Inputs.Roles, field):
		return "inputs"
	default:
		return "references"
	}
}
