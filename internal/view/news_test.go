package view

import (
	"testing"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/view/viewtest"
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
