package bfl_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// shown fails the test unless a text is fit to be shown.
func shown(t *testing.T, text string) {
	t.Helper()
	noKey(t, "a text", text)
	if len(text) > 8000 || !utf8.ValidString(text) {
		t.Errorf("a text of %d bytes is shown: %.100q", len(text), text)
	}
	if strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }) {
		t.Errorf("a text with control characters is shown: %q", text)
	}
}

// FuzzAPIError makes sure that refusals of any shape become errors that are fit to be shown.
func FuzzAPIError(f *testing.F) {
	for _, body := range []string{
		`{"detail":"no"}`, `{"detail":[{"loc":["body","width"],"msg":"bad","type":"x"}]}`, `{"error":"e","message":"m","details":{"a":"b","retry_after":1}}`,
		`{"error":{"error":{"error":{"message":"deep"}}}}`, `<title>x`, "\x1b[31m" + key, `{"detail":"https://x/?` + key + `"}`, `[[]]`, `"x`,
	} {
		f.Add(422, body, "3")
	}
	f.Fuzz(func(t *testing.T, status int, body, wait string) {
		c, _ := inMemory(t, "https://api.bfl.ai", func(*http.Request) (*http.Response, error) {
			return reply(status, body, "Retry-After", wait, "X-RateLimit-Reset", wait, "Location", body), nil
		})
		_, err := c.Submit(t.Context(), heron(), nil)
		if err == nil {
			return
		}
		shown(t, err.Error())
		var e *bfl.APIError
		if !errors.As(err, &e) {
			return
		}
		if e.RetryAfter < 0 || e.RetryAfter.Hours() > 1 || len(e.Fields) > 50 {
			t.Errorf("out of range: %+v", e)
		}
		for _, field := range e.Fields {
			shown(t, field.Field+field.Message+field.Type)
		}
	})
}

// FuzzPoll makes sure that no answer makes a result that the program cannot go on with.
func FuzzPoll(f *testing.F) {
	for _, body := range []string{
		`{"status":"Pending","progress":0.5}`, `{"status":"Ready","result":{"sample":"https://x","seed":1,"prompt":"p"}}`,
		`{"status":"Request Moderated","details":{"Moderation Reasons":["a"]}}`, `{"status":"Error","error":"e"}`, `{"status":"Task not found"}`, `{`,
	} {
		f.Add(200, body)
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		c, _ := inMemory(t, "https://api.bfl.ai", func(*http.Request) (*http.Response, error) { return reply(status, body), nil })
		r, err := c.Poll(t.Context(), pollingURL)
		if err != nil {
			shown(t, err.Error())
			return
		}
		switch r.Status {
		case bfl.Pending, bfl.Failed, bfl.RequestModerated, bfl.ContentModerated, bfl.NotFound:
		case bfl.Ready:
			if r.SampleURL == "" {
				t.Error("ready without a sample")
			}
		default:
			t.Errorf("a status outside the set: %q", r.Status)
		}
		if !(r.Progress >= 0 && r.Progress <= 1) {
			t.Errorf("progress %v", r.Progress)
		}
		shown(t, r.Raw)
		shown(t, r.Message)
		for _, reason := range r.Reasons {
			shown(t, reason)
		}
	})
}

// FuzzSubmission makes sure that an accepted request gives either a task that can be polled or an
// ambiguous error.
func FuzzSubmission(f *testing.F) {
	for _, body := range []string{
		`{"id":"a","polling_url":"https://api.bfl.ai/x","cost":1.4,"input_mp":1,"output_mp":null}`, `{"id":7`, `{"id":"a"`, `{"id":"a","polling_url":"https://evil.example"}`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		c, _ := inMemory(t, "https://api.bfl.ai", func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodGet {
				return reply(200, `{"status":"Pending"}`), nil
			}
			return reply(200, body), nil
		})
		s, err := c.Submit(t.Context(), heron(), nil)
		if err != nil {
			shown(t, err.Error())
			if !as[*bfl.SubmitError](t, err).Ambiguous() {
				t.Error("a success without a task passes for certainly not accepted")
			}
			return
		}
		if s.ID == "" || s.Cost < 0 {
			t.Errorf("got %+v", s)
		}
		if s.PollingURL == "" {
			_, err = c.Find(t.Context(), s.ID)
		} else {
			_, err = c.Poll(t.Context(), s.PollingURL)
		}
		if err != nil {
			t.Errorf("the task %q with polling URL %q cannot be polled: %v", s.ID, s.PollingURL, err)
		}
	})
}
