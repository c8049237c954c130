package machine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	tfjson "github.com/hashicorp/terraform-json"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/executor"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/view"
	"github.com/fluxbatch/fluxbatch/internal/view/viewtest"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// newTestJSON returns a stream whose clock advances by a second with each message.
func newTestJSON() (*Stream, *bytes.Buffer) {
	var out bytes.Buffer
	now := time.Date(2026, 2, 3, 4, 5, 6, 789_000_000, time.UTC)
	return NewStream(StreamOptions{Stdout: &out, Version: "0.1.0", Now: func() time.Time {
		now = now.Add(time.Second)
		return now
	}}), &out
}

func TestStream(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*testing.T, *Stream){
		"plan": func(_ *testing.T, j *Stream) {
			j.Plan(viewtest.EveryPlan(), view.PlanInfo{Simulated: true})
		},
		"no_changes": func(_ *testing.T, j *Stream) {
			j.Plan(&planner.Plan{Outputs: []planner.OutputChange{}}, view.PlanInfo{})
		},
		"apply": func(_ *testing.T, j *Stream) {
			j.StartApply(viewtest.MixedPlan())
			for _, e := range viewtest.ApplyEvents() {
				j.Event(e)
			}
			j.FinishApply(executor.Summary{Created: 1, Updated: 1, Destroyed: 1, Unchanged: 1, Failed: 1, Skipped: 2, Cost: bfl.CreditsOf(3)},
				[]config.Output{
					{Name: "hero", Value: cty.StringVal("images/hero.png")},
					{Name: "key", Value: cty.StringVal("s3cret"), Sensitive: true},
				}, view.ApplyInfo{})
			j.Close()
		},
		"news": func(_ *testing.T, j *Stream) {
			j.News(viewtest.News(), true)
		},
		"diagnostics": func(t *testing.T, j *Stream) {
			t.Helper()
			j.Diagnostics(viewtest.SomeDiagnostics(t))
			j.Error(errors.Join(errors.New("the first"), errors.New("the second\n\nwith a detail")))
			j.Error(nil)
		},
	}
	for name, run := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j, out := newTestJSON()
			run(t, j)
			viewtest.Golden(t, "json/stream_"+name, out.String())
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

// The types of terraform-json for the stream decode ours. TestStreamGoesOn makes sure that a reader
// that was away for a moment, in the middle of a plan, gets the messages that follow.
func TestStreamGoesOn(t *testing.T) {
	t.Parallel()
	out := &awayOnce{}
	j := NewStream(StreamOptions{Stdout: out})
	p := viewtest.EveryPlan()
	for len(p.Changes) < 1000 {
		p.Changes = append(p.Changes, p.Changes...)
	}
	out.away = true
	j.Plan(p, view.PlanInfo{})
	if out.away {
		t.Fatal("the plan was not written")
	}
	out.Reset()
	j.Plan(viewtest.EveryPlan(), view.PlanInfo{})
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
	diags, files := viewtest.SomeDiagnostics(t)
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

// roundTrip decodes JSON into a type of terraform-json, encodes it again and fails where anything
// was lost.
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
	screen := &strings.Builder{}
	p := viewtest.EveryPlan()
	WritePlan(screen, PlanDocument{
		Plan: p, Prior: viewtest.EveryState(), Version: "0.1.0",
		Settings: &config.Settings{Providers: map[string]*config.Provider{
			"bfl": {Address: "bfl", Region: "global", Concurrency: 24}, "bfl.eu": {Address: "bfl.eu", Region: "eu"},
		}},
		Variables: map[string]cty.Value{"season": cty.StringVal("winter"), "key": cty.StringVal("s3cret").Mark("sensitive")},
	})
	viewtest.Golden(t, "json/plan", screen.String())
	if strings.Contains(screen.String(), "s3cret") {
		t.Error("the document shows a sensitive value")
	}
	plan := roundTrip[tfjson.Plan](t, screen.String())
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
	screen := &strings.Builder{}
	WriteState(screen, viewtest.EveryState(), "0.1.0")
	viewtest.Golden(t, "json/state", screen.String())
	decoded := roundTrip[tfjson.State](t, screen.String())
	deep := decoded.Values.RootModule.ChildModules[0].ChildModules[0].Resources[0]
	if want := `module.brand["eu"].module.icons[1].image.deep`; deep.Address != want {
		t.Errorf("the nested image is %s, want %s", deep.Address, want)
	}
	screen = &strings.Builder{}
	WriteState(screen, &state.State{}, "0.1.0")
	roundTrip[tfjson.State](t, screen.String())
}

func TestValidateJSON(t *testing.T) {
	t.Parallel()
	screen := &strings.Builder{}
	diags, files := viewtest.SomeDiagnostics(t)
	WriteValidation(screen, diags, files)
	viewtest.Golden(t, "json/validate", screen.String())
	out := roundTrip[tfjson.ValidateOutput](t, screen.String())
	if out.Valid || out.ErrorCount != 7 || out.WarningCount != 3 {
		t.Errorf("got valid %t with %d errors and %d warnings", out.Valid, out.ErrorCount, out.WarningCount)
	}
	screen = &strings.Builder{}
	WriteValidation(screen, nil, nil)
	if out := roundTrip[tfjson.ValidateOutput](t, screen.String()); !out.Valid || out.Diagnostics == nil {
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
		p := &planner.Plan{Changes: []*planner.Change{viewtest.Unchanged(test.left)}}
		if got := newRepetition(p).whyDeleted(viewtest.Addr(test.gone)); got != test.want {
			t.Errorf("%s gone and %s left: got %s, want %s", test.gone, test.left, got, test.want)
		}
	}
}

func TestLineage(t *testing.T) {
	t.Parallel()
	got := lineage(viewtest.Addr(`module.a["x.module.y\""].module.b[0].module.c.image.d`).Module)
	want := []addrs.Module{`module.a["x.module.y\""]`, `module.a["x.module.y\""].module.b[0]`, `module.a["x.module.y\""].module.b[0].module.c`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := want[2].Unkeyed(); got != "module.a.module.b.module.c" {
		t.Errorf("without keys it is %s", got)
	}
}

// For machines, the same is valid JSON of the same meaning.
func TestJSONIsSeen(t *testing.T) {
	t.Parallel()
	for i, text := range viewtest.HostileTexts() {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			j := NewStream(StreamOptions{Stdout: &out, Now: func() time.Time { return time.Time{} }})
			j.Plan(viewtest.HostilePlan(text), view.PlanInfo{})
			j.Error(errors.New(text))
			if raw := viewtest.ShownRaw(out.String()); raw != "" {
				t.Errorf("written as it is: %s", raw)
			}
			want := strings.ToValidUTF8(text, "")
			for line := range strings.Lines(out.String()) {
				var m struct {
					Change struct {
						Resource struct {
							Key any `json:"resource_key"`
						}
					}
				}
				if err := json.Unmarshal([]byte(line), &m); err != nil {
					t.Fatal(err)
				}
				if key, ok := m.Change.Resource.Key.(string); ok && utf8.ValidString(text) && key != want {
					t.Errorf("(-want +got):\n%s", cmp.Diff(want, key))
				}
			}
		})
	}
}
