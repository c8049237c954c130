package apilog

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/simulator"
	"github.com/fluxbatch/fluxbatch/internal/simulator/simtest"
)

const (
	loggedKey    = "key-that-nobody-may-see"
	loggedPrompt = "a heron that nobody may read"
)

// lockedBuffer is a log that several goroutines write to.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// environment looks names up as os.Getenv does.
func environment(pairs ...string) func(string) string {
	return func(name string) (value string) {
		for _, pair := range pairs {
			if v, ok := strings.CutPrefix(pair, name+"="); ok {
				value = v
			}
		}
		return value
	}
}

// newLog returns a log of a level, and what is written to it.
func newLog(t *testing.T, level string) (*Log, *lockedBuffer) {
	t.Helper()
	out := &lockedBuffer{}
	l, err := Open(environment(LevelVariable+"="+level), out)
	if err != nil {
		t.Fatal(err)
	}
	return l, out
}

// makeImage has a simulator make one image through the log, and returns its task and the URL of its
// sample.
func makeImage(t *testing.T, l *Log, level string) (task, sample string) {
	t.Helper()
	sim := simtest.New(t, simulator.Options{Seed: 1, Latency: simulator.Latency{Median: time.Nanosecond}, Keys: map[string]simulator.Account{loggedKey: {Credits: 100_000}}})
	client := simtest.Client(t, sim, bfl.ClientOptions{Key: loggedKey, HTTP: l.Wrap(sim.Transport())})
	request := &bfl.Request{Model: bfl.Lookup("flux-2-pro"), Arguments: []bfl.Argument{{Name: "prompt", Value: loggedPrompt}}}
	submission, err := client.Submit(t.Context(), request, nil)
	if err != nil {
		t.Fatalf("%s: %v", level, err)
	}
	l.Event(executor.Submitted{Address: addrs.Image{Name: "logo"}, TaskID: submission.ID})
	result, err := client.Poll(t.Context(), submission.PollingURL)
	for err == nil && !result.Status.Final() {
		result, err = client.Poll(t.Context(), submission.PollingURL)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Download(t.Context(), result.SampleURL, io.Discard, 1<<20); err != nil {
		t.Fatal(err)
	}
	return submission.ID, result.SampleURL
}

func TestLogTellsCallsWithoutSecrets(t *testing.T) {
	t.Parallel()
	l, out := newLog(t, "debug")
	task, sample := makeImage(t, l, "debug")
	text := out.String()
	u, err := url.Parse(sample)
	if err != nil || u.RawQuery == "" {
		t.Fatalf("the sample %q has no query that could leak: %v", sample, err)
	}
	for _, secret := range []string{loggedKey, loggedPrompt, "nobody", u.RawQuery, "heron"} {
		if strings.Contains(text, secret) {
			t.Errorf("the log has %q:\n%s", secret, text)
		}
	}
	for _, want := range []string{
		"msg=request", "method=POST", "path=/v1/flux-2-pro", "msg=answer", "status=200", "bytes=", "duration=", "task=" + task,
		"address=image.logo", "path=" + u.Path, "state=Ready",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the log lacks %q:\n%s", want, text)
		}
	}
}

// On level info there is a line for each accepted task, and none for the many polls.
func TestLogLevels(t *testing.T) {
	t.Parallel()
	l, out := newLog(t, "INFO")
	task, _ := makeImage(t, l, "info")
	if n := strings.Count(out.String(), "\n"); n != 1 || !strings.Contains(out.String(), "method=POST") || !strings.Contains(out.String(), task) {
		t.Errorf("the log has %d lines:\n%s", n, out)
	}
}

// mirror answers with all that it was sent, as a server or a proxy that fails may.
func mirror(status int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // a test's own request
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Echo", r.Header.Get("X-Key"))
		w.WriteHeader(status)
		// The body names the key where the log looks for a task.
		_ = json.NewEncoder(w).Encode(map[string]string{
			"id": "?" + r.Header.Get("X-Key"), "status": "\n" + r.Header.Get("X-Key"), "detail": r.URL.String() + string(body) + r.Header.Get("X-Key"),
		})
	})
}

func TestLogOfAServerThatRepeatsSecrets(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 302, 401, 429, 500} {
		l, out := newLog(t, "debug")
		server := httptest.NewServer(mirror(status))
		for _, path := range []string{"/v1/flux-2-pro", "/v1/get_result?id=7&x=" + loggedKey} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+path, strings.NewReader(loggedPrompt))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("X-Key", loggedKey)
			resp, err := l.Wrap(http.DefaultTransport).RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, resp.Body); err != nil {
				t.Fatal(err)
			}
			if err := resp.Body.Close(); err != nil {
				t.Fatal(err)
			}
		}
		server.Close()
		if text := out.String(); strings.Contains(text, "nobody") || !strings.Contains(text, "task=7") || strings.Count(text, "\n") != 4 {
			t.Errorf("%d:\n%s", status, text)
		}
	}
}

type failingTransport struct{ err error }

func (f failingTransport) RoundTrip(*http.Request) (*http.Response, error) { return nil, f.err }

func TestLogOfACallWithoutAnswer(t *testing.T) {
	t.Parallel()
	l, out := newLog(t, "info")
	cause := errors.New(`malformed answer "` + loggedKey + `" from https://x.example/s.png?sig=abcdef "end"`)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://user:password@x.example/a?sig=abcdef", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Key", loggedKey)
	resp, err := l.Wrap(failingTransport{cause}).RoundTrip(req)
	if !errors.Is(err, cause) {
		t.Errorf("the error is %v", err)
	}
	if resp != nil {
		_ = resp.Body.Close()
		t.Error("there is an answer")
	}
	text := out.String()
	for _, secret := range []string{loggedKey, "abcdef", "password"} {
		if strings.Contains(text, secret) {
			t.Errorf("the log has %q:\n%s", secret, text)
		}
	}
	for _, want := range []string{`msg="no answer"`, "host=x.example", "path=/a", "[secret]", "end"} {
		if !strings.Contains(text, want) {
			t.Errorf("the log lacks %q:\n%s", want, text)
		}
	}
}

// An answer that is given up half way is told of all the same, once.
func TestLogOfAnAnswerThatIsGivenUp(t *testing.T) {
	t.Parallel()
	l, out := newLog(t, "debug")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(bytes.Repeat([]byte("x"), 1<<20)) // the client goes away
	}))
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := l.Wrap(http.DefaultTransport).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(resp.Body, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	cancel()
	_, _ = io.Copy(io.Discard, resp.Body) // it fails, or had all that was under way
	_ = resp.Body.Close()
	_ = resp.Body.Close()
	if n := strings.Count(out.String(), "msg=answer"); n != 1 {
		t.Errorf("%d lines tell of the answer:\n%s", n, out)
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "fluxbatch.log")
	open := func(environ ...string) (*Log, error) {
		return Open(environment(environ...), io.Discard)
	}
	if l, err := open("FLUXBATCH_LOG="); l != nil || err != nil {
		t.Errorf("without a level: %v, %v", l, err)
	}
	if l, err := open("FLUXBATCH_LOG=loud"); l != nil || err == nil {
		t.Errorf("with a level that is none: %v, %v", l, err)
	}
	if _, err := open("FLUXBATCH_LOG=debug", "FLUXBATCH_LOG_PATH="+filepath.Join(path, "below")); err == nil {
		t.Error("a path that cannot be is no error")
	}
	for range 2 {
		l, err := open("FLUXBATCH_LOG=TRACE", "FLUXBATCH_LOG_PATH="+path)
		if err != nil {
			t.Fatal(err)
		}
		l.Event(executor.Submitted{TaskID: "7"})
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	content, err := os.ReadFile(path)
	if err != nil || strings.Count(string(content), "task=7") != 2 {
		t.Errorf("the file has %q, %v", content, err)
	}
	var none *Log
	none.Event(executor.Submitted{})
	if next := http.DefaultTransport; none.Wrap(next) != next || none.Close() != nil {
		t.Error("no log is not no log")
	}
}
