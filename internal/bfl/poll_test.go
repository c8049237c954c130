package bfl_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

const pollingURL = "https://api.eu2.bfl.ai/v1/get_result?id=task-1&r=%2f"

func TestPoll(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		status int
		body   string
		want   bfl.Result
	}{
		{"pending", 200, `{"status":"Pending"}`, bfl.Result{Status: bfl.Pending, Raw: "Pending"}},
		{"pending, in full", 200, `{"id":"task-1","status":"Pending","result":null,"progress":0.5,"details":null,"preview":null}`, bfl.Result{Status: bfl.Pending, Raw: "Pending", Progress: 0.5}},
		{"a progress that is none", 200, `{"status":"Pending","progress":17}`, bfl.Result{Status: bfl.Pending, Raw: "Pending", Progress: 1}},
		{"reasoning", 200, `{"status":"Reasoning"}`, bfl.Result{Status: bfl.Pending, Raw: "Reasoning"}},
		{"generating", 200, `{"status":"Generating"}`, bfl.Result{Status: bfl.Pending, Raw: "Generating"}},
		{"processing", 200, `{"status":"Processing"}`, bfl.Result{Status: bfl.Pending, Raw: "Processing"}},
		{"a word that nobody knows", 200, `{"status":"Conjur\u001b[31ming"}`, bfl.Result{Status: bfl.Pending, Raw: "Conjur [31ming"}},
		{"accepted", 202, `{"status":"Pending"}`, bfl.Result{Status: bfl.Pending, Raw: "Pending"}},
		{
			"ready", 200,
			`{"id":"task-1","status":"Ready","result":{"sample":"https://delivery-eu1.bfl.ai/x.png?se=2026&sig=a%2Bb","prompt":"A grey heron","seed":1234567890,"start_time":1,"end_time":2,"duration":1}}`,
			bfl.Result{Status: bfl.Ready, Raw: "Ready", SampleURL: "https://delivery-eu1.bfl.ai/x.png?se=2026&sig=a%2Bb", Prompt: "A grey heron", Seed: new(int64(1234567890))},
		},
		{"ready, seed 0", 200, `{"status":"Ready","result":{"sample":"https://x","seed":0}}`, bfl.Result{Status: bfl.Ready, Raw: "Ready", SampleURL: "https://x", Seed: new(int64(0))}},
		{"ready, a large seed", 200, `{"status":"Ready","result":{"sample":"https://x","seed":9007199254740993}}`, bfl.Result{Status: bfl.Ready, Raw: "Ready", SampleURL: "https://x", Seed: new(int64(9007199254740993))}},
		{"ready, an odd seed", 200, `{"status":"Ready","result":{"sample":"https://x","seed":1.5,"prompt":null}}`, bfl.Result{Status: bfl.Ready, Raw: "Ready", SampleURL: "https://x"}},
		{"ready, a seed as a float", 200, `{"status":"ready","result":{"sample":"https://x","seed":42.0}}`, bfl.Result{Status: bfl.Ready, Raw: "ready", SampleURL: "https://x", Seed: new(int64(42))}},
		{"an error as documented", 200, `{"status":"Error","error":"Error description"}`, bfl.Result{Status: bfl.Failed, Raw: "Error", Message: "Error description"}},
		{"an error in details", 200, `{"status":"Error","result":null,"details":{"error":"out of memory"}}`, bfl.Result{Status: bfl.Failed, Raw: "Error", Message: "out of memory"}},
		{"an error as an object", 200, `{"status":"Failed","error":{"message":"out of\n\tmemory"}}`, bfl.Result{Status: bfl.Failed, Raw: "Failed", Message: "out of memory"}},
		{"an error as the result", 200, `{"status":"Failed","result":"no GPU left"}`, bfl.Result{Status: bfl.Failed, Raw: "Failed", Message: "no GPU left"}},
		{"an error that repeats a signed URL and the key", 200, `{"status":"Error","error":"GET https://d.bfl.ai/x?sig=abc with ` + key + `"}`, bfl.Result{Status: bfl.Failed, Raw: "Error", Message: "GET https://d.bfl.ai/x with [key]"}},
		{
			"request moderated", 200, `{"status":"Request Moderated","result":null,"details":{"Moderation Reasons":["Safety Filter","Derivative Works Filter","Safety Filter"]}}`,
			bfl.Result{Status: bfl.RequestModerated, Raw: "Request Moderated", Reasons: []string{"Safety Filter", "Derivative Works Filter"}},
		},
		{
			"content moderated", 200, `{"status":"Content Moderated","details":{"moderation_reasons":"violence","other":["x"]}}`,
			bfl.Result{Status: bfl.ContentModerated, Raw: "Content Moderated", Reasons: []string{"violence"}},
		},
		{"moderated without reasons", 200, `{"status":"content_moderated","details":null}`, bfl.Result{Status: bfl.ContentModerated, Raw: "content_moderated"}},
		{"not found", 200, `{"id":"task-1","status":"Task not found","result":null}`, bfl.Result{Status: bfl.NotFound, Raw: "Task not found"}},
		{"not found, as an error", 404, `{"detail":"Task not found"}`, bfl.Result{Status: bfl.NotFound, Raw: "Task not found"}},
		{"not found, as an answer with an error's status", 404, `{"id":"task-1","status":"Task not found","result":null}`, bfl.Result{Status: bfl.NotFound, Raw: "Task not found"}},
		{"failed, with an error's status", 503, `{"id":"a","status":"Error","result":null,"details":{"error":"no GPU"}}`, bfl.Result{Status: bfl.Failed, Raw: "Error", Message: "no GPU"}},
		{"failed, by the status alone", 500, `{"status":"Failed"}`, bfl.Result{Status: bfl.Failed, Raw: "Failed"}},
		{"failed, in small letters, about a task", 500, `{"id":"a","status":"error"}`, bfl.Result{Status: bfl.Failed, Raw: "error"}},
		{"moderated, with an error's status", 422, `{"status":"Request Moderated","details":{"Moderation Reasons":["a"]}}`, bfl.Result{Status: bfl.RequestModerated, Raw: "Request Moderated", Reasons: []string{"a"}}},
		{"moderated, as a refusal", 403, `{"status":"Content Moderated"}`, bfl.Result{Status: bfl.ContentModerated, Raw: "Content Moderated"}},
		{"ready, with an error's status", 500, `{"status":"Ready","result":{"sample":"https://x"}}`, bfl.Result{Status: bfl.Ready, Raw: "Ready", SampleURL: "https://x"}},
		{"pending, with an error's status", 503, `{"status":"Pending"}`, bfl.Result{Status: bfl.Pending, Raw: "Pending"}},
		{"not found, with a gateway's status", 530, `{"status":"Task not found"}`, bfl.Result{Status: bfl.NotFound, Raw: "Task not found"}},
		{"a settled cost", 200, `{"status":"Error","cost":1.5}`, bfl.Result{Status: bfl.Failed, Raw: "Error", Cost: bfl.CreditsOf(1.5), HasCost: true}},
		{"a cost of nothing", 200, `{"status":"Request Moderated","cost":0}`, bfl.Result{Status: bfl.RequestModerated, Raw: "Request Moderated", HasCost: true}},
		{"a cost as text, beside an error's status", 503, `{"status":"Error","cost":"3"}`, bfl.Result{Status: bfl.Failed, Raw: "Error", Cost: bfl.CreditsOf(3), HasCost: true}},
		{"a cost below nothing", 200, `{"status":"Error","cost":-1}`, bfl.Result{Status: bfl.Failed, Raw: "Error"}},
		{"a cost beyond reason", 200, `{"status":"Error","cost":1e13}`, bfl.Result{Status: bfl.Failed, Raw: "Error"}},
		{"a cost that is no number", 200, `{"status":"Error","cost":{"x":1},"result":{"cost":7}}`, bfl.Result{Status: bfl.Failed, Raw: "Error"}},
		{"not found, as a code", 404, `{"error":"task_not_found","message":"No such task."}`, bfl.Result{Status: bfl.NotFound, Raw: "Task not found"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c, seen := inMemory(t, "https://api.bfl.ai", func(*http.Request) (*http.Response, error) { return reply(test.status, test.body), nil })
			got, err := c.Poll(t.Context(), pollingURL)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			// The URL goes out exactly as it came.
			if diff := cmp.Diff([]string{"GET " + pollingURL + " " + key}, seen.list); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
			if got.Status.Final() != (got.Status != bfl.Pending) {
				t.Errorf("Final is %v", got.Status.Final())
			}
		})
	}
}

func TestPollFaults(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		``:                     "the API's answer cannot be read: it is empty",
		`{}`:                   "the API's answer cannot be read: it names no status",
		`{"status":null}`:      "the API's answer cannot be read: it names no status",
		`{"status":["Ready"]}`: "the API's answer cannot be read: it names no status",
		`{"status":"Ready"}`:   "the API's answer cannot be read: the task is ready, but no image is named",
		`{"status":"Ready","result":{"sample":""}}`:                                                     "the API's answer cannot be read: the task is ready, but no image is named",
		`{"status":"Ready","result":"https://x"}`:                                                       "the API's answer cannot be read: the task is ready, but no image is named",
		`{"status":"Ready","result":{"sample":"https://`:                                                "the API's answer cannot be read: it ends too early",
		`<html><title>Sign in</title>`:                                                                  "the API's answer cannot be read: it is a web page",
		`{"prompt":"` + strings.Repeat("x", 16<<20) + `","status":"Pending"}`:                           "the API's answer cannot be read: it is longer than 16 MB, and names no status before that",
		`{"status":"Ready","result":{"prompt":"` + strings.Repeat("x", 16<<20) + `","sample":"https"}}`: "the API's answer cannot be read: the task is ready, but no image is named",
	} {
		c, _ := inMemory(t, "https://api.bfl.ai", func(*http.Request) (*http.Response, error) { return reply(200, body), nil })
		got, err := c.Poll(t.Context(), pollingURL)
		if e := as[*bfl.AnswerError](t, err); e.Error() != want {
			t.Errorf("%.40q: %s, want %s", body, e, want)
		}
		if !cmp.Equal(got, bfl.Result{}) {
			t.Errorf("%.40q: an error comes with %+v", body, got)
		}
	}
}

// TestPollRefusals makes sure that a wrong path is not taken for a task that does not exist, which
// would be given up.
func TestPollRefusals(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		status int
		body   string
	}{
		{404, `{"detail":"Not Found"}`},
		{404, ""},
		{404, "<title>404</title>"},
		{500, `{"detail":"Task not found"}`},
		{401, `{"detail":"Invalid key"}`},
		{400, `{"detail":"Bad Request"}`},
		{414, ""},
		{410, `{"status":"gone"}`},
		{503, `{"status":"unavailable"}`},
		{503, `{"status":"error","message":"upstream"}`},
		{401, `{"status":"Error","error":"Invalid key"}`},
		{403, `{"id":"a","status":"error"}`},
		{429, `{"status":"Failed"}`},
		{402, `{"status":"Pending"}`},
		{503, `{"status":"Ready"}`},
		{503, `{"status":503}`},
		{502, `{"status":"Err`},
		{500, `{"status":"failed"}`},
	} {
		c, _ := inMemory(t, "https://api.bfl.ai", func(*http.Request) (*http.Response, error) { return reply(test.status, test.body), nil })
		_, err := c.Poll(t.Context(), pollingURL)
		e := as[*bfl.APIError](t, err)
		if e.StatusCode != test.status {
			t.Errorf("%d %s: %+v", test.status, test.body, e)
		}
	}
}

// TestLongAnswer has answers that repeat a long prompt, whole and cut.
func TestLongAnswer(t *testing.T) {
	t.Parallel()
	ready := bfl.Result{Status: bfl.Ready, Raw: "Ready", SampleURL: "https://x", Seed: new(int64(7))}
	for size, known := range map[int]bool{2 << 20: true, 16 << 20: false} {
		prompt := strings.Repeat("x", size)
		want := ready
		if known {
			want.Prompt = prompt
		}
		for _, body := range []string{
			`{"id":"a","status":"Ready","result":{"sample":"https://x","seed":7,"prompt":"` + prompt + `"}}`,
			`{"id":"a","status":"Ready", "result" : {"sample":"https://x","seed":7,"prompt":"` + prompt + `"},"progress":null}`,
		} {
			c, _ := inMemory(t, "https://api.bfl.ai", func(*http.Request) (*http.Response, error) { return reply(200, body), nil })
			got, err := c.Poll(t.Context(), pollingURL)
			if err != nil || !cmp.Equal(got, want) {
				t.Errorf("%d bytes: %s %s %v, %v", size, got.Status, got.SampleURL, got.Seed, err)
			}
		}
		if known {
			continue
		}
		body := `{"id":"a","status":"Error","details":{"prompt":"` + prompt + `"}}`
		c, _ := inMemory(t, "https://api.bfl.ai", func(*http.Request) (*http.Response, error) { return reply(500, body), nil })
		if got, err := c.Poll(t.Context(), pollingURL); err != nil || got.Status != bfl.Failed {
			t.Errorf("%d bytes: %s, %v", size, got.Status, err)
		}
	}
}

// TestPollStrangers makes sure that nothing is sent to hosts that the key is not for.
func TestPollStrangers(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"https://evil.example/v1/get_result?id=1", "http://api.bfl.ai/", "https://127.0.0.1/", "", "%"} {
		c, seen := inMemory(t, "https://api.bfl.ai", func(*http.Request) (*http.Response, error) { return reply(200, `{"status":"Pending"}`), nil })
		_, err := c.Poll(t.Context(), address)
		is[*bfl.URLError](t, err)
		if seen.list != nil {
			t.Errorf("%s: calls were made: %v", address, seen.list)
		}
	}
}

func TestPollConnectionBreaks(t *testing.T) {
	t.Parallel()
	base := rawServer(t, func(conn net.Conn, _ *http.Request) { _ = conn.Close() })
	_, err := client(t, base).Poll(t.Context(), base+"/v1/get_result?id=1")
	if e := as[*bfl.NetworkError](t, err); !e.Retryable() || e.Host != "127.0.0.1" {
		t.Errorf("got %+v", e)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(context.DeadlineExceeded)
	_, err = client(t, base).Poll(ctx, base+"/v1/get_result?id=1")
	if e := as[*bfl.NetworkError](t, err); !e.Retryable() || e.Error() != "127.0.0.1 did not answer in time" {
		t.Errorf("got %v", e)
	}
}

// TestFind looks for a task that is known at some of the hosts.
func TestFind(t *testing.T) {
	t.Parallel()
	const eu, us, global = "api.eu.bfl.ai", "api.us.bfl.ai", "api.bfl.ai"
	const ready, gone = `{"status":"Ready","result":{"sample":"https://x"}}`, `{"status":"Task not found"}`
	type answers map[string]struct {
		status int
		body   string
	}
	tests := []struct {
		name    string
		base    string
		answers answers
		asked   []string
		want    bfl.Status
		nowhere bool
		status  int // of the error
	}{
		{name: "where it was submitted", base: global, answers: answers{global: {200, ready}}, asked: []string{global}, want: bfl.Ready},
		{
			name: "in a region", base: global, answers: answers{global: {200, gone}, eu: {404, gone}, us: {200, ready}},
			asked: []string{global, eu, us}, want: bfl.Ready,
		},
		{name: "in the first region", base: global, answers: answers{global: {200, gone}, eu: {200, ready}}, asked: []string{global, eu}, want: bfl.Ready},
		{
			name: "nowhere", base: global, answers: answers{global: {200, gone}, eu: {200, gone}, us: {200, gone}},
			asked: []string{global, eu, us}, nowhere: true,
		},
		{
			name: "nowhere, with a region that knows no such key", base: global, answers: answers{global: {200, gone}, eu: {403, `{}`}, us: {200, gone}},
			asked: []string{global, eu, us}, nowhere: true,
		},
		{
			name: "nobody knows yet", base: global, answers: answers{global: {200, gone}, eu: {503, `{}`}},
			asked: []string{global, eu}, status: 503,
		},
		{name: "a key that is refused", base: global, answers: answers{global: {403, `{}`}}, asked: []string{global}, status: 403},
		{name: "a region is not left", base: eu, answers: answers{eu: {200, gone}}, asked: []string{eu}, want: bfl.NotFound},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var asked []string
			c, _ := inMemory(t, "https://"+test.base, func(r *http.Request) (*http.Response, error) {
				asked = append(asked, r.URL.Host)
				if want := "/v1/get_result?id=a+b%26c"; r.URL.RequestURI() != want || r.Header.Get("X-Key") != key {
					t.Errorf("%s was asked, want %s", r.URL.RequestURI(), want)
				}
				return reply(test.answers[r.URL.Host].status, test.answers[r.URL.Host].body), nil
			})
			got, err := c.Find(t.Context(), "a b&c")
			if diff := cmp.Diff(test.asked, asked); diff != "" {
				t.Errorf("hosts that were asked (-want +got):\n%s", diff)
			}
			var refusal *bfl.APIError
			switch {
			case test.status != 0:
				if !errors.As(err, &refusal) || refusal.StatusCode != test.status {
					t.Errorf("got %v, want status %d", err, test.status)
				}
			case errors.Is(err, bfl.ErrNowhere) != test.nowhere || !test.nowhere && err != nil || got.Status != test.want:
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}
