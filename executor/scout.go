package executor

import "time"

// While nothing is known of a model's latency, one of its tasks is looked at often, and tells when
// to look at the others, which are looked at seldom until then.

// scoutGap is how long it is at least between two looks at a scout.
const scoutGap = 50 * time.Millisecond

// gap is how long to wait before looking again at a node's task.
func (l *lane) gap(n *node, elapsed time.Duration) time.Duration {
	gap := l.latency.next(elapsed)
	if l.latency.samplings > 0 {
		l.scout = nil
		return gap
	}
	if l.scout == nil || l.scout.phase != active {
		l.scout = n
	}
	if l.scout == n && elapsed > 0 {
		gap = min(gap, max(scoutGap, elapsed/8))
	}
	return gap
}

// follow arranges the looks at the other tasks of a lane anew, now that the first one of it was seen
// to end: those that are as old are looked at at once.
func (r *run) follow(first *node, latency time.Duration) {
	for _, n := range r.nodes {
		if n == first || n.lane != first.lane || n.phase != active || n.looking || n.patient {
			continue
		}
		if elapsed := time.Since(n.submitted); elapsed >= latency {
			r.poll(n)
		} else {
			r.pollLater(n, min(latency-elapsed, n.lane.latency.next(elapsed)))
		}
	}
}
