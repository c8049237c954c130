package planner

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/state"
)

// attributes returns what the image is before and after: prior is nil for an image that is new, img and request for one that goes.
func attributes(known *state.State, prior *state.Image, img *config.Image, request *bfl.Request) []Attribute {
	var all []Attribute
	if img != nil {
		all = configured(img, request)
	}
	if prior != nil {
		all = withRecorded(all, recorded(known, prior, request))
	}
	sortForReading(all)
	if prior != nil && request != nil {
		doubt(all, prior.Model == request.Model.Name)
	}
	for i := range all {
		a := &all[i]
		if prior != nil {
			a.Before = named(a.Before, a.After)
		}
		a.Sensitive = img != nil && isSensitive(img, request, a.Name) || isRedacted(a.Before)
		a.Forces = prior != nil && img != nil && a.Changed() && !a.MayDiffer && !isFree(a.Name) && !ignoresAttribute(img.Lifecycle, a.Name)
	}
	return all
}

// withRecorded adds what an image was to what it is to be.
func withRecorded(all []Attribute, before map[string]any) []Attribute {
	for i := range all {
		a := &all[i]
		a.Before = before[a.Name]
		delete(before, a.Name)
	}
	for name, value := range before {
		all = append(all, Attribute{Name: name, Before: value})
	}
	return all
}

// free are the attributes that can change without a new image.
var free = []string{"output", "labels", "provider"}

// isFree reports whether an attribute can change without a new image.
func isFree(name string) bool {
	base, _, _ := strings.Cut(name, "[")
	return slices.Contains(free, base)
}

// changesForFree reports whether anything differs that costs nothing.
func changesForFree(img *config.Image, prior *state.Image) bool {
	return img.Output != prior.Output.Path || img.Provider != prior.Provider || !maps.Equal(img.Labels, prior.Labels)
}

// requestChanged reports whether the request differs in more than the content of images upstream, whose fingerprint cannot tell.
func requestChanged(img *config.Image, prior *state.Image) bool {
	body, err := revealedBody(prior, img.Request.Model, &img.Request)
	if err != nil || prior.Model != img.Request.Model.Name {
		return true
	}
	return !sameFields(&img.Request, body, func(i int) bool { return img.Sources[i].IsImage })
}

// sameFields reports whether a request has the fields of a recorded body with the same values. Of inputs for whose index anyContent is true, only
// that they are there is compared.
func sameFields(request *bfl.Request, body map[string]json.RawMessage, anyContent func(input int) bool) bool {
	for _, a := range request.Arguments {
		before, ok := body[a.Name]
		if !ok || a.Value == nil || !equal(value(before), plain(a.Value)) {
			return false
		}
	}
	for i, in := range request.Inputs {
		before, ok := body[in.Field]
		if !ok || !anyContent(i) && !equal(recordedInput(before), Reference{Name: in.URL, SHA256: in.SHA256}) {
			return false
		}
	}
	return len(request.Arguments)+len(request.Inputs) == len(body)
}

// configured returns the attributes of a desired image.
func configured(img *config.Image, request *bfl.Request) []Attribute {
	all := make([]Attribute, 0, 3+len(request.Arguments)+len(request.Inputs)+len(img.Labels))
	all = append(all, Attribute{Name: "model", After: request.Model.Name}, Attribute{Name: "output", After: img.Output},
		Attribute{Name: "provider", After: img.Provider})
	for _, a := range request.Arguments {
		all = append(all, Attribute{Name: a.Name, After: plain(a.Value), Unknown: a.Value == nil})
	}
	for i, in := range request.Inputs {
		a := Attribute{Name: inputName(request.Model, in.Field)}
		reference := Reference{Name: in.URL, SHA256: in.SHA256}
		switch source := img.Sources[i]; {
		case source.Unknown:
			a.Unknown = true
		case source.IsImage:
			reference.Name = source.Image.String()
			a.Unknown = in.SHA256 == ""
		case source.File != "":
			reference.Name = source.Name
		}
		a.After = reference
		all = append(all, a)
	}
	for key, text := range img.Labels {
		all = append(all, Attribute{Name: labelName(key), After: text})
	}
	return all
}

// modelOf returns the model that made an image: the one of the catalogue or, as far as request shows it, of a model block. Else it is nil.
func modelOf(prior *state.Image, request *bfl.Request) *bfl.Model {
	if request != nil && request.Model.Name == prior.Model {
		return request.Model
	}
	return bfl.Lookup(prior.Model)
}

// recorded returns the attributes of an image on record. request is what is asked for now, nil for an image that goes.
func recorded(known *state.State, prior *state.Image, request *bfl.Request) map[string]any {
	all := map[string]any{"model": prior.Model, "output": prior.Output.Path, "provider": prior.Provider}
	for key, text := range prior.Labels {
		all[labelName(key)] = text
	}
	model := modelOf(prior, request)
	body, err := revealedBody(prior, model, request)
	if err != nil {
		// The state was checked when it was read. Without the request the diff says less, and the fingerprints still decide.
		return all
	}
	for field, raw := range body {
		if !isInput(model, field, raw) {
			all[field] = value(raw)
			continue
		}
		reference := recordedInput(raw)
		for _, upstream := range prior.Dependencies {
			if img := known.Images[upstream]; img != nil && reference.SHA256 != "" && img.Output.Identity() == reference.SHA256 {
				reference.Name = upstream.String()
			}
		}
		all[inputName(model, field)] = reference
	}
	return all
}

// recordedBody returns the fields of the request that made an image, with its references under the names that the model, if it is not nil, has for
// them.
func recordedBody(prior *state.Image, model *bfl.Model) (map[string]json.RawMessage, error) {
	_, body, err := bodyOf(prior.Request, model)
	return body, err
}

// bodyOf returns the endpoint and the fields of a request in its canonical form, as recordedBody does.
func bodyOf(canonical json.RawMessage, model *bfl.Model) (endpoint string, body map[string]json.RawMessage, err error) {
	var request struct {
		Endpoint string                     `json:"endpoint"`
		Body     map[string]json.RawMessage `json:"body"`
	}
	if err := json.Unmarshal(canonical, &request); err != nil || model == nil {
		return request.Endpoint, request.Body, err
	}
	return request.Endpoint, model.Spread(request.Body), nil
}

// isInput reports whether a recorded field is an image. A model that is no longer known is told by the form of the field's value.
func isInput(model *bfl.Model, field string, raw json.RawMessage) bool {
	if model != nil {
		return model.IsInput(field)
	}
	return bytes.HasPrefix(raw, []byte(`{"sha256":`))
}

func recordedInput(raw json.RawMessage) Reference {
	var hash struct {
		SHA256 string `json:"sha256"`
	}
	if json.Unmarshal(raw, &hash) == nil && hash.SHA256 != "" {
		return Reference{SHA256: hash.SHA256}
	}
	url, _ := value(raw).(string)
	return Reference{Name: url}
}

// inputName returns the language's name of an input field: "references[0]" for the first.
func inputName(model *bfl.Model, field string) string {
	if model != nil {
		if i := slices.Index(model.Inputs.References, field); i >= 0 {
			return fmt.Sprintf("references[%d]", i)
		}
		if slices.Contains(model.Inputs.Roles, field) {
			return "inputs[" + strconv.Quote(field) + "]"
		}
	}
	return field
}

func labelName(key string) string { return "labels[" + strconv.Quote(key) + "]" }

// plain gives a field of the request that the catalogue does not know the form that its recorded one has; see value.
func plain(v any) any {
	if raw, ok := v.(json.RawMessage); ok {
		return value(raw)
	}
	return v
}

// value decodes a recorded field: to a string, bool, int64 or float64 if it is one, else it stays JSON.
func value(raw json.RawMessage) any {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return raw
	}
	switch v := v.(type) {
	case string, bool:
		return v
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		if f, err := v.Float64(); err == nil {
			return f
		}
	}
	return raw
}

// named gives a reference of the past the name of the present one where both have the same content.
func named(before, after any) any {
	old, ok1 := before.(Reference)
	now, ok2 := after.(Reference)
	if ok1 && ok2 && old.Name == "" && old.SHA256 != "" && old.SHA256 == now.SHA256 {
		return now
	}
	return before
}

// equal compares two values of attributes.
func equal(a, b any) bool {
	switch a := a.(type) {
	case json.RawMessage:
		b, ok := b.(json.RawMessage)
		return ok && bytes.Equal(compact(a), compact(b))
	case Reference:
		b, ok := b.(Reference)
		if ok && (a.SHA256 != "" || b.SHA256 != "") {
			return a.SHA256 == b.SHA256
		}
		return ok && a == b
	case int64:
		if b, ok := b.(float64); ok {
			return float64(a) == b
		}
	case float64:
		if b, ok := b.(int64); ok {
			return a == float64(b)
		}
	}
	if _, ok := b.(json.RawMessage); ok {
		return false
	}
	return a == b
}

func compact(raw json.RawMessage) []byte {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return raw
	}
	return b.Bytes()
}
