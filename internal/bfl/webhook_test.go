package bfl_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

func TestVerifyWebhook(t *testing.T) {
	t.Parallel()
	// Made with: printf '%s' "$body" | openssl dgst -sha256 -hmac your-secret-key
	const (
		secret = "your-secret-key"
		body   = `{"id":"gen_abc123xyz","status":"Ready"}`
		right  = "sha256=88d59310e84257ce679b82aaa8dcb82bdb3a9fed0b519247c70ee938b52fed63"
	)
	for name, test := range map[string]struct {
		secret, body, header string
		want                 bool
	}{
		"right":            {secret, body, right, true},
		"in capitals":      {secret, body, "sha256=" + strings.ToUpper(right[7:]), true},
		"another body":     {secret, body + " ", right, false},
		"another secret":   {secret + "x", body, right, false},
		"no secret":        {"", body, "sha256=481f8c398af54e0a13347481ff4b5723a0c90eb663536825b6de71bd8edaa3ec", false},
		"no header":        {secret, body, "", false},
		"no prefix":        {secret, body, right[7:], false},
		"another hash":     {secret, body, "sha1=" + right[7:], false},
		"too short":        {secret, body, right[:len(right)-2], false},
		"too long":         {secret, body, right + "00", false},
		"nothing":          {secret, body, "sha256=", false},
		"no hexadecimal":   {secret, body, "sha256=" + strings.Repeat("zz", 32), false},
		"one bit is wrong": {secret, body, right[:len(right)-1] + "0", false},
	} {
		if got := bfl.VerifyWebhook(test.secret, []byte(test.body), test.header); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestSubmitAsksForWebhook(t *testing.T) {
	t.Parallel()
	const secret = "a secret\tof \"ours\""
	var sent map[string]any
	refuse := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
			t.Error(err)
		}
		if refuse {
			answer(422, `{"detail":[{"loc":["body","webhook_secret"],"msg":"a secret\tof \"ours\" is too long"}]}`)(w, r)
			return
		}
		answer(200, `{"id":"task-1","status":"Pending","webhook_url":"https://example.com/hook"}`)(w, r)
	}))
	t.Cleanup(server.Close)
	c, err := bfl.NewClient(bfl.ClientOptions{
		BaseURL: server.URL, Key: key, WebhookURL: "https://example.com/hook", WebhookSecret: secret,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	r := &bfl.Request{Model: bfl.Lookup("flux-2-pro"), Arguments: []bfl.Argument{{Name: "prompt", Value: "x"}}}
	before := r.Fingerprint()
	task, err := c.Submit(t.Context(), r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if task.ID != "task-1" || task.PollingURL != "" {
		t.Errorf("the task is %s, to be polled at %q; the answer named no URL", task.ID, task.PollingURL)
	}
	want := map[string]any{"prompt": "x", "webhook_url": "https://example.com/hook", "webhook_secret": secret}
	if diff := cmp.Diff(want, sent); diff != "" {
		t.Errorf("the body (-want +got):\n%s", diff)
	}
	canonical, err := r.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	if r.Fingerprint() != before || strings.Contains(string(canonical), "webhook") {
		t.Errorf("the request became %s", canonical)
	}
	refuse = true
	_, err = c.Submit(t.Context(), r, nil)
	if err == nil || strings.Contains(err.Error(), "ours") || !strings.Contains(err.Error(), "[secret] is too long") {
		t.Errorf("the error is %v, want it without the secret", err)
	}
}

func TestWebhookNeedsSecret(t *testing.T) {
	t.Parallel()
	for name, secret := range map[string]string{"none": "", "not UTF-8": "hush\xff"} {
		_, err := bfl.NewClient(bfl.ClientOptions{
			BaseURL: "https://api.bfl.ai", Key: key, WebhookURL: "https://example.com", WebhookSecret: secret,
		})
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
