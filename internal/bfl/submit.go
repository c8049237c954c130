package bfl

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// Submission is an accepted request: a task.
type Submission struct {
	// ID is the task's.
	ID string
	// PollingURL is what to poll, as the API gave it. It is "" where the API named none, as it does
	// for a request with a webhook; Find looks for such a task.
	PollingURL string
	// Warning is set when the API named a polling URL that the key must not be sent to. PollingURL
	// is "" then.
	Warning error
	// Cost is what the API charged, if HasCost.
	Cost    Credits
	HasCost bool
	// InputMP and OutputMP are the megapixels charged for, 0 where the API does not say.
	InputMP, OutputMP float64
	// Simulated says that a simulator answered, and that the image will not be a real one.
	Simulated bool
}

// SimulatorHeader is the header of answers that come from a simulator.
const SimulatorHeader = "X-Fluxbatch-Simulator"

// SubmitError is the error of every Submit that gave no task.
type SubmitError struct {
	// Err is the cause: an *APIError, *NetworkError, *AnswerError, *RedirectError, or what opening
	// or reading an input said.
	Err error

	ambiguous bool
}

func (e *SubmitError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *SubmitError) Unwrap() error { return e.Err }

// Ambiguous reports whether the API may have accepted the request all the same. If not, there is no
// task and nothing is charged: the request did not leave this machine completely, or the API
// refused it.
func (e *SubmitError) Ambiguous() bool { return e.ambiguous }

// Retryable reports whether the request may be sent again, and may be accepted then. An ambiguous
// one may not: it could be paid twice.
func (e *SubmitError) Retryable() bool {
	var cause interface{ Retryable() bool }
	return !e.ambiguous && errors.As(e.Err, &cause) && cause.Retryable()
}

// Submit asks for an image. It makes exactly one attempt: nothing below it sends the request again.
// Every error is a *SubmitError.
func (c *Client) Submit(ctx context.Context, r *Request, open Opener) (Submission, error) {
	req, sent, err := c.newSubmission(ctx, r, open)
	if err != nil {
		return Submission{}, &SubmitError{Err: err}
	}
	resp, err := c.do(c.submit, req)
	// Not before the answer is read: a server that is quick answers while net/http still looks for
	// the body's end, and would lose its connection, and we its answer, if that failed.
	defer sent.seal()
	if err != nil {
		sent.seal()
		complete, cause := sent.outcome()
		if cause != nil {
			err = cause
		}
		return Submission{}, &SubmitError{Err: err, ambiguous: complete}
	}
	defer func() { _ = resp.Body.Close() }() // its content is read by then
	if err := c.checkStatus(resp); err != nil {
		var refusal *APIError
		ambiguous := errors.As(err, &refusal) && refusal.Ambiguous()
		if ambiguous {
			// A gateway that spoke before it had all of the request passed nothing on that could be
			// accepted.
			sent.seal()
			ambiguous, _ = sent.outcome()
		}
		return Submission{}, &SubmitError{Err: err, ambiguous: ambiguous}
	}
	return c.readSubmission(resp)
}

// newSubmission prepares the POST. The caller seals the body.
func (c *Client) newSubmission(ctx context.Context, r *Request, open Opener) (*http.Request, *sentBody, error) {
	if !strings.HasPrefix(r.Model.Endpoint, "/") {
		return nil, nil, &URLError{"", fmt.Sprintf("the endpoint %q of %s does not begin with a slash", r.Model.Endpoint, r.Model.Name)}
	}
	if err := r.checkFiles(open); err != nil {
		return nil, nil, err
	}
	content, length, err := c.withWebhook(r).Body(open)
	if err != nil {
		return nil, nil, err
	}
	sent := &sentBody{content: content, left: length}
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteRequest: sent.wroteRequest})
	// net/http repeats a request of its own accord when a kept connection turns out to be dead. A
	// POST with a body is only repeated if it has GetBody or an Idempotency-Key, or came before an
	// HTTP/2 stream was opened: this one must get none of these, or an image could be paid twice.
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base.resolve(r.Model.Endpoint, ""), sent)
	if err != nil {
		sent.seal()
		return nil, nil, fmt.Errorf("the endpoint %q of %s is not valid: %w", r.Model.Endpoint, r.Model.Name, err)
	}
	req.ContentLength = length
	req.Header.Set("Content-Type", "application/json")
	c.sign(req)
	return req, sent, nil
}

// withWebhook returns the request as it is sent: with the fields that ask for a webhook, where the
// client has one and the model takes it.
func (c *Client) withWebhook(r *Request) *Request {
	if c.webhookURL == "" || r.Model.NoWebhook {
		return r
	}
	sent := *r
	sent.Arguments = append(slices.Clone(r.Arguments),
		Argument{Name: "webhook_url", Value: c.webhookURL}, Argument{Name: "webhook_secret", Value: c.webhookSecret})
	return &sent
}

// readSubmission reads the answer of an accepted request. A task exists by now, and its id is worth
// money: an answer that is broken or odd in any other way is good as long as the id can be read.
func (c *Client) readSubmission(resp *http.Response) (Submission, error) {
	body, cut, readErr := readBody(resp, maxTaskAnswer)
	switch {
	case readErr != nil:
		readErr = c.bodyError(resp, readErr)
	case cut:
		readErr = &AnswerError{Reason: "it is longer than 16 MB"}
	}
	fields, parseErr := partialObject(body)
	s := Submission{
		ID:         jsonText(fields["id"]),
		PollingURL: jsonText(fields["polling_url"]),
		Simulated:  resp.Header.Get(SimulatorHeader) != "",
	}
	if !validTaskID(s.ID) {
		err := cmp.Or(readErr, parseErr, error(&AnswerError{Reason: "it names no task"}))
		return Submission{}, &SubmitError{Err: err, ambiguous: true}
	}
	s.Cost, s.HasCost = jsonCost(fields["cost"])
	s.InputMP, _ = jsonNumber(fields["input_mp"])
	s.OutputMP, _ = jsonNumber(fields["output_mp"])
	if s.PollingURL != "" {
		s.Warning = c.base.allowsKey(s.PollingURL)
	}
	if s.Warning != nil {
		s.PollingURL = ""
	}
	return s, nil
}

// validTaskID reports whether an id can be one: it is printed, kept in files, and put into URLs.
func validTaskID(id string) bool {
	return id != "" && len(id) <= 256 && !strings.ContainsFunc(id, func(r rune) bool { return !unicode.IsGraphic(r) })
}

// sentBody is the body of a submission that is on its way. It remembers how much of it was handed
// over to the connection, since a request whose last byte never left cannot have been accepted.
type sentBody struct {
	mu      sync.Mutex
	content io.ReadCloser
	left    int64 // bytes not handed over yet
	failed  error // why the content could not be read
	broken  bool  // writing to the connection failed before the last byte
	closed  bool
}

// Read hands over content. It holds the lock meanwhile, so that seal knows for certain what has
// left.
func (b *sentBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return 0, errSealed
	}
	n, err := b.content.Read(p)
	b.left -= int64(n)
	if err != nil && err != io.EOF {
		b.failed = err
	}
	return n, err
}

var errSealed = errors.New("the request is over")

// wroteRequest learns from net/http that the request was written. With an error some of its bytes,
// the last one at least, were not: they were never given to the connection's socket.
func (b *sentBody) wroteRequest(info httptrace.WroteRequestInfo) {
	if info.Err == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.broken = true
}

// Close never fails: net/http would take an error for one of writing the request, which would then
// look incomplete.
func (b *sentBody) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.close()
	return nil
}

func (b *sentBody) close() {
	if !b.closed {
		b.closed = true
		_ = b.content.Close() // inputs were only read
	}
}

// seal ends the handing over, which net/http may go on with after its RoundTrip has returned.
func (b *sentBody) seal() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.close()
}

// outcome reports, once the body is sealed, whether all of it may have been sent, and the error of
// reading it, if that is what ended it.
func (b *sentBody) outcome() (complete bool, cause error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.left <= 0 && !b.broken, b.failed
}
