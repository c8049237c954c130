package view

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	tfjson "github.com/hashicorp/terraform-json"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// newTestJSON returns a stream whose clock advances by a second with each message.
func newTestJSON() (*JSON, *bytes.Buffer) {
	var out bytes.Buffer
	now := time.Date(2026, 2, 3, 4, 5, 6, 789_000_000, time.UTC)
	return NewJSON(JSONOptions{Stdout: &out, Version: "0.1.0", Now: func() time.Time {
		now = now.Add(time.Second)
		return now
	}}), &out
}

func TestStream(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*testing.T, *JSON){
		"plan": func(_ *testing.T, j *JSON) {
			j.Plan(everyPlan(), PlanInfo{Simulated: true})
		},
		"no_changes": func(_ *testing.T, j *JSON) { j.Plan(&planner.Plan{Outputs: []planner.OutputChange{}}, PlanInfo{}) },
		"apply": func(_ *testing.T, j *JSON) {
			j.StartApply(mixedPlan())
			for _, e := range applyEvents() {
				j.Event(e)
			}
			j.FinishApply(executor.Summary{Created: 1, Updated: 1, Destroyed: 1, Unchanged: 1, Failed: 1, Skipped: 2, Cost: bfl.CreditsOf(3)},
				[]config.Output{
					{Name: "hero", Value: cty.StringVal("images/hero.png")},
					{Name: "key", Value: cty.StringVal("s3cret"), Sensitive: true},
				}, ApplyInfo{})
			j.Close()
		},
		"diagnostics": func(t *testing.T, j *JSON) {
			t.Helper()
			j.Diagnostics(someDiagnostics(t))
			j.Error(errors.Join(errors.New("the first"), errors.New("the second\n\nwith a detail")))
			j.Error(nil)
		},
	}
	for name, run := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j, out := newTestJSON()
			run(t, j)
			golden(t, "json/stream_"+name, out.String())
			for line := range strings.Lines(out.String()) {
				var message map[string]any
				if err := json.Unmarshal([]byte(line), &message); err != nil {
					t.Fatalf("%v in %s", err, line)
				}
				for _, field := range []string{"@level", "@message", "@module", "@timestamp", "type"} {
					if message[field] == nil {
						t.Errorf("%s is missing in %s", field, line)
					}
				}
			}
			if strings.Contains(out.String(), "s3cret") {
				t.Error("the stream shows a sensitive output")
			}
		})
	}
}

// The types of terraform-json for the stream decode ours.
// TestStreamGoesOn makes sure that a reader that was away for a moment, in the middle of a plan, gets the messages that follow.
func TestStreamGoesOn(t *testing.T) {
	t.Parallel()
	out := &awayOnce{}
	j := NewJSON(JSONOptions{Stdout: out})
	p := everyPlan()
	for len(p.Changes) < 1000 {
		p.Changes = append(p.Changes, p.Changes...)
	}
	out.away = true
	j.Plan(p, PlanInfo{})
	if out.away {
		t.Fatal("the plan was not written")
	}
	out.Reset()
	j.Plan(everyPlan(), PlanInfo{})
	if !strings.Contains(out.String(), "change_summary") {
		t.Errorf("after a write that failed, the stream has %q", out.String())
	}
}

// awayOnce is a buffer that one write to fails while it is away.
type awayOnce struct {
	bytes.Buffer
	away bool
}

func (a *awayOnce) Write(b []byte) (int, error) {
	if a.away {
		a.away = false
		return 0, io.ErrClosedPipe
	}
	return a.Buffer.Write(b)
}

func TestStreamDecodes(t *testing.T) {
	t.Parallel()
	j, out := newTestJSON()
	diags, files := someDiagnostics(t)
	j.Diagnostics(diags[:1], files)
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 {
		t.Fatalf("got %d lines", len(lines))
	}
	message, err := tfjson.UnmarshalLogMessage([]byte(lines[1]))
	if err != nil {
		t.Fatal(err)
	}
	diagnostic, ok := message.(tfjson.DiagnosticLogMessage)
	if !ok || diagnostic.Summary != "Size not allowed" || diagnostic.Range.Start.Line != 7 || diagnostic.Level() != tfjson.Error {
		t.Errorf("decoded %#v", message)
	}
	code := diagnostic.Snippet.Code[diagnostic.Snippet.HighlightStartOffset:diagnostic.Snippet.HighlightEndOffset]
	if want := `var.sizes["wide"].width`; code != want {
		t.Errorf("the snippet points at %q, want %q", code, want)
	}
}

// everyPlan has a change of each kind, and each that is free.
func everyPlan() *planner.Plan {
	p := mixedPlan()
	restored := createLogo()
	restored.Address, restored.Origin, restored.Cost = addr(`image.restored["a b"]`), planner.Restore, 0
	restored.Kept = recorded("images/elsewhere.png", logoPrompt)
	resumed := createLogo()
	resumed.Address, resumed.Origin, resumed.Cost = addr("module.brand.module.icons[0].image.resumed"), planner.Resume, 0
	resumed.Reasons = []planner.Reason{{Kind: planner.Interrupted}}
	resumed.Task = &state.Task{ID: "t-1"}
	lost := createLogo()
	lost.Address, lost.Unanswered = addr("image.lost"), []*state.Task{{}}
	lost.Fingerprint = "f"
	gone := createGone()
	gone.Address = addr("image.gone")
	gone.Listed[1].Sensitive = true
	edited := replaceLogo()
	edited.Address = addr("image.edited")
	edited.Reasons = []planner.Reason{{Kind: planner.FileChanged}, {Kind: planner.Requested}}
	p.Changes = append(p.Changes, restored, resumed, lost, gone, edited)
	p.Changes[0].Desired.Dependencies = []addrs.Image{addr("image.logo")}
	p.Abandoned = []planner.Abandoned{
		{Address: addr("image.unwanted"), Task: &state.Task{ID: "t-2", Cost: bfl.CreditsOf(3)}},
		{Address: addr("image.unheard"), Task: &state.Task{Cost: bfl.CreditsOf(4)}},
	}
	return p
}

func everyState() *state.State {
	s := &state.State{Images: map[addrs.Image]*state.Image{}, Outputs: map[string]state.OutputValue{
		"hero": *onRecord(`"images/hero.png"`, `"string"`),
		"key":  {Value: json.RawMessage("null"), Type: json.RawMessage(`"dynamic"`), Sensitive: true},
	}}
	for _, c := range everyPlan().Changes {
		if c.Prior != nil {
			s.Images[c.Address] = c.Prior
		}
	}
	hero := *s.Images[addr("image.hero")]
	hero.Dependencies = []addrs.Image{addr("image.logo")}
	hero.Labels = map[string]string{"team": "brand"}
	hero.Result.Simulated = true
	hero.Result.Prompt = "An elaborate prompt"
	s.Images[addr("image.hero")] = &hero
	s.Images[addr(`module.brand["eu"].module.icons[1].image.deep`)] = &hero
	return s
}

// roundTrip decodes JSON into a type of terraform-json, encodes it again and fails where anything was lost.
func roundTrip[T any](t *testing.T, text string) *T {
	t.Helper()
	decoded := new(T)
	if err := json.Unmarshal([]byte(text), decoded); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(decoded)
	if err != nil {
		t.Fatal(err)
	}
	var want, got any
	if err := errors.Join(json.Unmarshal([]byte(text), &want), json.Unmarshal(again, &got)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("terraform-json lost something (-written +decoded):\n%s", diff)
	}
	return decoded
}

func TestPlanJSON(t *testing.T) {
	t.Parallel()
	v, screen := newTestView(Options{})
	p := everyPlan()
	v.PlanJSON(PlanDocument{
		Plan: p, Prior: everyState(), Version: "0.1.0",
		Settings: &config.Settings{Providers: map[string]*config.Provider{
			"bfl": {Address: "bfl", Region: "global", Concurrency: 24}, "bfl.eu": {Address: "bfl.eu", Region: "eu"},
		}},
		Variables: map[string]cty.Value{"season": cty.StringVal("winter"), "key": cty.StringVal("s3cret").Mark("sensitive")},
	})
	golden(t, "json/plan", screen.out.String())
	if strings.Contains(screen.out.String(), "s3cret") {
		t.Error("the document shows a sensitive value")
	}
	plan := roundTrip[tfjson.Plan](t, screen.out.String())
	if got, want := len(plan.ResourceChanges), len(p.Changes); got != want {
		t.Fatalf("got %d changes, want %d", got, want)
	}
	for i, c := range p.Changes {
		got := plan.ResourceChanges[i]
		if got.Address != c.Address.String() || got.Type != "image" || got.ProviderName != "registry.fluxbatch.dev/bfl/flux" {
			t.Errorf("change %d is of %s, a %s of %s", i, got.Address, got.Type, got.ProviderName)
		}
		after, ok := got.Change.After.(map[string]any)
		if c.Action == planner.NoOp || c.Action == planner.Destroy {
			continue
		}
		if !ok || after["estimated_cost"] != c.Cost.USD() {
			t.Errorf("%s: the estimated cost is %v, want %v", c.Address, after["estimated_cost"], c.Cost.USD())
		}
	}
	if !plan.ResourceChanges[0].Change.Actions.Replace() || plan.ResourceChanges[0].ActionReason != tfjson.ActionReasonReplaceBecauseCannotUpdate {
		t.Errorf("the first change is %v, because of %s", plan.ResourceChanges[0].Change.Actions, plan.ResourceChanges[0].ActionReason)
	}
}

func TestStateJSON(t *testing.T) {
	t.Parallel()
	v, screen := newTestView(Options{})
	v.StateJSON(everyState(), "0.1.0")
	golden(t, "json/state", screen.out.String())
	decoded := roundTrip[tfjson.State](t, screen.out.String())
	deep := decoded.Values.RootModule.ChildModules[0].ChildModules[0].Resources[0]
	if want := `module.brand["eu"].module.icons[1].image.deep`; deep.Address != want {
		t.Errorf("the nested image is %s, want %s", deep.Address, want)
	}
	v, screen = newTestView(Options{})
	v.StateJSON(&state.State{}, "0.1.0")
	roundTrip[tfjson.State](t, screen.out.String())
}

func TestValidateJSON(t *testing.T) {
	t.Parallel()
	v, screen := newTestView(Options{})
	v.ValidateJSON(someDiagnostics(t))
	golden(t, "json/validate", screen.out.String())
	out := roundTrip[tfjson.ValidateOutput](t, screen.out.String())
	if out.Valid || out.ErrorCount != 7 || out.WarningCount != 3 {
		t.Errorf("got valid %t with %d errors and %d warnings", out.Valid, out.ErrorCount, out.WarningCount)
	}
	v, screen = newTestView(Options{})
	v.ValidateJSON(nil, nil)
	if out := roundTrip[tfjson.ValidateOutput](t, screen.out.String()); !out.Valid || out.Diagnostics == nil {
		t.Errorf("without diagnostics: %+v", out)
	}
}

func TestWhyDeleted(t *testing.T) {
	t.Parallel()
	tests := []struct {
		gone, left string
		want       tfjson.ActionReason
	}{
		{"image.a", "image.b", tfjson.ActionReasonDeleteBecauseNoResourceConfig},
		{"image.a[3]", "image.a[0]", tfjson.ActionReasonDeleteBecauseCountIndex},
		{`image.a["x"]`, `image.a["y"]`, tfjson.ActionReasonDeleteBecauseEachKey},
		{"image.a", "image.a[0]", tfjson.ActionReasonDeleteBecauseWrongRepetition},
		{"image.a[0]", "image.a", tfjson.ActionReasonDeleteBecauseWrongRepetition},
		{"image.a[0]", `image.a["x"]`, tfjson.ActionReasonDeleteBecauseWrongRepetition},
		{"module.m[1].image.a", "module.m[0].image.a", tfjson.ActionReasonDeleteBecauseNoResourceConfig},
	}
	for _, test := range tests {
		p := &planner.Plan{Changes: []*planner.Change{unchanged(test.left)}}
		if got := newRepetition(p).whyDeleted(addr(test.gone)); got != test.want {
			t.Errorf("%s gone and %s left: got %s, want %s", test.gone, test.left, got, test.want)
		}
	}
}

func TestLineage(t *testing.T) {
	t.Parallel()
	got := lineage(addr(`module.a["x.module.y\""].module.b[0].module.c.image.d`).Module)
	want := []addrs.Module{`module.a["x.module.y\""]`, `module.a["x.module.y\""].module.b[0]`, `module.a["x.module.y\""].module.b[0].module.c`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := unkeyed(want[2]); got != "module.a.module.b.module.c" {
		t.Errorf("without keys it is %s", got)
	}
}
