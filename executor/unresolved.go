package executor

import (
	"errors"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// patience is how long a run goes on while no address is found for a provider's host. A name is
// mistyped, or the machine is offline, far more often than it comes back.
const patience = 10 * time.Second

// isUnresolved reports whether a call failed because its host has no address.
func isUnresolved(err error) bool {
	network, ok := errors.AsType[*bfl.NetworkError](err)
	return ok && network.Unresolved()
}

// lostPatience reports whether hosts have not been found for too long, and remembers since when
// they are not.
func (r *run) lostPatience(err error) bool {
	switch {
	case !isUnresolved(err):
		return false
	case r.unresolved.IsZero():
		r.unresolved = time.Now()
	}
	return time.Since(r.unresolved) >= patience
}

// patiently is a delay before another attempt that does not outlast the patience with a host that
// is not found.
func (r *run) patiently(delay time.Duration, err error) time.Duration {
	if !isUnresolved(err) || r.unresolved.IsZero() {
		return delay
	}
	return min(delay, time.Until(r.unresolved.Add(patience)))
}
