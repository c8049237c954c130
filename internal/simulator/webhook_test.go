package simulator

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// receiver is a transport that takes webhooks in and answers them with statuses in turn, 0 standing
// for an error.
type receiver struct {
	mu       sync.Mutex
	begin    time.Time
	statuses []int
	got      []received
}

type received struct {
	After     time.Duration
	Signature string
	Status    string
	genuine   bool
}

func (v *receiver) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var n notice
	if err := json.Unmarshal(body, &n); err != nil {
		return nil, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	signature := r.Header.Get(SignatureHeader)
	v.got = append(v.got, received{time.Since(v.begin), signature, n.Status, signature == signWebhook("hush", body)})
	status := v.statuses[0]
	if len(v.statuses) > 1 {
		v.statuses = v.statuses[1:]
	}
	if status == 0 {
		return nil, errors.New("no route to host")
	}
	return &http.Response{StatusCode: status, Status: http.StatusText(status), Body: http.NoBody, Request: r}, nil
}

// take returns what was received.
func (v *receiver) take() []received {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.got)
}

const hooked = `{"prompt": "PROMPT", "width": 64, "height": 64, "webhook_url": "https://localhost/hook", "webhook_secret": "hush"}`

func TestWebhookIsSignedAndRetried(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := &receiver{begin: time.Now(), statuses: []int{500, 0, 302, 200}}
		b := start(t, Options{Latency: second, Webhooks: Webhooks{Transport: v}})
		a := b.order("flux-2-pro", hooked)
		pass(time.Minute)
		var after []time.Duration
		for _, r := range v.take() {
			after = append(after, r.After)
			if !r.genuine || r.Status != statusReady {
				t.Errorf("%+v", r)
			}
		}
		if diff := cmp.Diff([]time.Duration{second.Median, 2 * second.Median, 7 * second.Median, 37 * second.Median}, after); diff != "" {
			t.Error(diff)
		}
		if got := b.Stats(); got.Webhooks != 4 || got.WebhooksDelivered != 1 {
			t.Errorf("%+v", got)
		}
		if got := b.find(a.ID).webhook.Load(); got != "delivered" {
			t.Error(got)
		}
	})
}

func TestWebhookIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := &receiver{begin: time.Now(), statuses: []int{503}}
		b := start(t, Options{Webhooks: Webhooks{Transport: v}})
		a := b.order("flux-2-pro", hooked)
		pass(time.Hour)
		if n := len(v.take()); n != 4 {
			t.Errorf("%d attempts", n)
		}
		if got := b.find(a.ID); got != nil && got.webhook.Load() != "given up: the receiver answered Service Unavailable" {
			t.Error(got.webhook.Load())
		}
	})
}

func TestFaultsOnWebhook(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]received{
		"webhook-lost":     nil,
		"webhook-twice":    {{After: time.Nanosecond, genuine: true}, {After: time.Nanosecond, genuine: true}},
		"webhook-forged":   {{After: time.Nanosecond}},
		"webhook-slow=20s": {{After: 20*time.Second + 1, genuine: true}},
	} {
		synctest.Test(t, func(t *testing.T) {
			v := &receiver{begin: time.Now(), statuses: []int{200}}
			b := start(t, Options{Webhooks: Webhooks{Transport: v}})
			inject(t, b.Simulator, text)
			b.order("flux-2-pro", hooked)
			pass(time.Minute)
			got := v.take()
			for i := range got {
				got[i].Signature, got[i].Status = "", ""
			}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(received{})); diff != "" {
				t.Errorf("%s: %s", text, diff)
			}
		})
	}
}

func TestWebhookOfOtherEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := &receiver{begin: time.Now(), statuses: []int{200}}
		b := start(t, Options{Webhooks: Webhooks{Transport: v}})
		for _, prompt := range []string{"[moderated]", "[error]", "[fault:poll-never-ready]"} {
			body := []byte(hooked)
			body = []byte(string(body[:12]) + prompt + string(body[18:]))
			b.order("flux-2-pro", string(body))
		}
		pass(time.Minute)
		var statuses []string
		for _, r := range v.take() {
			statuses = append(statuses, r.Status)
		}
		slices.Sort(statuses)
		if diff := cmp.Diff([]string{statusError, statusRequestModerated}, statuses); diff != "" {
			t.Error(diff)
		}
	})
}

func TestCloseDropsWebhooks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := &receiver{begin: time.Now(), statuses: []int{200}}
		s, err := New(Options{Latency: second, Webhooks: Webhooks{Transport: v}})
		if err != nil {
			t.Fatal(err)
		}
		b := &bench{s, t, s.Client()}
		b.order("flux-2-pro", hooked)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		if n := len(v.take()); n != 0 {
			t.Errorf("%d webhooks", n)
		}
	})
}

func TestWebhooksStayOnThisMachine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		url  string
		o    Webhooks
		want bool
	}{
		{"https://localhost/hook", Webhooks{}, true},
		{"https://127.0.0.1:8443/hook", Webhooks{}, true},
		{"https://[::1]/hook", Webhooks{}, true},
		{"http://localhost/hook", Webhooks{}, false},
		{"http://localhost/hook", Webhooks{HTTP: true}, true},
		{"http://a.localhost/hook", Webhooks{HTTP: true}, true},
		{"https://example.com/hook", Webhooks{HTTP: true}, false},
		{"https://example.com/hook", Webhooks{Remote: true}, true},
		{"http://example.com/hook", Webhooks{HTTP: true, Remote: true}, false},
		{"https://localhost.example.com/hook", Webhooks{HTTP: true}, false},
		{"https://10.0.0.1/hook", Webhooks{HTTP: true}, false},
	} {
		if err := c.o.permit(c.url); (err == nil) != c.want {
			t.Errorf("%s with %+v: %v", c.url, c.o, err)
		}
	}
}

func TestWebhookOverHTTP(t *testing.T) {
	t.Parallel()
	taken := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil && r.Header.Get(SignatureHeader) == signWebhook("hush", body) {
			taken <- string(body)
		}
	}))
	defer server.Close()
	b := start(t, Options{Webhooks: Webhooks{HTTP: true}})
	a := b.order("flux-2-pro", `{"prompt": "a", "webhook_url": "`+server.URL+`", "webhook_secret": "hush"}`)
	var got notice
	if err := json.Unmarshal([]byte(<-taken), &got); err != nil {
		t.Fatal(err)
	}
	if got.ID != a.ID || got.Status != statusReady || got.Result == nil || got.Result.Sample == "" || got.Timestamp == "" {
		t.Errorf("%+v", got)
	}
}
