package view

import (
	"fmt"
	"io"
	"testing"

	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/planner"
)

const benchmarked = 100_000

func BenchmarkPlanFolded(b *testing.B) {
	p := &planner.Plan{Changes: append(dragged(benchmarked, "image.logo"), replaceLogo())}
	v := New(Options{Stdout: io.Discard, Stderr: io.Discard, Color: true})
	b.ReportAllocs()
	for b.Loop() {
		v.Plan(p, PlanInfo{})
	}
}

func BenchmarkPlanUnfolded(b *testing.B) {
	p := &planner.Plan{Changes: append(dragged(benchmarked, "image.logo"), replaceLogo())}
	v := New(Options{Stdout: io.Discard, Stderr: io.Discard, Unfolded: true})
	b.ReportAllocs()
	for b.Loop() {
		v.Plan(p, PlanInfo{})
	}
}

func BenchmarkPlanStream(b *testing.B) {
	p := &planner.Plan{Changes: dragged(benchmarked, "image.logo")}
	b.ReportAllocs()
	for b.Loop() {
		NewJSON(JSONOptions{Stdout: io.Discard}).Plan(p, PlanInfo{})
	}
}

func BenchmarkEvents(b *testing.B) {
	p := &planner.Plan{Changes: dragged(benchmarked, "image.logo")}
	image := recorded("images/product.png", logoPrompt)
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

func BenchmarkDiffWords(b *testing.B) {
	before, after := "", ""
	for i := range 300 {
		before += fmt.Sprintf("word%d and ", i)
		after += fmt.Sprintf("word%d or ", i+i%7)
	}
	b.ReportAllocs()
	for b.Loop() {
		diffWords(before, after)
	}
}
