package simulator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// BaseURL is where Transport finds the simulator. Hosts below it, such as eu2.simulator.localhost,
// are the simulator too.
const BaseURL = "http://" + memoryHost

const memoryHost = "simulator.localhost"

// Transport returns a transport that carries requests for BaseURL to the simulator inside the
// process, and refuses those for any other host: no network is used. A real HTTP server answers
// over connections in memory, so that chunks, resets and bodies that end early are what they are on
// a network. Close ends it.
func (s *Simulator) Transport() http.RoundTripper {
	return s.net.start(s)
}

// Client returns a client that reaches the simulator inside the process at BaseURL. Redirects are
// not followed, since the API has none.
func (s *Simulator) Client() *http.Client {
	return &http.Client{
		Transport:     s.Transport(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// inProcess serves a simulator over connections in memory, from its first use on.
type inProcess struct {
	mu        sync.Mutex
	listener  *memoryListener
	server    *http.Server
	transport *http.Transport
	served    chan struct{}
	conns     sync.WaitGroup
}

// bufferSize of in-memory connections. There is no kernel to buffer anything, so that small buffers
// cost a switch of goroutines for each filling.
const bufferSize = 64 << 10

func (n *inProcess) start(s *Simulator) *http.Transport {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.transport != nil {
		return n.transport
	}
	n.listener = &memoryListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	n.server = &http.Server{
		Handler:           s,
		ReadHeaderTimeout: time.Minute,
		BaseContext:       func(net.Listener) context.Context { return s.closing },
		ConnState:         n.track,
		// It would complain of connections that faults break on purpose.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	n.transport = &http.Transport{
		DialContext:         n.listener.dial,
		MaxIdleConnsPerHost: 64,
		ReadBufferSize:      bufferSize,
		WriteBufferSize:     bufferSize,
	}
	n.served = make(chan struct{})
	if s.closing.Err() != nil {
		close(n.served)
		// A listener in memory closes without an error.
		_ = n.listener.Close()
		return n.transport
	}
	go func() {
		defer close(n.served)
		// It always returns an error, here that the server was closed.
		_ = n.server.Serve(n.listener)
	}()
	return n.transport
}

func (n *inProcess) track(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		n.conns.Add(1)
	case http.StateClosed, http.StateHijacked:
		n.conns.Done()
	}
}

func (n *inProcess) stop() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.server == nil {
		return nil
	}
	err := n.server.Close()
	n.transport.CloseIdleConnections()
	<-n.served
	n.conns.Wait()
	return err
}

// memoryListener accepts connections that dial makes.
type memoryListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *memoryListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *memoryListener) Addr() net.Addr { return memoryAddr{} }

func (l *memoryListener) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	if host != memoryHost && !strings.HasSuffix(host, "."+memoryHost) {
		return nil, &net.OpError{Op: "dial", Net: network, Err: fmt.Errorf("%s is not the simulator at %s", host, BaseURL)}
	}
	client, server := net.Pipe()
	reset := new(atomic.Bool)
	select {
	case l.conns <- &memoryConn{server, reset}:
		return &memoryConn{client, reset}, nil
	case <-l.closed:
		err = &net.OpError{Op: "dial", Net: network, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	case <-ctx.Done():
		err = ctx.Err()
	}
	return nil, errors.Join(err, client.Close(), server.Close())
}

type memoryAddr struct{}

func (memoryAddr) Network() string { return "memory" }
func (memoryAddr) String() string  { return memoryHost + ":80" }

// memoryConn is one end of a connection in memory. Unlike net.Pipe's it can be reset.
type memoryConn struct {
	net.Conn
	reset *atomic.Bool // shared by both ends
}

// abort makes the other end see a reset instead of an end.
func (c *memoryConn) abort() { c.reset.Store(true) }

func (c *memoryConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	return n, c.explain("read", err)
}

func (c *memoryConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	return n, c.explain("write", err)
}

func (c *memoryConn) explain(op string, err error) error {
	if err != nil && c.reset.Load() {
		return &net.OpError{Op: op, Net: "memory", Err: os.NewSyscallError(op, syscall.ECONNRESET)}
	}
	return err
}
