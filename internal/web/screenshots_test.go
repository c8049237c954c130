package web_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/fluxbatch/fluxbatch/internal/simulator"
	"github.com/fluxbatch/fluxbatch/internal/simulator/simtest"
)

// TestScreenshots writes what the page looks like into the folder that FLUXBATCH_SCREENSHOTS names,
// to be looked at, and holds at every width and in both schemes that nothing is cut off sideways.
func TestScreenshots(t *testing.T) {
	t.Parallel()
	tb := newTab(t)
	dir := looked(t)
	url, _ := review(t, dir, "-simulate")
	fluxbatch(t, dir, "report", "-simulate", "-out", "report", "-var", "light=late evening light")
	simulated := simulatorPage(t)
	report := "file://" + filepath.Join(dir, "report", "index.html")
	quick := os.Getenv("FLUXBATCH_SCREENSHOTS") == "" && os.Getenv("FLUXBATCH_AXE") == ""
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{360, 1280, 2560} {
			if quick && (width == 2560 || (scheme == "light") != (width == 360)) {
				continue // A narrow window and a usual one, each in one scheme, are enough while nobody looks.
			}
			height := max(720, width*10/16)
			if quick {
				height = 720 // What is said of the pages is of their width, and without a graphics card a picture takes long.
			}
			tb.do(chromedp.EmulateViewport(width, height), inScheme(scheme))
			for _, of := range []struct{ name, page, script string }{
				{"sheet", url, ""},
				{"changes", report, ""},
				{"simulator", simulated, ""},
				{"candidates", url + "#image.poster", ""},
				{"detail", report + "#image.hero", ""},
				{"slide", report + "#image.hero", `document.querySelector("input[value=slide]").click()`},
				{"difference", report + "#image.hero", `document.querySelector("input[value=difference]").click()`},
				{"keys", report, `document.getElementById("keys").click()`},
			} {
				tb.do(chromedp.Navigate("about:blank"), chromedp.Navigate(of.page), until(`document.documentElement.dataset.ready || document.title === "fluxbatch simulator"`),
					script(of.script))
				tb.do(until(`[...document.images].every(i => i.complete)`))
				if over := value[int](tb, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
					t.Errorf("%s is %d pixels wider than %d", of.name, over, width)
				}
				if width == 360 { // The other tests have wider windows.
					tb.accessible(fmt.Sprintf("%s at %d in %s", of.name, width, scheme))
				}
				tb.shoot(fmt.Sprintf("%s-%d-%s", of.name, width, scheme))
			}
		}
	}
}

func inScheme(scheme string) act {
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, media)
		return err
	})
}

// shoot writes what the window shows, where somebody wants to look at it.
func (tb *tab) shoot(name string) {
	tb.t.Helper()
	dir := os.Getenv("FLUXBATCH_SCREENSHOTS")
	if dir == "" {
		return
	}
	shot, err := chromedp.Run(tb.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		tb.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), shot, 0o600); err != nil {
		tb.t.Fatal(err)
	}
}

// simulatorPage returns the address of a simulator's page, which has the same parts. Tasks went
// through it, and one that it refused.
func simulatorPage(t *testing.T) string {
	t.Helper()
	_, url := simtest.Serve(t, simulator.Options{Latency: simulator.Latency{Median: 1}})
	for _, prompt := range []string{"A heron among reeds", "A kettle on a walnut table in soft morning light, with a long and winding description of what else there is", "[error] a lamp"} {
		body := strings.NewReader(fmt.Sprintf(`{"prompt": %q, "width": 256, "height": 256}`, prompt))
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/v1/flux-2-pro", body)
		if err != nil {
			t.Fatal(err)
		}
		request.Header = http.Header{"X-Key": {"any"}, "Content-Type": {"application/json"}}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if err := answer.Body.Close(); err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("the simulator answers %s, %v", answer.Status, err)
		}
	}
	return url
}
