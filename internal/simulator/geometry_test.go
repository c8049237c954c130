package simulator

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

func TestSizeAndPrice(t *testing.T) {
	t.Parallel()
	b := start(t, Options{Concurrency: 1000, ModelConcurrency: map[string]int{"flux-kontext-max": 1000}})
	claims := func(w, h int) string { return `"` + base64.StdEncoding.EncodeToString(claim(w, h)) + `"` }
	const url = `"https://example.com/a.png"`
	for _, c := range []struct {
		model, body    string
		w, h           int
		cost           float64
		inputMP, outMP float64
	}{
		{"flux-2-pro", `{"prompt": "a"}`, 1024, 1024, 3, 0, 1},
		{"flux-2-pro", `{"prompt": "a", "width": 1920, "height": 1080}`, 1920, 1080, 4.5, 0, 1.98},
		{"flux-2-pro", `{"prompt": "a", "width": 2048, "height": 2048}`, 2048, 2048, 7.5, 0, 4},
		{"flux-2-pro", `{"prompt": "a", "width": 64, "height": 64}`, 64, 64, 3, 0, 0},
		{"flux-2-pro", `{"prompt": "a", "width": 512}`, 512, 1024, 3, 0, 0.5},
		{"flux-2-pro", `{"prompt": "a", "input_image": ` + claims(800, 600) + `}`, 800, 608, 4.5, 0.46, 0.46},
		{"flux-2-pro", `{"prompt": "a", "input_image": ` + claims(4000, 3000) + `}`, 2352, 1760, 3 + 3*1.5 + 4*1.5, 3.91, 3.95},
		{"flux-2-pro", `{"prompt": "a", "input_image": ` + claims(2040, 2056) + `}`, 2032, 2048, 3 + 3*1.5 + 4*1.5, 3.91, 3.97},
		{"flux-2-pro", `{"prompt": "a", "width": 64, "height": 64, "input_image": ` + claims(4000, 3000) + `, "input_image_2": ` + claims(1100, 1000) + `}`, 64, 64, 3 + 2*1.5, 2, 0},
		{"flux-2-flex", `{"prompt": "a", "input_image": ` + claims(1448, 1448) + `}`, 1456, 1456, 5 + 2*5 + 2*5, 2, 2.02},
		{"flux-2-pro", `{"prompt": "a", "input_image": ` + claims(8, 20000) + `}`, 64, 20000, 4.5 + 1.5, 0.15, 1.22},
		{"flux-2-max", `{"prompt": "a", "input_image": ` + url + `, "input_image_2": ` + claims(600, 600) + `}`, 1024, 1024, 7 + 2*3, 1.34, 1},
		{"flux-2-klein-4b", `{"prompt": "a", "width": 1536, "height": 1152}`, 1536, 1152, 1.5, 0, 1.69},
		{"flux-pro-1.1", `{"prompt": "a"}`, 1024, 768, 4, 0, 0.75},
		{"flux-dev", `{"width": 1440}`, 1440, 768, 2.5, 0, 1.05},
		{"flux-pro-1.1-ultra", `{"prompt": "a"}`, 2720, 1536, 6, 0, 3.98},
		{"flux-pro-1.1-ultra", `{"prompt": "a", "aspect_ratio": "1:1"}`, 2048, 2048, 6, 0, 4},
		{"flux-pro-1.1-ultra", `{"prompt": "a", "aspect_ratio": "9:21"}`, 1344, 3136, 6, 0, 4.02},
		{"flux-kontext", `{"prompt": "a", "input_image": ` + url + `}`, 1024, 1024, 4, 1, 1},
		{"flux-kontext", `{"prompt": "a", "input_image": ` + claims(400, 300) + `}`, 1184, 880, 4, 0.11, 0.99},
		{"flux-kontext", `{"prompt": "a", "input_image": ` + url + `, "aspect_ratio": "16:9"}`, 1360, 768, 4, 1, 1},
		{"flux-kontext", `{"prompt": "a", "input_image": ` + url + `, "width": 512, "height": 640}`, 512, 640, 4, 1, 0.31},
		{"flux-kontext-max", `{"prompt": "a", "input_image": ` + claims(10, 5000) + `}`, 672, 1568, 8, 0.05, 1},
		{"flux-fill", `{"image": ` + claims(333, 222) + `}`, 333, 222, 5, 0.07, 0.07},
		{"flux-pro-1.0-expand", `{"image": ` + claims(300, 200) + `, "left": 10, "bottom": 2048}`, 310, 2248, 5, 0.06, 0.66},
	} {
		a := b.order(c.model, c.body)
		got := fmt.Sprint(b.find(a.ID).size, a.Cost, a.InputMP, a.OutputMP)
		want := fmt.Sprint(bfl.Size{Width: c.w, Height: c.h}, c.cost, c.inputMP, c.outMP)
		if got != want {
			t.Errorf("%s %.80s:\n got %s\nwant %s", c.model, c.body, got, want)
		}
	}
}

func TestTooLargeAnExpansionEndsInError(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	body, err := json.Marshal(map[string]any{
		"image": base64.StdEncoding.EncodeToString(claim(4000, 4000)), "top": 2048, "left": 2048,
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := b.poll(b.order("flux-pro-1.0-expand", string(body))); got.Status != statusError {
		t.Errorf("%+v", got)
	}
}
