package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
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
	mostMemory  = 300 << 20
	// mostWork is the share of the time that the page itself works while it is scrolled.
	mostWork = 0.6
)

// TestLargeReport opens a report of 10,000 images and scrolls through it. It is a measurement, and so
// it is made only where somebody asks for it.
func TestLargeReport(t *testing.T) {
	t.Parallel()
	if os.Getenv("FLUXBATCH_MEASURE") == "" {
		t.Skip("a measurement; FLUXBATCH_MEASURE=1 makes it")
	}
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
	first, _, worked := tb.memory()
	t.Logf("the first images after %.0f ms, all 10,000 after %.0f ms, in which the page's process worked %v", seen, all, worked)
	if all > float64(mostOpening.Milliseconds()) {
		t.Errorf("opening took %.0f ms", all)
	}
	tb.do(script(`document.querySelectorAll("section h2 button")[1].click()`))
	did := tb.scrollThrough(30_000)
	share := float64(did.own) / float64(did.all)
	t.Logf("scrolling for %v, the page works %.0f %% of the time, which is %.1f ms of a sixtieth of a second; %.1f frames a second are drawn, and %d are dropped; in %.1f of them the page has a say",
		did.all.Round(1e6), 100*share, share*1000/60, float64(did.drawn)/did.all.Seconds(), did.dropped, float64(did.animated)/did.all.Seconds())
	if share > mostWork {
		t.Errorf("the page works %.0f %% of the time", 100*share)
	}
	own, decoded, _ := tb.memory()
	t.Logf("%d MB in the page's process at first, %d MB after scrolling, %s MB of them JavaScript's; and %d MB of decoded pictures, which the browser drops where memory is short",
		first>>20, own>>20, value[string](tb, `(performance.memory.usedJSHeapSize / 1048576).toFixed(1)`), decoded>>20)
	if max(first, own) > mostMemory {
		t.Errorf("the page takes %d MB, and %d MB after scrolling", first>>20, own>>20)
	}
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

// scrolled is what the browser did while it scrolled.
type scrolled struct {
	// own is the processor's time of the thread that animates the page, and all the time from the
	// first frame to the last.
	own, all time.Duration
	// animated, drawn and dropped are the frames that the page was asked for, those that were shown,
	// with what the page had said last, and those that came too late to be.
	animated, drawn, dropped int
}

// scrollThrough scrolls by the browser's own gesture, four times. Between two gestures nothing
// moves, and no frame is due.
func (tb *tab) scrollThrough(distance int64) scrolled {
	tb.t.Helper()
	var sum scrolled
	for range 4 {
		one := worked(tb.t, tb.traceScroll(distance/4))
		sum.own, sum.all = sum.own+one.own, sum.all+one.all
		sum.animated, sum.drawn, sum.dropped = sum.animated+one.animated, sum.drawn+one.drawn, sum.dropped+one.dropped
	}
	return sum
}

// traceScroll scrolls by one gesture, and returns the trace of it.
func (tb *tab) traceScroll(distance int64) []traced {
	tb.t.Helper()
	ctx, stop := context.WithCancel(tb.ctx)
	defer stop()
	var mu sync.Mutex
	var events []traced
	complete := make(chan struct{})
	err := chromedp.Listen(ctx, func(event any) {
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
		_, err := cdp.Call(ctx, target, input.SynthesizeScrollGesture, input.SynthesizeScrollGestureParams{
			X: 600, Y: 500, YDistance: float64(-distance), Speed: 3000, PreventFling: new(bool),
		})
		if err != nil {
			return err
		}
		_, err = cdp.Call(ctx, target, tracing.End, cdp.Empty{})
		return err
	}))
	<-complete
	mu.Lock()
	defer mu.Unlock()
	return events
}

// worked says what happened in a trace, from the first frame that the page was asked for, which
// does not count, to the last.
func worked(t *testing.T, events []traced) scrolled {
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
	did := scrolled{all: time.Duration((last - first) * 1e3), animated: animated[page] - 1}
	for _, e := range events {
		if e.PID != page.pid || e.At <= first || e.At > last {
			continue
		}
		switch e.Name {
		case "ThreadControllerImpl::RunTask":
			if e.TID == page.tid {
				did.own += time.Duration(e.Took * 1e3)
			}
		case "DrawFrame":
			did.drawn++
		case "DroppedFrame":
			did.dropped++
		}
	}
	return did
}

// memory returns the memory in bytes of the largest process that draws pages, with its share of what
// it has in common with others, apart from it that of pictures which it may lose at any
// time, and how long it has worked.
func (tb *tab) memory() (own, decoded int64, worked time.Duration) {
	tb.t.Helper()
	got, err := cdp.Call(tb.ctx, chromedp.FromContext(tb.ctx).Browser, systeminfo.GetProcessInfo, cdp.Empty{})
	if err != nil {
		tb.t.Fatal(err)
	}
	for _, p := range got.ProcessInfo {
		if p.Type != "renderer" {
			continue
		}
		if o, d := resident(tb.t, p.ID); o > own {
			own, decoded, worked = o, d, time.Duration(p.CPUTime*float64(time.Second))
		}
	}
	return own, decoded, worked
}

// resident returns the memory of a process, and apart from it what it has in files of shared memory.
func resident(t *testing.T, pid int64) (own, shared int64) {
	t.Helper()
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps", pid))
	if err != nil {
		return 0, 0 // it ended, or the system tells otherwise
	}
	isShared := false
	for line := range bytes.Lines(maps) {
		fields := strings.Fields(string(line))
		switch {
		case strings.Contains(fields[0], "-"):
			isShared = strings.Contains(string(line), ".org.chromium.")
		case fields[0] == "Pss:":
			kilobytes, err := strconv.ParseInt(fields[1], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			if isShared {
				shared += kilobytes << 10
			} else {
				own += kilobytes << 10
			}
		}
	}
	return own, shared
}
