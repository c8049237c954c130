package s3

import (
	"context"
	"net/http"
	"sync"
	"time"
)

const (
	// silentFor is after how long it is told that a store does not answer.
	silentFor = 10 * time.Second
	// mostSilent is after how long it is asked again.
	mostSilent = 30 * time.Second
	// longBody is from how many bytes on a request is a transfer, which is told of as one.
	longBody = 1 << 20
)

// Silence says that a store has not answered a request yet.
type Silence struct {
	// Store is its address, scheme and host.
	Store string
	For   time.Duration
}

type silenceKey struct{}

// ReportSilence returns a context under which a function is told of stores that do not answer. It may be
// called by several goroutines at once.
func ReportSilence(ctx context.Context, tell func(Silence)) context.Context {
	return context.WithValue(ctx, silenceKey{}, tell)
}

// patient is a transport that tells when a store does not answer.
type patient struct {
	http.RoundTripper

	mu   sync.Mutex
	told time.Time
}

// RoundTrip makes one request.
func (p *patient) RoundTrip(r *http.Request) (*http.Response, error) {
	if tell, ok := r.Context().Value(silenceKey{}).(func(Silence)); ok && r.ContentLength < longBody {
		defer time.AfterFunc(silentFor, func() {
			if p.isNews(time.Now()) {
				tell(Silence{r.URL.Scheme + "://" + r.URL.Host, silentFor})
			}
		}).Stop()
	}
	return p.RoundTripper.RoundTrip(r)
}

// isNews reports whether nobody was told lately: many requests may wait for one store.
func (p *patient) isNews(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Sub(p.told) < silentFor {
		return false
	}
	p.told = now
	return true
}
