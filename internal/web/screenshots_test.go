package web_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// TestScreenshots writes what the page looks like into the folder that FLUXBATCH_SCREENSHOTS names,
// to be looked at, and holds at every width and in both schemes that nothing is cut off sideways.
func TestScreenshots(t *testing.T) {
	t.Parallel()
	tb := newTab(t)
	dir := looked(t)
	url, _ := review(t, dir, "-simulate")
	fluxbatch(t, dir, "report", "-simulate", "-out", "report", "-var", "light=late evening light")
	report := "file://" + filepath.Join(dir, "report", "index.html")
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{360, 1280, 2560} {
			tb.do(chromedp.EmulateViewport(width, max(720, width*10/16)), inScheme(scheme))
			for name, page := range map[string]string{
				"sheet": url, "candidates": url + "#image.poster", "detail": report + "#image.hero", "changes": report,
			} {
				tb.do(chromedp.Navigate("about:blank"), chromedp.Navigate(page), ready())
				tb.do(until(`[...document.images].every(i => i.complete)`))
				if over := value[int](tb, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
					t.Errorf("%s is %d pixels wider than %d", name, over, width)
				}
				tb.shoot(fmt.Sprintf("%s-%d-%s", name, width, scheme))
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
