package simulator

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// BenchmarkImage submits, polls and downloads images of 256 x 256 inside the process, each drawn
// once.
func BenchmarkImage(b *testing.B) {
	s, err := New(Options{Latency: Latency{Median: time.Nanosecond}})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // the numbers are there by then
	client := s.Client()
	send := func(method, url, body string) []byte {
		r, err := http.NewRequestWithContext(b.Context(), method, url, strings.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		r.Header.Set("X-Key", "bench")
		resp, err := client.Do(r)
		if err != nil {
			b.Fatal(err)
		}
		data, err := io.ReadAll(resp.Body)
		if err != nil || resp.Body.Close() != nil || resp.StatusCode != http.StatusOK {
			b.Fatal(resp.Status, err)
		}
		return data
	}
	field := func(data []byte, name string) string {
		_, rest, _ := strings.Cut(string(data), `"`+name+`":"`)
		value, _, _ := strings.Cut(rest, `"`)
		return value
	}
	b.ReportAllocs()
	for b.Loop() {
		a := send(http.MethodPost, BaseURL+"/v1/flux-2-pro", `{"prompt": "a lake", "width": 256, "height": 256}`)
		res := send(http.MethodGet, field(a, "polling_url"), "")
		send(http.MethodGet, field(res, "sample"), "")
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "images/s")
}
