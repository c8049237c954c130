package view

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/view/viewtest"
	"github.com/fluxbatch/fluxbatch/state"
)

func TestNews(t *testing.T) {
	t.Parallel()
	v, screen := newTestView(Options{Width: 80})
	runs := viewtest.News()
	for i := range runs {
		runs[i].At = time.Date(2026, 2, 3, 4, 5+i, 6, 0, time.Local)
	}
	v.News(nil, false)
	v.News(nil, true)
	v.News(runs, false)
	v.News(runs, true)
	viewtest.Golden(t, "news", screen.String())
}

// TestNewsLineCountsImagesOnce: two runs that changed the same 150 images did not change 200.
func TestNewsLineCountsImagesOnce(t *testing.T) {
	t.Parallel()
	run := state.PastRun{Who: "ada@desk", Did: map[addrs.Image]state.Deed{}, More: 50}
	for i := range 100 {
		run.Did[addrs.Image{Name: fmt.Sprintf("a%d", i)}] = state.DeedReplaced
	}
	for want, runs := range map[string][]state.PastRun{
		": 150 images changed by ada@desk.":          {run},
		": at least 150 images changed by ada@desk.": {run, run},
	} {
		if got := NewsLine(runs); !strings.HasSuffix(got, want) {
			t.Errorf("%q, want it to end with %q", got, want)
		}
	}
}
