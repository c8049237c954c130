package simulator

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// wrong is a fieldError without what it repeats.
type wrong struct {
	Loc  string
	Type string
	Msg  string
}

// wrongs reads an answer of status 422.
func wrongs(t *testing.T, r reply) []wrong {
	t.Helper()
	if r.status != http.StatusUnprocessableEntity {
		t.Fatalf("%d %s", r.status, r.body)
	}
	var list []wrong
	for _, e := range decode[struct{ Detail []fieldError }](t, r).Detail {
		loc, err := json.Marshal(e.Loc)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, wrong{string(loc), e.Type, e.Msg})
	}
	return list
}

func TestFieldErrors(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	long := `"https://x.org/` + strings.Repeat("a", maxURL) + `"`
	for _, c := range []struct {
		model, body string
		want        []wrong
	}{
		{"flux-2-pro", `{}`, []wrong{{`["body","prompt"]`, "missing", "Field required"}}},
		{"flux-2-pro", `{"prompt": null}`, []wrong{{`["body","prompt"]`, "string_type", "Input should be a valid string"}}},
		{"flux-2-pro", `{"prompt": 7}`, []wrong{{`["body","prompt"]`, "string_type", "Input should be a valid string"}}},
		{
			"flux-2-pro", `{"prompt": "a", "width": 63}`,
			[]wrong{{`["body","width"]`, "greater_than_equal", "Input should be greater than or equal to 64"}},
		},
		{
			"flux-2-pro", `{"prompt": "a", "width": 1000}`,
			[]wrong{{`["body","width"]`, "multiple_of", "Input should be a multiple of 16"}},
		},
		{
			"flux-2-pro", `{"prompt": "a", "width": 1920, "height": 1081}`,
			[]wrong{{`["body","height"]`, "multiple_of", "Input should be a multiple of 16"}},
		},
		{
			"flux-2-pro", `{"prompt": "a", "safety_tolerance": 6, "seed": "7", "width": 1.5}`,
			[]wrong{
				{`["body","seed"]`, "int_type", "Input should be a valid integer"},
				{
					`["body","width"]`, "int_from_float",
					"Input should be a valid integer, got a number with a fractional part",
				},
				{`["body","safety_tolerance"]`, "less_than_equal", "Input should be less than or equal to 5"},
			},
		},
		{
			"flux-2-pro", `{"prompt": "a", "seed": "seven"}`,
			[]wrong{{
				`["body","seed"]`, "int_parsing",
				"Input should be a valid integer, unable to parse string as an integer",
			}},
		},
		{"flux-2-pro", `{"prompt": "a", "seed": true}`, []wrong{{`["body","seed"]`, "int_type", "Input should be a valid integer"}}},
		{"flux-2-pro", `{"prompt": "a", "seed": 1e999}`, []wrong{{`["body","seed"]`, "finite_number", "Input should be a finite number"}}},
		{
			"flux-2-pro", `{"prompt": "a", "output_format": "gif"}`,
			[]wrong{{`["body","output_format"]`, "enum", "Input should be 'jpeg', 'png' or 'webp'"}},
		},
		{
			"flux-2-pro", `{"prompt": "a", "output_format": "PNG", "input_image": 3}`,
			[]wrong{
				{`["body","output_format"]`, "enum", "Input should be 'jpeg', 'png' or 'webp'"},
				{`["body","input_image"]`, "string_type", "Input should be a valid string"},
			},
		},
		{
			"flux-2-flex", `{"prompt": "a", "guidance": "strong"}`,
			[]wrong{{
				`["body","guidance"]`, "float_parsing",
				"Input should be a valid number, unable to parse string as a number",
			}},
		},
		{"flux-2-flex", `{"prompt": "a", "guidance": []}`, []wrong{{`["body","guidance"]`, "float_type", "Input should be a valid number"}}},
		{
			"flux-2-flex", `{"prompt": "a", "prompt_upsampling": "on"}`,
			[]wrong{{`["body","prompt_upsampling"]`, "bool_parsing", "Input should be a valid boolean, unable to interpret input"}},
		},
		{
			"flux-2-flex", `{"prompt": "a", "prompt_upsampling": 1}`,
			[]wrong{{`["body","prompt_upsampling"]`, "bool_type", "Input should be a valid boolean"}},
		},
		{
			"flux-2-pro", `{"prompt": "a", "webhook_url": ""}`,
			[]wrong{{`["body","webhook_url"]`, "url_parsing", "Input should be a valid URL, input is empty"}},
		},
		{
			"flux-2-pro", `{"prompt": "a", "webhook_url": "example.com/hook"}`,
			[]wrong{{`["body","webhook_url"]`, "url_parsing", "Input should be a valid URL, relative URL without a base"}},
		},
		{
			"flux-2-pro", `{"prompt": "a", "webhook_url": "ftp://example.com"}`,
			[]wrong{{`["body","webhook_url"]`, "url_scheme", "URL scheme should be 'http' or 'https'"}},
		},
		{
			"flux-2-pro", `{"prompt": "a", "webhook_url": ` + long + `}`,
			[]wrong{{`["body","webhook_url"]`, "url_too_long", "URL should have at most 2083 characters"}},
		},
		{
			"flux-2-pro", `{"prompt": "a", "webhook_url": "https://", "webhook_secret": 5}`,
			[]wrong{
				{`["body","webhook_url"]`, "url_parsing", "Input should be a valid URL, empty host"},
				{`["body","webhook_secret"]`, "string_type", "Input should be a valid string"},
			},
		},
		{
			"flux-pro-1.0-fill", `{"prompt": "a", "image": null}`,
			[]wrong{{`["body","image"]`, "string_type", "Input should be a valid string"}},
		},
		{"flux-fill", `{"prompt": "a"}`, []wrong{{`["body","image"]`, "missing", "Field required"}}},
		{
			"flux-2-pro", `{"prompt": "a", "input_image": "not base64!"}`,
			[]wrong{{`["body","input_image"]`, "value_error", "Value error, the image is neither a URL nor valid Base64"}},
		},
		{
			"flux-2-pro", `{"prompt": "a", "input_image": "ftp://example.com/a.png"}`,
			[]wrong{{`["body","input_image"]`, "value_error", "Value error, the image is neither a URL nor valid Base64"}},
		},
		{
			"flux-fill", `{"image": "https://example.com/a.png"}`,
			[]wrong{{`["body","image"]`, "value_error", "Value error, the image is not valid Base64"}},
		},
		{
			"flux-2-pro", `{"prompt": "[fault:submit-700]"}`,
			[]wrong{{
				`["body","prompt"]`, "value_error",
				`Value error, fault "submit-700": 700 is not an HTTP status between 400 and 599`,
			}},
		},
		{"flux-2-pro", ``, []wrong{{`["body"]`, "missing", "Field required"}}},
		{"flux-2-pro", `null`, []wrong{{`["body"]`, "missing", "Field required"}}},
		{"flux-2-pro", `{"prompt": "a",}`, []wrong{{`["body",15]`, "json_invalid", "JSON decode error"}}},
		{"flux-2-pro", `{"prompt": "a"} {}`, []wrong{{`["body",16]`, "json_invalid", "JSON decode error"}}},
		{
			"flux-2-pro", `["prompt"]`,
			[]wrong{{
				`["body"]`, "model_attributes_type",
				"Input should be a valid dictionary or object to extract fields from",
			}},
		},
	} {
		if diff := cmp.Diff(c.want, wrongs(t, b.post(c.model, c.body))); diff != "" {
			t.Errorf("%s %.60s (-want +got):\n%s", c.model, c.body, diff)
		}
	}
	if n := b.Stats().Submissions; n != 0 {
		t.Errorf("%d refused orders were charged", n)
	}
}

func TestTooLargeASize(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	b.order("flux-2-pro", `{"prompt": "a", "width": 2048, "height": 2048}`)
	got := wrongs(t, b.post("flux-2-pro", `{"prompt": "a", "width": 2048, "height": 2064}`))
	if len(got) != 1 || got[0].Loc != `["body"]` || got[0].Type != "value_error" || !strings.Contains(got[0].Msg, "4 megapixels") {
		t.Errorf("got %+v", got)
	}
}

func TestAcceptedBodies(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	for model, bodies := range map[string][]string{
		"flux-2-pro": {
			`{"prompt": "a", "width": 1920, "height": 1080}`,
			`{"prompt": "a", "width": 1080, "height": 1920}`,
			`{"prompt": "a", "width": 64, "height": 64}`,
			`{"prompt": "a", "seed": 0, "safety_tolerance": 0}`,
			`{"prompt": "a", "seed": -1}`,
			`{"prompt": "a", "seed": 18446744073709551616}`,
			`{"prompt": "a", "width": 256.0}`,
			`{"prompt": "a", "width": null, "height": null, "seed": null, "output_format": null, "webhook_url": null}`,
			`{"prompt": "a", "input_image": null, "input_image_8": "https://example.com/a.png"}`,
			`{"prompt": "a", "prompt_upsampling": 3, "unknown": {"x": []}}`,
			`{"prompt": "a", "prompt": "b"}`,
			`{"prompt": ""}`,
		},
		"flux-dev":           {`{}`, `{"guidance": 5, "steps": null}`},
		"flux-pro-1.1-ultra": {`{"aspect_ratio": "21:9", "raw": true, "prompt": null}`},
		"flux-kontext-pro":   {`{"prompt": "a"}`, `{"prompt": "a", "aspect_ratio": null}`},
	} {
		for _, body := range bodies {
			if r := b.post(model, body); r.status != http.StatusOK {
				t.Errorf("%s %s: %d %s", model, body, r.status, r.body)
			}
		}
	}
}

func TestBodyForms(t *testing.T) {
	t.Parallel()
	b := start(t, Options{MaxBody: 1000})
	const good = `{"prompt": "a"}`
	for name, c := range map[string]struct {
		body, contentType string
		want              int
	}{
		"plain":           {good, "application/json", 200},
		"charset":         {good, "application/json; charset=utf-8", 200},
		"vendor":          {good, "application/vnd.bfl+json", 200},
		"no type":         {good, "", 200},
		"form":            {good, "application/x-www-form-urlencoded", 422},
		"broken type":     {good, ";;", 422},
		"not UTF-8":       {"{\"prompt\": \"\xff\"}", "application/json", 400},
		"as large as may": {`{"prompt": "` + strings.Repeat("a", 1000-len(good)+1) + `"}`, "application/json", 200},
		"too large":       {`{"prompt": "` + strings.Repeat("a", 1000-len(good)+2) + `"}`, "application/json", 413},
	} {
		headers := []string{"X-Key", "test"}
		if c.contentType != "" {
			headers = append(headers, "Content-Type", c.contentType)
		}
		if got := b.do(http.MethodPost, "/v1/flux-2-pro", c.body, headers...); got.status != c.want {
			t.Errorf("%s: %d %s, want %d", name, got.status, got.body, c.want)
		}
	}
}

func TestStrictFields(t *testing.T) {
	t.Parallel()
	b := start(t, Options{StrictFields: true})
	want := []wrong{{`["body","widht"]`, "extra_forbidden", "Extra inputs are not permitted"}}
	body := `{"prompt": "a", "widht": 256, "webhook_secret": "s", "input_image": "https://example.com/a.png"}`
	if diff := cmp.Diff(want, wrongs(t, b.post("flux-2-pro", body))); diff != "" {
		t.Error(diff)
	}
}

func TestPathsMethodsAndKeys(t *testing.T) {
	t.Parallel()
	b := start(t, Options{Keys: map[string]Account{"good": {Credits: 1000}}})
	for _, c := range []struct {
		method, path, key string
		want              int
		body              string
	}{
		{"GET", "/v1/nothing", "", 404, `{"detail":"Not Found"}`},
		{"POST", "/v1/flux-9", "good", 404, `{"detail":"Not Found"}`},
		{"GET", "/v1/flux-2-pro", "good", 405, `{"detail":"Method Not Allowed"}`},
		{"POST", "/v1/get_result", "good", 405, `{"detail":"Method Not Allowed"}`},
		{"DELETE", "/v1/credits", "good", 405, `{"detail":"Method Not Allowed"}`},
		{"POST", "/v1/flux-2-pro", "", 403, ""},
		{"POST", "/v1/flux-2-pro", "bad", 401, `{"detail":"Invalid API key"}`},
		{"GET", "/v1/credits", "", 403, ""},
		{"GET", "/v1/credits", "good", 200, `{"credits":1}`},
		{"GET", "/v1/get_result?id=x", "", 200, ""},
		{"GET", "/v1/get_result?id=x", "bad", 401, `{"detail":"Invalid API key"}`},
		{"GET", "/v1/get_result", "", 422, `{"detail":[{"type":"missing","loc":["query","id"],"msg":"Field required","input":null}]}`},
		{"GET", "/v1/my_finetunes", "", 403, ""},
	} {
		r := b.do(c.method, c.path, `{"prompt": "a"}`, "X-Key", c.key)
		if r.status != c.want || c.body != "" && string(r.body) != c.body {
			t.Errorf("%s %s with key %q: %d %s, want %d %s", c.method, c.path, c.key, r.status, r.body, c.want, c.body)
		}
		if r.header.Get(Header) != "1" {
			t.Errorf("%s %s: the answer is not marked", c.method, c.path)
		}
		if c.want == 405 && r.header.Get("Allow") == "" {
			t.Errorf("%s %s: no Allow", c.method, c.path)
		}
	}
}

func TestUnknownTask(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	want := `{"id":"nobody","status":"Task not found","result":null,"progress":null,"details":null,"preview":null}`
	if got := b.do(http.MethodGet, "/v1/get_result?id=nobody", ""); string(got.body) != want || got.status != 200 {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestModeration(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	for prompt, want := range map[string]result{
		"a " + MarkRequestModerated: {Status: statusRequestModerated, Details: map[string]any{"Moderation Reasons": []any{"Prompt Filter"}}},
		"a " + MarkContentModerated: {Status: statusContentModerated, Details: map[string]any{"Moderation Reasons": []any{"Image Filter"}}},
		"a " + MarkError: {
			Status: statusError, Error: "The prompt asked the simulator for an error.",
			Details: map[string]any{"error": "The prompt asked the simulator for an error."},
		},
	} {
		a := b.order("flux-2-pro", `{"prompt": "`+prompt+`"}`)
		want.ID = a.ID
		if diff := cmp.Diff(want, b.poll(a)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", prompt, diff)
		}
	}
}

func TestFinetunes(t *testing.T) {
	t.Parallel()
	b := start(t, Options{Finetunes: []string{"mine", "other"}})
	get := func(path string) reply { return b.do(http.MethodGet, path, "", "X-Key", "k") }
	drop := func(body string) reply {
		return b.do(http.MethodPost, "/v1/delete_finetune", body, "X-Key", "k", "Content-Type", "application/json")
	}
	order := func(id string) int {
		return b.do(http.MethodPost, "/v1/flux-pro-1.1-ultra-finetuned", `{"finetune_id": "`+id+`"}`, "X-Key", "k").status
	}
	if got := string(get("/v1/my_finetunes").body); got != `{"finetunes":["mine","other"]}` {
		t.Error(got)
	}
	if got := get("/v1/finetune_details?finetune_id=mine"); got.status != 200 || !strings.Contains(string(got.body), `"finetune_details":{`) {
		t.Errorf("%d %s", got.status, got.body)
	}
	for want, got := range map[int]int{200: order("mine"), 404: order("theirs"), 422: drop(`{}`).status} {
		if got != want {
			t.Errorf("status %d, want %d", got, want)
		}
	}
	if got := order("bfl/shared"); got != 200 {
		t.Errorf("a fine-tune of another organisation: %d", got)
	}
	got := decode[map[string]string](t, drop(`{"finetune_id": "mine"}`))
	if got["deleted_finetune_id"] != "mine" || got["status"] == "" || got["message"] == "" {
		t.Errorf("%v", got)
	}
	if _, err := time.Parse(time.RFC3339, got["timestamp"]); err != nil {
		t.Error(err)
	}
	if got := order("mine"); got != 404 {
		t.Errorf("a fine-tune that was deleted: %d", got)
	}
	if got := drop(`{"finetune_id": "mine"}`); got.status != 404 {
		t.Errorf("%d %s", got.status, got.body)
	}
}
