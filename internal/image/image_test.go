package image

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

func TestReadingOrder(t *testing.T) {
	t.Parallel()
	want := []string{
		"model", "prompt", "references[0]", "references[1]", "mask", "width", "height", "top", "bottom", "left", "right", "seed", "steps", "guidance",
		"safety_tolerance", "grounding", "style", "output_format", "output", `labels["a"]`, `labels["b"]`, "provider",
	}
	got := slices.Sorted(slices.Values(want))
	slices.SortFunc(got, CompareNames)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestEqualValues(t *testing.T) {
	t.Parallel()
	content := func(address, sha256 string) Reference {
		return Reference{Input: bfl.Input{SHA256: sha256}, Image: addrs.Image{Name: address}}
	}
	url := func(url string) Reference { return Reference{Input: bfl.Input{URL: url}} }
	tests := []struct {
		a, b any
		want bool
	}{
		{int64(3), 3.0, true},
		{3.5, int64(3), false},
		{"3", int64(3), false},
		{json.RawMessage(`{"a": 1}`), json.RawMessage(`{"a":1}`), true},
		{json.RawMessage(`[1]`), "x", false},
		{"x", json.RawMessage(`[1]`), false},
		{content("a", "1"), content("b", "1"), true},
		{content("a", "1"), content("a", "2"), false},
		{url("https://a"), url("https://b"), false},
		{url("https://a"), url("https://a"), true},
		{url("https://a"), content("a", "1"), false},
		{nil, "", false},
	}
	for _, tt := range tests {
		if got := equal(tt.a, tt.b); got != tt.want {
			t.Errorf("equal(%#v, %#v) = %v, want %v", tt.a, tt.b, got, tt.want)
		}
	}
}

// What the catalogue has is an argument, so that a new parameter needs no second place.
func TestParametersAreArguments(t *testing.T) {
	t.Parallel()
	for _, model := range bfl.Models() {
		for _, p := range model.Params {
			if kind, ok := Parameter(p.Name); !ok || kind != p.Kind {
				t.Errorf("%s of %s is of the kind %v, and as an argument %v, %v", p.Name, model.Name, p.Kind, kind, ok)
			}
			for name, list := range map[string][]string{"Arguments": Arguments, "Defaultable": Defaultable, "Exported": Exported} {
				if !slices.Contains(list, p.Name) || !slices.IsSorted(list) {
					t.Errorf("%s lacks %s, or is not sorted", name, p.Name)
				}
			}
		}
	}
	for _, name := range common {
		if _, ok := Parameter(name); !ok {
			t.Errorf("no model has a %s", name)
		}
	}
}

// full returns an image with a value for every parameter of a model and a reference in each of its
// fields.
func full(m *bfl.Model) *Image {
	img := &Image{Model: m}
	for _, p := range m.Params {
		var value any = "x"
		switch p.Kind {
		case bfl.Integer:
			value = int64(7)
		case bfl.Number:
			value = 2.5
		case bfl.Boolean:
			value = true
		case bfl.String:
		}
		img.Arguments = append(img.Arguments, bfl.Argument{Name: p.Name, Value: value})
	}
	img.Arguments = append(img.Arguments, bfl.Argument{Name: "zeta", Value: json.RawMessage(`{"a":null,"b":[1,2.5,"x"]}`)})
	bfl.SortArguments(img.Arguments)
	fields := slices.Concat(m.Inputs.References, m.Inputs.Roles)
	if m.Inputs.Mask != "" {
		fields = append(fields, m.Inputs.Mask)
	}
	for i, field := range fields {
		in := bfl.Input{Field: field, URL: fmt.Sprintf("https://example.com/%d.png", i)}
		if i%2 == 0 {
			in = bfl.Input{Field: field, SHA256: strings.Repeat(fmt.Sprint(i%10), 64)}
		}
		img.References = append(img.References, Reference{Input: in})
	}
	return img
}

// TestRecord holds that what is recorded says what was asked for, for every model: with the same
// fingerprint, under the same names, and nothing that is sensitive.
func TestRecord(t *testing.T) {
	t.Parallel()
	declared := &bfl.Model{Name: "newest", Endpoint: "/v1/newest", Custom: true, Inputs: bfl.ReferenceList("images", 3)}
	for _, model := range append(slices.Clone(bfl.Models()), declared) {
		img := full(model)
		recorded, err := Decode(img.Record(), model, model.Name)
		if err != nil {
			t.Fatal(err)
		}
		if recorded.Request().Fingerprint() != img.Request().Fingerprint() || !img.SameRequest(recorded) {
			t.Errorf("%s is recorded as %s, which is another request", model.Name, img.Record())
		}
		for _, a := range Compare(recorded, img) {
			if (a.Changed() || a.Before == nil) && a.Name != "output" && a.Name != "provider" {
				t.Errorf("%s of %s is %v on record and %v", a.Name, model.Name, a.Before, a.After)
			}
		}
		moved := *model
		moved.Endpoint = "/v2/elsewhere"
		if there, _ := Decode(img.Record(), &moved, model.Name); there.Request().Fingerprint() != img.Request().Fingerprint() {
			t.Errorf("%s with another endpoint now is recorded as another request", model.Name)
		}
		for _, a := range img.Arguments {
			img.Rare().Sensitive = append(img.Sensitive(), a.Name)
		}
		for i := range img.References {
			img.Rare().Sensitive = append(img.Sensitive(), img.References[i].Field)
		}
		if text := string(img.Record()); strings.Contains(text, "https://") || strings.Contains(text, "2.5") {
			t.Errorf("sensitive values of %s are on record: %s", model.Name, text)
		}
		hidden, _ := Decode(img.Record(), model, model.Name)
		if revealed := hidden.Reveal(img, img.Request().Fingerprint()); revealed.Request().Fingerprint() != img.Request().Fingerprint() {
			t.Errorf("the present values of %s are not seen to be the recorded ones", model.Name)
		}
		img.Arguments[0].Value = "another"
		if revealed := hidden.Reveal(img, full(model).Request().Fingerprint()); revealed != hidden {
			t.Errorf("another value of %s is taken for the recorded one", model.Name)
		}
	}
}

// A model that nobody describes any more has its references all the same, under the names of the
// fields.
func TestDecodeUnknownModel(t *testing.T) {
	t.Parallel()
	img, err := Decode(json.RawMessage(`{"endpoint":"/v1/gone","body":{"input_image":{"sha256":"aa"},"prompt":"x","seed":7}}`), nil, "gone")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, a := range img.Attributes() {
		names = append(names, a.Name)
	}
	if diff := cmp.Diff([]string{"model", "prompt", "seed", "input_image", "output", "provider"}, names); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
	list, err := Decode(json.RawMessage(`{"endpoint":"/v1/gone","body":{"images":[{"sha256":"aa"},"https://example.com/a.png"],"sizes":[1]}}`), nil, "gone")
	if err != nil || len(list.References) != 2 || list.References[0].SHA256 != "aa" || list.References[1].URL != "https://example.com/a.png" {
		t.Errorf("a list of references is read as %+v, %v", list.References, err)
	}
	if _, err := Decode(json.RawMessage(`[]`), nil, "gone"); err == nil {
		t.Error("what is no request is read as one")
	}
}
