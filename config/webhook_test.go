package config

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fluxbatch/fluxbatch/internal/image"
)

func TestWebhookOfProvider(t *testing.T) {
	t.Parallel()
	const src = `
variable "host" { default = "example.com" }

provider "bfl" {
  webhook {
    url        = "https://${var.host}/fluxbatch?of=main"
    listen     = "[::1]:8788"
    secret_env = "FLUXBATCH_WEBHOOK_SECRET"
  }
}

provider "bfl" {
  alias = "local"
  webhook {
    url        = "http://127.0.0.1:9000"
    listen     = ":9000"
    secret_env = "OTHER_SECRET"
  }
}

provider "bfl" { alias = "asked" }
`
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.flux.hcl"), []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	c, diags := Load(dir, Options{Version: "0.3.1"})
	diags = append(diags, c.Evaluate(func(*image.Image) *image.Result { return nil })...)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	got := map[string]*Webhook{}
	for name, p := range c.Settings.Providers {
		got[name] = p.Webhook
	}
	want := map[string]*Webhook{
		"bfl":       {URL: "https://example.com/fluxbatch?of=main", Listen: "[::1]:8788", SecretEnv: "FLUXBATCH_WEBHOOK_SECRET"},
		"bfl.local": {URL: "http://127.0.0.1:9000", Listen: ":9000", SecretEnv: "OTHER_SECRET"},
		"bfl.asked": nil,
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Webhook{}, "Range")); diff != "" {
		t.Errorf("webhooks by provider (-want +got):\n%s", diff)
	}
}
