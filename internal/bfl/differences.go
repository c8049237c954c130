package bfl

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Difference is a point on which the API's endpoint document and its published schema disagree. The
// wider of the two passes, with a warning that names both: the API refuses what it does not take,
// and charges nothing for that. Where it would not refuse, but charge for something else, the
// narrower holds.
type Difference struct {
	// Models are names; one that ends in * stands for all that begin so.
	Models []string
	// Field is the request's field, or the first of several.
	Field string
	// Document and Schema are what the two say, as phrases.
	Document, Schema string
	// Held says why the narrower one holds, or that there is nothing to hold. It is "" where the
	// wider passes.
	Held string
	// otherwise is what may happen to a request beyond the narrower one.
	otherwise string
	// beyond reports whether a request is beyond the narrower one.
	beyond func(*Request) bool
}

const (
	refusedFree = "Where the API refuses it, nothing is charged."
	mayIgnore   = "The API may ignore it, and charge for the image all the same."
	neverSent   = "a default is never sent"
)

// differences are all that are known. What either document leaves out altogether is none.
var differences = []Difference{
	{
		Models: []string{"flux-2-*"}, Field: "width", Document: "multiples of 16", Schema: "any number from 64",
		Held: "the API does not refuse other sizes: it makes a size of its own, and charges for it",
	},
	{
		Models: []string{"flux-2-*"}, Field: "height", Document: "multiples of 16", Schema: "any number from 64",
		Held: "the API does not refuse other sizes: it makes a size of its own, and charges for it",
	},
	{
		Models: []string{"flux-2-*"}, Field: "width", Document: "at most 4 megapixels, with the height", Schema: "no bound",
		Held: "the API does not refuse other sizes: it makes a size of its own, and charges for it",
	},
	{
		Models: []string{"flux-2-klein-*"}, Field: "input_image_5", Document: "references up to input_image_8", Schema: "references up to input_image_4",
		Held: "BFL's pages on klein say 4, and the API would ignore the others and charge",
	},
	{Models: []string{"flux-2-flex"}, Field: "guidance", Document: "4.5 by default", Schema: "5.0 by default", Held: neverSent},
	{
		Models: []string{"flux-2-*", "flux-pro-1.1"}, Field: "output_format", Document: "jpeg or png", Schema: "jpeg, png or webp", otherwise: refusedFree,
		beyond: func(r *Request) bool { return r.Value("output_format") == "webp" },
	},
	{
		Models: []string{"flux-pro-1.1"}, Field: "safety_tolerance", Document: "0 to 5", Schema: "0 to 6", otherwise: refusedFree,
		beyond: func(r *Request) bool { return r.Value("safety_tolerance") == int64(6) },
	},
	{
		Models: []string{"flux-pro-1.1"}, Field: "prompt", Document: "required", Schema: "optional",
		otherwise: "Where the API takes it, it makes an image of its own choice.",
		beyond:    func(r *Request) bool { return !r.Has("prompt") },
	},
	{
		Models: []string{"flux-pro-1.1"}, Field: "width", Document: "multiples of 16 from 64, at most 4 megapixels with the height", Schema: "multiples of 32 from 256 to 1440",
		Held: "BFL's page on the model says what the schema does, and the other is about FLUX.2",
	},
	{
		Models: []string{"flux-pro-1.1"}, Field: "height", Document: "multiples of 16 from 64, at most 4 megapixels with the width", Schema: "multiples of 32 from 256 to 1440",
		Held: "BFL's page on the model says what the schema does, and the other is about FLUX.2",
	},
	{
		Models: []string{"flux-kontext*"}, Field: "input_image", Document: "required", Schema: "optional: an image can be made from a prompt alone",
		otherwise: refusedFree, beyond: func(r *Request) bool { return len(r.Inputs) == 0 },
	},
	{
		Models: []string{"flux-kontext*"}, Field: "input_image_5", Document: "references up to input_image_8", Schema: "references up to input_image_4",
		otherwise: "The API may refuse or ignore the further ones.", beyond: func(r *Request) bool { return len(r.Inputs) > 4 },
	},
	{
		Models: []string{"flux-kontext*"}, Field: "width", Document: "the width in pixels", Schema: "no such field", otherwise: mayIgnore,
		beyond: func(r *Request) bool { return r.Has("width") },
	},
	{
		Models: []string{"flux-kontext*"}, Field: "height", Document: "the height in pixels", Schema: "no such field", otherwise: mayIgnore,
		beyond: func(r *Request) bool { return r.Has("height") },
	},
	{
		Models: []string{"flux-kontext", "flux-fill"}, Document: "the endpoints /v1/flux-kontext and /v1/flux-fill",
		Schema: "the endpoints /v1/flux-kontext-pro and /v1/flux-pro-1.0-fill", Held: "both names are in the catalogue, and each calls its own",
	},
	{
		Models: []string{"*"}, Field: "prompt", Document: "at most 32K tokens", Schema: "no bound",
		Held: "nobody but the API can count its tokens, and it refuses what is too long",
	},
}

// Of reports whether the difference is about a model.
func (d *Difference) Of(model string) bool {
	return slices.ContainsFunc(d.Models, func(name string) bool {
		prefix, isPrefix := strings.CutSuffix(name, "*")
		return name == model || isPrefix && strings.HasPrefix(model, prefix)
	})
}

// Doubt is a part of a request that one of two documents of the API allows and the other does not.
type Doubt struct {
	// Field is the one at fault.
	Field string
	// Reason names what both say and what may come of it, in full sentences.
	Reason string
}

// doubtful are the differences that a request of a model, by its name, can be in doubt for.
var doubtful = sync.OnceValue(func() map[string][]*Difference {
	of := map[string][]*Difference{}
	for _, m := range Models() {
		for i := range differences {
			if d := &differences[i]; d.beyond != nil && d.Of(m.Name) {
				of[m.Name] = append(of[m.Name], d)
			}
		}
	}
	return of
})

// Doubts returns what is in doubt about a request that breaks no rule, in the order of the table.
func (r *Request) Doubts() []Doubt {
	var doubts []Doubt
	if r.Model.Custom {
		return nil
	}
	for _, d := range doubtful()[r.Model.Name] {
		if !d.beyond(r) {
			continue
		}
		doubts = append(doubts, Doubt{d.Field, fmt.Sprintf("%s of %s: the API's endpoint document says %s, and its published schema %s. The request is sent as it is. %s",
			d.Field, r.Model.Name, d.Document, d.Schema, d.otherwise)})
	}
	return doubts
}
