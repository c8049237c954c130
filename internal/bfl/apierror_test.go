package bfl_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// refusal returns the error that an answer becomes.
func refusal(t *testing.T, status int, body string, headers ...string) *bfl.APIError {
	t.Helper()
	c, _ := inMemory(t, "https://api.bfl.ai", func(*http.Request) (*http.Response, error) {
		return reply(status, body, headers...), nil
	})
	_, err := c.Credits(t.Context())
	return as[*bfl.APIError](t, err)
}

func TestAPIError(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		status int
		body   string
		want   bfl.APIError
		text   string
	}{
		{
			"a detail", 403, `{"detail":"Not authenticated"}`,
			bfl.APIError{Message: "Not authenticated"},
			"the API refuses the key (403 Forbidden): Not authenticated",
		},
		{
			"a list of details", 422,
			`{"detail":[{"loc":["body","width"],"msg":"Input should be a multiple of 16","type":"multiple_of","input":1000},{"loc":["body","images",0],"msg":"Field required","type":"missing"}]}`,
			bfl.APIError{Fields: []bfl.FieldError{
				{Field: "width", Message: "Input should be a multiple of 16", Type: "multiple_of"},
				{Field: "images.0", Message: "Field required", Type: "missing"},
			}},
			"the API refuses the request (422 Unprocessable Entity): width: Input should be a multiple of 16; images.0: Field required",
		},
		{
			"a detail about the whole body", 422, `{"detail":[{"loc":["body"],"msg":"Field required","type":"missing"},"and a text",{"type":"odd"},{},7]}`,
			bfl.APIError{Fields: []bfl.FieldError{
				{Message: "Field required", Type: "missing"}, {Message: "and a text"}, {Message: "odd", Type: "odd"}, {Message: "7"},
			}},
			"the API refuses the request (422 Unprocessable Entity): Field required; and a text; odd; 7",
		},
		{
			"a code, a message and details", 400, `{"error":"invalid_request","message":"The request is not valid.","details":{"width":"too large","more":{"x":1},"height":"too small"}}`,
			bfl.APIError{Code: "invalid_request", Message: "The request is not valid.", Fields: []bfl.FieldError{
				{Field: "height", Message: "too small"}, {Field: "width", Message: "too large"},
			}},
			"the API refuses the request (400 Bad Request): The request is not valid.; height: too small; width: too large",
		},
		{
			"a code alone", 402, `{"error":"insufficient_credits"}`,
			bfl.APIError{Code: "insufficient_credits"},
			"the account has not enough credits (402 Payment Required): insufficient_credits",
		},
		{
			"a sentence for a code", 500, `{"error":"Something went wrong."}`,
			bfl.APIError{Message: "Something went wrong."},
			"the API failed (500 Internal Server Error): Something went wrong.",
		},
		{
			"an error object", 401, `{"error":{"code":"bad_key","message":"Invalid API key"}}`,
			bfl.APIError{Code: "bad_key", Message: "Invalid API key"},
			"the API refuses the key (401 Unauthorized): Invalid API key",
		},
		{
			"a detail object", 429, `{"detail":{"error":"rate_limited","message":"24 active tasks","retry_after":3}}`,
			bfl.APIError{Code: "rate_limited", Message: "24 active tasks", RetryAfter: 3 * time.Second},
			"the API asks to slow down (429 Too Many Requests): 24 active tasks",
		},
		{
			"a list of errors", 400, `{"errors":[{"field":"prompt","message":"is empty"}],"details":["see the manual"]}`,
			bfl.APIError{Fields: []bfl.FieldError{{Field: "prompt", Message: "is empty"}, {Message: "see the manual"}}},
			"the API refuses the request (400 Bad Request): prompt: is empty; see the manual",
		},
		{
			"a bare list", 400, `[{"loc":["query","id"],"msg":"Field required"}]`,
			bfl.APIError{Fields: []bfl.FieldError{{Field: "id", Message: "Field required"}}},
			"the API refuses the request (400 Bad Request): id: Field required",
		},
		{
			"objects in objects", 400, `{"error":{"error":{"error":{"error":{"message":"too deep"}}}}}`,
			bfl.APIError{},
			"the API refuses the request (400 Bad Request)",
		},
		{"a bare string", 400, `"no"`, bfl.APIError{Message: "no"}, "the API refuses the request (400 Bad Request): no"},
		{
			"a web page", 502, "\ufeff<html>\n<head><title class=x>502 Bad\n Gateway &amp; co</title></head>",
			bfl.APIError{Message: "502 Bad Gateway & co"},
			"the API failed (502 Bad Gateway): 502 Bad Gateway & co",
		},
		{
			// Letters whose lower case is longer must not shift the title.
			"a web page in capitals", 502, "<HTML>" + strings.Repeat("\u0130", 20) + "<TITLE>Down</TITLE>",
			bfl.APIError{Message: "Down"},
			"the API failed (502 Bad Gateway): Down",
		},
		{"a web page without a title", 503, "<html><h1>Down</h1>", bfl.APIError{}, "the API failed (503 Service Unavailable)"},
		{"plain text", 504, "upstream request\r\ntimeout\n", bfl.APIError{Message: "upstream request timeout"}, "the API failed (504 Gateway Timeout): upstream request timeout"},
		{"nothing", 404, "", bfl.APIError{}, "the API answered 404 Not Found"},
		{"an empty object", 422, "{}", bfl.APIError{}, "the API refuses the request (422 Unprocessable Entity)"},
		{"a status that nobody knows", 599, "{", bfl.APIError{}, "the API failed (status 599)"},
		{"JSON that is cut off", 400, `{"message":"The width is wrong","details":{"wid`, bfl.APIError{Message: "The width is wrong"}, "the API refuses the request (400 Bad Request): The width is wrong"},
		{
			"an answer that repeats the key", 401, `{"detail":"Key \u0062fl-secret-0123456789 is revoked","error":"` + key + `","details":{"` + key + `":"` + key + `"}}`,
			bfl.APIError{Code: "[key]", Message: "Key [key] is revoked", Fields: []bfl.FieldError{{Field: "[key]", Message: "[key]"}}},
			"the API refuses the key (401 Unauthorized): Key [key] is revoked; [key]: [key]",
		},
		{
			"a signed URL", 400, `{"detail":"cannot fetch https://store.example/a.png?sig=abc&se=1, or http://x/?y"}`,
			bfl.APIError{Message: "cannot fetch https://store.example/a.png or http://x/"},
			"the API refuses the request (400 Bad Request): cannot fetch https://store.example/a.png or http://x/",
		},
		{
			"what would draw over a terminal", 400, `{"detail":"a\u001b[2Jb\u202ec\u0000d\u200be\n\nf\ud800"}`,
			bfl.APIError{Message: "a [2Jb c d e f\ufffd"},
			"the API refuses the request (400 Bad Request): a [2Jb c d e f\ufffd",
		},
		{
			"a long text", 400, `{"detail":"` + strings.Repeat("äöü", 200) + `"}`,
			bfl.APIError{Message: strings.Repeat("äöü", 83) + "ä ..."},
			"the API refuses the request (400 Bad Request): " + strings.Repeat("äöü", 83) + "ä ...",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := refusal(t, test.status, test.body)
			test.want.StatusCode = test.status
			if diff := cmp.Diff(&test.want, got, cmpopts.IgnoreUnexported(bfl.APIError{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.text, got.Error()); diff != "" {
				t.Errorf("text (-want +got):\n%s", diff)
			}
		})
	}
}

func TestManyFieldErrors(t *testing.T) {
	t.Parallel()
	var list []string
	for i := range 100 {
		list = append(list, fmt.Sprintf(`{"loc":["body","f%d"],"msg":"bad"}`, i))
	}
	e := refusal(t, 422, `{"detail":[`+strings.Join(list, ",")+`]}`)
	if len(e.Fields) != 50 {
		t.Errorf("%d fields are kept", len(e.Fields))
	}
	if want := "the API refuses the request (422 Unprocessable Entity): f0: bad; f1: bad; f2: bad; f3: bad; and 46 more"; e.Error() != want {
		t.Errorf("got %s", e)
	}
}

// TestKeyAtTheEnd has a body that is so long that its reading ends in the middle of the key.
func TestKeyAtTheEnd(t *testing.T) {
	t.Parallel()
	const limit = 64 << 10
	for cut := 1; cut < len(key); cut++ {
		e := refusal(t, 400, "x"+strings.Repeat(" ", limit-1-cut)+key+strings.Repeat("y", 100))
		if e.Message != "x" {
			t.Errorf("cut %d: %q is shown", cut, e.Message)
		}
	}
}

func TestErrorClasses(t *testing.T) {
	t.Parallel()
	type class struct{ Unauthorized, OutOfCredits, RateLimited, Transient, Retryable, Ambiguous bool }
	classOf := func(e *bfl.APIError) class {
		return class{e.Unauthorized(), e.OutOfCredits(), e.RateLimited(), e.Transient(), e.Retryable(), e.Ambiguous()}
	}
	// Of submissions; what says nothing about them is not listed.
	posts := map[int]class{
		401: {Unauthorized: true}, 402: {OutOfCredits: true}, 403: {Unauthorized: true},
		408: {Transient: true, Ambiguous: true}, 425: {Transient: true}, 429: {Transient: true, Retryable: true, RateLimited: true},
		500: {Transient: true, Retryable: true}, 502: {Transient: true, Retryable: true}, 503: {Transient: true, Retryable: true},
	}
	gets := map[int]class{
		401: {Unauthorized: true}, 402: {OutOfCredits: true}, 403: {Unauthorized: true},
		408: {Transient: true, Retryable: true}, 425: {Transient: true, Retryable: true}, 429: {Transient: true, Retryable: true, RateLimited: true},
	}
	for status := 300; status < 600; status++ {
		post, ok := posts[status]
		if !ok && status >= 500 {
			post = class{Transient: true, Ambiguous: true}
		}
		get, ok := gets[status]
		if !ok && status >= 500 {
			get = class{Transient: true, Retryable: true}
		}
		if diff := cmp.Diff(post, classOf(&bfl.APIError{StatusCode: status})); diff != "" {
			t.Errorf("%d to a submission (-want +got):\n%s", status, diff)
		}
		if diff := cmp.Diff(get, classOf(refusal(t, status, ""))); diff != "" {
			t.Errorf("%d to a question (-want +got):\n%s", status, diff)
		}
	}
}

// TestQuota tells a quota that is used up from calls that come too fast, in many spellings of both.
func TestQuota(t *testing.T) {
	t.Parallel()
	used := []string{
		`{"error":"insufficient_quota"}`, `{"error":{"code":"insufficient_quota","message":"You exceeded your current quota, please check your plan and billing details."}}`,
		`{"error":"quota_exceeded","message":"Quota exceeded"}`, `{"detail":"Your monthly quota of images has been exceeded."}`, `{"code":"QuotaExceeded"}`,
		`{"error":"billing_hard_limit_reached","message":"Billing hard limit has been reached"}`, `{"error":"billingNotActive"}`,
		`{"detail":"Your account is suspended."}`, `{"error":"account_suspended"}`, `{"detail":"Account deactivated, contact sales"}`,
		`{"detail":"You have used all the credits of your account."}`, `{"detail":"Insufficient credit balance"}`, `{"message":"payment required"}`,
		`{"detail":"There is an unpaid invoice."}`, `{"detail":"You have reached the limit of your plan."}`, `{"detail":"Plan limit reached, upgrade to go on"}`,
		`{"detail":"Your plan's allowance is used up"}`, `{"detail":"daily limit reached"}`, `{"detail":"Monthly spend cap hit"}`, `{"detail":"Usage limit exceeded"}`,
		`{"detail":[{"loc":["body"],"msg":"out of credits","type":"x"}]}`, `{"detail":[{"loc":["body"],"msg":"no","type":"quota_exceeded"}]}`,
		`{"error":"limit","message":"no","details":{"billing":"past due"}}`, `Your subscription has ended`, `{"detail":"QUOTA EXHAUSTED"}`,
		`{"detail":"Separate quota for generated, moderated and curated images is used up."}`,
	}
	haste := []string{
		``, `{}`, `{"detail":"Too Many Requests"}`, `<title>429 Too Many Requests</title>`, `{"detail":"Rate limit exceeded"}`, `{"error":"rate_limited","message":"24 active tasks"}`,
		`{"error":"rate_limit_exceeded"}`, `{"error":"RateLimitExceeded"}`, `{"error":"rateLimit"}`, `{"detail":"Rate limit exceeded: the account has 24 active tasks, and 24 are allowed."}`,
		`{"detail":"Concurrency limit of your plan reached"}`, `{"detail":"Your plan allows 24 concurrent requests, limit exceeded"}`, `{"detail":"Slow down"}`,
		`{"detail":"Rate limit reached for your plan, check your billing tier"}`, `{"error":"too_many_requests","message":"quota of requests exceeded"}`,
		`{"detail":"Quota exceeded for requests per minute"}`, `{"detail":"Quota exceeded: 10 requests/s"}`, `{"detail":"Requests are throttled, credits are not touched"}`,
		`{"detail":"limit reached"}`, `{"detail":"Try again later"}`, `{"error":"tooManyRequests"}`, `{"detail":"account limit: 24 tasks at the same time"}`, `{"detail":"explanation of the limit"}`,
	}
	for i, bodies := range [][]string{used, haste} {
		for _, body := range bodies {
			e := refusal(t, 429, body)
			if want := i == 0; e.QuotaExhausted() != want || e.RateLimited() == want {
				t.Errorf("%s: quota %v, rate %v", body, e.QuotaExhausted(), e.RateLimited())
			}
			if !e.Transient() {
				t.Errorf("%s: a question may not be asked again", body)
			}
			if other := refusal(t, 503, body); other.QuotaExhausted() {
				t.Errorf("%s: a quota with another status", body)
			}
		}
	}
	e := &bfl.APIError{StatusCode: 429, Code: "insufficient_quota"}
	if e.Retryable() || e.Ambiguous() {
		t.Errorf("a submission beyond the quota: retryable %v, ambiguous %v", e.Retryable(), e.Ambiguous())
	}
	if want := "the account has used up what it may (429 Too Many Requests): insufficient_quota"; e.Error() != want {
		t.Errorf("got %s, want %s", e, want)
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	const date = "Sat, 22 Nov 2025 14:00:00 GMT"
	tests := []struct {
		name    string
		status  int
		body    string
		headers []string
		want    time.Duration
	}{
		{"nothing", 429, "", nil, 0},
		{"seconds", 429, "", []string{"Retry-After", "7"}, 7 * time.Second},
		{"a fraction", 503, "", []string{"Retry-After", " 0.25 "}, 250 * time.Millisecond},
		{"a date", 503, "", []string{"Date", date, "Retry-After", "Sat, 22 Nov 2025 14:00:30 GMT"}, 30 * time.Second},
		{"a date that is over", 503, "", []string{"Date", date, "Retry-After", "Sat, 22 Nov 2025 13:00:30 GMT"}, 0},
		{"negative", 429, "", []string{"Retry-After", "-5"}, 0},
		{"for ever", 429, "", []string{"Retry-After", "1e300"}, time.Hour},
		{"no number", 429, "", []string{"Retry-After", "NaN"}, 0},
		{"nonsense", 429, "", []string{"Retry-After", "soon"}, 0},
		{"in the body", 429, `{"error":"rate_limited","message":"x","retry_after":2.5}`, nil, 2500 * time.Millisecond},
		{"in the details, as text", 429, `{"error":"rate_limited","details":{"retry_after":"4"}}`, nil, 4 * time.Second},
		{"in both", 429, `{"retry_after":2}`, []string{"Retry-After", "9"}, 9 * time.Second},
		{"the limit's reset in seconds", 429, "", []string{"X-RateLimit-Reset", "12"}, 12 * time.Second},
		{"the limit's reset as a moment", 429, "", []string{"Date", date, "X-RateLimit-Reset", "1763820015"}, 15 * time.Second},
		{"the limit's reset, said otherwise", 429, `{"retry_after":2}`, []string{"X-RateLimit-Reset", "12"}, 2 * time.Second},
		{"the reset of a limit that is not reached", 503, "", []string{"X-RateLimit-Reset", "12"}, 0},
		{"a reset that is no number", 429, "", []string{"X-RateLimit-Reset", "NaN"}, 0},
	}
	for _, test := range tests {
		if got := refusal(t, test.status, test.body, test.headers...).RetryAfter; got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
	// Without a Date the client's own clock counts.
	soon := time.Now().Add(10 * time.Minute).UTC().Format(http.TimeFormat)
	if got := refusal(t, 503, "", "Retry-After", soon).RetryAfter; got < 9*time.Minute || got > 10*time.Minute {
		t.Errorf("a date without a Date: %v", got)
	}
}

// TestUnreadableBody makes sure that an error's status counts even where its body cannot be read.
func TestUnreadableBody(t *testing.T) {
	t.Parallel()
	c, _ := inMemory(t, "https://api.bfl.ai", func(*http.Request) (*http.Response, error) {
		resp := reply(401, "")
		resp.Body = failingBody{}
		return resp, nil
	})
	_, err := c.Credits(t.Context())
	if e := as[*bfl.APIError](t, err); !e.Unauthorized() {
		t.Errorf("got %+v", e)
	}
}

type failingBody struct{}

func (failingBody) Read([]byte) (int, error) { return 0, fmt.Errorf("the connection broke") }
func (failingBody) Close() error             { return nil }
