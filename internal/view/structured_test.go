package view

import (
	"encoding/json"
	"testing"

	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/view/viewtest"
	"github.com/fluxbatch/fluxbatch/planner"
)

const (
	scene = `{"camera":{"angle":"low","lens":"35mm"},"color":["#0b3d91","#fc6d4f"],"notes":"Two lines:\nthe second",` +
		`"scene":"a forest clearing at night, seen from the edge of a lake that mirrors the stars, with a thin fog","style":"flat vector",` +
		`"subjects":[{"name":"fox","position":"centre"},{"name":"owl","position":"left"}]}`
	otherScene = `{"background \"far\"":"hills","camera":{"angle":"eye level","lens":"35mm"},"color":["#0b3d91","#ffffff","#fc6d4f"],` +
		`"notes":"Two lines:\nthe third","scene":"a forest clearing at noon, seen from the edge of a lake that mirrors the clouds, with a thin fog",` +
		`"subjects":[{"name":"fox","position":"centre"},{"name":"hare","position":"left"},{"name":"owl","position":"left"}]}`
)

// structuredPlan has values of several lines: new, changed in each way, and gone.
func structuredPlan() *planner.Plan {
	created := viewtest.CreateLogo()
	created.Address = viewtest.Addr("image.new")
	created.Rare().Listed = []image.Attribute{
		{Name: "model", After: "flux-2-pro"},
		{Name: "prompt", After: scene},
		{Name: "grounding", After: json.RawMessage(`{"sources":["web"],"strict":true}`)},
		{Name: "notes", After: json.RawMessage(`[]`)},
	}
	gone := viewtest.DestroyOld()
	gone.Listed()[1].Before = scene
	p := &planner.Plan{Changes: []*planner.Change{created, gone}}
	indented := "A list:\n  - a heron, seen from below, with its wings spread and the sun behind it, calm\n    and quiet\n\nEnd\n"
	for _, change := range []struct {
		name          string
		before, after any
		unknown       bool
	}{
		{"changed", scene, otherScene, false},
		{"written_otherwise", `{"a": "x", "b": 1}`, `{"b": 1, "a": "x"}`, false},
		{"from_text", "A fox", scene, false},
		{"to_text", `{"scene":"a lake"}`, "A fox\nand an owl", false},
		{"to_list", `{"scene":"a lake"}`, `["a lake"]`, false},
		{"to_unknown", `{"scene":"a lake"}`, nil, true},
		{"to_nothing", `{"scene":"a lake"}`, nil, false},
		{"json", json.RawMessage(`{"strict":true}`), json.RawMessage(`{"strict":false}`), false},
		{"lines", indented, "A list:\n  - a crane, seen from below, with its wings spread and the sun behind it, calm\n    and quiet\n\nEnd\n", false},
		{"lines_more", indented, indented + "Beyond\n", false},
		{"lines_ended", "One\ntwo", "One\ntwo\n", false},
		{"lines_to_unknown", indented, nil, true},
		{"lines_to_nothing", indented, nil, false},
	} {
		c := viewtest.ReplaceLogo()
		c.Address = viewtest.Addr("image." + change.name)
		c.Rare().Listed = []image.Attribute{
			{Name: "model", Before: "flux-2-pro", After: "flux-2-pro"},
			{Name: "prompt", Before: change.before, After: change.after, Unknown: change.unknown, Forces: true},
		}
		p.Changes = append(p.Changes, c)
	}
	return p
}

func TestStructured(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]Options{
		"structured": {}, "structured_color": {Color: true}, "structured_200": {Width: 200},
	} {
		v, screen := newTestView(opts)
		v.Plan(structuredPlan(), PlanInfo{})
		viewtest.Golden(t, "plan/"+name, screen.String())
	}
	v, screen := newTestView(Options{})
	v.PlanMarkdown(structuredPlan(), PlanInfo{})
	viewtest.Golden(t, "markdown/structured", screen.out.String())
}
