package bfl_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

func TestSubmit(t *testing.T) {
	t.Parallel()
	data := strings.Repeat("\x89PNG", 30_000)
	var got struct {
		header http.Header
		path   string
		length int64
		body   map[string]any
	}
	c, base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got.header, got.path, got.length = r.Header, r.URL.Path, r.ContentLength
		if err := json.NewDecoder(r.Body).Decode(&got.body); err != nil {
			t.Error(err)
		}
		answer(200, fmt.Sprintf(`{"id":"task-1","polling_url":"http://%s/v1/get_result?id=task-1&r=eu","cost":4.5,"input_mp":0.25,"output_mp":1.98}`, r.Host),
			bfl.SimulatorHeader, "1")(w, r)
	})
	r, open := edit(data)
	s, err := c.Submit(t.Context(), r, open)
	if err != nil {
		t.Fatal(err)
	}
	want := bfl.Submission{
		ID: "task-1", PollingURL: base + "/v1/get_result?id=task-1&r=eu", Cost: bfl.CreditsOf(4.5), HasCost: true,
		InputMP: 0.25, OutputMP: 1.98, Simulated: true,
	}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got.path != "/v1/flux-2-pro" || got.header.Get("X-Key") != key || got.header.Get("Content-Type") != "application/json" ||
		got.header.Get("User-Agent") != "fluxbatch/test" {
		t.Errorf("the request: %s %v", got.path, got.header)
	}
	body := map[string]any{"prompt": "x", "input_image": base64.StdEncoding.EncodeToString([]byte(data))}
	if !cmp.Equal(body, got.body) || got.length < int64(len(data)) {
		t.Errorf("the body of length %d differs", got.length)
	}
}

func TestSubmissions(t *testing.T) {
	t.Parallel()
	const home = "https://api.bfl.ai/v1/get_result?id="
	cost := func(c float64) bfl.Submission { return bfl.Submission{Cost: bfl.CreditsOf(c), HasCost: true} }
	tests := []struct {
		name    string
		body    string
		want    bfl.Submission
		warning string
	}{
		{"the documented shape", `{"id":"a","polling_url":"https://api.bfl.ai/v1/get_result?id=a"}`, bfl.Submission{ID: "a", PollingURL: home + "a"}, ""},
		{"another region", `{"id":"a","polling_url":"https://api.eu2.bfl.ai/p?x=%20&id=a"}`, bfl.Submission{ID: "a", PollingURL: "https://api.eu2.bfl.ai/p?x=%20&id=a"}, ""},
		{"nulls", `{"id":"a","polling_url":null,"cost":null,"input_mp":null,"output_mp":null}`, bfl.Submission{ID: "a"}, ""},
		{"a cost of nothing", `{"id":"a","cost":0}`, bfl.Submission{ID: "a", HasCost: true}, ""},
		{"the webhook shape", `{"id":"a b&c","status":"Pending","webhook_url":"https://x"}`, bfl.Submission{ID: "a b&c"}, ""},
		{"a number for an id", `{"id":12345678901234567890}`, bfl.Submission{ID: "12345678901234567890"}, ""},
		{"numbers as text", `{"id":"a","cost":"1.4","output_mp":"1.0"}`, bfl.Submission{ID: "a", Cost: cost(1.4).Cost, HasCost: true, OutputMP: 1}, ""},
		{"nonsense in other fields", `{"cost":[],"id":"a","polling_url":{},"input_mp":"much","output_mp":-1e300}`, bfl.Submission{ID: "a"}, ""},
		{"a negative cost", `{"id":"a","cost":-5}`, bfl.Submission{ID: "a"}, ""},
		{"an answer that is cut off behind the id", `{"id":"a","polling_url":"https://api.bf`, bfl.Submission{ID: "a"}, ""},
		{"an answer that is cut off right behind the id", `{"id":"a"`, bfl.Submission{ID: "a"}, ""},
		{"an answer that breaks behind the id", `{"cost":3,"id":"a",]]]`, bfl.Submission{ID: "a", Cost: cost(3).Cost, HasCost: true}, ""},
		{
			"a stranger's polling URL", `{"id":"a","polling_url":"https://evil.example/?id=a"}`,
			bfl.Submission{ID: "a"},
			"the address on evil.example is refused: the key is only sent to the provider's own hosts",
		},
		{
			"a polling URL in plain text", `{"id":"a","polling_url":"http://api.bfl.ai/?id=a"}`,
			bfl.Submission{ID: "a"},
			"the address on api.bfl.ai is refused: the key is only sent over https",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c, _ := inMemory(t, "https://api.bfl.ai", func(*http.Request) (*http.Response, error) { return reply(200, test.body), nil })
			got, err := c.Submit(t.Context(), heron(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got, cmpopts.IgnoreFields(bfl.Submission{}, "Warning")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if test.warning == "" && got.Warning != nil || test.warning != "" && (got.Warning == nil || got.Warning.Error() != test.warning) {
				t.Errorf("warning %v, want %q", got.Warning, test.warning)
			}
		})
	}
}

// TestSubmitUnreadable has answers that report success and name no task: there may be one.
func TestSubmitUnreadable(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		``:                    "the API's answer cannot be read: it is empty",
		`{}`:                  "the API's answer cannot be read: it names no task",
		`{"id":""}`:           "the API's answer cannot be read: it names no task",
		`{"id":null}`:         "the API's answer cannot be read: it names no task",
		`{"id":"a\u001b[2J"}`: "the API's answer cannot be read: it names no task",
		`{"id":{"x":1}}`:      "the API's answer cannot be read: it names no task",
		`{"id":"` + strings.Repeat("x", 300) + `"}`: "the API's answer cannot be read: it names no task",
		`{"polling_url":"https://`:                  "the API's answer cannot be read: it ends too early",
		`{"id":"a`:                                  "the API's answer cannot be read: it ends too early",
		`{"id":12`:                                  "the API's answer cannot be read: it ends too early",
		`<!doctype html>`:                           "the API's answer cannot be read: it is a web page",
		`"a"`:                                       "the API's answer cannot be read: it is not a JSON object",
		`{1:2}`:                                     "the API's answer cannot be read: it is damaged JSON",
	} {
		c, _ := inMemory(t, "https://api.bfl.ai", func(*http.Request) (*http.Response, error) { return reply(200, body), nil })
		_, err := c.Submit(t.Context(), heron(), nil)
		if e := as[*bfl.SubmitError](t, err); !e.Ambiguous() {
			t.Errorf("%.40q: the request passes for certainly not accepted", body)
		}
		if e := as[*bfl.AnswerError](t, err); e.Error() != want {
			t.Errorf("%.40q: %s, want %s", body, e, want)
		}
	}
}

// TestCertain has failures after which there is certainly no task.
func TestCertain(t *testing.T) {
	t.Parallel()
	certain := func(t *testing.T, err error) {
		t.Helper()
		if e := as[*bfl.SubmitError](t, err); e.Ambiguous() {
			t.Errorf("%v passes for a request that may have been accepted", e)
		}
	}
	t.Run("nobody listens", func(t *testing.T) {
		t.Parallel()
		listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if err := listener.Close(); err != nil {
			t.Fatal(err)
		}
		_, err = client(t, "http://"+listener.Addr().String()).Submit(t.Context(), heron(), nil)
		certain(t, err)
		if !errors.Is(err, syscall.ECONNREFUSED) || !as[*bfl.NetworkError](t, err).Retryable() {
			t.Errorf("got %v", err)
		}
	})
	t.Run("cancelled before", func(t *testing.T) {
		t.Parallel()
		c, _ := serve(t, answer(200, `{"id":"a"}`))
		_, err := c.Submit(cancelled(t), heron(), nil)
		certain(t, err)
		if !errors.Is(err, context.Canceled) || as[*bfl.NetworkError](t, err).Retryable() {
			t.Errorf("got %v", err)
		}
	})
	for _, status := range []int{304, 400, 401, 402, 403, 404, 405, 413, 422, 425, 429, 500, 502, 503} {
		t.Run(fmt.Sprintf("status %d", status), func(t *testing.T) {
			t.Parallel()
			c, _ := serve(t, answer(status, ""))
			_, err := c.Submit(t.Context(), heron(), nil)
			certain(t, err)
			if e := as[*bfl.APIError](t, err); e.StatusCode != status {
				t.Errorf("got %+v", e)
			}
		})
	}
	t.Run("an input that cannot be opened", func(t *testing.T) {
		t.Parallel()
		missing := errors.New("no such file")
		r, _ := edit("")
		c, seen := inMemory(t, "https://api.bfl.ai", nil)
		_, err := c.Submit(t.Context(), r, func(bfl.Input) (io.ReadCloser, int64, error) { return nil, 0, missing })
		certain(t, err)
		if !errors.Is(err, missing) || seen.list != nil {
			t.Errorf("got %v, after %v", err, seen.list)
		}
	})
	t.Run("an input that breaks", func(t *testing.T) {
		t.Parallel()
		broken := errors.New("the disk is gone")
		r, _ := edit("")
		c, _ := serve(t, func(_ http.ResponseWriter, r *http.Request) {
			if _, err := io.Copy(io.Discard, r.Body); err == nil {
				t.Error("the server got a complete request")
			}
		})
		_, err := c.Submit(t.Context(), r, func(bfl.Input) (io.ReadCloser, int64, error) {
			return io.NopCloser(io.MultiReader(strings.NewReader(strings.Repeat("x", 1<<20)), iotest.ErrReader(broken))), 2 << 20, nil
		})
		certain(t, err)
		if !errors.Is(err, broken) {
			t.Errorf("got %v, want the input's error", err)
		}
	})
	t.Run("an endpoint that is no path", func(t *testing.T) {
		t.Parallel()
		c, seen := inMemory(t, "https://api.bfl.ai", nil)
		_, err := c.Submit(t.Context(), &bfl.Request{Model: &bfl.Model{Name: "mine", Endpoint: "@evil.com/"}}, nil)
		certain(t, err)
		is[*bfl.URLError](t, err)
		if seen.list != nil {
			t.Errorf("calls were made: %v", seen.list)
		}
	})
}

// TestGatewayAnswers has answers that come from a gateway, which did not hear what the API says.
func TestGatewayAnswers(t *testing.T) {
	t.Parallel()
	statuses := []int{408, 501, 504, 505, 507, 511, 599}
	for status := 520; status <= 530; status++ {
		statuses = append(statuses, status)
	}
	for _, status := range statuses {
		c, _ := serve(t, answer(status, `{"detail":"upstream timed out"}`))
		_, err := c.Submit(t.Context(), heron(), nil)
		e := as[*bfl.SubmitError](t, err)
		if !e.Ambiguous() || e.Retryable() || as[*bfl.APIError](t, err).Retryable() {
			t.Errorf("%d: ambiguous %v, retryable %v", status, e.Ambiguous(), e.Retryable())
		}
	}
	for _, status := range []int{429, 500, 502, 503} {
		c, _ := serve(t, answer(status, ""))
		_, err := c.Submit(t.Context(), heron(), nil)
		if e := as[*bfl.SubmitError](t, err); e.Ambiguous() || !e.Retryable() {
			t.Errorf("%d: ambiguous %v, retryable %v", status, e.Ambiguous(), e.Retryable())
		}
	}
	t.Run("before all of the request came", func(t *testing.T) {
		t.Parallel()
		base := rawServer(t, func(conn net.Conn, _ *http.Request) {
			_, _ = io.WriteString(conn, "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
			_ = conn.(*net.TCPConn).CloseWrite()
			// Reading on keeps the answer from being lost to a reset.
			_, _ = io.CopyN(io.Discard, conn, 1<<20)
			_ = conn.Close()
		})
		r, open := edit(strings.Repeat("x", 64<<20))
		_, err := client(t, base).Submit(t.Context(), r, open)
		if e := as[*bfl.SubmitError](t, err); e.Ambiguous() {
			t.Errorf("%v passes for a request that may have been accepted", e)
		}
	})
}

// TestLongAcceptance makes sure that the id of a task is read however much stands behind it.
func TestLongAcceptance(t *testing.T) {
	t.Parallel()
	for _, size := range []int{2 << 20, 16 << 20} {
		body := `{"id":"task-1","prompt":"` + strings.Repeat("x", size) + `"}`
		c, _ := inMemory(t, "https://api.bfl.ai", func(*http.Request) (*http.Response, error) { return reply(200, body), nil })
		if task, err := c.Submit(t.Context(), heron(), nil); err != nil || task.ID != "task-1" {
			t.Errorf("%d bytes: %+v, %v", size, task, err)
		}
	}
}

// TestConnectionBreaks has the server end the connection at several points.
func TestConnectionBreaks(t *testing.T) {
	t.Parallel()
	const large = 32 << 20 // more than the kernel buffers
	tests := []struct {
		name      string
		size      int
		speak     func(conn net.Conn, request *http.Request)
		ambiguous bool
	}{
		{"having read the request", 10, func(conn net.Conn, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			_ = conn.Close()
		}, true},
		{"having read a large request", large, func(conn net.Conn, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			_ = conn.Close()
		}, true},
		{"in the middle of a large request", large, func(conn net.Conn, _ *http.Request) { _ = conn.Close() }, false},
		{"with something that is no answer", 10, func(conn net.Conn, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(conn, "HELO "+key+"\r\n\r\n")
			_ = conn.Close()
		}, true},
		{"in the middle of the answer's head", 10, func(conn net.Conn, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-")
			_ = conn.Close()
		}, true},
		{"before the id", 10, func(conn net.Conn, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"id\":\"ta")
			_ = conn.Close()
		}, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int32
			base := rawServer(t, func(conn net.Conn, r *http.Request) {
				requests.Add(1)
				test.speak(conn, r)
			})
			r, open := edit(strings.Repeat("x", test.size))
			_, err := client(t, base).Submit(t.Context(), r, open)
			if e := as[*bfl.SubmitError](t, err); e.Ambiguous() != test.ambiguous {
				t.Errorf("ambiguous is %v after %v", e.Ambiguous(), err)
			}
			is[*bfl.NetworkError](t, err)
			if n := requests.Load(); n != 1 {
				t.Errorf("the server got %d requests, want 1", n)
			}
		})
	}
}

// TestRescuedTask makes sure that a task whose answer breaks off behind its id is kept.
func TestRescuedTask(t *testing.T) {
	t.Parallel()
	base := rawServer(t, func(conn net.Conn, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"id\":\"task-1\",\"polling_")
		_ = conn.Close()
	})
	s, err := client(t, base).Submit(t.Context(), heron(), nil)
	if err != nil || s.ID != "task-1" {
		t.Errorf("got %+v, %v", s, err)
	}
}

// TestNoSecondPOST makes sure that a request is not sent again when the connection that was kept
// from the one before dies under it. net/http does that for requests that it takes for repeatable.
func TestNoSecondPOST(t *testing.T) {
	t.Parallel()
	var requests, connections atomic.Int32
	base := rawServer(t, func(conn net.Conn, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if requests.Add(1)%2 == 1 {
			connections.Add(1)
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{\"id\":\"a\"}")
			return
		}
		_ = conn.Close()
	})
	c := client(t, base)
	if _, err := c.Submit(t.Context(), heron(), nil); err != nil {
		t.Fatal(err)
	}
	_, err := c.Submit(t.Context(), heron(), nil)
	if e := as[*bfl.SubmitError](t, err); !e.Ambiguous() {
		t.Errorf("%v passes for certainly not accepted", e)
	}
	if n := requests.Load(); n != 2 || connections.Load() != 1 {
		t.Errorf("%d requests were made over %d connections, want 2 over 1", n, connections.Load())
	}
}

// TestSubmitTimesOut ends the context while the server has the request.
func TestSubmitTimesOut(t *testing.T) {
	t.Parallel()
	for name, cause := range map[string]error{"cancelled": context.Canceled, "out of time": context.DeadlineExceeded} {
		ctx, cancel := context.WithCancelCause(t.Context())
		base := rawServer(t, func(_ net.Conn, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			cancel(cause)
		})
		_, err := client(t, base).Submit(ctx, heron(), nil)
		if e := as[*bfl.SubmitError](t, err); !e.Ambiguous() || !errors.Is(err, cause) {
			t.Errorf("%s: ambiguous is %v, %v", name, e.Ambiguous(), err)
		}
	}
}

// TestSubmitInMemory makes sure that round trippers without connections are judged by what they
// have read.
func TestSubmitInMemory(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		read      int64
		ambiguous bool
	}{"unread": {0, false}, "read in part": {10, false}, "read to the end": {1 << 20, true}} {
		c, _ := inMemory(t, "https://api.bfl.ai", func(r *http.Request) (*http.Response, error) {
			_, _ = io.CopyN(io.Discard, r.Body, test.read)
			return nil, errors.New("lost")
		})
		_, err := c.Submit(t.Context(), heron(), nil)
		if e := as[*bfl.SubmitError](t, err); e.Ambiguous() != test.ambiguous {
			t.Errorf("%s: ambiguous is %v", name, e.Ambiguous())
		}
	}
}

// TestInputsAreClosed makes sure that inputs are closed when Submit returns, whatever happened.
func TestInputsAreClosed(t *testing.T) {
	t.Parallel()
	// net/http may close a body some time after its answer is there; this one never does.
	careless, err := bfl.NewClient(bfl.ClientOptions{BaseURL: "http://localhost", HTTP: neverCloses{}})
	if err != nil {
		t.Fatal(err)
	}
	r, _ := edit("")
	c := &content{byField: map[string]string{"input_image": "x"}}
	if _, err := careless.Submit(t.Context(), r, c.opener); err != nil || c.open != 0 {
		t.Errorf("%d inputs stay open, %v", c.open, err)
	}
	for name, h := range map[string]http.HandlerFunc{
		"accepted": answer(200, `{"id":"a"}`),
		"refused":  answer(422, `{}`),
		"refused unread": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusUnauthorized)
		},
	} {
		api, _ := serve(t, h)
		r, _ := edit("")
		c := &content{byField: map[string]string{"input_image": strings.Repeat("x", 8<<20)}}
		_, err := api.Submit(t.Context(), r, c.opener)
		if c.open != 0 {
			t.Errorf("%s: %d inputs stay open after %v", name, c.open, err)
		}
	}
}

type neverCloses struct{}

func (neverCloses) RoundTrip(*http.Request) (*http.Response, error) {
	return reply(200, `{"id":"a"}`), nil
}
