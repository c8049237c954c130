package simulator

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// TestFlux3Image holds what is peculiar to the model: it takes one image or a list, answers 400 to
// extents that it does not take and 422 to every field that it does not know, and charges by
// resolution.
func TestFlux3Image(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	file := func(width, height int) string {
		return `"` + base64.StdEncoding.EncodeToString(claim(width, height)) + `"`
	}
	for _, tt := range []struct {
		name, fields string
		status       int
		says         string
		cost         float64
	}{
		{"a prompt alone", ``, 200, "", 4.8},
		{"768sq", `, "resolution": "768sq"`, 200, "", 4.1},
		{"2k", `, "resolution": "2k"`, 200, "", 10},
		{"4k", `, "resolution": "4k"`, 200, "", 60.7},
		{"an unlisted resolution", `, "resolution": "1.5k"`, 200, "", 60.7},
		{"no resolution", `, "resolution": "8k"`, 422, "resolution", 0},
		{"a ratio of its list", `, "aspect_ratio": "7:5"`, 200, "", 4.8},
		{"another ratio", `, "aspect_ratio": "10:9"`, 422, "aspect_ratio", 0},
		{"the shape left to it", `, "aspect_ratio": "auto"`, 200, "", 4.8},
		{"one image", `, "images": ` + file(256, 256), 200, "", 4.8},
		{"a list", `, "images": [` + file(256, 256) + `, "https://example.com/a.png"]`, 200, "", 4.8},
		{"no image in the list", `, "images": []`, 422, "images", 0},
		{"eleven images", `, "images": [` + strings.Repeat(file(256, 256)+",", 10) + file(256, 256) + `]`, 422, "at most 10", 0},
		{"an image that is too small", `, "images": ` + file(512, 255), 400, "at least 256 x 256", 0},
		{"the largest image", `, "images": ` + file(4096, 4096), 200, "", 4.8},
		{"an image that is too large", `, "images": [` + file(4097, 4096) + `]`, 400, "at most 16 megapixels", 0},
		{"an image that is larger than any model takes", `, "images": [` + file(6000, 6000) + `]`, 400, "megapixels", 0},
		{"the most tolerant", `, "safety_tolerance": 4`, 200, "", 4.8},
		{"too tolerant", `, "safety_tolerance": 5`, 422, "safety_tolerance", 0},
		{"a seed", `, "seed": 1`, 422, "extra_forbidden", 0},
		{"a size", `, "width": 1024`, 422, "extra_forbidden", 0},
		{"a format", `, "output_format": "png"`, 422, "extra_forbidden", 0},
		{"a webhook", `, "webhook_url": "https://example.com/hook"`, 422, "extra_forbidden", 0},
		{"what nobody knows", `, "steps": 4`, 422, "extra_forbidden", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := b.do(http.MethodPost, "/v1/flux-3-image", fmt.Sprintf(`{"prompt": "a heron"%s}`, tt.fields), "X-Key", "k", "Content-Type", "application/json")
			if r.status != tt.status || !strings.Contains(string(r.body), tt.says) {
				t.Fatalf("%d %.300s", r.status, r.body)
			}
			var got accepted
			if err := json.Unmarshal(r.body, &got); tt.status == 200 && (err != nil || got.Cost != tt.cost) {
				t.Errorf("cost %v, want %v", got.Cost, tt.cost)
			}
		})
	}
}

func TestSizesByResolution(t *testing.T) {
	t.Parallel()
	arg := func(pairs ...string) []bfl.Argument {
		var args []bfl.Argument
		for i := 0; i < len(pairs); i += 2 {
			args = append(args, bfl.Argument{Name: pairs[i], Value: pairs[i+1]})
		}
		bfl.SortArguments(args)
		return args
	}
	for _, tt := range []struct {
		name  string
		args  []bfl.Argument
		input []bfl.Size
		want  bfl.Size
		known bool
	}{
		{"nothing said", nil, nil, bfl.Size{Width: 1024, Height: 1024}, true},
		{"4k in 16:9", arg("aspect_ratio", "16:9", "resolution", "4k"), nil, bfl.Size{Width: 5456, Height: 3072}, true},
		{"768sq", arg("resolution", "768sq"), nil, bfl.Size{Width: 768, Height: 768}, true},
		{"the shape of the reference", arg("aspect_ratio", "auto"), []bfl.Size{{Width: 2000, Height: 1000}}, bfl.Size{Width: 1456, Height: 720}, true},
		{"a reference behind a URL", nil, []bfl.Size{{}}, bfl.Size{Width: 1024, Height: 1024}, false},
		{"a reference that the shape does not follow", arg("aspect_ratio", "1:1"), []bfl.Size{{}}, bfl.Size{Width: 1024, Height: 1024}, true},
	} {
		r := bfl.Request{Model: bfl.Lookup("flux-3-image"), Arguments: tt.args}
		for _, size := range tt.input {
			r.Inputs = append(r.Inputs, bfl.Input{Field: "images[0]", Size: size})
		}
		if got, known := r.OutputSize(); got != tt.want || known != tt.known {
			t.Errorf("%s: %v, known %v; want %v, %v", tt.name, got, known, tt.want, tt.known)
		}
	}
}
