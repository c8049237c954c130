package simulator

import (
	"encoding/base64"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// declaredModel is one that the catalogue does not have, with a list of at most three references.
func declaredModel() *bfl.Model {
	return declared(&bfl.Model{
		Name: "newest", Endpoint: "/v1/newest", Custom: true, Inputs: bfl.ReferenceList("images", 3), Price: bfl.Price{Image: 4_800},
	})
}

func TestDeclaredModel(t *testing.T) {
	t.Parallel()
	b := start(t, Options{Models: []*bfl.Model{declaredModel(), {Name: "mine", Endpoint: "/v1/flux-2-pro", Custom: true}}})
	file := base64.StdEncoding.EncodeToString(photo(t, 96, 64, "png"))
	a := b.order("newest", `{"prompt": "a", "images": ["`+file+`", "https://example.com/b.png"], "aspect_ratio": "auto", "resolution": "1k"}`)
	if a.Cost != 4.8 || a.InputMP != 1.01 || b.poll(a).Status != statusReady {
		t.Errorf("%+v", a)
	}
	if other := b.order("newest", `{"prompt": "a", "images": ["https://example.com/b.png", "`+file+`"]}`); other.ID == a.ID {
		t.Error("two orders are one task")
	}
	const array = `["body","images"]`
	for _, c := range []struct {
		model, body string
		want        []wrong
	}{
		{"newest", `{"prompt": "a", "images": "` + file + `"}`, []wrong{{array, "list_type", "Input should be a valid list"}}},
		{"newest", `{"images": []}`, []wrong{{array, "too_short", "List should have at least 1 item after validation, not 0"}}},
		{
			"newest", `{"images": ["https://a.b", "https://a.b", "https://a.b", "https://a.b"]}`,
			[]wrong{{array, "too_long", "List should have at most 3 items after validation, not 4"}},
		},
		{
			"newest", `{"images": [null, "https://a.b", "?"]}`, []wrong{
				{`["body","images",0]`, "string_type", "Input should be a valid string"},
				{`["body","images",2]`, "value_error", "Value error, the image is neither a URL nor valid Base64"},
			},
		},
		{"newest", `{"prompt": 7}`, []wrong{{`["body","prompt"]`, "string_type", "Input should be a valid string"}}},
		{"newest", `{"width": 0}`, []wrong{{`["body","width"]`, "value_error", "Value error, an image has from 1 to 4194304 pixels"}}},
		{"newest", `{"width": 4000, "height": 4000}`, []wrong{{`["body"]`, "value_error", "Value error, the image would have more than 4194304 pixels"}}},
		{
			"newest", `{"output_format": "gif"}`,
			[]wrong{{`["body","output_format"]`, "value_error", "Value error, the format is none of jpeg, png and webp"}},
		},
		// A declaration does not make the checks of an endpoint that is known any weaker.
		{"flux-2-pro", `{}`, []wrong{{`["body","prompt"]`, "missing", "Field required"}}},
	} {
		if diff := cmp.Diff(c.want, wrongs(t, b.post(c.model, c.body))); diff != "" {
			t.Errorf("%s %.60s (-want +got):\n%s", c.model, c.body, diff)
		}
	}
	if got := b.post("mine", `{}`); got.status != http.StatusNotFound {
		t.Errorf("a model without an endpoint of its own: %d", got.status)
	}
}
