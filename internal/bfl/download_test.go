package bfl_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

const (
	// sample is a signed URL. Its signature must turn up in no error.
	sample    = "https://delivery-eu1.bfl.ai/results/x.png?se=2026-01-01&sig=" + signature
	signature = "c2lnbmF0dXJl"
)

func TestDownload(t *testing.T) {
	t.Parallel()
	image := strings.Repeat("\x89PNG\x00", 200_000)
	for name, length := range map[string]bool{"with a length": true, "in chunks": false} {
		c, base := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("X-Key") != "" || r.Header.Get("Accept-Encoding") != "identity" || r.URL.RawQuery != "sig=a%2Bb" {
				t.Errorf("%s: %s with %v", name, r.URL, r.Header)
			}
			if length {
				w.Header().Set("Content-Length", fmt.Sprint(len(image)))
			}
			answer(200, image, "Content-Type", "image/png")(w, r)
		})
		var got bytes.Buffer
		n, err := c.Download(t.Context(), base+"/x.png?sig=a%2Bb", &got, int64(len(image)))
		if err != nil || n != int64(len(image)) || got.String() != image {
			t.Errorf("%s: %d bytes, %v", name, n, err)
		}
	}
}

func TestDownloadFaults(t *testing.T) {
	t.Parallel()
	image := strings.Repeat("x", 1000)
	with := func(status int, body string, headers ...string) memory {
		return func(*http.Request) (*http.Response, error) { return reply(status, body, headers...), nil }
	}
	streamed := func(body io.Reader, length int64) memory {
		return func(*http.Request) (*http.Response, error) {
			resp := reply(200, "")
			resp.Body, resp.ContentLength = io.NopCloser(body), length
			return resp, nil
		}
	}
	cut := func(err error) memory {
		return streamed(io.MultiReader(strings.NewReader(image), iotest.ErrReader(err)), 2000)
	}
	broken := errors.New("connection reset by peer")
	tests := []struct {
		name string
		api  memory
		kind error
		text string
	}{
		{
			"forbidden", with(403, "<Error><Code>AuthenticationFailed</Code></Error>", "Content-Type", "application/xml"), bfl.ErrExpired,
			"the image's URL has expired: delivery-eu1.bfl.ai answered 403 Forbidden",
		},
		{
			"not found", with(404, "", "Content-Type", "text/html"), bfl.ErrExpired,
			"the image's URL has expired: delivery-eu1.bfl.ai answered 404 Not Found",
		},
		{"gone", with(410, "", "Content-Type", "text/plain"), bfl.ErrExpired, "the image's URL has expired: delivery-eu1.bfl.ai answered 410 Gone"},
		{
			"a web page", with(200, "<html>", "Content-Type", "text/html; charset=utf-8"), bfl.ErrNotImage,
			"the download is not an image: delivery-eu1.bfl.ai sent text/html",
		},
		{
			"JSON", with(200, "{}", "Content-Type", "application/json"), bfl.ErrNotImage,
			"the download is not an image: delivery-eu1.bfl.ai sent application/json",
		},
		{
			"announced as too large", with(200, strings.Repeat("x", 5001)), bfl.ErrTooLarge,
			"the image is too large: it is longer than 5000 bytes",
		},
		{"too large", streamed(neverEnding{}, -1), bfl.ErrTooLarge, "the image is too large: it is longer than 5000 bytes"},
		{
			"cut off", cut(io.ErrUnexpectedEOF), bfl.ErrTruncated,
			"the download is incomplete: the connection broke after 1000 bytes",
		},
		{"reset", cut(broken), bfl.ErrTruncated, "the download is incomplete: the connection broke after 1000 bytes"},
		{
			"shorter than announced", cut(io.EOF), bfl.ErrTruncated,
			"the download is incomplete: 1000 of 2000 bytes arrived",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c, seen := inMemory(t, "https://api.bfl.ai", test.api)
			var got bytes.Buffer
			n, err := c.Download(t.Context(), sample, &got, 5000)
			e := as[*bfl.DownloadError](t, err)
			if !errors.Is(err, test.kind) {
				t.Errorf("got %v, want %v", err, test.kind)
			}
			if diff := cmp.Diff(test.text, e.Error()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if n != int64(got.Len()) || n > 5000 {
				t.Errorf("%d bytes are reported, %d written", n, got.Len())
			}
			if diff := cmp.Diff([]string{"GET " + sample}, seen.list); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
		})
	}
}

type neverEnding struct{}

func (neverEnding) Read(p []byte) (int, error) { return len(p), nil }

// TestDownloadRefusals has answers that pass.
func TestDownloadRefusals(t *testing.T) {
	t.Parallel()
	for _, status := range []int{206, 429, 500, 503} {
		c, _ := inMemory(t, "https://api.bfl.ai", func(*http.Request) (*http.Response, error) {
			return reply(status, "busy "+sample, "Retry-After", "7"), nil
		})
		_, err := c.Download(t.Context(), sample, io.Discard, 10)
		e := as[*bfl.APIError](t, err)
		if e.StatusCode != status || e.Retryable() != (status > 206) {
			t.Errorf("%d: %+v", status, e)
		}
		if strings.Contains(e.Error(), signature) || !strings.HasPrefix(e.Error(), "delivery-eu1.bfl.ai answered ") {
			t.Errorf("%d: %v", status, e)
		}
	}
}

func TestDownloadConnectionBreaks(t *testing.T) {
	t.Parallel()
	base := rawServer(t, func(conn net.Conn, _ *http.Request) {
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc")
		_ = conn.Close()
	})
	c := client(t, base)
	n, err := c.Download(t.Context(), base+"/x", io.Discard, 5000)
	if !errors.Is(err, bfl.ErrTruncated) || n != 3 {
		t.Errorf("%d bytes, %v; want 3 and ErrTruncated", n, err)
	}
	chunked := rawServer(t, func(conn net.Conn, _ *http.Request) {
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
		_ = conn.Close()
	})
	n, err = client(t, chunked).Download(t.Context(), chunked+"/x", io.Discard, 5000)
	if !errors.Is(err, bfl.ErrTruncated) || n != 3 {
		t.Errorf("in chunks: %d bytes, %v; want 3 and ErrTruncated", n, err)
	}
	refused := rawServer(t, func(conn net.Conn, _ *http.Request) { _ = conn.Close() })
	_, err = client(t, refused).Download(t.Context(), refused+"/x?sig="+signature, io.Discard, 5000)
	if e := as[*bfl.NetworkError](t, err); strings.Contains(e.Error(), signature) {
		t.Errorf("the signature is in the error: %v", e)
	}
}

// TestDownloadCancelled ends the context in the middle of the body.
func TestDownloadCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	base := rawServer(t, func(conn net.Conn, _ *http.Request) {
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc")
	})
	_, err := client(t, base).Download(ctx, base+"/x", writerFunc(func(p []byte) (int, error) {
		cancel()
		return len(p), nil
	}), 5000)
	if e := as[*bfl.NetworkError](t, err); e.Retryable() || !errors.Is(err, context.Canceled) || errors.Is(err, bfl.ErrTruncated) {
		t.Errorf("got %v", e)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestDownloadWriterFails(t *testing.T) {
	t.Parallel()
	full := errors.New("no space left on device")
	c, _ := inMemory(t, "https://api.bfl.ai", func(*http.Request) (*http.Response, error) { return reply(200, "abc"), nil })
	n, err := c.Download(t.Context(), sample, writerFunc(func([]byte) (int, error) { return 1, full }), 10)
	if n != 1 || !errors.Is(err, full) || err.Error() != full.Error() {
		t.Errorf("%d bytes, %v; want the writer's own error", n, err)
	}
}

func TestDownloadRedirects(t *testing.T) {
	t.Parallel()
	// chain sends a call from /0 to /1 and so on, as far as /n.
	chain := func(n int) memory {
		return func(r *http.Request) (*http.Response, error) {
			var at int
			if _, err := fmt.Sscanf(r.URL.Path, "/%d", &at); err != nil || at == n {
				return reply(200, "image"), nil //nolint:nilerr // a path without a number is the end as well
			}
			return reply(302, "", "Location", fmt.Sprintf("https://host%d.example/%d?sig=%s", at+1, at+1, signature)), nil
		}
	}
	for n := range 5 {
		c, seen := inMemory(t, "https://api.bfl.ai", chain(n))
		_, err := c.Download(t.Context(), "https://host0.example/0", io.Discard, 10)
		if n <= 3 && err != nil {
			t.Errorf("%d redirects: %v", n, err)
		}
		if n > 3 {
			if e := as[*bfl.RedirectError](t, err); e.To != "host4.example" {
				t.Errorf("%d redirects: %+v", n, e)
			}
		}
		if want := min(n, 3) + 1; len(seen.list) != want {
			t.Errorf("%d redirects: %d calls, want %d", n, len(seen.list), want)
		}
		for _, call := range seen.list {
			noKey(t, "a download", call)
		}
	}
	for _, location := range []string{"http://host.example/x", "ftp://host.example/x", "http://127.0.0.1/x", "https://u@host.example/", "http:///x"} {
		c, seen := inMemory(t, "https://api.bfl.ai", func(*http.Request) (*http.Response, error) { return reply(301, "", "Location", location), nil })
		_, err := c.Download(t.Context(), sample, io.Discard, 10)
		is[*bfl.URLError](t, err)
		if len(seen.list) != 1 {
			t.Errorf("%s: calls %v", location, seen.list)
		}
	}
	for _, location := range []string{"", "\x7f"} {
		c, _ := inMemory(t, "https://api.bfl.ai", func(*http.Request) (*http.Response, error) { return reply(307, "", "Location", location), nil })
		_, err := c.Download(t.Context(), sample, io.Discard, 10)
		is[*bfl.APIError](t, err)
	}
}

func TestDownloadAddresses(t *testing.T) {
	t.Parallel()
	fetch := func(base, address string) error {
		c, _ := inMemory(t, base, func(*http.Request) (*http.Response, error) { return reply(200, "x"), nil })
		_, err := c.Download(t.Context(), address, io.Discard, 10)
		return err
	}
	for _, address := range []string{"http://delivery.bfl.ai/x?sig=" + signature, "http://127.0.0.1/x", "", "x.png", "https://", "%zz?sig=" + signature, "file:///etc/passwd"} {
		if e := as[*bfl.URLError](t, fetch("https://api.bfl.ai", address)); strings.Contains(e.Error(), signature) {
			t.Errorf("the signature is in the error: %v", e)
		}
	}
	for _, address := range []string{"http://127.0.0.1:9/x", "http://localhost/x", "https://any.example/x"} {
		if err := fetch("http://127.0.0.1:8787", address); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
	is[*bfl.URLError](t, fetch("http://127.0.0.1:8787", "http://any.example/x"))
}

func BenchmarkDownload(b *testing.B) {
	image := make([]byte, 1_200_000)
	server := newBenchServer(b, image)
	c, err := bfl.NewClient(bfl.ClientOptions{BaseURL: server})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(c.Close)
	b.SetBytes(int64(len(image)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Download(b.Context(), server+"/x", io.Discard, int64(len(image))); err != nil {
			b.Fatal(err)
		}
	}
}
