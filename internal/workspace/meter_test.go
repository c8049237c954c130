package workspace

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/executor"
)

// How far calls are is told while they take long, and else not at all.
func TestMeter(t *testing.T) {
	t.Parallel()
	var told []executor.Event
	began := time.Now()
	of := func(n int) *meter[executor.Uploaded] {
		m := newMeter(func(e executor.Event) { told = append(told, e) }, 10*time.Second, executor.Uploaded{Of: n})
		m.told = began
		return m
	}
	count := func(u *executor.Uploaded) {
		u.Images++
		u.Bytes += 5
	}
	quick := of(2)
	quick.add(began.Add(time.Second), count)
	quick.add(began.Add(2*time.Second), count)
	quick.end()
	if len(told) > 0 {
		t.Errorf("of what was quick it tells %v", told)
	}
	slow := of(4)
	for _, after := range []time.Duration{1, 11, 12, 25} {
		slow.add(began.Add(after*time.Second), count)
	}
	slow.end()
	want := []executor.Event{executor.Uploaded{Images: 2, Of: 4, Bytes: 10}, executor.Uploaded{Images: 4, Of: 4, Bytes: 20}, executor.Uploaded{Images: 4, Of: 4, Bytes: 20}}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("of what was slow (-want +got):\n%s", diff)
	}
}
