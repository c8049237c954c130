package bfl

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"time"
)

// newTransports returns connections for submissions, for polls and other small answers, and for
// downloads.
//
// All of them speak HTTP/1.1. Images arrive about twice as fast over it as over HTTP/2; a body of
// many megabytes cannot hold up another task's; and one connection a request makes it certain
// whether a request that failed had been sent.
func newTransports() (submit, poll, download *http.Transport) {
	// A connection that the other side closes while a POST is on its way leaves open whether the
	// task exists, and was charged. Servers close idle connections after a while, common ones after
	// 5 seconds, so ours are closed before. A handshake costs little beside a task.
	submit = newTransport(2 * time.Second)
	poll = newTransport(60 * time.Second)
	download = newTransport(60 * time.Second)
	// The bytes are wanted as they are stored, and images do not shrink.
	download.DisableCompression = true
	return submit, poll, download
}

// maxIdle bounds the connections that are kept to one host. It is above the number of tasks that
// accounts allow, since one that is closed for want of a place has to be opened again for the next
// call.
const maxIdle = 1024

func newTransport(idle time.Duration) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:                  proxy,
		DialContext:            dial,
		Protocols:              protocols,
		MaxIdleConnsPerHost:    maxIdle,
		IdleConnTimeout:        idle,
		TLSHandshakeTimeout:    15 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// proxy is the environment's proxy. Addresses of this machine never go to one: it would see the key
// in plain text, and its own idea of "localhost" is another machine.
func proxy(req *http.Request) (*url.URL, error) {
	if isLoopback(req.URL.Hostname()) {
		return nil, nil
	}
	return http.ProxyFromEnvironment(req)
}

// dial connects, and makes sure that names of this machine lead to this machine whatever a name
// server says.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if isLoopback(host) {
		if net.ParseIP(host) == nil {
			// Not every resolver knows the names under localhost (RFC 6761, section 6.3).
			address = net.JoinHostPort("localhost", port)
		}
		d.Control = func(_, resolved string, _ syscall.RawConn) error {
			if ip, _, err := net.SplitHostPort(resolved); err != nil || !net.ParseIP(ip).IsLoopback() {
				return errors.New("the name of this machine leads to another one")
			}
			return nil
		}
	}
	return d.DialContext(ctx, network, address)
}
