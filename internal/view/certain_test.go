package view

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/view/viewtest"
	"github.com/fluxbatch/fluxbatch/planner"
)

// A replacement is said to depend on the images upstream only where nothing else about it is
// certain.
func TestWhatIsCertain(t *testing.T) {
	t.Parallel()
	upstream := planner.Reason{Kind: planner.UpstreamChanges, Upstream: viewtest.Addr("image.logo")}
	changed := planner.Reason{Kind: planner.RequestChanged}
	logo, hero := viewtest.Reference("image.logo", ""), viewtest.Reference("image.hero", "")
	old := viewtest.Reference("image.logo", viewtest.ShaOld)
	content := image.Attribute{Name: "references[0]", Before: old, After: logo, Unknown: true, Forces: true}
	both := []planner.Reason{upstream, changed}
	tests := []struct {
		name       string
		reasons    []planner.Reason
		references []image.Reference
		attributes []image.Attribute
		mayStay    bool
		why        string
	}{
		{
			"the content of an image upstream",
			[]planner.Reason{upstream},
			nil,
			[]image.Attribute{content},
			true, "because image.logo will be regenerated",
		},
		{
			"a prompt of its own", both, nil,
			[]image.Attribute{{Name: "prompt", Before: "a", After: "b", Forces: true}, content},
			false, "because its prompt changed and image.logo will be regenerated",
		},
		{
			"a reference more", both, nil,
			[]image.Attribute{content, {Name: "references[1]", After: hero, Unknown: true, Forces: true}},
			false, "because its references changed and image.logo will be regenerated",
		},
		{
			"a reference less", both, nil,
			[]image.Attribute{content, {Name: "references[1]", Before: old, Forces: true}},
			false, "because its references changed and image.logo will be regenerated",
		},
		{
			"a prompt that names what is not made yet", both, nil,
			[]image.Attribute{{Name: "prompt", Before: "a", Unknown: true, Forces: true}, content},
			true, "because its prompt is known only after apply and image.logo will be regenerated",
		},
		{
			"references that are not known yet", both,
			[]image.Reference{{Unknown: true}},
			[]image.Attribute{
				{Name: "references[0]", Before: old, After: image.Reference{}, Unknown: true, Forces: true},
				{Name: "references[1]", Before: old, Forces: true},
			},
			true, "because its references are known only after apply and image.logo will be regenerated",
		},
		{
			"a sensitive prompt", both, nil,
			[]image.Attribute{{Name: "prompt", Before: image.Redacted, After: "b", Sensitive: true, Forces: true}, content},
			false, "because its prompt changed and image.logo will be regenerated",
		},
		{
			"a sensitive prompt and a sensitive seed, one of which may differ", both, nil,
			[]image.Attribute{
				{Name: "prompt", Before: image.Redacted, After: "b", Sensitive: true, MayDiffer: true},
				{Name: "seed", Before: image.Redacted, After: int64(7), Sensitive: true, MayDiffer: true},
				content,
			},
			true, "because image.logo will be regenerated",
		},
		{
			"a request of the user's",
			[]planner.Reason{upstream, {Kind: planner.Requested}},
			nil,
			[]image.Attribute{content},
			false, "because -replace asks for it and image.logo will be regenerated",
		},
		{"nothing that shows", []planner.Reason{changed}, nil, []image.Attribute{}, true, "because its request changed"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := viewtest.Dragged(1, "image.logo")[0]
			c.Reasons, c.Rare().Listed = test.reasons, test.attributes
			c.Desired = &image.Image{Address: c.Address, References: test.references}
			p := &planner.Plan{Changes: []*planner.Change{c, viewtest.ReplaceLogo()}}
			if got := MayStay(c); got != test.mayStay {
				t.Errorf("mayStay = %t, want %t", got, test.mayStay)
			}
			if diff := cmp.Diff(test.why, because(c, newCascade(p))); diff != "" {
				t.Errorf("why (-want +got):\n%s", diff)
			}
			if said := strings.Contains(PlanSummary(p), "turns out different"); said != test.mayStay {
				t.Errorf("the summary is %q", PlanSummary(p))
			}
		})
	}
}

func TestUnknownReference(t *testing.T) {
	t.Parallel()
	c := viewtest.Dragged(1, "image.logo")[0]
	c.Rare().Listed = []image.Attribute{
		{Name: "references[0]", Before: viewtest.Reference("image.logo", viewtest.ShaOld), After: image.Reference{}, Unknown: true, Forces: true},
		{Name: "references[1]", After: image.Reference{}, Unknown: true, Forces: true},
	}
	v, screen := newTestView(Options{})
	v.Plan(&planner.Plan{Changes: []*planner.Change{c}}, PlanInfo{})
	for _, want := range []string{
		"~ references[0] = image.logo (1a2b3c4d) -> (known after apply)\n", "+ references[1] = (known after apply) # forces",
	} {
		if !strings.Contains(screen.String(), want) {
			t.Errorf("%q is missing in\n%s", want, screen)
		}
	}
}
