// Package webhook receives the API's calls that say that a task has ended.
//
// A webhook is a doorbell: it says that looking at a task is worth while now. Whoever knows its
// address can call it, calls get lost, come twice and come late. So a call counts only with the
// signature of its body, and then for nothing but the id of its task; what became of the task is
// asked of the API itself. What a receiver drops, for whatever reason, costs time and nothing else.
package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/netutil"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// Bounds of what strangers can make a receiver do. The API's own calls are far below all of them.
const (
	// MaxBody is how many bytes of a call are read.
	MaxBody        = 64 << 10
	maxHeader      = 16 << 10
	maxID          = 256
	maxConnections = 128
	headerTimeout  = 5 * time.Second
	callTimeout    = 10 * time.Second
	idleTimeout    = time.Minute
	// closeTimeout is how long calls that are being answered have when the receiver is closed.
	closeTimeout = 2 * time.Second
)

// Options say whose calls count, and who is told of them.
type Options struct {
	// Secret is the one that the API was given to sign with. Without one no call is genuine.
	Secret string
	// Ring is told the id of the task of each genuine call. Calls wait for it, so it must return at
	// once. It is called concurrently.
	Ring func(id string)
	// Refused, when not nil, is told why a call did not count, for a log: in words of this package,
	// and nothing of the call. It is called concurrently.
	Refused func(reason string)
}

// Handler returns what answers calls: 204 to those that are genuine, and an error to all others.
func Handler(o Options) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, refusal := o.read(w, r)
		if refusal == nil {
			o.Ring(id)
			w.WriteHeader(http.StatusNoContent)
			return
		}
		if o.Refused != nil {
			o.Refused(refusal.reason)
		}
		if refusal.status == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", http.MethodPost)
		}
		// Why is nobody's business who calls without the secret.
		http.Error(w, http.StatusText(refusal.status), refusal.status)
	})
}

// refusal is why a call does not count.
type refusal struct {
	status int
	reason string
}

// read returns the task that a call is about, if it is genuine.
func (o Options) read(w http.ResponseWriter, r *http.Request) (string, *refusal) {
	if r.Method != http.MethodPost {
		return "", &refusal{http.StatusMethodNotAllowed, "it is not a POST"}
	}
	signature := r.Header.Get(bfl.WebhookHeader)
	if signature == "" {
		return "", &refusal{http.StatusUnauthorized, "it has no " + bfl.WebhookHeader + " header"}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return "", &refusal{http.StatusRequestEntityTooLarge, fmt.Sprintf("its body is longer than %d bytes", MaxBody)}
	}
	if err != nil {
		return "", &refusal{http.StatusBadRequest, "its body broke off"}
	}
	if !bfl.VerifyWebhook(o.Secret, body, signature) {
		return "", &refusal{http.StatusUnauthorized, "its signature is wrong"}
	}
	id, ok := taskOf(body)
	if !ok {
		return "", &refusal{http.StatusBadRequest, "it names no task"}
	}
	return id, nil
}

// taskOf reads the id of the task that a call's body is about. The rest of the body is not looked
// at.
func taskOf(body []byte) (string, bool) {
	var call struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(body, &call); err != nil {
		return "", false
	}
	return call.ID, call.ID != "" && len(call.ID) <= maxID
}

// Receiver is a server for calls. It runs until Close.
type Receiver struct {
	listener net.Listener
	server   *http.Server
	ended    chan error
}

// Listen starts a receiver at an address, "host:port". Calls are answered at any path: what leads
// to the address may have changed it. It fails with a *net.OpError where the address cannot be
// listened at.
func Listen(ctx context.Context, address string, o Options) (*Receiver, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	r := &Receiver{
		listener: listener,
		server: &http.Server{
			Handler:           Handler(o),
			ReadHeaderTimeout: headerTimeout,
			ReadTimeout:       callTimeout,
			WriteTimeout:      callTimeout,
			IdleTimeout:       idleTimeout,
			MaxHeaderBytes:    maxHeader,
			// What strangers send is no news.
			ErrorLog: log.New(io.Discard, "", 0),
		},
		ended: make(chan error, 1),
	}
	go func() { r.ended <- r.server.Serve(netutil.LimitListener(listener, maxConnections)) }()
	return r, nil
}

// Address is where the receiver listens.
func (r *Receiver) Address() string { return r.listener.Addr().String() }

// Close ends the receiver. Calls that are being answered are finished, unless they take long. It
// must be called once.
func (r *Receiver) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	err := r.server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = r.server.Close()
	}
	if ended := <-r.ended; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}
