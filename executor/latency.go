package executor

import (
	"math"
	"time"
)

// latency learns how long one model's tasks take, and says when looking at one is worth while.
// Owned by the coordinator.
//
// Latencies are fitted to a lognormal distribution. Between two polls of a task, the integral of
// the square root of its hazard rate (how likely it is to end right now, given that it has not yet)
// is constant: polls are dense where tasks tend to end, and sparse where they do not. Among
// schedules with the same number of polls this one has the least expected delay.
type latency struct {
	n         float64 // weight of the samples so far
	mean, sq  float64 // weighted mean of their logarithms, and of the squared deviations
	samplings int
}

const (
	// enoughSamples is how many tasks must have ended before their latencies are trusted.
	enoughSamples = 5
	// memory is the weight of past samples, about their number: enough for a steady fit, few enough
	// to follow a drift.
	memory = 40
	// density is the constant of the schedule in units of the square root of the median latency. A
	// smaller one polls more often.
	density = 0.125
	// leastSigma keeps a run of equal latencies from making the model so certain that a slower task
	// is hardly looked at.
	leastSigma = 0.15
	// guessedSigma is about what models have, until enough is known of this one.
	guessedSigma = 0.4
)

// The first look at a task, and bounds between two, while nothing is known of its model's
// latencies.
const (
	firstLook     = 100 * time.Millisecond
	leastBlindGap = 250 * time.Millisecond
	mostBlindGap  = 2 * time.Second
)

// Bounds between two polls of one task.
const (
	leastPollGap = 20 * time.Millisecond
	mostPollGap  = 10 * time.Second
)

// add records that a task ended between two moments after its submission: it was still active at
// the first, and over at the second.
func (l *latency) add(active, over time.Duration) {
	// The middle of the interval: taking its end would add the schedule's own delay to what it
	// learns.
	x := math.Log(max((active+over).Seconds()/2, 1e-3))
	l.samplings++
	l.n = min(l.n+1, memory)
	delta := x - l.mean
	l.mean += delta / l.n
	l.sq += (delta*(x-l.mean) - l.sq) / l.n
}

// median is that of the tasks that ended, in seconds.
func (l *latency) median() float64 { return math.Exp(l.mean) }

// next returns how long to wait before looking at a task that was active elapsed after its
// submission.
func (l *latency) next(elapsed time.Duration) time.Duration {
	if l.samplings == 0 {
		// Nothing is known. A quarter of the time waited so far is a delay that nobody minds. Only
		// the first look comes soon, for models that are fast: all the slots' tasks are looked at
		// like this.
		if elapsed == 0 {
			return firstLook
		}
		return min(max(elapsed/4, leastBlindGap), mostBlindGap)
	}
	sigma, least := max(math.Sqrt(l.sq), leastSigma), leastPollGap
	if l.samplings < enoughSamples {
		// The few that are known may be far from the others, for which it then looks no less seldom
		// than this.
		sigma, least = max(sigma, guessedSigma), max(leastPollGap, elapsed/6)
	}
	median := l.median()
	left := density * math.Sqrt(median)
	step := median / 64
	t := elapsed.Seconds()
	for end := t + mostPollGap.Seconds(); left > 0 && t < end; t += step {
		left -= math.Sqrt(hazard(t+step/2, l.mean, sigma)) * step
	}
	gap := time.Duration((t - elapsed.Seconds()) * float64(time.Second))
	return min(max(gap, least), mostPollGap)
}

// Bounds between two looks at a task that somebody is expected to ring for.
const (
	firstPatience = 10 * time.Second
	leastPatience = time.Second
	mostPatience  = time.Minute
)

// patience is like next for a task that somebody is expected to ring for when it ends. A look
// before that is wasted, so that nearly all tasks should have ended before the first one; after
// that, a half of the time waited so far is a delay for those whose ring was lost.
func (l *latency) patience(elapsed time.Duration) time.Duration {
	gap := elapsed / 2
	switch {
	case elapsed > 0:
	case l.samplings < enoughSamples:
		gap = firstPatience
	default:
		// Two standard deviations above the median are behind 98 of 100 tasks; the ring has a
		// second to arrive.
		sigma := max(math.Sqrt(l.sq), leastSigma)
		usual := math.Min(math.Exp(l.mean+2*sigma), mostPatience.Seconds())
		gap = time.Duration(usual*float64(time.Second)) + leastPatience
	}
	return min(max(gap, leastPatience), mostPatience)
}

// hazard is the hazard rate, per second, of a lognormal distribution at t seconds.
func hazard(t, mean, sigma float64) float64 {
	z := (math.Log(t) - mean) / sigma
	if z > 6 {
		// The survival function underflows; the hazard's asymptote is z / (t sigma).
		return z / (t * sigma)
	}
	density := math.Exp(-z*z/2) / (math.Sqrt(2*math.Pi) * t * sigma)
	survival := math.Erfc(z/math.Sqrt2) / 2
	return density / survival
}
