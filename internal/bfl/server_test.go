package bfl_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// key is the account's key in these tests. It must turn up in the x-key header of API calls, and
// nowhere else.
const key = "bfl-secret-0123456789"

// serve starts an API on loopback and returns a client for it.
func serve(t *testing.T, h http.HandlerFunc) (*bfl.Client, string) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return client(t, server.URL), server.URL
}

func client(t *testing.T, base string) *bfl.Client {
	t.Helper()
	c, err := bfl.NewClient(bfl.ClientOptions{BaseURL: base, Key: key, UserAgent: "fluxbatch/test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// answer is a handler that always answers the same.
func answer(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// memory is an API in memory, without connections.
type memory func(*http.Request) (*http.Response, error)

func (m memory) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer func() { _ = r.Body.Close() }()
	}
	return m(r)
}

// inMemory returns a client of an API at any address that answers from memory, and what it is
// asked.
func inMemory(t *testing.T, base string, m memory) (*bfl.Client, *calls) {
	t.Helper()
	seen := &calls{}
	c, err := bfl.NewClient(bfl.ClientOptions{BaseURL: base, Key: key, HTTP: memory(func(r *http.Request) (*http.Response, error) {
		seen.add(r)
		return m(r)
	})})
	if err != nil {
		t.Fatal(err)
	}
	return c, seen
}

// calls are the requests that an API in memory has seen: address and key.
type calls struct {
	mu   sync.Mutex
	list []string
}

func (c *calls) add(r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, strings.TrimSpace(r.Method+" "+r.URL.String()+" "+r.Header.Get("X-Key")))
}

// reply is an answer from memory. It leaves out what round trippers may leave out.
func reply(status int, body string, headers ...string) *http.Response {
	resp := &http.Response{StatusCode: status, Header: http.Header{}, ContentLength: int64(len(body))}
	if body != "" {
		resp.Body = io.NopCloser(strings.NewReader(body))
	}
	for i := 0; i < len(headers); i += 2 {
		resp.Header.Set(headers[i], headers[i+1])
	}
	return resp
}

// rawServer accepts connections and lets the test speak on them by itself.
func rawServer(t *testing.T, speak func(conn net.Conn, request *http.Request)) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	t.Cleanup(func() {
		_ = listener.Close()
		group.Wait()
	})
	group.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			group.Go(func() {
				defer func() { _ = conn.Close() }()
				for {
					r, err := http.ReadRequest(bufio.NewReader(conn))
					if err != nil {
						return
					}
					speak(conn, r)
				}
			})
		}
	})
	return "http://" + listener.Addr().String()
}

// heron is a request without inputs.
func heron() *bfl.Request {
	return &bfl.Request{Model: bfl.Lookup("flux-2-pro"), Arguments: args("prompt", "A heron", "seed", int64(0))}
}

// edit is a request with one input of the given content, and its opener.
func edit(data string) (*bfl.Request, bfl.Opener) {
	r := &bfl.Request{Model: bfl.Lookup("flux-2-pro"), Arguments: args("prompt", "x"), Inputs: files("input_image")}
	return r, func(bfl.Input) (io.ReadCloser, int64, error) {
		return io.NopCloser(strings.NewReader(data)), int64(len(data)), nil
	}
}

// noKey fails the test where the key stands in a text.
func noKey(t *testing.T, where, text string) {
	t.Helper()
	if strings.Contains(text, key) {
		t.Errorf("%s has the key in it: %s", where, text)
	}
}

// as returns the error of type E in err, or fails the test.
func as[E error](t *testing.T, err error) E {
	t.Helper()
	var e E
	if !errors.As(err, &e) {
		t.Fatalf("got %T %v, want a %T", err, err, e)
	}
	noKey(t, "the error", err.Error())
	return e
}

// is fails the test unless there is an error of type E in err.
func is[E error](t *testing.T, err error) {
	t.Helper()
	_ = as[E](t, err) // fails by itself
}

// cancelled is a context that is over.
func cancelled(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// newBenchServer serves one image on loopback.
func newBenchServer(b *testing.B, image []byte) string {
	b.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "image/png")
		w.Header().Set("Content-Length", strconv.Itoa(len(image)))
		_, _ = w.Write(image)
	}))
	b.Cleanup(server.Close)
	return server.URL
}
