package vp8

import "math/bits"

// bitWriter is the arithmetic coder (RFC 6386, 7): it writes yes or no, each with its probability.
type bitWriter struct {
	out []byte
	// low and span are the interval; pending counts the bits of low that are still to come before a
	// whole byte can be written, from -8 on, and held the bytes of 255 that a carry may still change.
	low, span uint32
	pending   int
	held      int
}

func newBitWriter(size int) *bitWriter {
	return &bitWriter{out: make([]byte, 0, size), span: 255, pending: -8}
}

// bit writes whether something is so. prob is how likely it is not, in 256ths.
func (w *bitWriter) bit(is bool, prob uint8) {
	split := 1 + (w.span-1)*uint32(prob)>>8
	if is {
		w.low += split
		w.span -= split
	} else {
		w.span = split
	}
	if w.span < 128 {
		shift := bits.LeadingZeros8(uint8(w.span))
		w.span <<= shift
		w.low <<= shift
		if w.pending += shift; w.pending > 0 {
			w.flush()
		}
	}
}

// number writes n bits, the highest first, each as likely as not.
func (w *bitWriter) number(v uint32, n int) {
	for n--; n >= 0; n-- {
		w.bit(v>>n&1 == 1, 128)
	}
}

// flush takes eight bits off low. A carry goes back into the bytes that were written.
func (w *bitWriter) flush() {
	at := 8 + w.pending
	top := w.low >> at
	w.low -= top << at
	w.pending -= 8
	if top&255 == 255 {
		w.held++
		return
	}
	carried := byte(255)
	if top&256 != 0 {
		carried = 0
		if len(w.out) > 0 {
			w.out[len(w.out)-1]++
		}
	}
	for ; w.held > 0; w.held-- {
		w.out = append(w.out, carried)
	}
	w.out = append(w.out, byte(top)) //nolint:gosec // the lower eight bits are meant
}

// finish writes what is left and returns all.
func (w *bitWriter) finish() []byte {
	w.number(0, 9-w.pending)
	w.pending = 0
	w.flush()
	return w.out
}
