package bfl_test

import (
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

func TestBaseURL(t *testing.T) {
	t.Parallel()
	for region, want := range map[string]string{
		"global": "https://api.bfl.ai", "eu": "https://api.eu.bfl.ai", "us": "https://api.us.bfl.ai",
	} {
		if got, ok := bfl.BaseURL(region); !ok || got != want {
			t.Errorf("BaseURL(%q) = %q, %v", region, got, ok)
		}
	}
	if got, ok := bfl.BaseURL("asia"); ok || got != "" {
		t.Errorf("BaseURL invents %q", got)
	}
}

func TestNewClient(t *testing.T) {
	t.Parallel()
	for _, base := range []string{
		"https://api.bfl.ai", "https://api.bfl.ai/", "https://proxy.example.com:8443/bfl/", "https://10.0.0.5", "http://127.0.0.1:8787",
		"http://127.9.9.9", "http://[::1]:8787", "http://localhost:1", "http://LOCALHOST", "http://api.localhost:8787", "http://localhost.",
	} {
		if _, err := bfl.NewClient(bfl.ClientOptions{BaseURL: base, Key: key}); err != nil {
			t.Errorf("%s: %v", base, err)
		}
	}
	for base, want := range map[string]string{
		"http://api.bfl.ai":            "the address on api.bfl.ai is refused: http would send the key in plain text. Use https, except on this machine",
		"http://10.0.0.5:8787":         "the address on 10.0.0.5 is refused: http would send the key in plain text. Use https, except on this machine",
		"http://127.0.0.1.example.com": "the address on 127.0.0.1.example.com is refused: http would send the key in plain text. Use https, except on this machine",
		"http://localhost.example.com": "the address on localhost.example.com is refused: http would send the key in plain text. Use https, except on this machine",
		"http://notlocalhost":          "the address on notlocalhost is refused: http would send the key in plain text. Use https, except on this machine",
		"http://0.0.0.0:80":            "the address on 0.0.0.0 is refused: http would send the key in plain text. Use https, except on this machine",
		"ftp://api.bfl.ai":             "the address on api.bfl.ai is refused: only https is used, and http on this machine",
		"https://user:pass@api.bfl.ai": "the address on api.bfl.ai is refused: it has a user name in it, which an endpoint cannot have",
		"https://api.bfl.ai/?x=1":      "the address on api.bfl.ai is refused: it has a query or a fragment, which an endpoint cannot have",
		"api.bfl.ai":                   `the address is refused: an endpoint looks like "https://api.bfl.ai"`,
		"":                             `the address is refused: an endpoint looks like "https://api.bfl.ai"`,
		"https:api.bfl.ai":             `the address is refused: an endpoint looks like "https://api.bfl.ai"`,
		"https://":                     `the address is refused: an endpoint looks like "https://api.bfl.ai"`,
		"https://[::1":                 `the address is refused: an endpoint looks like "https://api.bfl.ai"`,
	} {
		_, err := bfl.NewClient(bfl.ClientOptions{BaseURL: base, Key: key})
		if e := as[*bfl.URLError](t, err); e.Error() != want {
			t.Errorf("%q (-want +got):\n%s", base, cmp.Diff(want, e.Error()))
		}
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	if _, err := bfl.NewClient(bfl.ClientOptions{BaseURL: "https://api.bfl.ai", Key: " \n"}); !errors.Is(err, bfl.ErrNoKey) {
		t.Errorf("no key: %v", err)
	}
	if _, err := bfl.NewClient(bfl.ClientOptions{BaseURL: "http://127.0.0.1:8787"}); err != nil {
		t.Errorf("no key on this machine: %v", err)
	}
	_, err := bfl.NewClient(bfl.ClientOptions{BaseURL: "https://api.bfl.ai", Key: key + "\r\nHost: evil"})
	if err == nil {
		t.Fatal("a key with a line break passes")
	}
	noKey(t, "the error", err.Error())

	// A line break at the end comes from files and pipes.
	var got []string
	c, err := bfl.NewClient(bfl.ClientOptions{
		BaseURL: "https://api.bfl.ai", Key: key + "\n", HTTP: memory(func(r *http.Request) (*http.Response, error) {
			got = r.Header["X-Key"]
			return reply(200, `{"credits": 1}`), nil
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Credits(t.Context()); err != nil || !cmp.Equal(got, []string{key}) {
		t.Errorf("%v, the key sent is %q", err, got)
	}
}

func TestCreditsCall(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method+r.URL.Path != "GET/v1/credits" || r.Header.Get("X-Key") != key || r.UserAgent() != "fluxbatch/test" {
			t.Errorf("%s %s with %v", r.Method, r.URL, r.Header)
		}
		answer(200, `{"credits": 1234.5}`)(w, r)
	})
	got, err := c.Credits(t.Context())
	if err != nil || got != bfl.CreditsOf(1234.5) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestCreditsFaults(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		``:                  "the API's answer cannot be read: it is empty",
		`{}`:                "the API's answer cannot be read: it names no credits",
		`{"credits":null}`:  "the API's answer cannot be read: it names no credits",
		`{"credits":12`:     "the API's answer cannot be read: it ends too early",
		`{"credits":12]`:    "the API's answer cannot be read: it is damaged JSON",
		`<html>hello</html`: "the API's answer cannot be read: it is a web page",
		`[1]`:               "the API's answer cannot be read: it is not a JSON object",
		strings.Repeat(" ", 1<<20) + `{"credits":1}`: "the API's answer cannot be read: it is longer than 1 MB",
	} {
		c, _ := inMemory(t, "https://api.bfl.ai", func(*http.Request) (*http.Response, error) { return reply(200, body), nil })
		_, err := c.Credits(t.Context())
		if e := as[*bfl.AnswerError](t, err); e.Error() != want {
			t.Errorf("%.30q: %s, want %s", body, e, want)
		}
	}
}

// TestEndlessAnswer makes sure that an answer without end is not read for ever.
func TestEndlessAnswer(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 500} {
		body := &countedReader{}
		c, _ := inMemory(t, "https://api.bfl.ai", func(*http.Request) (*http.Response, error) {
			resp := reply(status, "")
			resp.Body = io.NopCloser(body)
			return resp, nil
		})
		if _, err := c.Credits(t.Context()); err == nil || body.n > 2<<20 {
			t.Errorf("%d: %d bytes were read, %v", status, body.n, err)
		}
	}
}

// countedReader is a body without end.
type countedReader struct{ n int }

func (r *countedReader) Read(p []byte) (int, error) {
	r.n += len(p)
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// TestKeyNeverFollowsRedirects makes sure that an API call that is sent elsewhere ends there.
func TestKeyNeverFollowsRedirects(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("a redirect was followed to %s with key %q", r.URL, r.Header.Get("X-Key"))
	}))
	t.Cleanup(elsewhere.Close)
	for _, status := range []int{301, 302, 303, 307, 308} {
		c, base := serve(t, answer(status, "", "Location", elsewhere.URL+"/?token="+key))
		_, err := c.Credits(t.Context())
		if e := as[*bfl.RedirectError](t, err); e.To != "127.0.0.1" || e.StatusCode != status {
			t.Errorf("Credits: %+v", e)
		}
		_, err = c.Poll(t.Context(), base+"/v1/get_result?id=1")
		is[*bfl.RedirectError](t, err)
		_, err = c.Submit(t.Context(), heron(), nil)
		is[*bfl.RedirectError](t, err)
		if as[*bfl.SubmitError](t, err).Ambiguous() {
			t.Error("a redirect passes for an accepted request")
		}
	}
}

// TestNameOfThisMachine makes sure that names under localhost lead here without a name server.
func TestNameOfThisMachine(t *testing.T) {
	t.Parallel()
	_, base := serve(t, answer(200, `{"credits": 5}`))
	c := client(t, strings.Replace(base, "127.0.0.1", "flux.localhost", 1))
	if got, err := c.Credits(t.Context()); err != nil || got != bfl.CreditsOf(5) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestUnknownCertificate(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(answer(200, `{"credits": 5}`))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // the refused handshake is the point
	server.StartTLS()
	t.Cleanup(server.Close)
	c := client(t, server.URL)
	_, err := c.Credits(t.Context())
	// The test's certificate is nobody's, which another attempt does not change.
	if e := as[*bfl.NetworkError](t, err); e.Retryable() {
		t.Errorf("%v passes for a fault that goes by", e)
	}
	_, err = c.Submit(t.Context(), heron(), nil)
	if as[*bfl.SubmitError](t, err).Ambiguous() {
		t.Error("a request to a stranger passes for accepted")
	}
}
