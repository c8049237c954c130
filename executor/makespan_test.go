package executor_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

// The account of the measurements in simulated time, and the usual batch.
const (
	scheduleSlots  = 24
	scheduleImages = 480
)

// latencyLaw draws how long each of a batch's tasks takes, in seconds.
type latencyLaw func(n int, random *rand.Rand) float64

// lognormal has a median in seconds and a spread.
func lognormal(median, sigma float64) latencyLaw {
	return func(_ int, random *rand.Rand) float64 { return median * math.Exp(sigma*random.NormFloat64()) }
}

// bimodal is a model whose tasks take three seconds, or twelve where they are queued or upsampled.
func bimodal(n int, random *rand.Rand) float64 {
	if random.Float64() < 0.3 {
		return lognormal(12, 0.2)(n, random)
	}
	return lognormal(3, 0.2)(n, random)
}

// drifting has medians from one to another in the course of the batch.
func drifting(from, to float64) latencyLaw {
	return func(n int, random *rand.Rand) float64 {
		return lognormal(from+(to-from)*float64(n)/scheduleImages, 0.4)(n, random)
	}
}

// schedule is what became of a batch in simulated time.
type schedule struct {
	// makespan is in units of the ideal one, polls are those of an image.
	makespan, polls float64
	refused         int
}

// runSchedule makes a batch in simulated time, and compares it with the schedule of somebody who
// knows when tasks end and needs no time to submit the next one.
func runSchedule(t *testing.T, law latencyLaw, images int, roundTrip time.Duration, seed uint64) (s schedule) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 1))
	latencies := make([]time.Duration, images)
	for n := range latencies {
		latencies[n] = time.Duration(law(n, random) * float64(time.Second))
	}
	synctest.Test(t, func(t *testing.T) {
		api := newMemoryAPI(scheduleSlots, func(n int) time.Duration { return latencies[n] })
		api.roundTrip = roundTrip
		took := applyAll(t, t.TempDir(), api, images).took
		s = schedule{
			makespan: float64(took) / float64(idealMakespan(latencies)),
			polls:    float64(api.polls) / float64(images), refused: api.refused,
		}
	})
	return s
}

// idealMakespan gives each task in turn to the slot that is free first.
func idealMakespan(latencies []time.Duration) time.Duration {
	free := make([]time.Duration, scheduleSlots)
	for _, latency := range latencies {
		free[slices.Index(free, slices.Min(free))] += latency
	}
	return slices.Max(free)
}

// TestScheduleIsTight bounds what the polling of a typical batch costs: in time, and in calls.
func TestScheduleIsTight(t *testing.T) {
	t.Parallel()
	const seeds = 4
	// Their time is simulated, but not that of the disk, which they wait for beside each other.
	var of [seeds]schedule
	t.Run("seeds", func(t *testing.T) {
		for seed := range of {
			t.Run(strconv.Itoa(seed), func(t *testing.T) {
				t.Parallel()
				of[seed] = runSchedule(t, lognormal(0.5, 0.5), scheduleImages, 0, uint64(seed))
			})
		}
	})
	var sum schedule
	for _, s := range of {
		sum.makespan += s.makespan / seeds
		sum.polls += s.polls / seeds
		sum.refused = max(sum.refused, s.refused)
	}
	t.Logf("%+v", sum)
	if sum.makespan > 1.06 {
		t.Errorf("the batch takes %.3f times as long as it had to, want 1.06 at most", sum.makespan)
	}
	if sum.polls > 8.5 {
		t.Errorf("%.2f polls an image, want 8.5 at most", sum.polls)
	}
	if sum.refused > 3 {
		t.Errorf("%d submissions came while all slots were taken, want a few at most", sum.refused)
	}
}

func BenchmarkSchedule(b *testing.B) {
	cases := []struct {
		name      string
		law       latencyLaw
		images    int
		roundTrip time.Duration
	}{
		{"lognormal", lognormal(0.5, 0.5), scheduleImages, 0},
		{"lognormal-4s", lognormal(4, 0.5), scheduleImages, 0},
		{"lognormal-4s-80ms", lognormal(4, 0.5), scheduleImages, 80 * time.Millisecond},
		{"lognormal-4s-few", lognormal(4, 0.5), scheduleSlots, 0},
		{"steady", lognormal(4, 0.1), scheduleImages, 0},
		{"bimodal", bimodal, scheduleImages, 0},
		{"drifting-up", drifting(2, 8), scheduleImages, 0},
		{"drifting-down", drifting(8, 2), scheduleImages, 0},
	}
	for _, c := range cases {
		b.Run(c.name, func(b *testing.B) {
			var sum schedule
			seed := uint64(0)
			for b.Loop() {
				inTest(b, func(t *testing.T) {
					t.Helper()
					s := runSchedule(t, c.law, c.images, c.roundTrip, seed)
					sum.makespan += s.makespan
					sum.polls += s.polls
					sum.refused += s.refused
				})
				seed++
			}
			b.ReportMetric(sum.makespan/float64(b.N), "makespan/ideal")
			b.ReportMetric(sum.polls/float64(b.N), "polls/image")
			b.ReportMetric(float64(sum.refused)/float64(b.N), "429s")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// inTest runs f once as a test of its own: testing/synctest makes bubbles for tests only.
func inTest(b *testing.B, f func(t *testing.T)) {
	b.Helper()
	done := false
	once := func(t *testing.T) {
		t.Helper()
		// -count and -cpu mean the benchmark.
		if !done {
			done = true
			f(t)
		}
	}
	all := func(string, string) (bool, error) { return true, nil }
	if !testing.RunTests(all, []testing.InternalTest{{Name: fmt.Sprintf("in %s", b.Name()), F: once}}) {
		b.Fatal("the batch failed")
	}
}

// TestScout: where nothing is known of a model, one of its tasks tells when to look at the others, so
// that the first of them do not lie there for long.
func TestScout(t *testing.T) {
	t.Parallel()
	var sum schedule
	const cases = 7
	for i := range cases {
		law := func(int, *rand.Rand) float64 { return 2 + float64(i)*0.7 }
		s := runSchedule(t, law, scheduleSlots, 0, 0)
		sum.makespan += s.makespan / cases
		sum.polls += s.polls / cases
	}
	t.Logf("%+v", sum)
	// Without a scout it is 1.13, with 11 looks.
	if sum.makespan > 1.08 || sum.polls > 13 {
		t.Errorf("the first tasks take %.3f times as long as they had to, with %.1f looks each, want 1.08 and 13 at most", sum.makespan, sum.polls)
	}
}
