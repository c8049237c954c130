package workspace

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/executor"
)

// What is uploaded is told while it takes long, and else not at all.
func TestUploads(t *testing.T) {
	t.Parallel()
	var told []executor.Event
	began := time.Now()
	of := func(n int) *uploads {
		return &uploads{told: began, tell: func(e executor.Event) { told = append(told, e) }, progress: executor.Uploaded{Of: n}}
	}
	quick := of(2)
	quick.add(5, began.Add(time.Second))
	quick.add(5, began.Add(2*time.Second))
	quick.end()
	if len(told) > 0 {
		t.Errorf("of what was quick it tells %v", told)
	}
	slow := of(4)
	for _, after := range []time.Duration{1, 11, 12, 25} {
		slow.add(5, began.Add(after*time.Second))
	}
	slow.end()
	want := []executor.Event{executor.Uploaded{Images: 2, Of: 4, Bytes: 10}, executor.Uploaded{Images: 4, Of: 4, Bytes: 20}, executor.Uploaded{Images: 4, Of: 4, Bytes: 20}}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("of what was slow (-want +got):\n%s", diff)
	}
}
