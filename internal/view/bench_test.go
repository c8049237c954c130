package view

import (
	"io"
	"testing"

	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/view/viewtest"
	"github.com/fluxbatch/fluxbatch/planner"
)

const benchmarked = 100_000

func BenchmarkPlanFolded(b *testing.B) {
	p := &planner.Plan{Changes: append(viewtest.Dragged(benchmarked, "image.logo"), viewtest.ReplaceLogo())}
	v := New(Options{Stdout: io.Discard, Stderr: io.Discard, Color: true})
	b.ReportAllocs()
	for b.Loop() {
		v.Plan(p, PlanInfo{})
	}
}

func BenchmarkPlanUnfolded(b *testing.B) {
	p := &planner.Plan{Changes: append(viewtest.Dragged(benchmarked, "image.logo"), viewtest.ReplaceLogo())}
	v := New(Options{Stdout: io.Discard, Stderr: io.Discard, Unfolded: true})
	b.ReportAllocs()
	for b.Loop() {
		v.Plan(p, PlanInfo{})
	}
}

func BenchmarkEvents(b *testing.B) {
	p := &planner.Plan{Changes: viewtest.Dragged(benchmarked, "image.logo")}
	image := viewtest.Recorded("images/product.png", viewtest.LogoPrompt)
	b.ReportAllocs()
	for b.Loop() {
		v := New(Options{Stdout: io.Discard, Stderr: io.Discard})
		v.StartApply(p)
		for _, c := range p.Changes {
			v.Event(executor.Started{Address: c.Address, Action: c.Action})
			v.Event(executor.Submitted{Address: c.Address, TaskID: "t", Cost: c.Cost})
			v.Event(executor.Ready{Address: c.Address})
			v.Event(executor.Completed{Address: c.Address, Action: c.Action, Image: image})
		}
		v.FinishApply(executor.Summary{Replaced: benchmarked}, nil, ApplyInfo{})
	}
}
