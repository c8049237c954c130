package simulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"image"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bench is a simulator with a client, as a test uses it.
type bench struct {
	*Simulator
	t      *testing.T
	client *http.Client
}

// start returns a simulator whose tasks are ready at once unless the options say otherwise.
func start(t *testing.T, opts Options) *bench {
	t.Helper()
	if opts.Latency == (Latency{}) {
		opts.Latency = Latency{Median: time.Nanosecond}
	}
	s, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &bench{s, t, s.Client()}
}

// reply is an answer that was read.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// send makes a request; pairs are headers.
func (b *bench) send(method, url, body string, pairs ...string) (reply, error) {
	b.t.Helper()
	if strings.HasPrefix(url, "/") {
		url = BaseURL + url
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	for i := 0; i < len(pairs); i += 2 {
		r.Header.Set(pairs[i], pairs[i+1])
	}
	resp, err := b.client.Do(r)
	if err != nil {
		return reply{}, err
	}
	data, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, resp.Header, data}, errors.Join(err, resp.Body.Close())
}

// do is send without an error.
func (b *bench) do(method, url, body string, pairs ...string) reply {
	b.t.Helper()
	got, err := b.send(method, url, body, pairs...)
	if err != nil {
		b.t.Fatal(err)
	}
	return got
}

// post submits to a model with a key.
func (b *bench) post(model, body string) reply {
	b.t.Helper()
	return b.do(http.MethodPost, "/v1/"+model, body, "X-Key", "test", "Content-Type", "application/json")
}

// decode reads a reply's JSON.
func decode[T any](t *testing.T, r reply) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(r.body, &v); err != nil {
		t.Fatalf("%d %s: %v", r.status, r.body, err)
	}
	return v
}

// order submits and returns the acceptance.
func (b *bench) order(model, body string) accepted {
	b.t.Helper()
	r := b.post(model, body)
	if r.status != http.StatusOK {
		b.t.Fatalf("%s %s: %d %s", model, body, r.status, r.body)
	}
	return decode[accepted](b.t, r)
}

// poll asks for a task.
func (b *bench) poll(a accepted) result {
	b.t.Helper()
	url := a.PollingURL
	if url == "" {
		url = "/v1/get_result?id=" + a.ID
	}
	return decode[result](b.t, b.do(http.MethodGet, url, ""))
}

// picture downloads the picture of a finished task.
func (b *bench) picture(a accepted) (image.Image, string) {
	b.t.Helper()
	res := b.poll(a)
	if res.Status != statusReady {
		b.t.Fatalf("status %q, want Ready: %+v", res.Status, res)
	}
	img, format, err := image.Decode(bytes.NewReader(b.do(http.MethodGet, res.Result.Sample, "").body))
	if err != nil {
		b.t.Fatal(err)
	}
	return img, format
}

func TestOrderPollDownload(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	a := b.order("flux-2-pro", `{"prompt": "A lake", "width": 256, "height": 128, "seed": 0, "output_format": "webp"}`)
	res := b.poll(a)
	if res.Result == nil || res.Result.Seed != "0" || res.Result.Prompt != "A lake" {
		t.Fatalf("result %+v", res)
	}
	img, format := b.picture(a)
	if format != "webp" || img.Bounds().Size() != image.Pt(256, 128) {
		t.Errorf("a %s of %v", format, img.Bounds())
	}
}

// pass lets time pass in a bubble of synctest, where waiting takes none.
func pass(d time.Duration) { <-time.After(d) }
