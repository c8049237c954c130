package slots

import (
	"cmp"
	"slices"
	"strings"
)

// contender is a run that wants slots: how many it could use now, and how many tasks it has left.
type contender struct {
	id           string
	demand, left int
}

// share is how many slots this run may have: as many as any other that wants as many, and what a run
// does not want goes to the others. The caller has mu.
func (p *Pool) share() int {
	// It may take what it does not want yet. What it has left is what the others think it has, or
	// each would find others to come before it.
	all := []contender{{p.id, max(p.held+p.waiting, p.options.Concurrency), p.told.Left}}
	prefix := p.options.Account + ".run."
	for key, s := range p.seen {
		if s.member == nil || p.age(s) >= p.options.dead {
			continue
		}
		if id := strings.TrimPrefix(key, prefix); id != p.id {
			all = append(all, contender{id, s.member.Demand, s.member.Left})
		}
	}
	return shareOf(p.id, all, p.options.Concurrency)
}

// shareOf parts slots among contenders, and returns the part of one of them, which is one at least.
// All who are told the same part them in the same way.
func shareOf(id string, all []contender, slots int) int {
	if len(all) == 1 {
		return max(1, slots)
	}
	// Who has most left comes first, and has what remains when parts are made whole.
	slices.SortFunc(all, func(a, b contender) int {
		return cmp.Or(cmp.Compare(b.left, a.left), cmp.Compare(a.id, b.id))
	})
	parts := levels(all, float64(slots))
	remains, share := slots, 0
	for _, part := range parts {
		remains -= int(part)
	}
	for i, c := range all {
		whole := int(parts[i])
		if remains > 0 && whole < c.demand {
			whole++
			remains--
		}
		if c.id == id {
			share = whole
		}
	}
	return max(1, share)
}

// levels fills contenders up to a level that is the same for all, each times its weight, or to what
// it wants where that is less.
func levels(all []contender, slots float64) []float64 {
	parts, weights := make([]float64, len(all)), weigh(all)
	var open float64
	for _, w := range weights {
		open += w
	}
	for isFull := false; !isFull && open > 0; {
		isFull = true
		level := slots / open
		for i, c := range all {
			if weights[i] > 0 && float64(c.demand) <= level*weights[i] {
				parts[i] = float64(c.demand)
				slots, open, weights[i] = slots-parts[i], open-weights[i], 0
				isFull = false
			}
		}
	}
	for i, w := range weights {
		if w > 0 {
			// A third of three slots is not to be a little less than one.
			parts[i] = slots/open*w + 1e-9
		}
	}
	return parts
}

// Runs with about as much left are to end together: the first to come has all slots until the
// second one is there, and would end as much earlier. Who has much less left than the others has a
// small thing to do, and waits no longer than need be.
const (
	nearlyEqual = 0.9
	leastWeight = 0.75
	muchLess    = 0.5
)

// weigh returns how much of an equal part each of the contenders is to have.
func weigh(all []contender) []float64 {
	weights := make([]float64, len(all))
	var mean float64
	for _, c := range all {
		mean += float64(c.left) / float64(len(all))
	}
	for i, c := range all {
		weights[i] = 1
		switch left := float64(c.left) / max(mean, 1); {
		case left >= nearlyEqual:
		case left >= muchLess:
			weights[i] = max(left, leastWeight)
		default:
			weights[i] = 1 - left*(1-leastWeight)/muchLess
		}
	}
	return weights
}

// oneLess takes in that a task was seen to end.
func (p *Pool) oneLess() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left = max(0, p.left-1)
}
