package simulator

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"time"
)

// suffer lets a fault happen to an answer. It reports whether the answer is given, or is the
// problem returned; otherwise the request goes on. The truth is what the answer would have been.
func (s *Simulator) suffer(f *Fault, w http.ResponseWriter, r *http.Request, truth any) (done bool, p *problem) {
	switch f.Effect {
	case EffectHTTP:
		return true, f.problem()
	case EffectGateway:
		return true, &problem{status: f.Status, page: gatewayPage}
	case EffectQuota:
		return true, &problem{status: http.StatusTooManyRequests, body: map[string]any{"error": map[string]string{
			"code": "insufficient_quota", "message": "You exceeded your current quota, please check your plan and billing details.",
		}}}
	case EffectReset:
		hangUp(w)
		return true, nil
	case EffectSlow:
		s.wait(r.Context(), f.delay())
		return false, nil
	case EffectHTML:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		// A client that went away does not need the answer.
		_, _ = w.Write([]byte(gatewayPage))
		return true, nil
	case EffectCorrupt:
		text := encode(truth)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(append(text[:len(text)/2:len(text)/2], "\x00}]"...)) // as above
		return true, nil
	case EffectTruncated:
		w.Header().Set("Content-Type", "application/json")
		cutShort(w, encode(truth))
		return true, nil
	default:
		return false, nil
	}
}

const gatewayPage = `<!DOCTYPE html>
<html><head><title>Just a moment</title></head>
<body><h1>Just a moment</h1><p>This page stands where JSON was expected.</p></body></html>
`

// problem returns the answer of EffectHTTP.
func (f *Fault) problem() *problem {
	text := "The simulator was told to answer so."
	if known := http.StatusText(f.Status); known != "" {
		text = known
	}
	body := map[string]any{"detail": text}
	p := &problem{status: f.Status, body: body}
	if f.RetryAfter == 0 {
		return p
	}
	seconds := int(f.RetryAfter.Seconds())
	if f.RetryInBody {
		body["retry_after"] = seconds
	} else {
		p.headers = []string{"Retry-After", strconv.Itoa(seconds)}
	}
	return p
}

// wait lets time pass, or returns early when the client or the simulator goes away.
func (s *Simulator) wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-s.closing.Done():
	}
}

// hangUp resets the connection without an answer.
func hangUp(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		// HTTP/2 and recorders have no connection to reset; this ends the stream.
		panic(http.ErrAbortHandler)
	}
	switch c := conn.(type) {
	case *memoryConn:
		c.abort()
	case *net.TCPConn:
		// Without lingering, closing sends a reset. When that cannot be set, closing alone has to
		// do.
		_ = c.SetLinger(0)
	}
	// The connection is being thrown away.
	_ = conn.Close()
}

// cutShort announces all of a body, sends half of it and closes the connection.
func cutShort(w http.ResponseWriter, body []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	// The connection is about to break, so that errors make no difference.
	_, _ = w.Write(body[:len(body)/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}
