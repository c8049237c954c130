package bfl_test

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// TestExtentsBeforeThePost holds that an image which the API would refuse for its extent is noticed
// before anything is sent, and that a model without webhooks is not asked for one.
func TestExtentsBeforeThePost(t *testing.T) {
	t.Parallel()
	size := func(w, h int) bfl.Size { return bfl.Size{Width: w, Height: h} }
	for _, tt := range []struct {
		name, model string
		inputs      map[string]bfl.Size
		want        string
	}{
		{"a mask of its image's size", "flux-fill", map[string]bfl.Size{"image": size(64, 48), "mask": size(64, 48)}, ""},
		{"a mask of another size", "flux-fill", map[string]bfl.Size{"image": size(64, 48), "mask": size(48, 64)}, "The mask has 48 x 64 pixels"},
		{"no mask", "flux-fill", map[string]bfl.Size{"image": size(64, 48)}, ""},
		{"a small image", "flux-3-image", map[string]bfl.Size{"images[0]": size(255, 300)}, "at least 256 x 256"},
		{"a large one", "flux-3-image", map[string]bfl.Size{"images[0]": size(256, 256), "images[1]": size(4097, 4096)}, "at most 16 megapixels"},
		{"no conditions", "flux-2-pro", map[string]bfl.Size{"input_image": size(1, 1)}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var sent string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body) // what is cut off lacks what the test looks for
				sent = string(body)
				_, _ = io.WriteString(w, `{"id": "1"}`)
			}))
			defer server.Close()
			client, err := bfl.NewClient(bfl.ClientOptions{BaseURL: server.URL, Key: "k", WebhookURL: server.URL, WebhookSecret: "s"})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			model := bfl.Lookup(tt.model)
			r := &bfl.Request{Model: model, Arguments: []bfl.Argument{{Name: "prompt", Value: "x"}}}
			for _, field := range append(append([]string{}, model.Inputs.References...), "mask") {
				if _, ok := tt.inputs[field]; ok {
					r.Inputs = append(r.Inputs, bfl.Input{Field: field, SHA256: "known"})
				}
			}
			_, err = client.Submit(t.Context(), r, func(in bfl.Input) (io.ReadCloser, int64, error) {
				var b bytes.Buffer
				s := tt.inputs[in.Field]
				err := png.Encode(&b, image.NewAlpha(image.Rect(0, 0, s.Width, s.Height)))
				return io.NopCloser(&b), int64(b.Len()), err
			})
			if tt.want == "" {
				if err != nil || strings.Contains(sent, "webhook_url") == model.NoWebhook {
					t.Errorf("%v, sent %.200s", err, sent)
				}
				return
			}
			var wrong *bfl.ExtentError
			var submit *bfl.SubmitError
			if !errors.As(err, &wrong) || !strings.Contains(wrong.Reason, tt.want) || !errors.As(err, &submit) || submit.Ambiguous() || submit.Retryable() {
				t.Errorf("error %v, want one about %q that is neither ambiguous nor to be tried again", err, tt.want)
			}
			if sent != "" {
				t.Errorf("sent %.100s", sent)
			}
		})
	}
}
