package vp8

import (
	"math/bits"
	"sync"
)

// token is a decision and which probability it goes by. Those whose probability is fixed carry it
// themselves.
type token uint16

const (
	tokenIs    token = 1 << 15
	tokenFixed token = 1 << 14
)

// tokens are those of one partition, with what is counted of them.
type tokens struct {
	list   []token
	counts *[allProbs][2]uint32
}

func (t *tokens) add(at int, is bool) bool {
	next := token(at) //nolint:gosec // below allProbs
	if is {
		next |= tokenIs
		t.counts[at][1]++
	} else {
		t.counts[at][0]++
	}
	t.list = append(t.list, next)
	return is
}

func (t *tokens) fixed(prob uint8, is bool) {
	next := tokenFixed | token(prob)
	if is {
		next |= tokenIs
	}
	t.list = append(t.list, next)
}

// block writes the levels of a block, in the order in which they are written, from the first on (13.2).
// context counts the neighbours, above and left, that have any. It reports whether this one has.
func (t *tokens) block(plane, context, first int, levels *[16]int32) bool {
	last := 15
	for last >= first && levels[last] == 0 {
		last--
	}
	at := plane*ofPlane + bands[first]*ofBand + context*probs
	if !t.add(at, last >= first) {
		return false
	}
	for n := first; n <= last; n++ {
		size := abs(levels[n])
		next := plane*ofPlane + bands[n+1]*ofBand
		if !t.add(at+1, size > 0) {
			at = next
			continue
		}
		if !t.add(at+2, size > 1) {
			next += probs
		} else {
			t.large(at, size)
			next += 2 * probs
		}
		t.fixed(128, levels[n] < 0)
		if at = next; n < 15 {
			t.add(at, n < last)
		}
	}
	return true
}

// large writes a size of 2 and more.
func (t *tokens) large(at int, size int32) {
	switch {
	case !t.add(at+3, size > 4):
		if t.add(at+4, size > 2) {
			t.add(at+5, size > 3)
		}
	case !t.add(at+6, size > 10):
		if !t.add(at+7, size > 6) {
			t.fixed(159, size == 6)
			return
		}
		t.fixed(165, (size-7)&2 != 0)
		t.fixed(145, (size-7)&1 != 0)
	default:
		category := 0
		for category < 3 && size >= 3+16<<category {
			category++
		}
		t.add(at+8, category >= 2)
		t.add(at+9+category/2, category&1 == 1)
		size -= 3 + 8<<category
		extra := extraBits[category]
		for i, prob := range extra {
			t.fixed(prob, size>>(len(extra)-1-i)&1 == 1)
		}
	}
}

// write writes the tokens by their probabilities.
func (t *tokens) write(probs *[allProbs]uint8) []byte {
	w := newBitWriter(len(t.list) / 6)
	for _, next := range t.list {
		if next&tokenFixed != 0 {
			w.bit(next&tokenIs != 0, uint8(next&255))
		} else {
			w.bit(next&tokenIs != 0, probs[next&(tokenFixed-1)])
		}
	}
	return w.finish()
}

// fit returns the probabilities that the tokens have, where telling them costs less than it saves, and
// tells them.
func fit(w *bitWriter, counts *[allProbs][2]uint32) *[allProbs]uint8 {
	probs := defaultProbs
	for i := range probs {
		no, yes := uint64(counts[i][0]), uint64(counts[i][1])
		own, stays := probs[i], updateProbs[i]
		if no+yes > 0 {
			own = uint8(max(255-yes*255/(no+yes), 1))
		}
		before := no*cost(probs[i]) + yes*cost(^probs[i]+1) + cost(stays)
		after := no*cost(own) + yes*cost(^own+1) + cost(^stays+1) + 8*unitCost
		isNew := own != probs[i] && after < before
		if w.bit(isNew, stays); isNew {
			w.number(uint32(own), 8)
			probs[i] = own
		}
	}
	return &probs
}

// unitCost is the cost of a bit.
const unitCost = 256

// costs are what it costs to write what is this likely, in 256ths of a bit.
var costs = sync.OnceValue(costTable)

func cost(prob uint8) uint64 { return costs()[prob] }

// costTable computes logarithms bit by bit: squaring a number doubles its logarithm. What cannot be
// counts as the least likely.
func costTable() *[256]uint64 {
	var table [256]uint64
	for p := 1; p < 256; p++ {
		whole := bits.Len(uint(p)) - 1
		x := uint64(p) << (31 - whole)
		fraction := uint64(0)
		for range 8 {
			x = x * x >> 31
			fraction <<= 1
			if x >= 1<<32 {
				x >>= 1
				fraction |= 1
			}
		}
		table[p] = uint64(8-whole)*unitCost - fraction //nolint:gosec // whole is at most 7
	}
	table[0] = 8 * unitCost
	return &table
}
