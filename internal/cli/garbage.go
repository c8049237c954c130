package cli

import (
	"runtime"
	"runtime/debug"
)

// A plan keeps most of what it makes, on one processor. Go's collector, which by default begins when four megabytes are in
// use and then each time that doubles, would go over the little that there is a dozen times, and at the end leave as much
// garbage as is kept.
const (
	// ballast is memory that is never touched, so that it takes none from the system, and yet counts as in use: the
	// collector begins later.
	ballast = 96 << 20
	// ballastPercent is how much memory may grow, in percent of what is in use, before the collector runs. With the
	// ballast that is 24 MB and a quarter of what is kept.
	ballastPercent = 25
)

// collectForPlans makes the collector run when that pays in a plan, until the function that it returns is called.
func collectForPlans() (restore func()) {
	weight := make([]byte, ballast)
	before := debug.SetGCPercent(ballastPercent)
	return func() {
		debug.SetGCPercent(before)
		runtime.KeepAlive(weight)
	}
}
