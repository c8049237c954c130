package image

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// Redacted stands in a recorded request for a value that is sensitive: states are there to be
// committed.
const Redacted = "(sensitive value)"

// isRedacted reports whether a recorded value is not on record because it is sensitive.
func isRedacted(value any) bool {
	reference, _ := value.(Reference)
	return value == Redacted || reference.URL == Redacted
}

// Record returns the form of the image's request that is kept: the canonical one, see
// bfl.Request.MarshalJSON, without the values that are sensitive. All of the request must be known.
func (img *Image) Record() json.RawMessage {
	kept := *img.Request()
	if len(img.Sensitive()) > 0 {
		kept.Arguments = slices.Clone(kept.Arguments)
	}
	for i := range kept.Arguments {
		if slices.Contains(img.Sensitive(), kept.Arguments[i].Name) {
			kept.Arguments[i].Value = Redacted
		}
	}
	for i := range kept.Inputs {
		if in := &kept.Inputs[i]; in.URL != "" && slices.Contains(img.Sensitive(), in.Field) {
			in.URL = Redacted
		}
	}
	// A request whose arguments and references are known is always representable; see
	// bfl.Request.Fingerprint.
	canonical, _ := kept.MarshalJSON()
	// It is kept as long as the state is, and so without the room that it was written in.
	return bytes.Clone(canonical)
}

// Decode reads a recorded request into an image that has a model, arguments and references and
// nothing else. What Record wrote gives the fingerprint again that it was written with, but for
// what is redacted.
//
// model is the one that made the image, nil where nobody describes it any more. It is then called
// name, and its references are told by the form of their values, alone or in a list.
func Decode(canonical json.RawMessage, model *bfl.Model, name string) (*Image, error) {
	var request struct {
		Endpoint string                     `json:"endpoint"`
		Body     map[string]json.RawMessage `json:"body"`
	}
	err := json.Unmarshal(canonical, &request)
	isKnown := model != nil
	switch {
	case !isKnown:
		model = &bfl.Model{Name: name, Endpoint: request.Endpoint, Inputs: listIn(request.Body)}
	case request.Endpoint != model.Endpoint:
		model = new(*model)
		model.Endpoint = request.Endpoint
	}
	img := &Image{Model: model}
	if err != nil {
		return img, err
	}
	for field, raw := range model.Spread(request.Body) {
		if model.IsInput(field) || !isKnown && isContent(raw) {
			r := recordedReference(raw)
			r.Field = field
			img.References = append(img.References, r)
			continue
		}
		img.Arguments = append(img.Arguments, bfl.Argument{Name: field, Value: value(raw)})
	}
	bfl.SortArguments(img.Arguments)
	slices.SortFunc(img.References, func(a, b Reference) int {
		return CompareNames(fieldName(model, a.Field), fieldName(model, b.Field))
	})
	return img, nil
}

// isContent reports whether a recorded value has the form of the content of an image.
func isContent(raw json.RawMessage) bool { return bytes.HasPrefix(raw, []byte(`{"sha256":`)) }

// listIn finds the field that carries a list of references, by the form of its values.
func listIn(body map[string]json.RawMessage) bfl.Inputs {
	for field, raw := range body {
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) == nil && slices.ContainsFunc(list, isContent) {
			return bfl.ReferenceList(field, len(list))
		}
	}
	return bfl.Inputs{}
}

func recordedReference(raw json.RawMessage) Reference {
	var hash struct {
		SHA256 string `json:"sha256"`
	}
	if json.Unmarshal(raw, &hash) == nil && hash.SHA256 != "" {
		return Reference{Input: bfl.Input{SHA256: hash.SHA256}}
	}
	url, _ := value(raw).(string)
	return Reference{Input: bfl.Input{URL: url}}
}

// value decodes a recorded field: to a string, bool, int64 or float64 if it is one, else it stays
// JSON.
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

// plain gives a field of the request that the catalogue does not know the form that its recorded
// one has; see value.
func plain(v any) any {
	if raw, ok := v.(json.RawMessage); ok {
		return value(raw)
	}
	return v
}

// Reveal returns an image on record with the present values in the place of those that are
// redacted, where the fingerprint that made it tells that they are the same. Where one of them
// differs, or is not known now, nothing tells about the others, and the image is returned as it is.
// present may be nil.
func (img *Image) Reveal(present *Image, fingerprint string) *Image {
	if present == nil {
		return img
	}
	revealed := *img
	revealed.Arguments, revealed.References = slices.Clone(img.Arguments), slices.Clone(img.References)
	hidden := false
	now := present.Request()
	for i := range revealed.Arguments {
		a := &revealed.Arguments[i]
		if !isRedacted(a.Value) {
			continue
		}
		if hidden, a.Value = true, now.Value(a.Name); a.Value == nil {
			return img
		}
	}
	for i := range revealed.References {
		r := &revealed.References[i]
		if !isRedacted(*r) {
			continue
		}
		other := present.reference(r.Field)
		if hidden = true; other == nil || other.URL == "" && other.SHA256 == "" {
			return img
		}
		r.Input = other.Input
	}
	if !hidden || revealed.Request().Fingerprint() != fingerprint {
		return img
	}
	return &revealed
}

// reference returns the reference that goes into a field, or nil.
func (img *Image) reference(field string) *Reference {
	for i := range img.References {
		if img.References[i].Field == field {
			return &img.References[i]
		}
	}
	return nil
}

// SameRequest reports whether an image asks for what one on record asked for, whatever the pictures
// of other images are that go into it: of these, a fingerprint that is known only later cannot
// tell.
func (img *Image) SameRequest(before *Image) bool {
	return img.Model.Name == before.Model.Name && sameFields(img, before, (*Reference).IsMade)
}

// sameFields reports whether two images have the same arguments and references. Of references for
// which anyContent is true, only that they are there is compared.
func sameFields(img, before *Image, anyContent func(*Reference) bool) bool {
	recorded := bfl.Request{Arguments: before.Arguments}
	for _, a := range img.Arguments {
		if a.Value == nil || !equal(recorded.Value(a.Name), plain(a.Value)) {
			return false
		}
	}
	for i := range img.References {
		r := &img.References[i]
		was := before.reference(r.Field)
		if was == nil || !anyContent(r) && !was.Same(r) {
			return false
		}
	}
	return len(img.Arguments) == len(before.Arguments) && len(img.References) == len(before.References)
}
