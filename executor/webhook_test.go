package executor_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/simulator"
	"github.com/fluxbatch/fluxbatch/internal/simulator/simtest"
	"github.com/fluxbatch/fluxbatch/internal/webhook"
)

// carry is a transport for webhooks.
type carry func(r *http.Request) (*http.Response, error)

func (c carry) RoundTrip(r *http.Request) (*http.Response, error) { return c(r) }

// TestWebhooks makes 100 images with the real client and receiver, and a simulator that sends
// webhooks, or tries to.
func TestWebhooks(t *testing.T) {
	t.Parallel()
	const images = 100
	tests := []struct {
		name, fault string
		unreachable bool
		silent      bool // webhooks are not asked for
		polls       float64
	}{
		{name: "delivered", polls: 1.2},
		{name: "delivered twice", fault: "webhook-twice", polls: 1.2},
		{name: "some are lost", fault: "webhook-lost p=0.2", polls: 2.2},
		{name: "some are forged, and then delivered", fault: "webhook-forged p=0.2", polls: 2.2},
		{name: "all are forged", fault: "webhook-forged", polls: 15},
		{name: "all are lost", fault: "webhook-lost", polls: 15},
		{name: "the receiver is unreachable", unreachable: true, polls: 15},
		{name: "not asked for", silent: true, polls: 15},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				bell := make(chan string, images)
				receiver := webhook.Handler(webhook.Options{Secret: "hush", Ring: func(id string) { bell <- id }})
				sim := simulate(t, tt.fault, func(r *http.Request) (*http.Response, error) {
					if tt.unreachable {
						return nil, errors.New("no route to host")
					}
					answer := httptest.NewRecorder()
					receiver.ServeHTTP(answer, r)
					return answer.Result(), nil
				})
				hook := "https://localhost/hook"
				if tt.silent {
					hook = ""
				}
				client := simtest.Client(t, sim, bfl.ClientOptions{WebhookURL: hook, WebhookSecret: "hush"})
				base := t.TempDir()
				if err := applyIn(t, base, executor.Options{
					Accounts: map[string]executor.Account{"bfl": {API: client, Concurrency: 24, Rings: !tt.silent}}, Doorbell: bell,
				}, images, nil); err != nil {
					t.Fatal(err)
				}
				checkStorm(t, sim, base, images)
				polls := float64(sim.Stats().Polls) / images
				t.Logf("%.2f polls an image, in %s", polls, time.Since(began))
				if polls > tt.polls {
					t.Errorf("%.2f polls an image, want %.1f at most", polls, tt.polls)
				}
			})
		})
	}
}

func simulate(t *testing.T, fault string, deliver carry) *simulator.Simulator {
	t.Helper()
	o := simulator.Options{Seed: 7, Latency: simulator.Latency{Median: 4 * time.Second, Spread: 0.5}, Webhooks: simulator.Webhooks{Transport: deliver}}
	if fault != "" {
		o.Faults = []simulator.Fault{parsed(t, fault)}
	}
	return simtest.New(t, o)
}

func signed(secret, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = io.WriteString(mac, body) // a hash never fails
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// What a webhook says of its task is not believed: it only makes the API be asked.
func TestWebhookIsNotBelieved(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bell := make(chan string, 10)
		receiver := webhook.Handler(webhook.Options{Secret: "hush", Ring: func(id string) { bell <- id }})
		sim := simulate(t, "", func(r *http.Request) (*http.Response, error) {
			// The body is another one, with a right signature: whoever has the secret can do no
			// more than this.
			call, err := io.ReadAll(r.Body)
			if err != nil {
				return nil, err
			}
			id, _, _ := strings.Cut(strings.TrimPrefix(string(call), `{"id":"`), `"`)
			forged := `{"id":"` + id + `","status":"Error","result":{"sample":"https://evil.example.com/x.png"},"cost":1000000}`
			request := httptest.NewRequestWithContext(r.Context(), http.MethodPost, "/", strings.NewReader(forged))
			request.Header.Set(bfl.WebhookHeader, signed("hush", forged))
			answer := httptest.NewRecorder()
			receiver.ServeHTTP(answer, request)
			return answer.Result(), nil
		})
		client := simtest.Client(t, sim, bfl.ClientOptions{WebhookURL: "https://localhost/hook", WebhookSecret: "hush"})
		base := t.TempDir()
		if err := applyIn(t, base, executor.Options{
			Accounts: map[string]executor.Account{"bfl": {API: client, Concurrency: 24, Rings: true}}, Doorbell: bell,
		}, 3, nil); err != nil {
			t.Fatal(err)
		}
		checkStorm(t, sim, base, 3)
		if got := sim.Stats(); got.Polls != 3 || got.WebhooksDelivered != 3 {
			t.Errorf("%d polls and %d webhooks, want 3 of both", got.Polls, got.WebhooksDelivered)
		}
	})
}
