package bfl_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// encoded returns a text as an encoding has it.
func encoded(t *testing.T, encoding, text string) string {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	switch encoding {
	case "gzip":
		w = gzip.NewWriter(&b)
	case "zlib":
		w = zlib.NewWriter(&b)
	default:
		w, _ = flate.NewWriter(&b, flate.BestSpeed) // the level is valid
	}
	_, err := io.WriteString(w, text)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestEncodedDownload has servers and proxies that encode what nobody asked them to.
func TestEncodedDownload(t *testing.T) {
	t.Parallel()
	image := "\x89PNG\r\n\x1a\n" + strings.Repeat("pixels", 100_000)
	zipped := encoded(t, "gzip", image)
	tests := []struct {
		name, header, body string
		limit              int64
		kind               error // nil for a success
		text               string
	}{
		{name: "gzip", header: "gzip", body: zipped},
		{name: "x-gzip", header: " X-GZip", body: zipped},
		{name: "deflate", header: "deflate", body: encoded(t, "zlib", image)},
		{name: "bare deflate", header: "deflate", body: encoded(t, "flate", image)},
		{name: "identity", header: "identity", body: image},
		{name: "twice", header: "deflate, identity, gzip", body: encoded(t, "gzip", encoded(t, "zlib", image))},
		{name: "a wrong label", header: "gzip", body: image},
		{
			name: "unknown", header: "br", body: image, kind: bfl.ErrEncoding,
			text: `the download is encoded: it comes in the unknown encoding "br"`,
		},
		{
			name: "too many", header: "gzip, gzip, gzip, gzip", body: zipped, kind: bfl.ErrEncoding,
			text: `the download is encoded: it comes in the unknown encoding "gzip, gzip, gzip, gzip"`,
		},
		{name: "too large when decoded", header: "gzip", body: zipped, limit: int64(len(image)) - 1, kind: bfl.ErrTooLarge},
		{name: "cut", header: "gzip", body: zipped[:len(zipped)-9], kind: bfl.ErrTruncated},
		{name: "damaged", header: "gzip", body: zipped[:len(zipped)-8] + "12345678", kind: bfl.ErrTruncated},
		{name: "a damaged head", header: "gzip", body: "\x1f\x8b" + strings.Repeat("\xff", 20), kind: bfl.ErrTruncated},
		{name: "a damaged deflate", header: "deflate", body: "\xff\xff", kind: bfl.ErrTruncated},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if test.limit == 0 {
				test.limit = int64(len(image))
			}
			c, base := serve(t, answer(200, test.body, "Content-Encoding", test.header, "Content-Type", "image/png"))
			var got bytes.Buffer
			n, err := c.Download(t.Context(), base+"/x.png", &got, test.limit)
			switch {
			case test.kind == nil && (err != nil || got.String() != image || n != int64(len(image))):
				t.Errorf("%d bytes, %v", n, err)
			case !errors.Is(err, test.kind):
				t.Errorf("got %v, want %v", err, test.kind)
			case test.text != "" && err.Error() != test.text:
				t.Errorf("got %v, want %s", err, test.text)
			}
		})
	}
	t.Run("a length that is not reached", func(t *testing.T) {
		t.Parallel()
		c, _ := inMemory(t, "https://api.bfl.ai", func(*http.Request) (*http.Response, error) {
			resp := reply(200, zipped, "Content-Encoding", "gzip")
			resp.ContentLength++
			return resp, nil
		})
		if _, err := c.Download(t.Context(), "https://x.example/", io.Discard, int64(len(image))); !errors.Is(err, bfl.ErrTruncated) {
			t.Errorf("got %v", err)
		}
	})
}

// TestEncodedAnswers has the API's own answers encoded, over connections of the client and over
// others.
func TestEncodedAnswers(t *testing.T) {
	t.Parallel()
	for _, encoding := range []string{"gzip", "zlib"} {
		header := strings.Replace(encoding, "zlib", "deflate", 1)
		text := func(s string) string { return encoded(t, encoding, s) }
		check := func(c *bfl.Client, poll string) {
			t.Helper()
			if got, err := c.Poll(t.Context(), poll); err != nil || got.Status != bfl.Failed || got.Message != "no" {
				t.Errorf("%s: %+v, %v", encoding, got, err)
			}
		}
		body := `{"status":"Error","error":"no"}`
		c, base := serve(t, answer(200, text(body), "Content-Encoding", header))
		check(c, base+"/v1/get_result?id=1")
		c, _ = inMemory(t, "https://api.bfl.ai", func(*http.Request) (*http.Response, error) {
			return reply(503, text(body), "Content-Encoding", header), nil
		})
		check(c, pollingURL)

		c, _ = inMemory(t, "https://api.bfl.ai", func(*http.Request) (*http.Response, error) {
			return reply(200, text(`{"id":"task-1","credits":3}`), "Content-Encoding", header), nil
		})
		if task, err := c.Submit(t.Context(), heron(), nil); err != nil || task.ID != "task-1" {
			t.Errorf("%s: %+v, %v", encoding, task, err)
		}
		if credits, err := c.Credits(t.Context()); err != nil || credits != bfl.CreditsOf(3) {
			t.Errorf("%s: %v, %v", encoding, credits, err)
		}
		c, _ = inMemory(t, "https://api.bfl.ai", func(*http.Request) (*http.Response, error) {
			return reply(422, text(`{"detail":"no"}`), "Content-Encoding", header), nil
		})
		if _, err := c.Submit(t.Context(), heron(), nil); as[*bfl.APIError](t, err).Message != "no" {
			t.Errorf("%s: %v", encoding, err)
		}
	}
	c, _ := inMemory(t, "https://api.bfl.ai", func(*http.Request) (*http.Response, error) { return reply(200, "x", "Content-Encoding", "br"), nil })
	const want = `the API's answer cannot be read: it comes in the unknown encoding "br"`
	if _, err := c.Poll(t.Context(), pollingURL); as[*bfl.AnswerError](t, err).Error() != want {
		t.Errorf("got %v", err)
	}
	if _, err := c.Submit(t.Context(), heron(), nil); as[*bfl.AnswerError](t, err).Error() != want || !as[*bfl.SubmitError](t, err).Ambiguous() {
		t.Errorf("got %v", err)
	}
}
