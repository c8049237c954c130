package view

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/view/viewtest"
	"github.com/fluxbatch/fluxbatch/state"
)

func TestState(t *testing.T) {
	t.Parallel()
	long := viewtest.Recorded("images/long.png", viewtest.HeroPrompt)
	long.Result.Simulated = true
	long.Dependencies = []addrs.Image{viewtest.Addr("image.logo"), viewtest.Addr("image.card[3]")}
	long.Labels = map[string]string{"team": "brand", "a b": "c"}
	lines := viewtest.Recorded("images/lines.png", "First line\nsecond \"line\"")
	custom := viewtest.Recorded("images/custom.png", viewtest.LogoPrompt)
	custom.Model, custom.Provider, custom.Result.Prompt = "flux-9-custom", "bfl.eu", "An elaborate heron logo"
	s := &state.State{
		Images: state.ImagesOf(map[addrs.Image]*state.Image{
			viewtest.Addr("image.long"): long, viewtest.Addr("image.lines"): lines, viewtest.Addr(`module.a["x"].image.custom`): custom,
		}),
		Outputs: viewtest.EveryState().Outputs,
	}
	tests := []struct {
		name  string
		state *state.State
		only  []addrs.Image
		opts  Options
	}{
		{"all", s, nil, Options{}},
		{"color", s, nil, Options{Color: true}},
		{"one", s, []addrs.Image{viewtest.Addr("image.lines"), viewtest.Addr("image.absent")}, Options{}},
		{"none", &state.State{}, nil, Options{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			v, screen := newTestView(test.opts)
			v.State(test.state, test.only...)
			viewtest.Golden(t, "state/"+test.name, screen.String())
		})
	}
}

func TestOutputs(t *testing.T) {
	t.Parallel()
	outputs := viewtest.SomeRecords()
	v, screen := newTestView(Options{})
	v.Outputs(outputs)
	v.Output(outputs["list"])
	viewtest.Golden(t, "state/outputs", screen.String())
}

func TestRawOutput(t *testing.T) {
	t.Parallel()
	tests := []struct {
		value, typ string
		sensitive  bool
		want       string
		fails      bool
	}{
		{value: `"images/hero.png"`, typ: `"string"`, want: "images/hero.png"},
		{value: `17.50`, typ: `"number"`, want: "17.5"},
		{value: `true`, typ: `"bool"`, want: "true"},
		{value: `["a"]`, typ: `["list","string"]`, fails: true},
		{value: `null`, typ: `"string"`, fails: true},
		{value: `"x"`, typ: `"string"`, sensitive: true, fails: true},
	}
	for _, test := range tests {
		v, screen := newTestView(Options{})
		o := viewtest.OnRecord(test.value, test.typ)
		o.Sensitive = test.sensitive
		if err := v.RawOutput("hero", *o); (err != nil) != test.fails {
			t.Errorf("%s: got the error %v", test.value, err)
		}
		if diff := cmp.Diff(test.want, screen.out.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.value, diff)
		}
	}
}

func TestSimple(t *testing.T) {
	t.Parallel()
	v, screen := newTestView(Options{})
	v.Valid()
	v.Version("0.1.0", "linux_amd64")
	v.Say("The lock was removed.")
	v.AskApprove(viewtest.MixedPlan())
	v.AskApprove(everyFree())
	viewtest.Golden(t, "simple", screen.String())
}
