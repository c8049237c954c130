package bfl

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/http/httpguts"
)

// Dashboard is where people find the keys and credits of their accounts.
const Dashboard = "https://dashboard.bfl.ai"

// BaseURL returns the address of the API in a region: "global", "eu" or "us".
func BaseURL(region string) (string, bool) {
	base, ok := map[string]string{
		"global": "https://api.bfl.ai",
		"eu":     "https://api.eu.bfl.ai",
		"us":     "https://api.us.bfl.ai",
	}[region]
	return base, ok
}

// ClientOptions says whom a Client talks to, and as whom.
type ClientOptions struct {
	// BaseURL is where the API is: an https address, or an http one of this machine.
	BaseURL string
	// Key is the account's key. It may be empty only where the API is on this machine.
	Key string
	// HTTP carries the requests, downloads included; nil is for connections of the Client's own. It
	// must not follow redirects, which http.RoundTripper rules out, nor make a POST twice.
	HTTP http.RoundTripper
	// Wrap, when not nil, is put around every transport, to watch what goes through it. It must
	// pass on requests as they are.
	Wrap func(http.RoundTripper) http.RoundTripper
	// UserAgent names the program to the API; "" leaves that to net/http.
	UserAgent string
	// WebhookURL, when not "", is what the API is asked to call when a task has ended, and
	// WebhookSecret what it signs the calls with; see VerifyWebhook. They travel with each
	// submission and are no part of its Request, since they change nothing about the image.
	WebhookURL, WebhookSecret string
}

// ErrNoKey is the error of NewClient for an API that needs a key and was given none.
var ErrNoKey = errors.New("the API needs a key, but none is given")

// Client calls the API. It is safe for concurrent use. Its methods make one call each and never try
// again; how long a call may take is the context's matter.
type Client struct {
	base      endpoint
	key       string
	userAgent string

	webhookURL, webhookSecret string

	submit, poll, download http.RoundTripper
}

// NewClient returns a client, or an error that says what is wrong with the address or the key. It
// makes no call.
func NewClient(o ClientOptions) (*Client, error) {
	base, err := parseEndpoint(o.BaseURL)
	if err != nil {
		return nil, err
	}
	c := &Client{
		base: base, key: strings.TrimSpace(o.Key), userAgent: o.UserAgent,
		webhookURL: o.WebhookURL, webhookSecret: o.WebhookSecret,
	}
	switch {
	case c.key == "" && !base.loopback:
		return nil, ErrNoKey
	case !httpguts.ValidHeaderFieldValue(c.key):
		return nil, errors.New("the key contains characters that a key does not have. Copy it again")
	case c.webhookURL != "" && c.webhookSecret == "":
		return nil, errors.New("webhooks need a secret that signs them, but none is given")
	case !utf8.ValidString(c.webhookSecret):
		// JSON has no other texts: the API would sign with what it makes of this one.
		return nil, errors.New("the secret of webhooks is not UTF-8 text")
	}
	if o.HTTP != nil {
		c.submit, c.poll, c.download = o.HTTP, o.HTTP, o.HTTP
	} else {
		c.submit, c.poll, c.download = newTransports()
	}
	if o.Wrap != nil {
		c.submit, c.poll, c.download = o.Wrap(c.submit), o.Wrap(c.poll), o.Wrap(c.download)
	}
	return c, nil
}

// Close closes the connections that no call uses. The client can be used further.
func (c *Client) Close() {
	for _, rt := range []http.RoundTripper{c.submit, c.poll, c.download} {
		if closer, ok := rt.(interface{ CloseIdleConnections() }); ok {
			closer.CloseIdleConnections()
		}
	}
}

// Credits returns what the account has left.
func (c *Client) Credits(ctx context.Context) (Credits, error) {
	a, err := c.get(ctx, c.base.resolve("/v1/credits", ""), maxAnswer)
	if err != nil {
		return 0, err
	}
	if err := c.checkAnswer(a); err != nil {
		return 0, err
	}
	if a.err != nil {
		return 0, a.err
	}
	if a.cut {
		return 0, &AnswerError{Reason: "it is longer than 1 MB"}
	}
	fields, err := partialObject(a.body)
	if err != nil {
		return 0, err
	}
	credits, ok := jsonNumber(fields["credits"])
	if !ok {
		return 0, &AnswerError{Reason: "it names no credits"}
	}
	return CreditsOf(credits), nil
}

// fetched is an answer to a call that only asks. Its status is anything.
type fetched struct {
	resp *http.Response // its body is read and closed
	body []byte
	// cut says that the body goes on behind the limit, err why no more of it could be read.
	cut bool
	err error
}

// get asks an address that is allowed to see the key.
func (c *Client) get(ctx context.Context, address string, limit int) (*fetched, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, &URLError{"", "it is not a valid URL"}
	}
	c.sign(req)
	resp, err := c.do(c.poll, req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // its content is read by then
	a := &fetched{resp: resp}
	a.body, a.cut, a.err = readBody(resp, limit)
	if a.err != nil {
		a.err = c.bodyError(resp, a.err)
	}
	return a, nil
}

// checkAnswer returns the error that an answer is by its status.
func (c *Client) checkAnswer(a *fetched) error {
	if isSuccess(a.resp) {
		return nil
	}
	if err := c.redirect(a.resp); err != nil {
		return err
	}
	return c.newAPIError(a.resp, a.body)
}

// do makes a call. Nothing is followed, repeated or remembered between calls, which http.Client
// would do.
func (c *Client) do(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	if c.userAgent != "" {
		req.Header.Set("User-Agent", c.userAgent)
	}
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return nil, c.networkError(req.URL, err)
	}
	// Round trippers other than net/http's may leave these out.
	resp.Request = req
	if resp.Body == nil {
		resp.Body = http.NoBody
	}
	return resp, nil
}

// sign adds the headers of an API call. Only requests to addresses that the client has checked may
// come here.
func (c *Client) sign(req *http.Request) {
	if c.key != "" {
		req.Header.Set("X-Key", c.key)
	}
	req.Header.Set("Accept", "application/json")
}

// Bounds of the JSON answers that are read. An answer about a task may repeat its prompt, which may
// be long.
const (
	maxAnswer     = 1 << 20
	maxTaskAnswer = 16 << 20
)

// readBody reads a body as far as the limit, and reports whether it goes on there. With an error it
// returns what it has read.
func readBody(resp *http.Response, limit int) (body []byte, cut bool, err error) {
	content, err := decoded(resp)
	if err != nil {
		return nil, false, err
	}
	body, err = io.ReadAll(io.LimitReader(content, int64(limit)+1))
	if len(body) > limit {
		return body[:limit], true, nil
	}
	return body, false, err
}

// bodyError returns what it means that a body could not be read.
func (c *Client) bodyError(resp *http.Response, err error) error {
	if _, ok := errors.AsType[*encodingError](err); ok {
		return &AnswerError{Reason: c.clean(err.Error())}
	}
	return c.networkError(resp.Request.URL, err)
}

// checkStatus returns the error that an answer is, or nil for a success.
func (c *Client) checkStatus(resp *http.Response) error {
	if isSuccess(resp) {
		return nil
	}
	if err := c.redirect(resp); err != nil {
		return err
	}
	return c.readAPIError(resp)
}

func isSuccess(resp *http.Response) bool { return resp.StatusCode >= 200 && resp.StatusCode <= 299 }

// redirect returns the error that an answer is which sends the call elsewhere, or nil.
func (c *Client) redirect(resp *http.Response) error {
	if location := resp.Header.Get("Location"); location != "" && resp.StatusCode >= 300 && resp.StatusCode <= 399 {
		return &RedirectError{StatusCode: resp.StatusCode, To: c.clean(hostOf(location))}
	}
	return nil
}

// hostOf returns the host that an address names, for messages.
func hostOf(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return u.Hostname()
	}
	return "another path"
}
