package view

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
	"github.com/fluxbatch/fluxbatch/internal/view/viewtest"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// Whatever stands in keys, names of files, labels, prompts, answers and errors: people see it, and
// no terminal obeys it.
func TestEverythingIsSeen(t *testing.T) {
	t.Parallel()
	for i, text := range viewtest.HostileTexts() {
		for _, color := range []bool{false, true} {
			t.Run(fmt.Sprint(i, color), func(t *testing.T) {
				t.Parallel()
				own := append(layout.NewPalette(color).Sequences, clearLine, cursorDown, beginUpdate, endUpdate)
				key := addrs.Image{Name: "a", Key: addrs.StringKey(text)}
				img := viewtest.Recorded("images/"+text+".png", text)
				img.Labels, img.Dependencies = map[string]string{text: text}, []addrs.Image{key}
				diags := hcl.Diagnostics{{
					Severity: hcl.DiagError, Summary: "Wrong" + text, Detail: text,
					Subject: &hcl.Range{Filename: text, Start: hcl.Pos{Line: 1, Column: 1}, End: hcl.Pos{Line: 1, Column: 4, Byte: 3}},
				}}
				files := map[string]*hcl.File{text: {Bytes: []byte("image \"" + text + "\" {\n")}}
				graph := Graph{
					Nodes: []GraphNode{{ID: text, Label: text, Module: addrs.Module("").Child("m", addrs.StringKey(text))}}, Edges: []GraphEdge{{From: text, To: text}},
				}
				failed := errors.New(text)
				for name, write := range map[string]func(v *View){
					"plan": func(v *View) {
						v.Plan(viewtest.HostilePlan(text), PlanInfo{Command: "plan", Again: text, SavedAs: text})
					},
					"markdown":    func(v *View) { v.PlanMarkdown(viewtest.HostilePlan(text), PlanInfo{}) },
					"diagnostics": func(v *View) { v.Diagnostics(diags, files) },
					"errors": func(v *View) {
						v.Error(failed)
						v.Error(errors.Join(failed, fmt.Errorf("a\n%w", failed)))
						v.Error(diags)
					},
					"state":   func(v *View) { v.State(&state.State{Images: state.ImagesOf(map[addrs.Image]*state.Image{key: img})}) },
					"dot":     func(v *View) { v.GraphDOT(graph) },
					"mermaid": func(v *View) { v.GraphMermaid(graph) },
					"words":   func(v *View) { v.Say(text); v.Note(text); v.Prompt(text) },
					"value":   func(v *View) { v.Value(cty.ObjectVal(map[string]cty.Value{text: cty.StringVal(text)})) },
					"outputs": func(v *View) {
						v.Outputs(map[string]state.OutputValue{"o": {Type: json.RawMessage(`"string"`), Value: json.RawMessage(`"` + strings.ToValidUTF8(text, "") + `"`)}})
					},
					"apply": func(v *View) {
						v.StartApply(viewtest.HostilePlan(text))
						a := viewtest.HostilePlan(text).Changes[0].Address
						for _, e := range []executor.Event{
							executor.Started{Address: a, Action: planner.Create},
							executor.Submitted{Address: a, TaskID: text},
							executor.Retrying{Address: a, Err: failed},
							executor.Warned{Address: a, Message: text},
							executor.Completed{Address: a, Action: planner.Create, Image: img},
							executor.Failed{Address: a, Err: failed},
							executor.Skipped{Address: a, Because: key},
						} {
							v.Event(e)
						}
						v.FinishApply(executor.Summary{Failed: 1}, nil, ApplyInfo{Again: text, Pictures: text, Simulated: true})
					},
				} {
					for _, concise := range []bool{false, true} {
						var out, errs strings.Builder
						write(New(Options{Stdout: &out, Stderr: &errs, Color: color, Concise: concise}))
						if raw := viewtest.ShownRaw(out.String()+errs.String(), own...); raw != "" {
							t.Errorf("%s: shown as it is: %s", name, raw)
						}
					}
				}
			})
		}
	}
}
