package cli_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/cli"
	"github.com/fluxbatch/fluxbatch/internal/porttest"
	"github.com/fluxbatch/fluxbatch/internal/simulator"
	"github.com/fluxbatch/fluxbatch/internal/simulator/simtest"
)

const webhookSecret = "a long random text of our own"

// tunnel carries webhooks to a receiver, and makes mischief.
type tunnel struct {
	t  *testing.T
	to string

	mu    sync.Mutex
	first []byte // the first webhook's body
	sign  string // and its signature
}

func (v *tunnel) post(body []byte, signature string) int {
	request, err := http.NewRequestWithContext(v.t.Context(), http.MethodPost, "http://"+v.to+"/behind/the/tunnel", bytes.NewReader(body))
	if err != nil {
		v.t.Error(err)
		return 0
	}
	request.Header.Set(bfl.WebhookHeader, signature)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		// The apply is over, and this was one repetition too many.
		return http.StatusBadGateway
	}
	_ = answer.Body.Close() // not read
	return answer.StatusCode
}

func (v *tunnel) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		v.t.Error(err)
	}
	signature := r.Header.Get(bfl.WebhookHeader)
	v.mu.Lock()
	if v.first == nil {
		v.first, v.sign = body, signature
	}
	first, sign := v.first, v.sign
	v.mu.Unlock()
	if status := v.post(bytes.Replace(body, []byte("Ready"), []byte("Error"), 1), signature); status != http.StatusUnauthorized && status != http.StatusBadGateway {
		v.t.Errorf("a forged webhook was answered with %d", status)
	}
	status := v.post(body, signature)
	v.post(body, signature)
	v.post(first, sign)
	w.WriteHeader(status)
}

// TestApplyWithWebhooks makes 100 images while every webhook comes forged, then genuine, and then
// again. How many looks that spares depends on how fast webhooks come; that one makes the run look is
// proved with one image alone, whose webhook comes long before anything else would.
func TestApplyWithWebhooks(t *testing.T) {
	t.Parallel()
	const images = 100
	sim, api := simtest.Serve(t, simulator.Options{Seed: 1, Webhooks: simulator.Webhooks{HTTP: true}})
	v := &tunnel{t: t, to: fmt.Sprintf("127.0.0.1:%d", porttest.Find(t))}
	way := httptest.NewServer(v)
	t.Cleanup(way.Close)
	dir := t.TempDir()
	manifest := fmt.Sprintf(`
provider "bfl" {
  endpoint = %q
  webhook {
    url        = "%s/hook"
    listen     = %q
    secret_env = "HOOK_SECRET"
  }
}

image "i" {
  count  = %d
  model  = "flux-2-klein-4b"
  prompt = "heron ${count.index}"
  width  = 64
  height = 64
}
`, api, way.URL, v.to, images)
	if err := os.WriteFile(filepath.Join(dir, "main.flux.hcl"), []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(dir, "log")
	var stdout, stderr bytes.Buffer
	apply := func(args ...string) (status int) {
		return cli.Run(cli.Environment{
			Args: append([]string{"apply", "-auto-approve"}, args...), Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr,
			Environ: []string{"HOOK_SECRET=" + webhookSecret, "FLUXBATCH_LOG=debug", "FLUXBATCH_LOG_PATH=" + log},
			Drain:   context.Background(), Abort: context.Background(),
		})
	}
	if status := apply(dir); status != 0 || !strings.Contains(stdout.String(), "100 created") {
		t.Fatalf("the exit status is %d\n%s%s", status, stdout.String(), stderr.String())
	}
	polls := sim.Stats().Polls
	t.Logf("%.2f polls an image", float64(polls)/images)
	if charges := len(sim.Ledger()); charges != images {
		t.Errorf("%d images were paid for, want %d", charges, images)
	}
	status := apply("-replace=image.i[7]", dir)
	if more := sim.Stats().Polls - polls; status != 0 || more != 1 {
		t.Errorf("the exit status is %d, and for one image the API was asked %d times, want once\n%s%s", status, more, stdout.String(), stderr.String())
	}
	written, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`msg=webhook provider=bfl task=`, `msg="webhook refused" provider=bfl reason="its signature is wrong"`} {
		if !strings.Contains(string(written), want) {
			t.Errorf("the log has no %s", want)
		}
	}
	if strings.Contains(stdout.String()+stderr.String(), webhookSecret) {
		t.Error("the secret is shown")
	}
	hasNoSecret(t, dir)
}

// hasNoSecret looks for the webhooks' secret in all files: state, store, index and log.
func hasNoSecret(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if bytes.Contains(content, []byte(webhookSecret)) {
			t.Errorf("the secret is in %s", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
