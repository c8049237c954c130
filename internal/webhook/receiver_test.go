package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "hush"

func sign(secret, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = io.WriteString(mac, body) // a hash never fails
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// bell remembers what it was told.
type bell struct {
	mu             sync.Mutex
	rings, refused []string
}

func (b *bell) options() Options {
	return Options{Secret: secret, Ring: b.ring, Refused: b.refuse}
}

func (b *bell) ring(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rings = append(b.rings, id)
}

func (b *bell) refuse(reason string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refused = append(b.refused, reason)
}

func TestHandler(t *testing.T) {
	t.Parallel()
	const body = `{"id":"task-1","status":"Ready","result":{"sample":"https://evil.example.com/x.png"},"timestamp":"2026-02-01T00:00:00Z"}`
	long := `{"id":"task-1","padding":"` + strings.Repeat("x", MaxBody) + `"}`
	fits := `{"id":"task-1","padding":"` + strings.Repeat("x", MaxBody-28) + `"}`
	tests := []struct {
		name, method, body, signature string
		status                        int
		rings, refused                []string
	}{
		{"genuine", "POST", body, sign(secret, body), 204, []string{"task-1"}, nil},
		{"as long as may be", "POST", fits, sign(secret, fits), 204, []string{"task-1"}, nil},
		{"too long", "POST", long, sign(secret, long), 413, nil, []string{"its body is longer than 65536 bytes"}},
		{"signed with another secret", "POST", body, sign("hash", body), 401, nil, []string{"its signature is wrong"}},
		{"another body than was signed", "POST", strings.Replace(body, "task-1", "task-2", 1), sign(secret, body), 401, nil, []string{"its signature is wrong"}},
		{"not signed", "POST", body, "", 401, nil, []string{"it has no X-BFL-Signature header"}},
		{"not posted", "GET", "", sign(secret, ""), 405, nil, []string{"it is not a POST"}},
		{"no JSON", "POST", "ready", sign(secret, "ready"), 400, nil, []string{"it names no task"}},
		{"no task", "POST", `{"id":""}`, sign(secret, `{"id":""}`), 400, nil, []string{"it names no task"}},
		{"an id that is none", "POST", `{"id":["a"]}`, sign(secret, `{"id":["a"]}`), 400, nil, []string{"it names no task"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := &bell{}
			request := httptest.NewRequestWithContext(t.Context(), tt.method, "/any/path", strings.NewReader(tt.body))
			if tt.signature != "" {
				request.Header.Set(bfl.WebhookHeader, tt.signature)
			}
			answer := httptest.NewRecorder()
			Handler(b.options()).ServeHTTP(answer, request)
			if answer.Code != tt.status {
				t.Errorf("the answer is %d, want %d", answer.Code, tt.status)
			}
			if strings.Contains(answer.Body.String(), secret) {
				t.Errorf("the answer has the secret in it: %s", answer.Body)
			}
			if diff := cmp.Diff(tt.rings, b.rings); diff != "" {
				t.Errorf("rings (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.refused, b.refused); diff != "" {
				t.Errorf("refused (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNothingIsGenuineWithoutSecret(t *testing.T) {
	t.Parallel()
	b := &bell{}
	o := b.options()
	o.Secret = ""
	request := httptest.NewRequestWithContext(t.Context(), "POST", "/", strings.NewReader(`{"id":"a"}`))
	request.Header.Set(bfl.WebhookHeader, sign("", `{"id":"a"}`))
	answer := httptest.NewRecorder()
	Handler(o).ServeHTTP(answer, request)
	if answer.Code != http.StatusUnauthorized || len(b.rings) > 0 {
		t.Errorf("the answer is %d, with rings %v", answer.Code, b.rings)
	}
}

func TestReceiver(t *testing.T) {
	t.Parallel()
	b := &bell{}
	r, err := Listen(t.Context(), "127.0.0.1:0", b.options())
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	post := func(body, signature string) (int, error) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+r.Address()+"/hook", strings.NewReader(body))
		if err != nil {
			return 0, err
		}
		request.Header.Set(bfl.WebhookHeader, signature)
		answer, err := transport.RoundTrip(request)
		if err != nil {
			return 0, err
		}
		return answer.StatusCode, answer.Body.Close()
	}
	for i := range 3 {
		body := fmt.Sprintf(`{"id":"task-%d"}`, i)
		if status, err := post(body, sign(secret, body)); err != nil || status != http.StatusNoContent {
			t.Errorf("call %d: %d, %v", i, status, err)
		}
		if status, err := post(body, sign("forged", body)); err != nil || status != http.StatusUnauthorized {
			t.Errorf("forged call %d: %d, %v", i, status, err)
		}
	}
	transport.CloseIdleConnections()
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"task-0", "task-1", "task-2"}, b.rings); diff != "" {
		t.Errorf("rings (-want +got):\n%s", diff)
	}
	if _, err := post(`{}`, ""); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("after the end a call ends with %v, want a refused connection", err)
	}
}

// A call that hangs holds up the end of a receiver for no longer than the receiver allows.
func TestCloseWaitsForNobody(t *testing.T) {
	t.Parallel()
	b := &bell{}
	r, err := Listen(t.Context(), "127.0.0.1:0", b.options())
	if err != nil {
		t.Fatal(err)
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(t.Context(), "tcp", r.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	// The answer "continue" proves that the call is being read; its body never comes.
	_, err = fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 10\r\n%s: sha256=00\r\n\r\n", bfl.WebhookHeader)
	if err != nil {
		t.Fatal(err)
	}
	head := make([]byte, len("HTTP/1.1 100"))
	if _, err := io.ReadFull(conn, head); err != nil || string(head) != "HTTP/1.1 100" {
		t.Fatalf("%q, %v", head, err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func TestAddressTaken(t *testing.T) {
	t.Parallel()
	first, err := Listen(t.Context(), "127.0.0.1:0", (&bell{}).options())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = first.Close() }()
	if _, err := Listen(context.Background(), first.Address(), (&bell{}).options()); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("the error is %v, want one that says that the address is taken", err)
	}
}

// FuzzHandler sends bodies with a right signature, and with that of another body: the first may
// ring, the second never does.
func FuzzHandler(f *testing.F) {
	f.Add(`{"id":"task-1","status":"Ready","result":{"sample":"https://x/y.png"}}`)
	f.Add(`{"id":"","ID":"b"}`)
	f.Add(`{"id":null}`)
	f.Add(`[{"id":"a"}]`)
	f.Add("{\"id\":\"\xff\"}")
	f.Fuzz(func(t *testing.T, body string) {
		for name, signature := range map[string]string{"genuine": sign(secret, body), "forged": sign(secret, body+" ")} {
			b := &bell{}
			request := httptest.NewRequestWithContext(t.Context(), "POST", "/", strings.NewReader(body))
			request.Header.Set(bfl.WebhookHeader, signature)
			answer := httptest.NewRecorder()
			Handler(b.options()).ServeHTTP(answer, request)
			rang := len(b.rings) == 1 && b.rings[0] != "" && len(b.rings[0]) <= maxID
			if accepted := answer.Code == http.StatusNoContent; accepted != rang || accepted && name == "forged" {
				t.Errorf("%s: the answer is %d, the rings are %q", name, answer.Code, b.rings)
			}
		}
	})
}
