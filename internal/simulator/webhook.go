package simulator

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// SignatureHeader carries a webhook's signature: "sha256=" and the HMAC-SHA256 of its body with the
// order's webhook_secret, in hexadecimal.
const SignatureHeader = "X-BFL-Signature"

// How the API delivers webhooks.
const (
	webhookTimeout = 30 * time.Second
	webhookWorkers = 8
)

// webhookRetries are the waits before further attempts.
var webhookRetries = []time.Duration{time.Second, 5 * time.Second, 30 * time.Second}

// Webhooks say where a simulator may send webhooks. By default only over https to this machine, so
// that nothing that runs offline reaches for the network; the order is accepted either way.
type Webhooks struct {
	// HTTP allows plain http to this machine.
	HTTP bool
	// Remote allows https to other machines.
	Remote bool
	// Transport sends them; http.DefaultTransport's settings by default.
	Transport http.RoundTripper
}

// notice is the body of a webhook.
type notice struct {
	ID        string `json:"id"`
	Status    string `json:"status"`
	Result    *made  `json:"result"`
	Timestamp string `json:"timestamp"`
}

// postman delivers webhooks. Safe for concurrent use.
type postman struct {
	client *http.Client
	slots  chan struct{}
	wg     sync.WaitGroup

	mu      sync.Mutex
	stopped bool
}

func newPostman(o Webhooks) *postman {
	transport := o.Transport
	if transport == nil {
		transport = http.DefaultTransport.(*http.Transport).Clone()
	}
	return &postman{
		client: &http.Client{
			Transport:     transport,
			Timeout:       webhookTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		slots: make(chan struct{}, webhookWorkers),
	}
}

// later runs f in a goroutine once some time has passed, unless the simulator is closed before.
func (s *Simulator) later(d time.Duration, f func()) {
	p := s.postman
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		return
	}
	p.wg.Go(func() {
		if s.wait(s.closing, d); s.closing.Err() == nil {
			f()
		}
	})
}

// stop waits for what is being sent. The simulator must be closing.
func (p *postman) stop() {
	p.mu.Lock()
	p.stopped = true
	p.mu.Unlock()
	p.wg.Wait()
	p.client.CloseIdleConnections()
}

// schedule arranges for a new task's webhook.
func (s *Simulator) schedule(t *task) {
	if t.order.webhookURL == "" || t.never {
		return
	}
	if err := s.opts.Webhooks.permit(t.order.webhookURL); err != nil {
		t.webhook.Store("not sent: " + err.Error())
		return
	}
	t.webhook.Store("waiting")
	s.later(t.ready.Sub(s.opts.Now()), func() { s.notify(t, 0) })
}

// permit returns why a webhook may not be sent.
func (o Webhooks) permit(address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	switch here := bfl.IsLoopback(address); {
	case u.Scheme == "http" && here && o.HTTP, u.Scheme == "https" && (here || o.Remote):
		return nil
	case u.Scheme == "http":
		return errors.New("webhooks go over https only")
	default:
		return errors.New("this simulator sends webhooks to this machine only")
	}
}

// notify makes one attempt to deliver a task's webhook, and arranges for the next if it fails.
func (s *Simulator) notify(t *task, attempt int) {
	fault := s.faults.on(Webhook, s, t)
	copies, forged := 1, false
	if fault != nil {
		switch fault.Effect {
		case EffectLost:
			t.webhook.Store("lost")
			return
		case EffectTwice:
			copies = 2
		case EffectForged:
			forged = true
		case EffectSlow:
			s.wait(s.closing, fault.delay())
		}
	}
	s.postman.slots <- struct{}{}
	var err error
	for range copies {
		err = s.send(t, forged)
	}
	<-s.postman.slots
	switch {
	case err == nil:
		t.webhook.Store("delivered")
	case s.closing.Err() != nil:
	case attempt < len(webhookRetries):
		t.webhook.Store(fmt.Sprintf("attempt %d failed: %v", attempt+1, err))
		s.later(webhookRetries[attempt], func() { s.notify(t, attempt+1) })
	default:
		t.webhook.Store("given up: " + err.Error())
	}
}

// send posts a task's webhook. Any answer but 2xx is an error.
func (s *Simulator) send(t *task, forged bool) error {
	s.books.count(func(stats *Stats) { stats.Webhooks++ })
	now := s.opts.Now()
	res := s.result(t, now)
	body := encode(notice{t.id, res.Status, res.Result, now.UTC().Format(time.RFC3339Nano)})
	ctx, cancel := context.WithTimeout(s.closing, webhookTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, t.order.webhookURL, bytes.NewReader(body)) //nolint:gosec // permit has looked at the address
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "fluxbatch-simulator")
	r.Header.Set(Header, "1")
	if t.order.webhookSecret != "" {
		secret := t.order.webhookSecret
		if forged {
			secret += " forged"
		}
		r.Header.Set(SignatureHeader, signWebhook(secret, body))
	}
	resp, err := s.postman.client.Do(r) //nolint:gosec // as above
	if err != nil {
		return err
	}
	// What a receiver says is not needed; reading it lets the connection be used again.
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	_ = resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("the receiver answered %s", resp.Status)
	}
	s.books.count(func(stats *Stats) { stats.WebhooksDelivered++ })
	return nil
}

func signWebhook(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	// A hash takes everything.
	_, _ = mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}
