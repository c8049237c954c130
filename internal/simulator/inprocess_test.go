package simulator

import (
	"errors"
	"net"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestTransportReachesNothingElse(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	for host, want := range map[string]bool{
		memoryHost: true, "eu2." + memoryHost: true, "localhost": false, "not" + memoryHost: false, "api.bfl.ai": false,
	} {
		r, err := b.send(http.MethodGet, "http://"+host+"/v1/get_result?id=x", "")
		if (err == nil) != want || want && r.status != 200 {
			t.Errorf("%s: %d, %v", host, r.status, err)
		}
	}
}

func TestTransportAfterClose(t *testing.T) {
	t.Parallel()
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{s, t, s.Client()}
	b.do(http.MethodGet, "/v1/get_result?id=x", "")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.send(http.MethodGet, "/v1/get_result?id=x", ""); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("after Close: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("a second Close: %v", err)
	}
}

func TestTransportIsNewAfterCloseOnly(t *testing.T) {
	t.Parallel()
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	b := &bench{s, t, s.Client()}
	if _, err := b.send(http.MethodGet, "/", ""); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("%v", err)
	}
}

func TestCloseEndsWhatWaits(t *testing.T) {
	t.Parallel()
	s, err := New(Options{Faults: []Fault{{On: Poll, Effect: EffectSlow, Delay: time.Hour}}})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{s, t, s.Client()}
	a := b.order("flux-2-pro", `{"prompt": "a"}`)
	var wg sync.WaitGroup
	wg.Go(func() {
		// Whether the answer still comes through is a matter of chance; that the call ends is what
		// counts.
		_, _ = b.send(http.MethodGet, a.PollingURL, "")
	})
	for b.Stats().Faults == 0 {
		b.do(http.MethodGet, "/v1/credits", "", "X-Key", "k")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	wg.Wait()
}

func TestManyClients(t *testing.T) {
	t.Parallel()
	b := start(t, Options{Concurrency: 1000})
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			for range 4 {
				b.picture(b.order("flux-2-pro", `{"prompt": "a", "width": 64, "height": 64}`))
			}
		})
	}
	wg.Wait()
	if got := b.Stats(); got.Submissions != 128 || got.Downloads != 128 {
		t.Errorf("%+v", got)
	}
}

func TestResetIsSeenAsOne(t *testing.T) {
	t.Parallel()
	l := &memoryListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	var server net.Conn
	accepted := make(chan error)
	go func() {
		var err error
		server, err = l.Accept()
		accepted <- err
	}()
	client, err := l.dial(t.Context(), "tcp", memoryHost+":80")
	if err := errors.Join(err, <-accepted); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() }) // it was reset
	server.(*memoryConn).abort()
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("reading: %v", err)
	}
	if _, err := client.Write(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("writing: %v", err)
	}
}
