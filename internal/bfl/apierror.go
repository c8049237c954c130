package bfl

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// APIError is an answer that refuses a call.
type APIError struct {
	// StatusCode is the answer's HTTP status.
	StatusCode int
	// Code is the API's own name for the error, such as "insufficient_credits"; often "".
	Code string
	// Message is the API's text; "" where there is none. It is cleaned: one line without control
	// characters, of limited length, without keys and signatures.
	Message string
	// Fields are the errors of single fields of the request, cleaned in the same way.
	Fields []FieldError
	// RetryAfter is how long the API asks to wait, 0 where it does not say. It is at most an hour.
	RetryAfter time.Duration

	who          string // who answered; "" is the API
	get          bool   // the call only asked for something, so that making it again does no harm
	saysNotFound bool   // the body says that there is no such task
}

// FieldError is what the API finds wrong with one field.
type FieldError struct {
	// Field is the field's name, or a path such as "images.0".
	Field string
	// Message is the API's text.
	Message string
	// Type is the API's name for the mistake, such as "multiple_of".
	Type string
}

// Retryable reports whether the call that was answered so may be made again, and may succeed then.
// For one that only asks, that is all that is Transient. For a submission it is 500, 502, 503, and
// 429 unless a quota is exhausted, by which the API says that it did not accept it.
func (e *APIError) Retryable() bool {
	if e.get {
		return e.Transient()
	}
	switch e.StatusCode {
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable:
		return true
	}
	return e.RateLimited()
}

// Transient reports whether the answer is about this moment, not about what was asked: 408, 425,
// 429, and all of the server's failures and those of the gateways before it. It does not say that a
// submission may be made again.
func (e *APIError) Transient() bool {
	switch e.StatusCode {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return e.StatusCode >= http.StatusInternalServerError
}

// Ambiguous reports whether a submission may have been accepted all the same: 408, 504, 520 to 530
// and the like are words of a gateway that got no answer from the API. What only asks is never
// ambiguous.
func (e *APIError) Ambiguous() bool {
	return !e.get && (e.StatusCode == http.StatusRequestTimeout || e.StatusCode >= http.StatusInternalServerError && !e.Retryable())
}

// Unauthorized reports whether the key was refused, so that no call with it can succeed.
func (e *APIError) Unauthorized() bool {
	return e.StatusCode == http.StatusUnauthorized || e.StatusCode == http.StatusForbidden
}

// OutOfCredits reports whether the account cannot pay.
func (e *APIError) OutOfCredits() bool { return e.StatusCode == http.StatusPaymentRequired }

// RateLimited reports whether the account has too many active tasks, or makes too many calls; not
// whether its quota is exhausted, which has the same status.
func (e *APIError) RateLimited() bool {
	return e.StatusCode == http.StatusTooManyRequests && !e.QuotaExhausted()
}

// maxFieldsShown bounds how many fields an error's text names.
const maxFieldsShown = 4

func (e *APIError) Error() string {
	var b strings.Builder
	b.WriteString(e.summary())
	sep := ": "
	say := func(text string) {
		if text != "" {
			b.WriteString(sep)
			b.WriteString(text)
			sep = "; "
		}
	}
	say(e.Message)
	if e.Message == "" && len(e.Fields) == 0 {
		say(e.Code)
	}
	for i, f := range e.Fields {
		if i == maxFieldsShown {
			say(fmt.Sprintf("and %d more", len(e.Fields)-i))
			break
		}
		if f.Field != "" {
			say(f.Field + ": " + f.Message)
		} else {
			say(f.Message)
		}
	}
	return b.String()
}

// summary says in the program's own words what the status means.
func (e *APIError) summary() string {
	status := statusText(e.StatusCode)
	if e.who != "" {
		return e.who + " answered " + status
	}
	switch {
	case e.Unauthorized():
		return "the API refuses the key (" + status + ")"
	case e.OutOfCredits():
		return "the account has not enough credits (" + status + ")"
	case e.QuotaExhausted():
		return "the account has used up what it may (" + status + ")"
	case e.RateLimited():
		return "the API asks to slow down (" + status + ")"
	case e.StatusCode == http.StatusBadRequest, e.StatusCode == http.StatusUnprocessableEntity:
		return "the API refuses the request (" + status + ")"
	case e.StatusCode >= 500:
		return "the API failed (" + status + ")"
	default:
		return "the API answered " + status
	}
}

func statusText(code int) string {
	if text := http.StatusText(code); text != "" {
		return fmt.Sprintf("%d %s", code, text)
	}
	return fmt.Sprintf("status %d", code)
}

// maxErrorBody bounds how much of a refusal is read.
const maxErrorBody = 64 << 10

// readAPIError reads the error that an answer is.
func (c *Client) readAPIError(resp *http.Response) *APIError {
	// What cannot be read of the body is missing from the message only; the status says the rest.
	body, _, _ := readBody(resp, maxErrorBody)
	return c.newAPIError(resp, body)
}

// newAPIError returns the error that an answer with that body is.
func (c *Client) newAPIError(resp *http.Response, body []byte) *APIError {
	e := &APIError{StatusCode: resp.StatusCode, get: resp.Request.Method != http.MethodPost}
	asked := parseErrorBody(e, body[:min(len(body), maxErrorBody)])
	e.RetryAfter = retryAfter(resp.StatusCode, resp.Header, asked, time.Now())
	c.cleanError(e)
	return e
}

// cleanError makes an error's texts fit to be shown.
func (c *Client) cleanError(e *APIError) {
	e.Code, e.Message = c.clean(e.Code), c.clean(e.Message)
	for i := range e.Fields {
		f := &e.Fields[i]
		f.Field, f.Message, f.Type = c.clean(f.Field), c.clean(f.Message), c.clean(f.Type)
	}
}
