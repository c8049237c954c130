package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/systeminfo"
	"github.com/chromedp/cdproto/tracing"
	"github.com/chromedp/chromedp"

	"github.com/fluxbatch/fluxbatch/internal/web"
)

// The bounds are what a machine keeps that other tests keep busy. What it is like is logged.
const (
	mostOpening = 6 * time.Second
	// mostMemory is once all is loaded. After that the browser keeps as many decoded pictures as it likes.
	mostMemory = 300 << 20
	// mostWork is the share of the time that the page itself works while it is scrolled.
	mostWork = 0.6
)

// TestLargeReport opens a report of 10,000 images and scrolls through it.
func TestLargeReport(t *testing.T) {
	t.Parallel()
	tb := newTab(t)
	dir := t.TempDir()
	if err := web.LargeReport(t.Context(), filepath.Join(dir, "report"), filepath.Join(dir, "thumbs"), 10_000); err != nil {
		t.Fatal(err)
	}
	tb.do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate("file://"+filepath.Join(dir, "report", "index.html")),
		until(`[...document.querySelectorAll(".card img")].filter(i => i.complete && i.naturalWidth).length > 5`))
	seen := value[float64](tb, `performance.getEntriesByName("first-contentful-paint")[0].startTime`)
	tb.do(ready())
	all := value[float64](tb, `performance.getEntriesByName("ready")[0].startTime`)
	t.Logf("the first images after %.0f ms, all 10,000 after %.0f ms", seen, all)
	if all > float64(mostOpening.Milliseconds()) {
		t.Errorf("opening took %.0f ms", all)
	}
	memory := tb.memory()
	if memory > mostMemory {
		t.Errorf("the page takes %d MB", memory>>20)
	}
	tb.do(script(`document.querySelectorAll("section h2 button")[1].click()`))
	own, time, frames := tb.scrollThrough(30_000)
	share := float64(own) / float64(time)
	t.Logf("scrolling for %v, the page works %.0f %% of the time, which is %.1f ms of a sixtieth of a second; %d frames", time.Round(1e6), 100*share, share*1000/60, frames)
	if share > mostWork {
		t.Errorf("the page works %.0f %% of the time", 100*share)
	}
	t.Logf("%d MB in the page's process at first, %d MB after scrolling, %s MB of them JavaScript's", memory>>20, tb.memory()>>20,
		value[string](tb, `(performance.memory.usedJSHeapSize / 1048576).toFixed(1)`))
	tb.check()
}

// traced is what a trace says of an event.
type traced struct {
	Name string  `json:"name"`
	At   float64 `json:"ts"`   // in microseconds
	Took float64 `json:"tdur"` // of its thread's time, in microseconds
	PID  int     `json:"pid"`
	TID  int     `json:"tid"`
}

// scrollThrough scrolls by the browser's own gesture, and returns what worked says of its trace.
func (tb *tab) scrollThrough(distance int64) (own, all time.Duration, frames int) {
	tb.t.Helper()
	var mu sync.Mutex
	var events []traced
	complete := make(chan struct{})
	err := chromedp.Listen(tb.ctx, func(event any) {
		switch e := event.(type) {
		case *tracing.EventDataCollected:
			mu.Lock()
			defer mu.Unlock()
			for _, raw := range e.Value {
				var one traced
				if json.Unmarshal(raw, &one) == nil {
					events = append(events, one)
				}
			}
		case *tracing.EventTracingComplete:
			close(complete)
		}
	})
	if err != nil {
		tb.t.Fatal(err)
	}
	config := &tracing.TraceConfig{IncludedCategories: []string{"toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline.frame", "__metadata"}}
	tb.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		if _, err := cdp.Call(ctx, target, tracing.Start, tracing.StartParams{TraceConfig: config}); err != nil {
			return err
		}
		for range 4 {
			_, err := cdp.Call(ctx, target, input.SynthesizeScrollGesture, input.SynthesizeScrollGestureParams{
				X: 600, Y: 500, YDistance: float64(-distance / 4), Speed: 3000, PreventFling: new(bool),
			})
			if err != nil {
				return err
			}
		}
		_, err := cdp.Call(ctx, target, tracing.End, cdp.Empty{})
		return err
	}))
	<-complete
	mu.Lock()
	defer mu.Unlock()
	return worked(tb.t, events)
}

// worked returns the processor's time of the thread that animates the page, in the time that the
// trace is of, and how many frames the page made.
func worked(t *testing.T, events []traced) (own, all time.Duration, frames int) {
	t.Helper()
	type thread struct{ pid, tid int }
	animated := map[thread]int{}
	var page thread
	first, last := math.Inf(1), 0.0
	for _, e := range events {
		if e.Name != "FireAnimationFrame" {
			continue
		}
		first, last = min(first, e.At), max(last, e.At)
		at := thread{e.PID, e.TID}
		if animated[at]++; animated[at] > animated[page] {
			page = at
		}
	}
	if len(animated) == 0 {
		t.Fatalf("the trace of %d events has no frames", len(events))
	}
	microseconds := 0.0
	for _, e := range events {
		if e.Name == "ThreadControllerImpl::RunTask" && (thread{e.PID, e.TID}) == page {
			microseconds += e.Took
		}
	}
	return time.Duration(microseconds * 1e3), time.Duration((last - first) * 1e3), animated[page]
}

// memory returns the memory in bytes of the largest process that draws pages, and is its own.
func (tb *tab) memory() int64 {
	tb.t.Helper()
	var most int64
	got, err := cdp.Call(tb.ctx, chromedp.FromContext(tb.ctx).Browser, systeminfo.GetProcessInfo, cdp.Empty{})
	if err != nil {
		tb.t.Fatal(err)
	}
	for _, p := range got.ProcessInfo {
		if p.Type == "renderer" {
			most = max(most, proportional(tb.t, p.ID))
		}
	}
	return most
}

// proportional returns the memory of a process, with its share of what it has in common.
func proportional(t *testing.T, pid int64) int64 {
	t.Helper()
	rollup, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0 // it ended, or the system tells otherwise
	}
	for line := range bytes.Lines(rollup) {
		var kilobytes int64
		if rest, ok := strings.CutPrefix(string(line), "Pss:"); ok {
			if _, err := fmt.Sscan(rest, &kilobytes); err == nil {
				return kilobytes << 10
			}
		}
	}
	return 0
}
