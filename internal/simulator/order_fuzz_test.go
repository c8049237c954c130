package simulator

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// FuzzReadOrder reads bodies as every model does. What is accepted must have a size and a price,
// and read the same when it is written out again.
func FuzzReadOrder(f *testing.F) {
	for _, body := range []string{
		`{"prompt": "a", "width": 256, "height": 1e3, "seed": 0}`, `{"prompt": "a", "input_image": "aGVsbG8="}`,
		`{"image": "data:image/png;base64,aGk", "mask": null, "top": 16}`, `{"finetune_id": "x", "aspect_ratio": "21:9"}`,
		`{"prompt": "a", "width": 1e30}`, `{"prompt": "a", "width": 9223372036854775792}`, `{"prompt": "\ud800", "webhook_url": "https://a"}`,
		`{"images": ["https://example.com/a.png", "aGk"], "aspect_ratio": "auto"}`, `{"images": []}`, `{"images": [7, null], "width": 1e9}`,
		`{"prompt": "[fault:submit-500 x2]", "webhook_url": "%"}`, `[]`, `null`, `{"prompt":"a"`, "\xff", `{"prompt": "a", "width": 1152921504606846976}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		parsed, p := parseBody("application/json", body)
		if p != nil {
			return
		}
		again, err := json.Marshal(parsed)
		if err != nil {
			t.Fatal(err)
		}
		reparsed, p := parseBody("", again)
		if p != nil {
			t.Fatalf("%s is refused once it is written out as %s", body, again)
		}
		for _, m := range slices.Concat(bfl.Models(), []*bfl.Model{declaredModel()}) {
			o, errs := readOrder(m, parsed, body, false)
			if (o == nil) == (len(errs) == 0) {
				t.Fatalf("%s: an order %v with errors %v", m.Name, o, errs)
			}
			encode(errs)
			if o == nil {
				continue
			}
			cost, _, _ := o.price()
			if size := o.size(); size.Width < 0 || size.Height < 0 || cost <= 0 || cost > bfl.CreditsOf(1000) {
				t.Errorf("%s: %v for %v", m.Name, size, cost)
			}
			if twin, _ := readOrder(m, reparsed, again, false); twin == nil || twin.digest != o.digest {
				t.Errorf("%s: another order once it is written out", m.Name)
			}
		}
	})
}
