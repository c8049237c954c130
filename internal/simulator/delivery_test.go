package simulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSampleNeedsItsSignature(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	clock := &manual{now: began}
	b := start(t, Options{Now: clock.Now})
	task := b.order("flux-2-pro", `{"prompt": "a", "width": 64, "height": 64, "output_format": "png"}`)
	another := b.order("flux-2-pro", `{"prompt": "b"}`)
	clock.advance(time.Second)
	sample, other := b.poll(task).Result.Sample, b.poll(another).Result.Sample
	u, err := url.Parse(sample)
	if err != nil {
		t.Fatal(err)
	}
	end := u.Query().Get("se")
	if left := parseTime(t, end).Sub(began); left != DefaultSampleLifetime {
		t.Errorf("the sample lives for %v", left)
	}
	for name, c := range map[string]struct {
		url  string
		want int
	}{
		"as returned":     {sample, 200},
		"no query":        {strings.SplitN(sample, "?", 2)[0], 403},
		"longer life":     {strings.Replace(sample, "se=20", "se=21", 1), 403},
		"more rights":     {strings.Replace(sample, "sp=r", "sp=rw", 1), 403},
		"wrong signature": {strings.Replace(sample, "sig=", "sig=A", 1), 403},
		"other task":      {strings.SplitN(other, "?", 2)[0] + "?" + u.RawQuery, 403},
	} {
		if got := b.do(http.MethodGet, c.url, ""); got.status != c.want {
			t.Errorf("%s: %d, want %d", name, got.status, c.want)
		}
	}
}

func parseTime(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestSampleIsAFile(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	sample := b.poll(b.order("flux-2-pro", `{"prompt": "a", "width": 64, "height": 64}`)).Result.Sample
	whole := b.do(http.MethodGet, sample, "")
	if whole.header.Get("Content-Type") != "image/jpeg" || !strings.Contains(sample, "/sample.jpg?") {
		t.Errorf("%s has the type %s", sample, whole.header.Get("Content-Type"))
	}
	part := b.do(http.MethodGet, sample, "", "Range", "bytes=10-19")
	if part.status != 206 || !bytes.Equal(part.body, whole.body[10:20]) {
		t.Errorf("a range: %d %q", part.status, part.body)
	}
	head := b.do(http.MethodHead, sample, "", "X-Key", "leaked")
	if head.status != 200 || len(head.body) != 0 {
		t.Errorf("HEAD: %d %q", head.status, head.body)
	}
	got := b.Stats()
	if got.Downloads != 1 || got.DownloadedBytes != int64(len(whole.body)) || got.KeysAtDelivery != 1 {
		t.Errorf("%+v", got)
	}
}

func TestLedger(t *testing.T) {
	t.Parallel()
	var file bytes.Buffer
	b := start(t, Options{Ledger: &file, Seed: 5})
	first := b.order("flux-2-pro", `{"prompt": "a", "seed": 1, "width": 64}`)
	b.order("flux-2-pro", `{"width": 64, "seed": 1.0, "webhook_secret": "s", "prompt": "a"}`)
	b.order("flux-2-max", `{"prompt": "a", "seed": 2, "width": 64}`)
	b.post("flux-2-pro", `{}`)
	ledger := b.Ledger()
	if len(ledger) != 3 {
		t.Fatalf("%d charges", len(ledger))
	}
	if ledger[0].Digest != ledger[1].Digest || ledger[0].Digest == ledger[2].Digest {
		t.Errorf("digests %v, %v, %v", ledger[0].Digest, ledger[1].Digest, ledger[2].Digest)
	}
	want := Charge{
		Time: ledger[0].Time, ID: first.ID, Account: maskKey("test"), Model: "flux-2-pro", Endpoint: "/v1/flux-2-pro",
		Cost: 3000, OutputMP: 0.06, Active: 1, ActiveModel: 1, Digest: ledger[0].Digest,
	}
	if diff := cmp.Diff(want, ledger[0]); diff != "" {
		t.Error(diff)
	}
	var written []Charge
	for line := range strings.Lines(file.String()) {
		var c Charge
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatal(err)
		}
		written = append(written, c)
	}
	if diff := cmp.Diff(ledger, written); diff != "" {
		t.Errorf("the file differs (-want +got):\n%s", diff)
	}
}

// failingWriter is a disk that is full.
type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestNoChargeWithoutItsLine(t *testing.T) {
	t.Parallel()
	b := start(t, Options{Ledger: failingWriter{}})
	if r := b.post("flux-2-pro", `{"prompt": "a"}`); r.status != 500 || !strings.Contains(string(r.body), "no space left") {
		t.Errorf("%d %s", r.status, r.body)
	}
	if n := len(b.Ledger()); n != 0 {
		t.Errorf("%d charges", n)
	}
}

func TestKeysAreMasked(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]bool{"short-secret": false, "bfl_0123456789abcdef": true} {
		got := maskKey(key)
		if strings.Contains(got, key) || strings.HasPrefix(got, key[:4]) != want {
			t.Errorf("%s is shown as %s", key, got)
		}
	}
}

func TestPage(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	page := func() string {
		r := b.do(http.MethodGet, "/", "")
		if r.status != 200 || !strings.HasPrefix(r.header.Get("Content-Type"), "text/html") {
			t.Fatalf("%d %s", r.status, r.body)
		}
		return string(r.body)
	}
	if got := page(); !strings.Contains(got, "No task yet") || !strings.Contains(got, "http://"+memoryHost+"/v1/flux-2-pro") {
		t.Error(got)
	}
	a := b.order("flux-2-pro", `{"prompt": "<script>alert(1)</script>", "width": 64, "height": 64}`)
	moderated := b.order("flux-2-max", `{"prompt": "[moderated]"}`)
	got := page()
	for _, want := range []string{"&lt;script&gt;", "$0.10", `src="/pictures/` + a.ID, moderated.ID, statusRequestModerated, maskKey("test")} {
		if !strings.Contains(got, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(got, "<script>") || strings.Contains(got, "http://") {
		t.Errorf("the page holds what it must not:\n%s", got)
	}
	if r := b.do(http.MethodGet, "/pictures/"+a.ID, ""); r.status != 200 || r.header.Get("Content-Type") != "image/jpeg" {
		t.Errorf("the picture: %d", r.status)
	}
	if r := b.do(http.MethodGet, "/pictures/"+moderated.ID, ""); r.status != 404 {
		t.Errorf("a picture that there is not: %d", r.status)
	}
	if got := b.Stats(); got.Downloads != 0 || got.Polls != 0 {
		t.Errorf("looking at the page was counted: %+v", got)
	}
}
