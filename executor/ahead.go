package executor

import (
	"math"
	"slices"
	"time"

	"github.com/fluxbatch/fluxbatch/state"
)

// Where records travel to another machine, an intent takes as long as a call, and a slot would be
// empty for as long each time. So the intents of the images that are next are recorded before there
// is a slot for them: of twice as many as end while one is recorded.
//
// A crash leaves such an intent as one without an answer, of which the next plan says that it may
// have been charged. All that are without an answer are never more than the account has slots.

// mostAhead is how old an intent may be when its request is sent. Whoever is stopped for longer may
// have been overtaken by another run that was told of the intent, and has to record again, which
// fails then.
const mostAhead = time.Second

// prepare records the intents of the nodes that are next, where it pays.
func (r *run) prepare() {
	for r.opts.Distant && r.stop == nil {
		var best *lane
		for _, l := range r.lanes {
			if l.preparesMore(r.recording) && (best == nil || before(l.ready[0], best.ready[0])) {
				best = l
			}
		}
		if best == nil || r.holdsBack() {
			return
		}
		if n := best.pop(); r.readied(n) {
			r.recordAhead(n)
		}
	}
}

// preparesMore reports whether one more intent is to be recorded ahead, which takes about as long as
// recording says.
func (l *lane) preparesMore(recording time.Duration) bool {
	a := l.account
	if len(l.ready) == 0 || l.ready[0].resumes() || a.Slots != nil || a.slots.free(l.model) || l.latency.samplings < enoughSamples {
		return false
	}
	ending := float64(a.slots.limit) * recording.Seconds() / l.latency.median()
	return len(l.next) < int(math.Round(2*ending)) && a.unanswered < a.slots.limit
}

// recordAhead records the intent of a node that has no slot yet.
func (r *run) recordAhead(n *node) {
	n.ahead, n.recorded = true, time.Time{}
	n.lane.next = append(n.lane.next, n)
	n.lane.account.unanswered++
	record := r.intent(n)
	r.spawn(func() func() {
		// Another run may be told of the intent from then on, whenever this one hears of it.
		began := time.Now()
		took, err := record()
		return func() {
			r.tookToRecord(took)
			switch {
			case err != nil:
				n.lane.account.unanswered--
				r.notRecorded(n, err)
			case n.phase == over:
				r.withdraw(n)
			default:
				n.recorded = began
				if n.holdsSlot {
					r.submit(n)
				}
			}
		}
	})
}

// isFresh reports whether the intent of a node may still be acted on. Both clocks are asked: one
// stands still while the machine sleeps, and the other one can be set.
func (n *node) isFresh() bool {
	now := time.Now()
	return n.ahead && now.Sub(n.recorded) < mostAhead && now.Round(0).Sub(n.recorded.Round(0)) < mostAhead
}

// withdraw takes back an intent on which nobody acted.
func (r *run) withdraw(n *node) {
	key := n.record.Key
	n.ahead = false
	n.lane.account.unanswered--
	r.budget.refund(n.price)
	r.spawn(func() func() {
		// Where this fails, the next plan is more careful than it need be.
		_ = r.opts.Journal.Append(notSent(key))
		return func() {}
	})
}

func notSent(key string) state.Failed { return state.Failed{Key: key, Reason: "it was not sent"} }

// tookToRecord learns how long an intent takes.
func (r *run) tookToRecord(took time.Duration) {
	if r.recording == 0 {
		r.recording = took
	}
	r.recording += (took - r.recording) / 8
}

// head is the node of a lane that is next, nil where there is none: first those whose intents are on
// record already.
func (l *lane) head() *node {
	l.next = slices.DeleteFunc(l.next, func(n *node) bool { return n.phase != waiting })
	switch {
	case len(l.next) > 0:
		return l.next[0]
	case len(l.ready) > 0:
		return l.ready[0]
	}
	return nil
}
