package bfl_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// TestDocumentedModels makes sure that the catalogue has the models of the API's endpoint document
// under their own names.
func TestDocumentedModels(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"flux-2-klein-4b", "flux-2-klein-9b", "flux-2-max", "flux-2-pro", "flux-2-flex",
		"flux-pro-1.1", "flux-kontext", "flux-kontext-max", "flux-fill",
	} {
		m := bfl.Lookup(name)
		if m == nil {
			t.Errorf("%s is not in the catalogue", name)
			continue
		}
		if want := "/v1/" + name; m.Endpoint != want {
			t.Errorf("%s is at %s, want %s", name, m.Endpoint, want)
		}
	}
	if bfl.Lookup("flux-kontext-max").Concurrency != 6 {
		t.Error("flux-kontext-max is not limited to 6 active tasks")
	}
	if bfl.Lookup("no-such-model") != nil {
		t.Error("Lookup invents models")
	}
}

// TestCatalogue holds what must be true of every model.
func TestCatalogue(t *testing.T) {
	t.Parallel()
	names, endpoints := map[string]bool{}, map[string]bool{}
	for _, m := range bfl.Models() {
		if names[m.Name] || endpoints[m.Endpoint] {
			t.Errorf("%s is in the catalogue twice", m.Name)
		}
		names[m.Name], endpoints[m.Endpoint] = true, true
		if m.Title == "" || bfl.Lookup(m.Name) != m || !strings.HasPrefix(m.Endpoint, "/v1/") {
			t.Errorf("%s is not described completely", m.Name)
		}
		kinds := 0
		for _, is := range []bool{m.Price.Image != 0, m.Price.First != 0, m.Price.By != "", m.Price.Unknown} {
			if is {
				kinds++
			}
		}
		if kinds != 1 {
			t.Errorf("%s has no price, or two", m.Name)
		}
		if strings.HasSuffix(m.Name, "-preview") != m.Preview {
			t.Errorf("%s: Preview is %v", m.Name, m.Preview)
		}
		if m.Inputs.Required > len(m.Inputs.References) || m.Inputs.Documented > len(m.Inputs.References) {
			t.Errorf("%s needs more references than it has fields for", m.Name)
		}
		if m.Inputs.Mask != "" && m.Inputs.Mask != "mask" {
			t.Errorf("%s has a mask called %s; see bfl.Input", m.Name, m.Inputs.Mask)
		}
		if m.Custom {
			t.Errorf("%s is marked as custom", m.Name)
		}
		seen := map[string]bool{}
		for _, p := range m.Params {
			if seen[p.Name] || m.IsInput(p.Name) || p.About == "" {
				t.Errorf("%s: %s is there twice, or not described", m.Name, p.Name)
			}
			seen[p.Name] = true
			if v := p.Check(normal(p.Default)); p.Default != nil && v != nil {
				t.Errorf("%s: the default of %s breaks its own rules: %s", m.Name, p.Name, v.Reason)
			}
		}
		if m.MaxPixels > 0 {
			for _, s := range m.Sizes {
				if s.Width*s.Height > m.MaxPixels {
					t.Errorf("%s: the size %v is too large", m.Name, s)
				}
			}
		}
	}
}

// normal gives a default the type that it has in a request.
func normal(value any) any {
	if n, ok := value.(int); ok {
		return int64(n)
	}
	return value
}

// property is what the published schema and the catalogue both say of a field. What the one leaves
// open is NaN, "" or nil.
type property struct {
	kind                      string
	required, nullable, input bool
	least, most, multiple     float64
	enum                      []string
	byDefault                 any
}

// The schema's own words, as far as they matter.
type (
	openAPI struct {
		Paths map[string]map[string]struct {
			RequestBody struct {
				Content map[string]struct {
					Schema schemaNode `json:"schema"`
				} `json:"content"`
			} `json:"requestBody"`
		} `json:"paths"`
		Components struct {
			Schemas map[string]schemaNode `json:"schemas"`
		} `json:"components"`
	}
	schemaNode struct {
		Ref        string                `json:"$ref"`
		Type       string                `json:"type"`
		AnyOf      []schemaNode          `json:"anyOf"`
		Properties map[string]schemaNode `json:"properties"`
		Required   []string              `json:"required"`
		Enum       []string              `json:"enum"`
		Default    any                   `json:"default"`
		Minimum    *float64              `json:"minimum"`
		Maximum    *float64              `json:"maximum"`
		MultipleOf *float64              `json:"multipleOf"`
	}
)

func (api *openAPI) resolve(s schemaNode) schemaNode {
	if s.Ref == "" {
		return s
	}
	return api.Components.Schemas[s.Ref[strings.LastIndex(s.Ref, "/")+1:]]
}

func (api *openAPI) property(s schemaNode, required bool) property {
	p := property{required: required, byDefault: s.Default, least: math.NaN(), most: math.NaN(), multiple: math.NaN()}
	for _, alternative := range s.AnyOf {
		if alternative.Type == "null" {
			p.nullable = true
		} else {
			s = alternative
		}
	}
	s = api.resolve(s)
	p.kind, p.enum = s.Type, s.Enum
	for _, bound := range []struct {
		to   *float64
		from *float64
	}{{&p.least, s.Minimum}, {&p.most, s.Maximum}, {&p.multiple, s.MultipleOf}} {
		if bound.from != nil {
			*bound.to = *bound.from
		}
	}
	return p
}

// ours returns what the catalogue says of a field, if it has it.
func ours(m *bfl.Model, name string) (property, bool) {
	out := property{least: math.NaN(), most: math.NaN(), multiple: math.NaN()}
	if m.IsInput(name) {
		i := slices.Index(m.Inputs.References, name)
		out.input, out.kind = true, "string"
		out.required = i >= 0 && i < m.Inputs.Required
		out.nullable = !out.required
		return out, true
	}
	p := m.Param(name)
	if p == nil {
		return out, false
	}
	out.kind, out.required, out.nullable, out.enum = string(p.Kind), p.Required, p.Nullable, p.Enum
	out.byDefault = p.Default
	if n, ok := p.Default.(int); ok {
		out.byDefault = float64(n)
	}
	if p.Bounded&bfl.Below != 0 {
		out.least = p.Min
	}
	if p.Bounded&bfl.Above != 0 {
		out.most = p.Max
	}
	if p.MultipleOf != 0 {
		out.multiple = float64(p.MultipleOf)
	}
	return out, true
}

// differences names the aspects in which two descriptions differ.
func differences(theirs, ours property) []string {
	var d []string
	differ := func(aspect string, yes bool) {
		if yes {
			d = append(d, aspect)
		}
	}
	unequal := func(a, b float64) bool { return a != b && !(math.IsNaN(a) && math.IsNaN(b)) }
	differ("type", theirs.kind != ours.kind)
	differ("required", theirs.required != ours.required)
	differ("nullable", theirs.nullable != ours.nullable)
	differ("minimum", unequal(theirs.least, ours.least))
	differ("maximum", unequal(theirs.most, ours.most))
	differ("multipleOf", unequal(theirs.multiple, ours.multiple))
	differ("enum", !slices.Equal(theirs.enum, ours.enum))
	differ("default", theirs.byDefault != ours.byDefault)
	return d
}

// exceptions are where the catalogue differs from the published schema, and why. A model may be a
// prefix that ends in *.
var exceptions = []struct{ model, field, aspect, reason string }{
	{"flux-2-*", "width", "multipleOf", "the endpoint document wants multiples of 16"},
	{"flux-2-*", "height", "multipleOf", "the endpoint document wants multiples of 16"},
	{"flux-2-*", "width", "default", "0 stands for the first reference's, or 1024, and breaks the schema's own minimum"},
	{"flux-2-*", "height", "default", "0 stands for the first reference's, or 1024, and breaks the schema's own minimum"},
	{"flux-2-flex", "guidance", "default", "4.5 in the endpoint document"},
	{"flux-2-pro", "disable_pup", "unpublished", "the schema has got it since"},
	{"flux-2-pro-preview", "disable_pup", "unpublished", "the schema has got it since"},
	{"flux-2-max", "disable_pup", "unpublished", "the schema has got it since"},
	{"flux-kontext-*", "width", "unpublished", "the endpoint document has it for editing"},
	{"flux-kontext-*", "height", "unpublished", "the endpoint document has it for editing"},
	{"flux-kontext-*", "input_image_5", "unpublished", "the endpoint document has eight references for editing"},
	{"flux-kontext-*", "input_image_6", "unpublished", "the endpoint document has eight references for editing"},
	{"flux-kontext-*", "input_image_7", "unpublished", "the endpoint document has eight references for editing"},
	{"flux-kontext-*", "input_image_8", "unpublished", "the endpoint document has eight references for editing"},
}

// TestOpenAPI holds the catalogue against BFL's published schema, field by field, in both
// directions.
func TestOpenAPI(t *testing.T) {
	t.Parallel()
	api := readOpenAPI(t)
	used := make([]bool, len(exceptions))
	excepted := func(model, field, aspect string) bool {
		found := false
		for i, e := range exceptions {
			prefix, isPrefix := strings.CutSuffix(e.model, "*")
			if e.field == field && e.aspect == aspect && (e.model == model || isPrefix && strings.HasPrefix(model, prefix)) {
				used[i], found = true, true
			}
		}
		return found
	}
	posts := 0
	for path, methods := range api.Paths {
		post, ok := methods["post"]
		if !ok || path == "/v1/delete_finetune" { // makes no image
			continue
		}
		posts++
		i := slices.IndexFunc(bfl.Models(), func(m *bfl.Model) bool { return m.Endpoint == path })
		if i < 0 {
			t.Errorf("%s is not in the catalogue", path)
			continue
		}
		m := bfl.Models()[i]
		if m.Name != strings.TrimPrefix(path, "/v1/") {
			t.Errorf("%s is called %s", path, m.Name)
		}
		for _, d := range compareModel(api, m, api.resolve(post.RequestBody.Content["application/json"].Schema)) {
			if !excepted(m.Name, d.field, d.aspect) {
				t.Errorf("%s: %s differs in %s: %s", m.Name, d.field, d.aspect, d.detail)
			}
		}
	}
	if posts < 16 {
		t.Errorf("the schema has %d models only, so that this test has not understood it", posts)
	}
	for i, e := range exceptions {
		if !used[i] {
			t.Errorf("the exception for %s of %s (%s) is none any more", e.field, e.model, e.aspect)
		}
	}
}

// TestDifferences holds the table of differences against the exceptions, against the schema, and
// against what the catalogue lets pass.
func TestDifferences(t *testing.T) {
	t.Parallel()
	has := func(model, field string) bool {
		if strings.HasPrefix(field, "input_image_") {
			field = "input_image_5" // the first of those that the schema does not have
		}
		return slices.ContainsFunc(bfl.Differences(), func(d bfl.Difference) bool { return d.Field == field && d.Of(strings.TrimSuffix(model, "*")) })
	}
	for _, e := range exceptions {
		if e.field != "disable_pup" && !has(e.model, e.field) {
			t.Errorf("%s of %s differs from the schema (%s) and is in no line of the table", e.field, e.model, e.reason)
		}
	}
	api := readOpenAPI(t)
	for _, d := range bfl.Differences() {
		if !slices.ContainsFunc(bfl.Models(), func(m *bfl.Model) bool { return d.Of(m.Name) }) || d.Document == "" || d.Schema == "" {
			t.Errorf("a line about %v %s is about no model, or says nothing", d.Models, d.Field)
		}
		for path, methods := range api.Paths {
			name := strings.TrimPrefix(path, "/v1/")
			schema := api.resolve(methods["post"].RequestBody.Content["application/json"].Schema)
			node, published := schema.Properties[d.Field]
			if !d.Of(name) || d.Field == "" || len(schema.Properties) == 0 || d.Models[0] == "*" {
				continue
			}
			p := api.property(node, slices.Contains(schema.Required, d.Field))
			holds := map[string]bool{
				"any number from 64": p.least == 64 && math.IsNaN(p.multiple), "no bound": math.IsNaN(p.most), "5.0 by default": p.byDefault == 5.0,
				"references up to input_image_4": !published, "no such field": !published,
				"jpeg, png or webp": slices.Equal(p.enum, []string{"jpeg", "png", "webp"}), "0 to 6": p.least == 0 && p.most == 6,
				"optional": published && !p.required, "multiples of 32 from 256 to 1440": p.multiple == 32 && p.least == 256 && p.most == 1440,
				"optional: an image can be made from a prompt alone": published && !p.required,
			}
			if !holds[d.Schema] {
				t.Errorf("the schema of %s does not say %q of %s", name, d.Schema, d.Field)
			}
		}
	}
}

func TestDoubts(t *testing.T) {
	t.Parallel()
	const document, schema = "the API's endpoint document says ", ", and its published schema "
	for _, tt := range []struct {
		model  string
		args   []bfl.Argument
		inputs int
		want   []string
	}{
		{"flux-pro-1.1", args("prompt", "x", "safety_tolerance", int64(6)), 0, []string{"safety_tolerance of flux-pro-1.1: " + document + "0 to 5" + schema + "0 to 6"}},
		{"flux-pro-1.1", args("prompt", "x", "safety_tolerance", int64(5)), 0, nil},
		{"flux-pro-1.1", nil, 0, []string{"prompt of flux-pro-1.1: " + document + "required" + schema + "optional"}},
		{"flux-2-pro", args("prompt", "x", "output_format", "webp"), 0, []string{"output_format of flux-2-pro: " + document + "jpeg or png" + schema + "jpeg, png or webp"}},
		{"flux-dev", args("output_format", "webp", "safety_tolerance", int64(6)), 0, nil},
		{"flux-kontext-max", args("prompt", "x"), 0, []string{"input_image of flux-kontext-max: " + document + "required" + schema + "optional"}},
		{"flux-kontext", args("prompt", "x"), 1, nil},
		{"flux-kontext-pro", args("prompt", "x"), 5, []string{"input_image_5 of flux-kontext-pro: " + document + "references up to input_image_8"}},
		{"flux-kontext", args("height", int64(64), "prompt", "x"), 1, []string{"height of flux-kontext: " + document + "the height in pixels" + schema + "no such field"}},
	} {
		r := bfl.Request{Model: bfl.Lookup(tt.model), Arguments: tt.args}
		for i := range tt.inputs {
			r.Inputs = append(r.Inputs, bfl.Input{Field: r.Model.Inputs.References[i], SHA256: "00"})
		}
		if broken := r.Check(); len(broken) > 0 {
			t.Errorf("%s is refused: %v", tt.model, broken)
		}
		got := r.Doubts()
		if len(got) != len(tt.want) {
			t.Errorf("%s %v: %d doubts, want %d", tt.model, tt.args, len(got), len(tt.want))
			continue
		}
		for i := range got {
			if !strings.HasPrefix(got[i].Reason, tt.want[i]) {
				t.Errorf("doubt %q, want %q", got[i].Reason, tt.want[i])
			}
		}
	}
}

type difference struct{ field, aspect, detail string }

func compareModel(api *openAPI, m *bfl.Model, schema schemaNode) []difference {
	var found []difference
	for name, node := range schema.Properties {
		if strings.HasPrefix(name, "webhook_") {
			continue // every request may have these, and the client sends none
		}
		theirs := api.property(node, slices.Contains(schema.Required, name))
		our, ok := ours(m, name)
		if !ok {
			found = append(found, difference{name, "presence", "the catalogue does not have it"})
			continue
		}
		for _, aspect := range differences(theirs, our) {
			found = append(found, difference{name, aspect, fmt.Sprintf("the schema says %+v, the catalogue %+v", theirs, our)})
		}
	}
	fields := slices.Clone(m.Inputs.References)
	if m.Inputs.Mask != "" {
		fields = append(fields, m.Inputs.Mask)
	}
	for _, p := range m.Params {
		fields = append(fields, p.Name)
	}
	for _, name := range fields {
		if _, ok := schema.Properties[name]; !ok {
			found = append(found, difference{name, "unpublished", "the schema does not have it"})
		}
	}
	return found
}

func readOpenAPI(tb testing.TB) *openAPI {
	tb.Helper()
	data, err := os.ReadFile("../../../shared/api/openapi.json")
	if errors.Is(err, fs.ErrNotExist) {
		tb.Skip("BFL's published schema is not here: ../shared/api/openapi.json beside the repository")
	}
	if err != nil {
		tb.Fatal(err)
	}
	var api openAPI
	if err := json.Unmarshal(data, &api); err != nil {
		tb.Fatal(err)
	}
	return &api
}

func TestDefaultFormat(t *testing.T) {
	t.Parallel()
	for model, want := range map[string]string{"flux-2-pro": "jpeg", "flux-kontext-max": "png", "flux-fill": "jpeg"} {
		if got := bfl.Lookup(model).DefaultFormat(); got != want {
			t.Errorf("%s makes %s by default, want %s", model, got, want)
		}
	}
	if got := (&bfl.Model{Custom: true}).DefaultFormat(); got != "jpeg" {
		t.Errorf("a custom model makes %s by default", got)
	}
}
