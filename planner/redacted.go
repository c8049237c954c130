package planner

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/state"
)

// isRedacted reports whether a recorded value is not on record because it is sensitive.
func isRedacted(value any) bool {
	reference, _ := value.(Reference)
	return value == state.Redacted || reference.Name == state.Redacted
}

// isSensitive reports whether an attribute comes from a sensitive value. Which image a reference is to is no secret: the state names it.
func isSensitive(img *config.Image, request *bfl.Request, name string) bool {
	for i, in := range request.Inputs {
		if inputName(request.Model, in.Field) == name && img.Sources[i].IsImage {
			return false
		}
	}
	return slices.ContainsFunc(img.Sensitive, func(argument string) bool {
		return argument == name || inputName(request.Model, argument) == name
	})
}

// revealedBody returns the recorded body, as recordedBody does, with the present values in the place of those that are not on record, where the
// fingerprint tells that they are the same. Where one of them differs, or is not known now, nothing tells about the others.
func revealedBody(prior *state.Image, model *bfl.Model, request *bfl.Request) (map[string]json.RawMessage, error) {
	endpoint, recorded, err := bodyOf(prior.Request, model)
	var hidden []string
	for field, raw := range recorded {
		if isRedacted(value(raw)) {
			hidden = append(hidden, field)
		}
	}
	if err != nil || model == nil || request == nil || len(hidden) == 0 {
		return recorded, err
	}
	present, err := presentBody(request)
	if err != nil {
		return recorded, err
	}
	revealed := maps.Clone(recorded)
	for _, field := range hidden {
		raw, ok := present[field]
		if !ok {
			return recorded, nil
		}
		revealed[field] = raw
	}
	if fingerprintOf(model, endpoint, revealed) != prior.Fingerprint {
		return recorded, nil
	}
	return revealed, nil
}

// presentBody returns the fields of a request in their canonical form, without those that are known only after apply.
func presentBody(request *bfl.Request) (map[string]json.RawMessage, error) {
	canonical, err := request.MarshalJSON()
	if err != nil {
		return nil, err
	}
	_, body, err := bodyOf(canonical, request.Model)
	maps.DeleteFunc(body, func(_ string, raw json.RawMessage) bool { return string(raw) == "null" })
	return body, err
}

// fingerprintOf returns the fingerprint of a request with that body, as bodyOf returns it.
func fingerprintOf(model *bfl.Model, endpoint string, body map[string]json.RawMessage) string {
	there := *model
	there.Endpoint = endpoint
	request := bfl.Request{Model: &there}
	for field, raw := range body {
		if !isInput(model, field, raw) {
			request.Arguments = append(request.Arguments, bfl.Argument{Name: field, Value: raw})
			continue
		}
		reference := recordedInput(raw)
		request.Inputs = append(request.Inputs, bfl.Input{Field: field, URL: reference.Name, SHA256: reference.SHA256})
	}
	return request.Fingerprint()
}

// doubt marks the attributes of which nothing tells whether they differ, because there are several that are not on record.
func doubt(all []Attribute, sameModel bool) {
	hidden := 0
	for i := range all {
		if isRedacted(all[i].Before) {
			hidden++
		}
	}
	for i := range all {
		a := &all[i]
		// The only one differs: revealedBody would have found it to be the same.
		a.MayDiffer = isRedacted(a.Before) && a.After != nil && !a.Unknown && (hidden > 1 || !sameModel)
	}
}

// ignoresAttribute reports whether changes of an attribute do not count.
func ignoresAttribute(l config.Lifecycle, name string) bool {
	base, _, _ := strings.Cut(name, "[")
	return ignores(l, base)
}
