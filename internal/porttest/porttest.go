// Package porttest finds ports for tests that listen later than they name the port, or again.
package porttest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// Of all ports, these are given to nobody who asks the system for any. A port of those would be
// another connection's, on a busy machine, while nobody listens there.
const first, count = 10_000, 20_000

// Find returns a port of loopback at which nobody listens now.
func Find(tb testing.TB) int {
	tb.Helper()
	for range 100 {
		port := first + rand.IntN(count) //nolint:gosec // nobody is to be kept from guessing it
		var config net.ListenConfig
		listener, err := config.Listen(tb.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		if err := listener.Close(); err != nil {
			tb.Fatal(err)
		}
		return port
	}
	tb.Fatal("no port is free")
	return 0
}
