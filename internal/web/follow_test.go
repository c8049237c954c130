package web_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/fluxbatch/fluxbatch/internal/simulator"
	"github.com/fluxbatch/fluxbatch/internal/simulator/simtest"
)

// slowAPI is a simulator whose pictures, but for the first one, are held back until somebody lets
// them go.
func slowAPI(t *testing.T) (url string, letGo func()) {
	t.Helper()
	sim := simtest.New(t, simulator.Options{Seed: 1})
	var fetched atomic.Int64
	gone := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && !strings.HasPrefix(r.URL.Path, "/v1/") && fetched.Add(1) > 1 {
			<-gone
		}
		sim.ServeHTTP(w, r)
	}))
	letGo = sync.OnceFunc(func() { close(gone) })
	t.Cleanup(func() {
		letGo()
		server.Close()
	})
	return server.URL, letGo
}

// An apply beside the review: its pictures appear as they are stored, and nothing can be changed
// until it ends.
func TestReviewFollowsAnApply(t *testing.T) {
	t.Parallel()
	tb := newTab(t)
	url, letGo := slowAPI(t)
	dir := t.TempDir()
	manifest := `
provider "bfl" { endpoint = "` + url + `" }
image "crane" {
  count  = 3
  model  = "flux-2-pro"
  prompt = "Crane ${count.index}"
  seed   = count.index
}
`
	if err := os.WriteFile(filepath.Join(dir, "main.flux.hcl"), []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	page, _ := review(t, dir)
	tb.do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(page), ready(), says("#count", "3 images"))
	drawn := `[...document.querySelectorAll(".card img")].filter(i => i.complete && i.naturalWidth).length`
	tb.do(until(drawn + " === 0"))

	apply := process(context.WithoutCancel(t.Context()), dir, "apply", "-auto-approve")
	var out bytes.Buffer
	apply.Stdout, apply.Stderr, apply.Env = &out, &out, append(os.Environ(), "BFL_API_KEY=any")
	if err := apply.Start(); err != nil {
		t.Fatal(err)
	}
	tb.do(says("#banner", "fluxbatch apply is at work"), until(drawn+" === 1"))
	letGo()
	if err := apply.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	tb.do(until(drawn+" === 3"), until(`banner.hidden`), says("#summary", "No changes."))
	tb.check()
}
