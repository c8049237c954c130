package machine

import (
	"io"
	"testing"

	"github.com/fluxbatch/fluxbatch/internal/view"
	"github.com/fluxbatch/fluxbatch/internal/view/viewtest"
	"github.com/fluxbatch/fluxbatch/planner"
)

func BenchmarkPlanStream(b *testing.B) {
	p := &planner.Plan{Changes: viewtest.Dragged(100_000, "image.logo")}
	b.ReportAllocs()
	for b.Loop() {
		NewStream(StreamOptions{Stdout: io.Discard}).Plan(p, view.PlanInfo{})
	}
}
