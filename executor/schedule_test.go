package executor

import (
	"testing"
	"time"
)

func TestBackoff(t *testing.T) {
	t.Parallel()
	tests := []struct {
		attempts int
		jitter   float64
		asked    time.Duration
		want     time.Duration
	}{
		{1, 1, 0, 500 * time.Millisecond},
		{2, 1, 0, time.Second},
		{2, 0.25, 0, 250 * time.Millisecond},
		{7, 1, 0, 30 * time.Second},
		{1000, 1, 0, 30 * time.Second},
		{1, 0, 0, 0},
		{1, 0, 7 * time.Second, 7 * time.Second},
		{2, 1, 7 * time.Second, 7250 * time.Millisecond},
	}
	for _, tt := range tests {
		if got := backoff(tt.attempts, tt.jitter, tt.asked); got != tt.want {
			t.Errorf("backoff(%d, %v, %v) = %v, want %v", tt.attempts, tt.jitter, tt.asked, got, tt.want)
		}
	}
}

func TestSlotsAdapt(t *testing.T) {
	t.Parallel()
	s := newSlots(10)
	for range 8 {
		s.take("m")
	}
	s.release("m") // the one that was refused
	s.refused()
	if s.limit != 7 || s.free("m") {
		t.Errorf("after a refusal with 7 active the limit is %d, want 7", s.limit)
	}
	for range 2 * raiseAfter {
		s.release("m")
		s.succeeded()
		s.take("m")
	}
	if s.limit != 9 {
		t.Errorf("after %d tasks ended well the limit is %d, want 9", 2*raiseAfter, s.limit)
	}
	for range 100 {
		s.succeeded()
	}
	if s.limit != 10 {
		t.Errorf("the limit rose to %d, want 10 at most", s.limit)
	}
	for s.active > 0 {
		s.release("m")
	}
	s.refused()
	if s.limit != 1 || !s.free("m") {
		t.Errorf("a refusal with nothing active leaves a limit of %d, want 1", s.limit)
	}
}

func TestLatencyLearns(t *testing.T) {
	t.Parallel()
	var l latency
	for range 30 {
		l.add(3800*time.Millisecond, 4200*time.Millisecond)
	}
	// Tasks take four seconds: the first look comes shortly before, the next ones soon after each
	// other.
	if first := l.next(0); first < 2*time.Second || first > 4*time.Second {
		t.Errorf("the first look comes after %v, want shortly before four seconds", first)
	}
	if gap := l.next(4 * time.Second); gap > time.Second {
		t.Errorf("around the usual end, looks are %v apart", gap)
	}
	for range 60 {
		l.add(900*time.Millisecond, 1100*time.Millisecond)
	}
	if first := l.next(0); first > time.Second {
		t.Errorf("after tasks became faster the first look comes after %v, want less than a second", first)
	}
	if gap := l.next(time.Hour); gap > mostPollGap || gap < leastPollGap {
		t.Errorf("looks at a task that takes for ever are %v apart", gap)
	}
}
