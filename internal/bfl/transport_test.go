package bfl

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"testing"
)

// TestTransportsSpeakHTTP1 makes sure that HTTP/2 is not spoken, even to servers that offer it.
func TestTransportsSpeakHTTP1(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())

	submit, poll, download := newTransports()
	for name, transport := range map[string]*http.Transport{"submit": submit, "poll": poll, "download": download} {
		transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
		t.Cleanup(transport.CloseIdleConnections)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if resp.ProtoMajor != 1 {
			t.Errorf("%s speaks %s", name, resp.Proto)
		}
		if err := resp.Body.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestSentBody has what decides whether a request that failed may have been accepted.
func TestSentBody(t *testing.T) {
	t.Parallel()
	failed := httptrace.WroteRequestInfo{Err: errors.New("broken pipe")}
	body := func() *sentBody { return &sentBody{content: io.NopCloser(strings.NewReader("{}")), left: 2} }
	for name, test := range map[string]struct {
		send     func(*sentBody) error
		complete bool
	}{
		"nothing":            {func(*sentBody) error { return nil }, false},
		"a part":             {func(b *sentBody) error { _, err := b.Read(make([]byte, 1)); return err }, false},
		"all":                {func(b *sentBody) error { _, err := io.ReadAll(b); return err }, true},
		"all, and it failed": {func(b *sentBody) error { _, err := io.ReadAll(b); b.wroteRequest(failed); return err }, false},
		"all, and it went": {func(b *sentBody) error {
			_, err := io.ReadAll(b)
			b.wroteRequest(httptrace.WroteRequestInfo{})
			return err
		}, true},
	} {
		b := body()
		if err := test.send(b); err != nil {
			t.Fatal(err)
		}
		b.seal()
		if n, err := b.Read(make([]byte, 9)); n != 0 || err == nil {
			t.Errorf("%s: a sealed body hands over %d bytes, %v", name, n, err)
		}
		if complete, cause := b.outcome(); complete != test.complete || cause != nil {
			t.Errorf("%s: complete is %v, cause %v", name, complete, cause)
		}
	}
}

func TestProxy(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"http://127.0.0.1:1", "http://localhost:1", "http://flux.localhost:1", "https://[::1]:1"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		if via, err := proxy(req); via != nil || err != nil {
			t.Errorf("%s goes through %v, %v", address, via, err)
		}
	}
}

func TestAllowsKey(t *testing.T) {
	t.Parallel()
	tests := []struct {
		base    string
		allowed []string
		refused []string
	}{
		{
			base: "https://api.bfl.ai",
			allowed: []string{
				"https://api.bfl.ai/v1/get_result?id=1", "https://API.BFL.AI/x", "https://api.eu2.bfl.ai/v1/get_result?id=1&sig=2",
				"https://bfl.ai/", "https://api.us1.bfl.ai:8443/", "https://api.bfl.ai./",
			},
			refused: []string{
				"http://api.bfl.ai/v1/get_result?id=1", "https://bfl.ai.example.com/", "https://evilbfl.ai/", "https://api.bfl.ai@evil.com/",
				"https://user@api.bfl.ai/", "https://bfl.com/", "https://127.0.0.1/", "http://127.0.0.1/", "/v1/get_result", "", "https://",
				"//api.bfl.ai/x", "ftp://api.bfl.ai/", "https://api.bfl.ai\x00.evil.com/", "https://xn--bfl-.ai/", "https://bfl.аi/",
				"https://api.bfl.ai%2eevil.com/",
			},
		},
		{
			// Names under a public suffix belong to different people.
			base:    "https://mine.azurewebsites.net",
			allowed: []string{"https://mine.azurewebsites.net/x", "https://a.mine.azurewebsites.net/"},
			refused: []string{"https://yours.azurewebsites.net/", "https://azurewebsites.net/"},
		},
		{
			base:    "https://10.0.0.5/bfl",
			allowed: []string{"https://10.0.0.5/other"},
			refused: []string{"https://11.0.0.5/", "https://1.0.0.5/", "https://10.0.0.6/"},
		},
		{
			base:    "https://proxy",
			allowed: []string{"https://proxy/x"},
			refused: []string{"https://other/", "https://a.proxy/"},
		},
		{
			base:    "http://127.0.0.1:8787",
			allowed: []string{"http://127.0.0.1:8787/x", "http://localhost:8787/x", "http://eu.localhost:8787/", "http://[::1]:8787/", "http://LOCALHOST.:8787/", "http://[::ffff:127.0.0.1]:8787/"},
			refused: []string{"http://127.0.0.1:8788/", "https://127.0.0.1:8787/", "https://api.bfl.ai/", "http://api.bfl.ai:8787/", "http://127.0.0.2:8787/", "http://127.1.1.1:8787/"},
		},
	}
	for _, test := range tests {
		e, err := parseEndpoint(test.base)
		if err != nil {
			t.Fatal(err)
		}
		for _, address := range test.allowed {
			if err := e.allowsKey(address); err != nil {
				t.Errorf("%s: %s is refused: %v", test.base, address, err)
			}
		}
		for _, address := range test.refused {
			if e.allowsKey(address) == nil {
				t.Errorf("%s: %s may see the key", test.base, address)
			}
		}
	}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]string{
		"https://api.bfl.ai":           "https://api.bfl.ai/v1/x?id=a",
		"https://api.bfl.ai/":          "https://api.bfl.ai/v1/x?id=a",
		"https://proxy.example/bfl///": "https://proxy.example/bfl/v1/x?id=a",
	} {
		e, err := parseEndpoint(base)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.resolve("/v1/x", "id=a"); got != want {
			t.Errorf("%s: %s, want %s", base, got, want)
		}
	}
	// Endpoints of a configuration's own models cannot lead elsewhere.
	e, err := parseEndpoint("https://api.bfl.ai")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"//evil.com/x", "/@evil.com/", "/..//evil.com", "/x?y=https://evil.com#z"} {
		if err := e.allowsKey(e.resolve(path, "")); err != nil {
			t.Errorf("%s leads to %s: %v", path, e.resolve(path, ""), err)
		}
	}
}
