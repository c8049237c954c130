// Package simtest starts simulators and clients of them for tests, with which they end.
package simtest

import (
	"net/http/httptest"
	"testing"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/simulator"
)

// New returns a simulator.
func New(tb testing.TB, o simulator.Options) *simulator.Simulator {
	tb.Helper()
	sim, err := simulator.New(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := sim.Close(); err != nil {
			tb.Error(err)
		}
	})
	return sim
}

// Client returns a client of a simulator inside the process. Where the options name no key or no
// transport, it has one that the simulator takes.
func Client(tb testing.TB, sim *simulator.Simulator, o bfl.ClientOptions) *bfl.Client {
	tb.Helper()
	o.BaseURL = simulator.BaseURL
	if o.Key == "" {
		o.Key = "any"
	}
	if o.HTTP == nil {
		o.HTTP = sim.Transport()
	}
	client, err := bfl.NewClient(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(client.Close)
	return client
}

// Serve returns a simulator, and where it listens on loopback.
func Serve(tb testing.TB, o simulator.Options) (sim *simulator.Simulator, url string) {
	tb.Helper()
	sim = New(tb, o)
	server := httptest.NewServer(sim)
	tb.Cleanup(server.Close)
	return sim, server.URL
}
