// Package wire_test holds what goes over the wire against the published schema of the API. It is apart from
// the other tests of commands, since what reads the schema takes long to start.
package wire_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/cli/clitest"
	"github.com/fluxbatch/fluxbatch/internal/simulator"
	"github.com/fluxbatch/fluxbatch/internal/simulator/simtest"
)

// exchange is one call as it went over the wire.
type exchange struct {
	method, path   string
	status         int
	asked, answers []byte
}

// recorder serves a simulator over a real connection and keeps what was said.
type recorder struct {
	mu        sync.Mutex
	exchanges []exchange
}

func (rec *recorder) wrap(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(asked))
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, r)
		rec.mu.Lock()
		rec.exchanges = append(rec.exchanges, exchange{r.Method, r.URL.Path, answer.Code, asked, answer.Body.Bytes()})
		rec.mu.Unlock()
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes()) // the client sees that its answer is short
	})
}

// writeModule writes a configuration with an image for every model of the catalogue, each with a
// seed and a tolerance of zero.
func writeModule(t *testing.T, endpoint string) string {
	t.Helper()
	dir := t.TempDir()
	var hcl strings.Builder
	fmt.Fprintf(&hcl, "provider \"bfl\" {\n  endpoint = %q\n}\n", endpoint)
	for _, m := range bfl.Models() {
		name := strings.ReplaceAll(m.Name, ".", "_")
		fmt.Fprintf(&hcl, "image %q {\n  model = %q\n  safety_tolerance = 0\n", name, m.Name)
		if m.Param("seed") != nil {
			fmt.Fprintf(&hcl, "  seed = 0\n")
		}
		if p := m.Param("prompt"); p != nil {
			fmt.Fprintf(&hcl, "  prompt = \"a heron & <reeds>\"\n")
		}
		if m.Param("width") != nil {
			fmt.Fprintf(&hcl, "  width = 256\n  height = 256\n")
		}
		if m.Param("left") != nil {
			fmt.Fprintf(&hcl, "  left = 0\n  right = 64\n")
		}
		if m.Param("finetune_id") != nil {
			fmt.Fprintf(&hcl, "  finetune_id = \"my-finetune\"\n  finetune_strength = 0\n")
		}
		if m.Inputs.Required > 0 {
			fmt.Fprintf(&hcl, "  references = [\"reference.png\"]\n")
		}
		if len(m.Inputs.Roles) > 0 {
			fmt.Fprintf(&hcl, "  inputs = { %s = \"reference.png\" }\n", strings.Join(m.Inputs.Roles, ` = "reference.png", `))
		}
		if m.Inputs.Mask != "" {
			fmt.Fprintf(&hcl, "  mask = \"reference.png\"\n")
		}
		hcl.WriteString("}\n")
	}
	clitest.Write(t, filepath.Join(dir, "main.flux.hcl"), []byte(hcl.String()))
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 256, 256))); err != nil {
		t.Fatal(err)
	}
	clitest.Write(t, filepath.Join(dir, "reference.png"), picture.Bytes())
	return dir
}

func TestEveryModelRuns(t *testing.T) {
	t.Parallel()
	sim := simtest.New(t, simulator.Options{Seed: 1, StrictFields: true})
	var rec recorder
	server := httptest.NewServer(rec.wrap(sim))
	t.Cleanup(server.Close)
	dir := writeModule(t, server.URL)

	stdout, stderr, code := clitest.Run(t, nil, "apply", "-auto-approve", dir)
	want := fmt.Sprintf("Apply complete: %d created, 0 replaced", len(bfl.Models()))
	if code != 0 || !strings.Contains(stdout, want) {
		t.Fatalf("apply exited with %d, want %q\n%s%s", code, want, stdout, stderr)
	}
	if charges := sim.Ledger(); len(charges) != len(bfl.Models()) {
		t.Errorf("%d charges for %d models", len(charges), len(bfl.Models()))
	}
	if keys := sim.Stats().KeysAtDelivery; keys != 0 {
		t.Errorf("the key was sent along with %d downloads", keys)
	}
	schema := loadSchema(t)
	submitted := map[string]bool{}
	for _, e := range rec.exchanges {
		if e.method == http.MethodPost {
			submitted[e.path] = true
			checkZeros(t, e)
		}
		if schema != nil {
			schema.check(t, e)
		}
	}
	for _, m := range bfl.Models() {
		if !submitted[m.Endpoint] {
			t.Errorf("nothing was sent to %s", m.Endpoint)
		}
	}
	if stdout, _, code := clitest.Run(t, nil, "plan", "-detailed-exitcode", dir); code != 0 {
		t.Errorf("a second plan exited with %d:\n%s", code, stdout)
	}
}

// checkZeros makes sure that values of zero are sent.
func checkZeros(t *testing.T, e exchange) {
	t.Helper()
	var body map[string]any
	if err := json.Unmarshal(e.asked, &body); err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(bfl.Models(), func(m *bfl.Model) bool { return m.Endpoint == e.path })
	for _, name := range []string{"seed", "safety_tolerance"} {
		if bfl.Models()[i].Param(name) == nil {
			continue
		}
		if value, ok := body[name]; !ok || value != 0.0 {
			t.Errorf("%s: %s is sent as %v, want 0", e.path, name, value)
		}
	}
	if body["prompt"] != nil && body["prompt"] != "a heron & <reeds>" {
		t.Errorf("%s: the prompt is sent as %q", e.path, body["prompt"])
	}
}

// apiSchema is the published schema of the API.
type apiSchema struct {
	document map[string]any
	compiler *jsonschema.Compiler
}

// schemaFile lies beside a checkout that the project's developers work in.
const schemaFile = "../../../../shared/api/openapi.json"

// loadSchema returns nil, and says so, where the schema is not at hand.
func loadSchema(t *testing.T) *apiSchema {
	t.Helper()
	f, err := os.Open(schemaFile)
	if err != nil {
		t.Logf("requests and answers are not held against the published schema: %v", err)
		return nil
	}
	defer func() { _ = f.Close() }()
	document, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("openapi.json", document); err != nil {
		t.Fatal(err)
	}
	return &apiSchema{document.(map[string]any), c}
}

// aliases are endpoints that the endpoint document spells differently from the schema.
var aliases = map[string]string{"/v1/flux-kontext": "/v1/flux-kontext-pro", "/v1/flux-fill": "/v1/flux-pro-1.0-fill"}

// newerThanSchema matches endpoints that came after the schema that is at hand.
var newerThanSchema = regexp.MustCompile(`^/v1/(flux-3-image|flux-tools/.*|flux-2-klein-.*-finetuned)$`)

// beyondSchema are fields that the endpoint document gives to models where the schema does not have
// them.
var beyondSchema = map[string][]string{
	"/v1/flux-kontext-pro": {"width", "height"}, "/v1/flux-kontext-max": {"width", "height"},
}

func (s *apiSchema) check(t *testing.T, e exchange) {
	t.Helper()
	path := e.path
	if other, ok := aliases[path]; ok {
		path = other
	}
	operation, ok := dig(s.document, "paths", path, strings.ToLower(e.method)).(map[string]any)
	if !ok {
		if isNewer := newerThanSchema.MatchString(path); !isNewer && (e.method != http.MethodGet || strings.HasPrefix(path, "/v1/")) {
			t.Errorf("the published schema has no %s %s", e.method, e.path)
		}
		return // a delivery
	}
	pointer := "#/paths/" + strings.ReplaceAll(path, "/", "~1") + "/" + strings.ToLower(e.method)
	if dig(operation, "requestBody") != nil {
		s.validate(t, e, pointer+"/requestBody/content/application~1json/schema", e.asked)
		s.knows(t, path, operation, e.asked)
	}
	s.validate(t, e, fmt.Sprintf("%s/responses/%d/content/application~1json/schema", pointer, e.status), e.answers)
}

func (s *apiSchema) validate(t *testing.T, e exchange, pointer string, text []byte) {
	t.Helper()
	schema, err := s.compiler.Compile("openapi.json" + pointer)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Errorf("%s %s: %v", e.method, e.path, err)
		return
	}
	if err := schema.Validate(value); err != nil {
		t.Errorf("%s %s does not keep to the published schema: %v", e.method, e.path, err)
	}
}

// knows makes sure that the schema has every field of a request: it would ignore others.
func (s *apiSchema) knows(t *testing.T, path string, operation map[string]any, asked []byte) {
	t.Helper()
	ref, _ := dig(operation, "requestBody", "content", "application/json", "schema", "$ref").(string)
	properties, _ := dig(s.document, "components", "schemas", strings.TrimPrefix(ref, "#/components/schemas/"), "properties").(map[string]any)
	var body map[string]any
	if err := json.Unmarshal(asked, &body); err != nil {
		t.Fatal(err)
	}
	for _, extra := range beyondSchema[path] {
		delete(body, extra)
	}
	for field := range body {
		if properties[field] == nil {
			t.Errorf("%s: the published schema has no field %s", path, field)
		}
	}
}

// dig follows keys into nested objects.
func dig(value any, keys ...string) any {
	for _, key := range keys {
		object, _ := value.(map[string]any)
		value = object[key]
	}
	return value
}

func TestLimitsHoldAgainstTheSimulator(t *testing.T) {
	t.Parallel()
	// No task is ready before all slots were taken, so that how many were does not depend on how
	// fast this machine submits.
	var clock simtest.Clock
	defer time.AfterFunc(time.Minute, clock.Go).Stop() // of a test that fails
	sim := simtest.New(t, simulator.Options{Seed: 1, Now: clock.Now})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sim.ServeHTTP(w, r)
		if sim.Stats().MaxActive == 24 {
			clock.Go()
		}
	}))
	defer server.Close()
	dir := t.TempDir()
	clitest.Write(t, filepath.Join(dir, "main.flux.hcl"), fmt.Appendf(nil, `
provider "bfl" {
  endpoint = %q
}
image "max" {
  count      = 50
  model      = "flux-kontext-max"
  prompt     = "heron ${count.index}"
  references = ["https://images.example/heron.png"]
  width      = 64
  height     = 64
}
image "pro" {
  count  = 150
  model  = "flux-2-klein-4b"
  prompt = "reed ${count.index}"
  width  = 64
  height = 64
}
`, server.URL))
	stdout, stderr, code := clitest.Run(t, nil, "apply", "-auto-approve", dir)
	if code != 0 || !strings.Contains(stdout, "Apply complete: 200 created") {
		t.Fatalf("apply exited with %d\n%s", code, stderr)
	}
	stats := sim.Stats()
	if stats.MaxActive != 24 || stats.MaxActiveByModel["flux-kontext-max"] != 6 || stats.TooMany != 0 {
		t.Errorf("at most %d tasks were active, %d of flux-kontext-max, and %d were refused; want 24, 6 and 0",
			stats.MaxActive, stats.MaxActiveByModel["flux-kontext-max"], stats.TooMany)
	}
	if stats.Submissions != 200 {
		t.Errorf("%d submissions, want 200", stats.Submissions)
	}
}
