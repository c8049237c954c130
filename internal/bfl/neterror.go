package bfl

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"syscall"
)

// NetworkError is a call that got no answer: the name is unknown, the connection is refused or
// breaks, time runs out, or the context is cancelled.
type NetworkError struct {
	// Host is who was called.
	Host string
	// Err is the cause; errors.Is finds the context's error in it.
	Err error

	reason string
}

func (e *NetworkError) Error() string {
	if errors.Is(e.Err, context.DeadlineExceeded) {
		return e.Host + " did not answer in time"
	}
	if dns, ok := errors.AsType[*net.DNSError](e.Err); ok {
		return fmt.Sprintf("the host %s is not found (%s)", e.Host, dns.Err)
	}
	if errors.Is(e.Err, syscall.ECONNREFUSED) {
		return e.Host + " refuses the connection"
	}
	return fmt.Sprintf("the connection to %s failed: %s", e.Host, e.reason)
}

// Unresolved reports whether no address is known for the host: it is mistyped, or this machine is
// offline.
func (e *NetworkError) Unresolved() bool {
	_, ok := errors.AsType[*net.DNSError](e.Err)
	return ok
}

// Unwrap returns the cause.
func (e *NetworkError) Unwrap() error { return e.Err }

// Retryable reports whether another attempt can help. It cannot where the other side proves to be
// someone else, or where the call was cancelled.
func (e *NetworkError) Retryable() bool {
	var certificate *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	return !errors.Is(e.Err, context.Canceled) && !errors.As(e.Err, &certificate) && !errors.As(e.Err, &authority)
}

func (c *Client) networkError(u *url.URL, err error) error {
	return &NetworkError{Host: u.Hostname(), Err: err, reason: c.clean(err.Error())}
}

// RedirectError is an answer that sends a call elsewhere. API calls carry the key and are never
// redirected; downloads are, a few times.
type RedirectError struct {
	StatusCode int
	// To is the host that the answer names.
	To string
}

func (e *RedirectError) Error() string {
	return fmt.Sprintf("the answer is a redirect to %s (status %d), which is not followed", e.To, e.StatusCode)
}

// Retryable reports that another attempt does not help: the other side says where it is not.
func (e *RedirectError) Retryable() bool { return false }
