package simulator

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

func TestParseFault(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Fault{
		"submit-500":                          {On: Submit, Effect: EffectHTTP, Status: 500},
		"submit-429=3 x2":                     {On: Submit, Effect: EffectHTTP, Status: 429, RetryAfter: 3 * time.Second, Times: 2},
		"poll-503=body:7":                     {On: Poll, Effect: EffectHTTP, Status: 503, RetryAfter: 7 * time.Second, RetryInBody: true},
		"submit-reset-after p=0.05":           {On: Submit, Effect: EffectReset, After: true, Probability: 0.05},
		"submit-503-after":                    {On: Submit, Effect: EffectHTTP, Status: 503, After: true},
		"poll-status=Reasoning x4":            {On: Poll, Effect: EffectStatusText, Text: "Reasoning", Times: 4},
		"poll-status=Task_lost":               {On: Poll, Effect: EffectStatusText, Text: "Task lost"},
		"poll-never-ready":                    {On: Poll, Effect: EffectNeverReady},
		"poll-not-found skip=1":               {On: Poll, Effect: EffectNotFound, Skip: 1},
		"poll-not-found=5s":                   {On: Poll, Effect: EffectNotFound, Delay: 5 * time.Second},
		"poll-final=503":                      {On: Poll, Effect: EffectFinal, Status: 503},
		"poll-cost=1.5":                       {On: Poll, Effect: EffectCost, Cost: 1500},
		"poll-cost":                           {On: Poll, Effect: EffectCost},
		"submit-gateway":                      {On: Submit, Effect: EffectGateway, Status: 524},
		"submit-gateway-after=408":            {On: Submit, Effect: EffectGateway, Status: 408, After: true},
		"submit-quota x1":                     {On: Submit, Effect: EffectQuota, Times: 1},
		"download-410 for=90s":                {On: Download, Effect: EffectHTTP, Status: 410, For: 90 * time.Second},
		"  download-slow=1.5s model=flux-dev": {On: Download, Effect: EffectSlow, Delay: 1500 * time.Millisecond, Model: "flux-dev"},
		"webhook-forged":                      {On: Webhook, Effect: EffectForged},
	} {
		got, err := ParseFault(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
	for text, want := range map[string]string{
		"":                        "it says nothing",
		"submit":                  "it begins with the step and the effect",
		"submit-explode":          `there is no effect "explode"`,
		"submit-http":             "0 is not an HTTP status",
		"submit-200":              "200 is not an HTTP status",
		"submit-600":              "600 is not an HTTP status",
		"submit-never-ready":      "not possible",
		"somewhere-500":           "not possible",
		"poll-500-after":          "only submissions",
		"poll-status":             "is missing",
		"submit-reset=3":          "takes no value",
		"submit-429=soon":         `not "soon"`,
		"submit-slow=soon":        "a time such as 2s",
		"submit-slow=-1s":         "not negative",
		"submit-500 x-1":          `a number of times, not "-1"`,
		"submit-500 p=2":          "between 0 and 1",
		"submit-500 p=NaN":        "between 0 and 1",
		"submit-500 often":        `"often" is none of`,
		"poll-not-found=soon":     "lasts for a time",
		"poll-final":              "0 is not an HTTP status",
		"poll-final=Ready":        `an HTTP status, not "Ready"`,
		"poll-final=200":          "200 is not an HTTP status",
		"poll-cost=-1":            "not negative",
		"poll-cost=much":          `a number of credits, not "much"`,
		"submit-gateway=503":      "503 is not a status of a gateway's own",
		"submit-gateway=x":        "an HTTP status",
		"poll-quota":              "not possible",
		"submit-final=503":        "not possible",
		"submit-500 for=ever":     "a time such as 10s",
		"submit-500 for=-1s":      "not negative",
		"submit-500 skip=forever": "a number of calls",
	} {
		if _, err := ParseFault(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one with %q", text, err, want)
		}
	}
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Inject(Fault{On: Poll, Effect: EffectExpired}), s.Inject(Fault{})); err == nil {
		t.Error("faults that make no sense were injected")
	}
	if _, err := New(Options{Faults: []Fault{{On: Submit, Effect: EffectHTTP, Probability: math.Inf(1), Status: 500}}}); err == nil {
		t.Error("a fault that makes no sense was an option")
	}
}

const small = `{"prompt": "a", "width": 64, "height": 64, "output_format": "png"}`

// outcome is what a client sees of one request.
func outcome(r reply, err error) string {
	switch {
	case errors.Is(err, syscall.ECONNRESET):
		return "reset"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "truncated"
	case err != nil:
		return err.Error()
	}
	kind, _, _ := strings.Cut(r.header.Get("Content-Type"), ";")
	return fmt.Sprintf("%d %s", r.status, kind)
}

func TestFaultsOnSubmit(t *testing.T) {
	t.Parallel()
	for text, c := range map[string]struct {
		want    string
		charged int
	}{
		"submit-500":             {"500 application/json", 0},
		"submit-429":             {"429 application/json", 0},
		"submit-reset":           {"reset", 0},
		"submit-html":            {"200 text/html", 0},
		"submit-corrupt":         {"200 application/json", 0},
		"submit-truncated":       {"truncated", 0},
		"submit-quota":           {"429 application/json", 0},
		"submit-gateway":         {"524 text/html", 0},
		"submit-gateway=504":     {"504 text/html", 0},
		"submit-gateway-after":   {"524 text/html", 1},
		"submit-408-after":       {"408 application/json", 1},
		"submit-500-after":       {"500 application/json", 1},
		"submit-reset-after":     {"reset", 1},
		"submit-html-after":      {"200 text/html", 1},
		"submit-corrupt-after":   {"200 application/json", 1},
		"submit-truncated-after": {"truncated", 1},
	} {
		b := start(t, Options{})
		inject(t, b.Simulator, text+" x1")
		got := outcome(b.send(http.MethodPost, "/v1/flux-2-pro", small, "X-Key", "k"))
		if got != c.want || len(b.Ledger()) != c.charged || b.Stats().Faults != 1 {
			t.Errorf("%s: %s, %d charged; want %s, %d", text, got, len(b.Ledger()), c.want, c.charged)
		}
		if got := outcome(b.send(http.MethodPost, "/v1/flux-2-pro", small, "X-Key", "k")); got != "200 application/json" {
			t.Errorf("%s: the next order: %s", text, got)
		}
	}
}

func inject(t *testing.T, s *Simulator, text string) {
	t.Helper()
	f, err := ParseFault(text)
	if err == nil {
		err = s.Inject(f)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// times makes a fault happen once in a client's eyes: Go's sends a GET again when a connection that
// it used before is reset.
func times(text string) string {
	if strings.HasSuffix(text, "-reset") {
		return " x2"
	}
	return " x1"
}

func TestFaultsOnPoll(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"poll-502":             "502 application/json",
		"poll-reset":           "reset",
		"poll-html":            "200 text/html",
		"poll-truncated":       "truncated",
		"poll-corrupt":         "200 application/json",
		"poll-not-found":       "200 application/json Task not found",
		"poll-final=503":       "503 application/json Ready",
		"poll-gateway":         "524 text/html",
		"poll-status=Thinking": "200 application/json Thinking",
	} {
		b := start(t, Options{})
		a := b.order("flux-2-pro", small)
		inject(t, b.Simulator, text+times(text))
		r, err := b.send(http.MethodGet, a.PollingURL, "")
		got := outcome(r, err)
		if strings.HasPrefix(want, got+" ") {
			got += " " + decode[result](t, r).Status
		}
		if got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
		if text == "poll-corrupt" && !strings.Contains(string(r.body), "\x00") {
			t.Errorf("%s: the JSON is not broken: %s", text, r.body)
		}
		if got := b.poll(a).Status; got != statusReady {
			t.Errorf("%s: the next poll: %s", text, got)
		}
	}
}

func TestFaultsOnDownload(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"download-503":       "503 application/json",
		"download-gateway":   "524 text/html",
		"download-reset":     "reset",
		"download-truncated": "truncated",
		"download-expired":   "403 application/xml",
		"download-html":      "200 text/html",
		"download-corrupt":   "200 image/png",
	} {
		b := start(t, Options{})
		sample := b.poll(b.order("flux-2-pro", small)).Result.Sample
		whole := b.do(http.MethodGet, sample, "")
		inject(t, b.Simulator, text+times(text))
		r, err := b.send(http.MethodGet, sample, "")
		if got := outcome(r, err); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
		if text == "download-corrupt" && (len(r.body) != len(whole.body) || string(r.body) == string(whole.body)) {
			t.Errorf("%s: %d bytes of %d", text, len(r.body), len(whole.body))
		}
		if again := b.do(http.MethodGet, sample, ""); string(again.body) != string(whole.body) {
			t.Errorf("%s: the next download differs", text)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	for text, want := range map[string]string{
		"submit-429=3 x1":      `3 {"detail":"Too Many Requests"}`,
		"submit-503=body:7 x1": ` {"detail":"Service Unavailable","retry_after":7}`,
		"submit-500 x1":        ` {"detail":"Internal Server Error"}`,
	} {
		inject(t, b.Simulator, text)
		r := b.post("flux-2-pro", small)
		if got := r.header.Get("Retry-After") + " " + string(r.body); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestSlowAndNeverReady(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := start(t, Options{Concurrency: 1})
		inject(t, b.Simulator, "submit-slow=3s x1")
		begin := time.Now()
		b.order("flux-2-pro", small)
		if d := time.Since(begin); d != 3*time.Second {
			t.Errorf("the answer took %v", d)
		}
		pass(time.Second)
		never := b.order("flux-2-pro", `{"prompt": "[fault:poll-never-ready]"}`)
		pass(48 * time.Hour)
		if got := b.poll(never).Status; got != statusPending {
			t.Errorf("the task is %q", got)
		}
		if r := b.post("flux-2-pro", small); r.status != http.StatusTooManyRequests {
			t.Errorf("its slot is free: %d", r.status)
		}
	})
}

func TestMarkedFaultsCountForEachOrder(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	var got []int
	for _, prompt := range []string{"a", "a", "a", "b", "b", "b"} {
		got = append(got, b.post("flux-2-pro", `{"prompt": "`+prompt+` [fault:submit-500 x1] [fault:submit-429 x1]"}`).status)
	}
	if diff := cmp.Diff([]int{500, 429, 200, 500, 429, 200}, got); diff != "" {
		t.Error(diff)
	}
	got = nil
	for range 2 {
		got = append(got, b.post("flux-2-pro", `{"prompt": "c [fault:submit-502]"}`).status)
	}
	if diff := cmp.Diff([]int{502, 502}, got); diff != "" {
		t.Error(diff)
	}
}

func TestFaultsSuitAndSkip(t *testing.T) {
	t.Parallel()
	b := start(t, Options{Faults: []Fault{
		{On: Submit, Effect: EffectHTTP, Status: 500, Model: "flux-2-max"},
		{On: Submit, Effect: EffectHTTP, Status: 502, Prompt: "unlucky"},
		{On: Submit, Effect: EffectHTTP, Status: 503, Skip: 1, Times: 1, Model: "flux-2-pro"},
	}})
	var got []int
	for _, c := range [][2]string{
		{"flux-2-max", "a"},
		{"flux-dev", "a"},
		{"flux-dev", "an unlucky one"},
		{"flux-2-pro", "a"},
		{"flux-2-pro", "a"},
		{"flux-2-pro", "a"},
	} {
		got = append(got, b.post(c[0], `{"prompt": "`+c[1]+`"}`).status)
	}
	if diff := cmp.Diff([]int{500, 200, 502, 200, 503, 200}, got); diff != "" {
		t.Error(diff)
	}
	b.ClearFaults()
	if r := b.post("flux-2-max", `{"prompt": "a"}`); r.status != 200 {
		t.Errorf("once cleared: %d", r.status)
	}
}

func TestProbability(t *testing.T) {
	t.Parallel()
	b := start(t, Options{Seed: 3, Concurrency: 10_000, Faults: []Fault{
		{On: Submit, Effect: EffectHTTP, Status: 500, Probability: 0.2},
	}})
	for range 500 {
		b.post("flux-2-pro", small)
	}
	if got := b.Stats().Faults; got < 70 || got > 130 {
		t.Errorf("%d of 500 failed, about 100 were to", got)
	}
}

func FuzzParseFault(f *testing.F) {
	for _, text := range []string{
		"submit-500", "submit-429=3 x2", "poll-503=body:7", "submit-reset-after p=0.05 skip=3", "poll-status=Task_lost",
		"download-slow=1.5s model=flux-dev", "webhook-forged", "-", "submit-", "poll-http", "submit-slow=", "x x9999999999",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		fault, err := ParseFault(text)
		if err == nil && fault.check() != nil {
			t.Errorf("%q is read as %+v, which makes no sense", text, fault)
		}
	})
}

// manual is a clock that stands still until it is moved.
type manual struct {
	mu  sync.Mutex
	now time.Time
}

func (m *manual) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

func (m *manual) advance(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = m.now.Add(d)
}

// TestUnknownAtFirst makes sure that each task is unknown for its own first seconds.
func TestUnknownAtFirst(t *testing.T) {
	t.Parallel()
	clock := &manual{now: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)}
	b := start(t, Options{Now: clock.Now, Latency: Latency{Median: time.Second}})
	inject(t, b.Simulator, "poll-not-found=5s")
	first := b.order("flux-2-pro", small)
	clock.advance(4 * time.Second)
	second := b.order("flux-2-pro", small)
	statuses := func() string { return b.poll(first).Status + ", " + b.poll(second).Status }
	for i, want := range []string{"Task not found, Task not found", "Ready, Task not found", "Ready, Ready"} {
		if got := statuses(); got != want {
			t.Errorf("after %d steps: %s, want %s", i, got, want)
		}
		clock.advance(4 * time.Second)
	}
}

// TestFaultEnds makes sure that a fault happens only as long as it was injected for.
func TestFaultEnds(t *testing.T) {
	t.Parallel()
	clock := &manual{now: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)}
	b := start(t, Options{Now: clock.Now, Latency: Latency{Median: time.Nanosecond}})
	a := b.order("flux-2-pro", small)
	clock.advance(time.Second)
	inject(t, b.Simulator, "poll-500 for=10s")
	for _, want := range []int{500, 500, 200} {
		if got := b.do(http.MethodGet, a.PollingURL, "").status; got != want {
			t.Errorf("%v: %d, want %d", clock.Now(), got, want)
		}
		clock.advance(6 * time.Second)
	}
	if r := b.post("flux-2-pro", `{"prompt": "a [fault:poll-500 for=10s]"}`); r.status != 422 {
		t.Errorf("a fault with a time in a prompt: %d %s", r.status, r.body)
	}
}

// TestFinalStatusOnly makes sure that a task which is not over is told as always.
func TestFinalStatusOnly(t *testing.T) {
	t.Parallel()
	clock := &manual{now: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)}
	b := start(t, Options{Now: clock.Now, Latency: Latency{Median: time.Second}})
	inject(t, b.Simulator, "poll-final=503 x1")
	a := b.order("flux-2-pro", `{"prompt": "a `+MarkContentModerated+`"}`)
	for i, want := range []string{"200 Pending", "503 Content Moderated", "200 Content Moderated"} {
		r := b.do(http.MethodGet, a.PollingURL, "")
		if got := fmt.Sprint(r.status, " ", decode[result](t, r).Status); got != want {
			t.Errorf("poll %d: %s, want %s", i, got, want)
		}
		clock.advance(2 * time.Second)
	}
}

// TestSettledCost makes sure that the last answers, the ledger and the balance agree on what a task
// costs in the end.
func TestSettledCost(t *testing.T) {
	t.Parallel()
	clock := &manual{now: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)}
	var ledger bytes.Buffer
	b := start(t, Options{
		Now: clock.Now, Latency: Latency{Median: time.Second}, Ledger: &ledger, Keys: map[string]Account{"k": {Credits: bfl.CreditsOf(100)}},
	})
	inject(t, b.Simulator, "poll-cost=1.5 x1")
	one := decode[accepted](t, b.do(http.MethodPost, "/v1/flux-2-pro", small, "X-Key", "k"))
	other := decode[accepted](t, b.do(http.MethodPost, "/v1/flux-2-pro", small, "X-Key", "k"))
	if r := b.do(http.MethodGet, one.PollingURL, ""); one.Cost != 3 || decode[result](t, r).Cost != nil {
		t.Errorf("at first: %v, %s", one.Cost, r.body)
	}
	clock.advance(2 * time.Second)
	settled := decode[result](t, b.do(http.MethodGet, one.PollingURL, ""))
	if settled.Cost == nil || *settled.Cost != 1.5 || settled.Status != statusReady {
		t.Errorf("in the end: %+v", settled)
	}
	if r := b.do(http.MethodGet, other.PollingURL, ""); strings.Contains(string(r.body), "cost") {
		t.Errorf("of another task: %s", r.body)
	}
	if credits := b.do(http.MethodGet, "/v1/credits", "", "X-Key", "k"); string(credits.body) != `{"credits":95.5}` {
		t.Errorf("what is left: %s", credits.body)
	}
	if spent := b.Stats().Spent; spent != bfl.CreditsOf(4.5) {
		t.Errorf("spent: %v", spent.Float())
	}
	if lines := strings.Split(ledger.String(), "\n"); !strings.Contains(lines[0], `"cost":3,"settled":1.5,`) || strings.Contains(lines[1], "settled") {
		t.Errorf("the ledger: %s", ledger.String())
	}
}

// TestDeliveryIsClosed makes sure that nothing is delivered until that is over.
func TestDeliveryIsClosed(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	sample := b.poll(b.order("flux-2-pro", small)).Result.Sample
	for _, status := range []int{403, 404, 410, 503} {
		b.SetDelivery(status)
		for _, address := range []string{sample, "/delivery/x/sample.png"} {
			if got := b.do(http.MethodGet, address, ""); got.status != status || len(got.body) == 0 {
				t.Errorf("%d, want %d: %s", got.status, status, got.body)
			}
		}
	}
	b.SetDelivery(0)
	if got := b.do(http.MethodGet, sample, ""); got.status != 200 || b.Stats().Downloads != 1 {
		t.Errorf("afterwards: %d, %d downloads", got.status, b.Stats().Downloads)
	}
}
