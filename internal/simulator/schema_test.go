package simulator

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"math"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// shared returns a document of the API's that lies beside the repository, and skips the test where
// it does not.
func shared(t *testing.T, name string) []byte {
	t.Helper()
	path := filepath.Join("..", "..", "..", "shared", "api", name)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("%s is not there: this test holds the simulator against it", path)
	}
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// schema is a JSON Schema, as far as the API's uses it.
type schema struct {
	Ref        string             `json:"$ref"`
	Type       string             `json:"type"`
	AnyOf      []*schema          `json:"anyOf"`
	Enum       []any              `json:"enum"`
	Minimum    *float64           `json:"minimum"`
	Maximum    *float64           `json:"maximum"`
	MultipleOf float64            `json:"multipleOf"`
	MinLength  *int               `json:"minLength"`
	MaxLength  *int               `json:"maxLength"`
	Format     string             `json:"format"`
	Required   []string           `json:"required"`
	Properties map[string]*schema `json:"properties"`
	Items      *schema            `json:"items"`
}

// document is the API's published schema.
type document struct {
	Paths map[string]map[string]struct {
		RequestBody struct {
			Content map[string]struct{ Schema *schema }
		}
		Responses map[string]struct {
			Content map[string]struct{ Schema *schema }
		}
	}
	Components struct{ Schemas map[string]*schema }
}

func published(t *testing.T) *document {
	t.Helper()
	var d document
	if err := json.Unmarshal(shared(t, "openapi.json"), &d); err != nil {
		t.Fatal(err)
	}
	return &d
}

func (d *document) resolve(s *schema) *schema {
	for s.Ref != "" {
		s = d.Components.Schemas[strings.TrimPrefix(s.Ref, "#/components/schemas/")]
	}
	return s
}

// allows reports whether a value is valid.
func (d *document) allows(s *schema, value any) bool {
	s = d.resolve(s)
	if len(s.AnyOf) > 0 {
		return slices.ContainsFunc(s.AnyOf, func(s *schema) bool { return d.allows(s, value) })
	}
	if len(s.Enum) > 0 && !slices.Contains(s.Enum, value) {
		return false
	}
	switch s.Type {
	case "null":
		return value == nil
	case "boolean":
		_, ok := value.(bool)
		return ok
	case "string":
		return s.allowsString(value)
	case "number", "integer":
		return s.allowsNumber(value)
	case "array":
		list, ok := value.([]any)
		return ok && !slices.ContainsFunc(list, func(item any) bool { return s.Items != nil && !d.allows(s.Items, item) })
	case "object":
		return d.allowsObject(s, value)
	}
	return true
}

func (d *document) allowsObject(s *schema, value any) bool {
	object, ok := value.(map[string]any)
	if !ok || slices.ContainsFunc(s.Required, func(name string) bool { _, ok := object[name]; return !ok }) {
		return false
	}
	for name, property := range s.Properties {
		if v, ok := object[name]; ok && !d.allows(property, v) {
			return false
		}
	}
	return true
}

func (s *schema) allowsString(value any) bool {
	text, ok := value.(string)
	length := utf8.RuneCountInString(text)
	if !ok || s.MinLength != nil && length < *s.MinLength || s.MaxLength != nil && length > *s.MaxLength {
		return false
	}
	u, err := url.Parse(text)
	return s.Format != "uri" || err == nil && u.Scheme != ""
}

func (s *schema) allowsNumber(value any) bool {
	n, ok := value.(float64)
	return ok && (s.Type == "number" || n == math.Trunc(n)) &&
		(s.Minimum == nil || n >= *s.Minimum) && (s.Maximum == nil || n <= *s.Maximum) &&
		(s.MultipleOf == 0 || math.Mod(n, s.MultipleOf) == 0)
}

// probes returns values at, just inside and just outside of each limit of a property, and values of
// other types.
func (d *document) probes(s *schema) []any {
	values := []any{nil, true, "", "x", "12", 0.0, 1.0, 1.5, -1.0, []any{}, map[string]any{}}
	var walk func(*schema)
	walk = func(s *schema) {
		s = d.resolve(s)
		for _, option := range s.AnyOf {
			walk(option)
		}
		values = append(values, s.Enum...)
		step := max(s.MultipleOf, 1)
		for _, limit := range []*float64{s.Minimum, s.Maximum} {
			if limit != nil {
				values = append(values, *limit-step, *limit-1, *limit-0.25, *limit, *limit+0.25, *limit+1, *limit+step, *limit+16)
			}
		}
		if s.Type == "integer" {
			values = append(values, 1e6, 1e18, 1e30, 160.0)
		}
		for _, limit := range []*int{s.MinLength, s.MaxLength} {
			if limit != nil {
				for n := max(*limit-1, 0); n <= *limit+1; n++ {
					values = append(values, lengthened("https://example.com/", n))
				}
			}
		}
		if s.Type == "string" {
			values = append(values, "PNG", "16:9", "https://example.com/a", "ftp://example.com/a", "https:///a", "example.com/a", "aGVsbG8=")
		}
	}
	walk(s)
	return values
}

// lengthened returns a text of n characters.
func lengthened(text string, n int) string {
	return (text + strings.Repeat("a", max(n-len(text), 0)))[:n]
}

// exception is a kind of value that the schema allows and the simulator refuses.
type exception struct {
	why string
	is  func(path, property string, value any) bool
}

// exceptions are all that the simulator refuses beyond the schema.
var exceptions = []exception{
	{"FLUX.2 makes multiples of 16, says endpoints.md", func(path, property string, value any) bool {
		n, ok := value.(float64)
		return strings.HasPrefix(path, "/v1/flux-2-") && isSide(property) && ok && math.Mod(n, 16) != 0
	}},
	{"FLUX.2 makes at most 4 megapixels, says endpoints.md", func(path, property string, value any) bool {
		n, ok := value.(float64)
		return strings.HasPrefix(path, "/v1/flux-2-") && isSide(property) && ok && n*1024 > maxOutput
	}},
	{"an image is Base64 or a URL, as both documents describe the fields", func(_, property string, value any) bool {
		text, ok := value.(string)
		_, err := readInput(property, text)
		return ok && isImage(property) && err != nil
	}},
	{"an image of the older models is Base64, as the schema describes the fields", func(_, property string, value any) bool {
		text, ok := value.(string)
		return ok && slices.Contains([]string{"image", "mask", "image_prompt"}, property) && strings.HasPrefix(text, "https:")
	}},
	{"an aspect_ratio is a ratio between 21:9 and 9:21, as the schema describes the field", func(_, property string, value any) bool {
		return property == "aspect_ratio" && value != nil && value != "16:9"
	}},
	{"a webhook is reached over http or https", func(_, property string, value any) bool {
		text, ok := value.(string)
		return ok && property == "webhook_url" && !strings.HasPrefix(text, "http")
	}},
	{"a URL has a host", func(_, property string, value any) bool {
		text, ok := value.(string)
		u, err := url.Parse(text)
		return ok && property == "webhook_url" && (err != nil || u.Host == "")
	}},
}

func isSide(property string) bool { return property == "width" || property == "height" }

func isImage(property string) bool {
	return property == "image" || property == "mask" || property == "image_prompt" ||
		strings.HasPrefix(property, "input_image") && property != "input_image_blob_path"
}

// TestSchemaDecides sends values around each limit of each property of each POST, and expects the
// simulator to accept what the published schema allows and to refuse what it does not, but for the
// exceptions.
func TestSchemaDecides(t *testing.T) {
	t.Parallel()
	d := published(t)
	b := start(t, Options{Concurrency: math.MaxInt, ModelConcurrency: map[string]int{"flux-kontext-max": 0}})
	used := make(map[string]bool)
	for _, path := range slices.Sorted(maps.Keys(d.Paths)) {
		operation, ok := d.Paths[path]["post"]
		if !ok {
			continue
		}
		body := d.resolve(operation.RequestBody.Content["application/json"].Schema)
		for property, rules := range body.Properties {
			for _, value := range d.probes(rules) {
				request := minimal(t, body)
				request[property] = value
				d.compare(t, b, path, property, value, request, used)
			}
		}
		for _, property := range body.Required {
			request := minimal(t, body)
			delete(request, property)
			d.compare(t, b, path, property, "", request, used)
		}
	}
	for _, e := range exceptions {
		if !used[e.why] {
			t.Errorf("the exception is never needed: %s", e.why)
		}
	}
}

// minimal returns the smallest body that both documents accept.
func minimal(t *testing.T, body *schema) map[string]any {
	t.Helper()
	request := map[string]any{}
	for _, name := range body.Required {
		request[name] = "a"
	}
	if _, ok := body.Properties["image"]; ok {
		request["image"] = base64.StdEncoding.EncodeToString(claim(64, 64))
	}
	return request
}

// compare sends a request and holds the answer against the schema's.
func (d *document) compare(t *testing.T, b *bench, path, property string, value any, request map[string]any, used map[string]bool) {
	t.Helper()
	operation := d.Paths[path]["post"]
	text, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	allowed := d.allows(operation.RequestBody.Content["application/json"].Schema, request)
	got := b.do(http.MethodPost, path, string(text), "X-Key", "k", "Content-Type", "application/json")
	want := http.StatusOK
	if !allowed {
		want = http.StatusUnprocessableEntity
	} else if i := slices.IndexFunc(exceptions, func(e exception) bool { return e.is(path, property, value) }); i >= 0 {
		want = http.StatusUnprocessableEntity
		used[exceptions[i].why] = true
	}
	if got.status != want {
		t.Errorf("%s with %s = %.60v: %d %.300s; the schema allows it: %v", path, property, value, got.status, got.body, allowed)
		return
	}
	d.check(t, path, http.MethodPost, got)
}

// check holds an answer against its schema.
func (d *document) check(t *testing.T, path, method string, r reply) {
	t.Helper()
	code := http.StatusText(r.status)
	response, ok := d.Paths[path][strings.ToLower(method)].Responses[map[string]string{
		"OK": "200", "Unprocessable Entity": "422",
	}[code]]
	var value any
	if err := json.Unmarshal(r.body, &value); !ok || err != nil || !d.allows(response.Content["application/json"].Schema, value) {
		t.Errorf("%s %s: the schema does not have the answer %d %s", method, path, r.status, r.body)
	}
}

// TestAnswersSuitTheSchema holds the answers of the GETs against the published schema.
func TestAnswersSuitTheSchema(t *testing.T) {
	t.Parallel()
	d := published(t)
	b := start(t, Options{Finetunes: []string{"mine"}, ModelLatency: map[string]Latency{"flux-2-max": {Median: time.Hour}}})
	paths := []string{"/v1/credits", "/v1/my_finetunes", "/v1/finetune_details?finetune_id=mine", "/v1/finetune_details", "/v1/get_result", "/v1/get_result?id=x"}
	for model, prompt := range map[string]string{
		"flux-2-pro": "ready", "flux-2-max": "pending", "flux-dev": MarkError, "flux-pro-1.1": MarkRequestModerated, "flux-2-flex": MarkContentModerated,
	} {
		paths = append(paths, "/v1/get_result?id="+b.order(model, `{"prompt": "`+prompt+`"}`).ID)
	}
	statuses := make(map[string]bool)
	for _, path := range paths {
		r := b.do(http.MethodGet, path, "", "X-Key", "k")
		name, _, _ := strings.Cut(path, "?")
		d.check(t, name, http.MethodGet, r)
		statuses[decode[result](t, r).Status] = true
	}
	delete(statuses, "")
	if len(statuses) != 6 {
		t.Errorf("the statuses seen are %v", statuses)
	}
	for _, body := range []string{`{"finetune_id": "mine"}`, `{}`} {
		d.check(t, "/v1/delete_finetune", http.MethodPost, b.do(http.MethodPost, "/v1/delete_finetune", body, "X-Key", "k"))
	}
}

// TestEveryPathIsServed holds that no path of the schema is missing.
func TestEveryPathIsServed(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	for path, methods := range published(t).Paths {
		for method := range methods {
			if r := b.do(strings.ToUpper(method), path, "{}", "X-Key", "k"); r.status == 404 || r.status == 405 {
				t.Errorf("%s %s: %d", method, path, r.status)
			}
		}
	}
}
