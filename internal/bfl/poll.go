package bfl

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Status is where a task stands. The set is closed: what the API calls its statuses is in
// Result.Raw.
type Status string

// The statuses. All but Pending are final.
const (
	Pending          Status = "pending"
	Ready            Status = "ready"
	Failed           Status = "failed"
	RequestModerated Status = "request moderated"
	ContentModerated Status = "content moderated"
	NotFound         Status = "not found"
)

// Final reports whether the task is over, and its slot free.
func (s Status) Final() bool { return s != Pending }

// parseStatus reads the API's word for a status. New words turn up without notice ("Reasoning",
// "Generating"), so that an unknown one says no more than that the task is not over.
func parseStatus(raw string) Status {
	switch strings.NewReplacer("_", " ", "-", " ").Replace(strings.ToLower(strings.TrimSpace(raw))) {
	case "ready":
		return Ready
	case "error", "failed":
		return Failed
	case "request moderated":
		return RequestModerated
	case "content moderated":
		return ContentModerated
	case "task not found":
		return NotFound
	default:
		return Pending
	}
}

// Result is what a poll learns of a task.
type Result struct {
	Status Status
	// Raw is the status in the API's own word.
	Raw string
	// SampleURL is where the image is. It is never empty when the status is Ready.
	SampleURL string
	// Seed is what the image was made with, nil where the API does not say.
	Seed *int64
	// Prompt is the one that was used, which may be an expanded one; "" where the API does not say.
	Prompt string
	// Progress is from 0 to 1, 0 where the API does not say.
	Progress float64
	// Reasons are those that moderation gives.
	Reasons []string
	// Message is the API's text about a failure, cleaned for display.
	Message string
	// Cost, if HasCost, is what the answer says that the task costs. It may be another sum than the
	// answer to the submission had, such as 0 for a task that moderation ended; the last one that
	// the API names is what was charged.
	Cost    Credits
	HasCost bool
}

// Expires returns when the URL of a sample ends, zero where it does not say so.
func (r *Result) Expires() time.Time {
	u, err := url.Parse(r.SampleURL)
	if err != nil {
		return time.Time{}
	}
	end, err := time.Parse(time.RFC3339, u.Query().Get("se"))
	if err != nil {
		return time.Time{}
	}
	return end
}

// Poll looks at a task once, by the URL that the API named. A task that the API does not know is no
// error but a Result with status NotFound; other regions than the one that accepted it do not know
// it, nor any after its retention. What an answer says of the task counts whatever its HTTP status;
// the error of one that says nothing is an *APIError, which is never about the task. The polling
// URL must be one that Submit returned, or one of the provider's hosts; for others it returns a
// *URLError and sends nothing.
func (c *Client) Poll(ctx context.Context, pollingURL string) (Result, error) {
	if err := c.base.allowsKey(pollingURL); err != nil {
		return Result{}, err
	}
	a, err := c.get(ctx, pollingURL, maxTaskAnswer)
	if err != nil {
		return Result{}, err
	}
	if !isSuccess(a.resp) {
		return c.pollRefused(a)
	}
	if a.err != nil {
		return Result{}, a.err
	}
	return c.parseResult(a.body, a.cut)
}

// pollRefused reads an answer whose HTTP status is an error's. A task that failed is told with 503
// by some, and one that is not known with 404.
func (c *Client) pollRefused(a *fetched) (Result, error) {
	if fields, _ := partialObject(a.body); tellsStatus(a.resp.StatusCode, fields) {
		if result, err := c.parseResult(a.body, a.cut); err == nil {
			return result, nil
		}
	}
	err := c.checkAnswer(a)
	var refusal *APIError
	if errors.As(err, &refusal) && refusal.StatusCode == http.StatusNotFound && refusal.saysNotFound {
		return Result{Status: NotFound, Raw: "Task not found"}, nil
	}
	return Result{}, err
}

// tellsStatus reports whether the body of an answer that refuses is about the task. Most statuses
// are words that nothing else has. But "error" and words for waiting stand in the errors of
// gateways and of frameworks too, so that they count only as the API writes them, or beside what an
// answer about a task has, and not where the key, the account or its haste is refused: a task that
// was paid for is not given up for those.
func tellsStatus(code int, fields map[string]json.RawMessage) bool {
	raw := jsonText(fields["status"])
	switch parseStatus(raw) {
	case Ready, RequestModerated, ContentModerated, NotFound:
		return true
	}
	switch code {
	case http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusForbidden, http.StatusTooManyRequests:
		return false
	}
	switch raw {
	case "Error", "Failed", "Pending", "Reasoning", "Generating", "Processing":
		return true
	}
	_, hasResult := fields["result"]
	return parseStatus(raw) == Failed && (hasResult || jsonText(fields["id"]) != "")
}

// ErrNowhere is the error of Find for a task that neither the global endpoint nor any region knows.
// It says less than NotFound does, since the regions have further hosts that may know it. At the
// endpoint of one region NotFound is the answer, so that naming the region is how a user gives such
// a task up.
var ErrNowhere = errors.New("it is unknown at the API's global endpoint and in its regions, and the API did not say where else it is. " +
	"To give it up should it stay unknown, name the provider's region")

// Find looks once at a task of which the API named no polling URL. It asks the client's endpoint
// and, where that is the global one, which hands requests on to the regions, these as well. Its
// results are those of Poll; but there, NotFound is never one of them.
func (c *Client) Find(ctx context.Context, id string) (Result, error) {
	result, err := c.Poll(ctx, c.base.resultURL(id))
	if global := regionalEndpoint("global"); err != nil || result.Status != NotFound || canonicalHost(&c.base.url) != global.url.Host {
		return result, err
	}
	for _, region := range []string{"eu", "us"} {
		at := regionalEndpoint(region)
		result, err := c.Poll(ctx, at.resultURL(id))
		var refusal *APIError
		if errors.As(err, &refusal) && !refusal.Retryable() {
			// Nothing that a region has against the account ends a run at the global endpoint.
			continue
		}
		if err != nil || result.Status != NotFound {
			return result, err
		}
	}
	return Result{}, ErrNowhere
}

// regionalEndpoint returns the endpoint of a region that BaseURL knows.
func regionalEndpoint(region string) endpoint {
	address, _ := BaseURL(region)
	// The addresses are this package's own, and valid.
	e, _ := parseEndpoint(address)
	return e
}

// parseResult reads a poll's answer, liberally but for the two things that count: the status, and
// the sample of a task that is ready. Of one that was cut what stands before the cut has to do,
// since asking again gets no more.
func (c *Client) parseResult(body []byte, cut bool) (Result, error) {
	fields, err := partialObject(body)
	if cut {
		readCutResult(fields, body)
		if jsonText(fields["status"]) == "" {
			return Result{}, &AnswerError{Reason: "it is longer than 16 MB, and names no status before that"}
		}
	} else if err != nil {
		return Result{}, err
	}
	raw := jsonText(fields["status"])
	if raw == "" {
		return Result{}, &AnswerError{Reason: "it names no status"}
	}
	result := jsonObject(fields["result"])
	r := Result{
		Status:    parseStatus(raw),
		Raw:       c.clean(raw),
		SampleURL: jsonText(result["sample"]),
		Seed:      jsonInt(result["seed"]),
		Prompt:    jsonText(result["prompt"]),
	}
	r.Cost, r.HasCost = jsonCost(fields["cost"])
	if progress, ok := jsonNumber(fields["progress"]); ok {
		r.Progress = min(max(progress, 0), 1)
	}
	if r.Status == Ready && r.SampleURL == "" {
		return Result{}, &AnswerError{Reason: "the task is ready, but no image is named"}
	}
	if r.Status == RequestModerated || r.Status == ContentModerated {
		r.Reasons = c.moderationReasons(fields["details"], fields["result"])
	}
	if r.Status.Final() && r.Status != Ready {
		r.Message = c.failureMessage(fields, result)
	}
	return r, nil
}

// readCutResult adds the beginning of the result, if that is where a body was cut, to its fields.
func readCutResult(fields map[string]json.RawMessage, body []byte) {
	if _, whole := fields["result"]; whole {
		return
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	if _, err := dec.Token(); err != nil {
		return
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return
		}
		if name == "result" {
			rest := bytes.TrimLeft(body[dec.InputOffset():], ": \t\r\n")
			// What breaks it is the cut.
			inner, _ := partialObject(rest)
			if beginning, err := json.Marshal(inner); err == nil {
				fields["result"] = beginning
			}
			return
		}
		var value json.RawMessage
		if dec.Decode(&value) != nil {
			return
		}
	}
}

// maxReasons bounds how many reasons are read.
const maxReasons = 20

// moderationReasons collects what stands under "Moderation Reasons", in whatever spelling and
// shape.
func (c *Client) moderationReasons(places ...json.RawMessage) []string {
	var reasons []string
	add := func(text string) {
		if text = c.clean(text); text != "" && len(reasons) < maxReasons && !slices.Contains(reasons, text) {
			reasons = append(reasons, text)
		}
	}
	for _, place := range places {
		fields := jsonObject(place)
		for _, name := range sortedKeys(fields) {
			if key := strings.ToLower(name); !strings.Contains(key, "reason") && !strings.Contains(key, "categor") {
				continue
			}
			add(jsonText(fields[name]))
			for _, element := range jsonList(fields[name]) {
				add(jsonText(element))
			}
		}
	}
	return reasons
}

// failureMessage finds the text of a failure.
func (c *Client) failureMessage(fields, result map[string]json.RawMessage) string {
	details := jsonObject(fields["details"])
	for _, raw := range []json.RawMessage{
		fields["error"], jsonObject(fields["error"])["message"], fields["message"], fields["details"], details["error"],
		details["message"], result["error"], result["message"], fields["result"],
	} {
		if text := c.clean(jsonText(raw)); text != "" {
			return text
		}
	}
	return ""
}
