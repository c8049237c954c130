// Package apilog writes down what is asked of the API and what it answers, for those who look for
// the cause of a problem.
//
// Words:
//
//   - A call is one request and its answer, or the lack of one. Its lines carry the same number.
//   - A ring is a webhook that came for a task.
//
// It never writes a header, a body or a query, which is where keys, prompts, images and signatures
// are.
package apilog

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/lazyregexp"
)

// The environment variables that ask for a log: its level, and a file to append to instead of
// standard error.
const (
	LevelVariable = "FLUXBATCH_LOG" // debug, info, warn or error
	PathVariable  = "FLUXBATCH_LOG_PATH"
)

// Log writes what is asked of the API, and what it answers. A nil Log writes nothing. It is safe
// for concurrent use.
type Log struct {
	log *slog.Logger
	// calls numbers the calls, so that an answer can be told which request it belongs to.
	calls atomic.Int64
	// addresses are those of tasks by id, as the events of an apply tell them.
	addresses sync.Map
	file      *os.File
}

// Open returns the log that the environment asks for, nil for none. It is written to stderr unless
// the environment names a file. The errors say which variable is wrong, or why its file cannot be
// opened.
func Open(getenv func(string) string, stderr io.Writer) (*Log, error) {
	text := strings.ToLower(strings.TrimSpace(getenv(LevelVariable)))
	switch text {
	case "", "off", "0":
		return nil, nil
	case "trace", "1", "true", "on":
		// What other tools call their most talkative level, and what people type who want all there
		// is.
		text = "debug"
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(text)); err != nil {
		return nil, fmt.Errorf("the environment variable %s is debug, info, warn or error, and not %q", LevelVariable, getenv(LevelVariable))
	}
	l := &Log{}
	out := stderr
	if path := getenv(PathVariable); path != "" {
		// A log says when somebody worked on what, which concerns nobody else on this machine.
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		if err != nil {
			return nil, fmt.Errorf("opening the log that %s names: %w", PathVariable, err)
		}
		l.file, out = f, f
	}
	l.log = slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: level}))
	return l, nil
}

// Close ends the log. Each line is in its file already.
func (l *Log) Close() error {
	if l == nil || l.file == nil {
		return nil
	}
	return l.file.Close()
}

// Wrap returns a transport that writes down what next carries; without a log it is next itself.
func (l *Log) Wrap(next http.RoundTripper) http.RoundTripper {
	if l == nil || next == nil {
		return next
	}
	return &logTransport{next: next, log: l}
}

// Event learns from an apply which image a task is for, and writes what no call shows.
func (l *Log) Event(e executor.Event) {
	if l == nil {
		return
	}
	switch e := e.(type) {
	case executor.Submitted:
		l.addresses.Store(e.TaskID, e.Address.String())
		l.log.Debug("task", "address", e.Address.String(), "task", e.TaskID, "cost", e.Cost.Dollars())
	case executor.Retrying:
		l.log.Info("retry", "address", e.Address.String(), "call", e.Call, "after", e.After, "error", e.Err)
	case executor.Failed:
		l.log.Warn("failed", "address", e.Address.String(), "error", e.Err)
	}
}

// Rang writes that a webhook came for a task.
func (l *Log) Rang(provider, task string) {
	if l == nil {
		return
	}
	attrs := []any{"provider", provider, "task", safeName(task)}
	if address, ok := l.addresses.Load(task); ok {
		attrs = append(attrs, "address", address)
	}
	l.log.Debug("webhook", attrs...)
}

// Refused writes that a call to the receiver of webhooks did not count.
func (l *Log) Refused(provider, reason string) {
	if l == nil {
		return
	}
	l.log.Warn("webhook refused", "provider", provider, "reason", reason)
}

// logTransport is an http.RoundTripper that writes a line for each request, and one for its answer
// once it was read or given up.
type logTransport struct {
	next http.RoundTripper
	log  *Log
}

// CloseIdleConnections passes on what a client asks of its connections.
func (t *logTransport) CloseIdleConnections() {
	if closer, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}

// RoundTrip implements http.RoundTripper.
func (t *logTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	c := &loggedCall{
		log: t.log, started: time.Now(), method: req.Method, task: safeName(req.URL.Query().Get("id")),
		// Names of hosts and paths hold no secrets; a user name and a query do.
		attrs: []any{"call", t.log.calls.Add(1), "method", req.Method, "host", req.URL.Host, "path", req.URL.Path},
	}
	t.log.log.Debug("request", append(c.attributes(), "bytes", req.ContentLength)...)
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		t.log.log.Warn("no answer", append(c.attributes(), "duration", c.elapsed(), "error", withoutSecrets(err, req))...)
		return nil, err
	}
	c.status, c.first = resp.StatusCode, c.elapsed()
	if resp.Body == nil {
		resp.Body = http.NoBody
	}
	c.body = resp.Body
	c.wantsTask = strings.Contains(resp.Header.Get("Content-Type"), "json")
	resp.Body = c
	return resp, nil
}

// loggedCall is the body of an answer, which is logged when it ends.
type loggedCall struct {
	log     *Log
	attrs   []any
	started time.Time
	method  string
	status  int
	// first is how long the head of the answer took.
	first time.Duration
	body  io.ReadCloser
	bytes int64
	task  string
	// wantsTask says that the body may name a task; head is its beginning then.
	wantsTask bool
	head      bytes.Buffer
	done      sync.Once
}

// maxHead bounds what of an answer is looked at for its task.
const maxHead = 64 << 10

// Read implements io.Reader.
func (c *loggedCall) Read(p []byte) (int, error) {
	n, err := c.body.Read(p)
	c.bytes += int64(n)
	if room := maxHead - c.head.Len(); c.wantsTask && room > 0 {
		c.head.Write(p[:min(n, room)])
	}
	if err != nil {
		c.end(err)
	}
	return n, err
}

// Close implements io.Closer.
func (c *loggedCall) Close() error {
	c.end(nil)
	return c.body.Close()
}

// end writes the line about the answer, once.
func (c *loggedCall) end(err error) {
	c.done.Do(func() {
		var answer struct {
			ID     string `json:"id"`
			Status string `json:"status"`
		}
		if c.wantsTask && json.Unmarshal(c.head.Bytes(), &answer) == nil && answer.ID != "" {
			c.task = safeName(answer.ID)
		}
		attrs := append(c.attributes(), "status", c.status)
		if state := safeName(answer.Status); state != "" {
			attrs = append(attrs, "state", state)
		}
		attrs = append(attrs, "bytes", c.bytes, "head", c.first, "duration", c.elapsed())
		if err != nil && !errors.Is(err, io.EOF) {
			attrs = append(attrs, "broken", true)
		}
		level := slog.LevelDebug
		switch {
		case c.status >= http.StatusBadRequest:
			level = slog.LevelWarn
		case c.method == http.MethodPost:
			level = slog.LevelInfo
		}
		// The call is over, and so may be its context.
		c.log.log.Log(context.Background(), level, "answer", attrs...)
	})
}

// attributes are those of all lines about the call.
func (c *loggedCall) attributes() []any {
	attrs := append([]any(nil), c.attrs...)
	if c.task != "" {
		attrs = append(attrs, "task", c.task)
		if address, ok := c.log.addresses.Load(c.task); ok {
			attrs = append(attrs, "address", address)
		}
	}
	return attrs
}

func (c *loggedCall) elapsed() time.Duration {
	return time.Since(c.started).Round(time.Millisecond / 10)
}

// plainName is what ids of tasks and words for their status look like.
var plainName = lazyregexp.New(`^[A-Za-z0-9][A-Za-z0-9 _.-]{0,79}$`)

// safeName returns a name from an answer, or "" for a text that is none.
func safeName(s string) string {
	if !plainName().MatchString(s) {
		return ""
	}
	return s
}

// secretHeaders are the request's headers that must not be repeated, as errors about a connection
// could.
var secretHeaders = []string{"X-Key", "Authorization", "Cookie"}

// queryText finds the queries of URLs in a text.
var queryText = lazyregexp.New(`\?[^\s"'<>]*`)

// withoutSecrets returns an error's text without what the request had to hide.
func withoutSecrets(err error, req *http.Request) string {
	text := err.Error()
	for _, name := range secretHeaders {
		for _, value := range req.Header.Values(name) {
			if value != "" {
				text = strings.ReplaceAll(text, value, "[secret]")
			}
		}
	}
	return queryText().ReplaceAllString(text, "")
}
