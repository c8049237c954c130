package planner

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/state"
)

func TestLeaving(t *testing.T) {
	t.Parallel()
	at := func(path string) *state.Image { return &state.Image{Output: state.File{Path: path}} }
	to := func(path string) *image.Image { return &image.Image{Output: path} }
	p := &Plan{Changes: []*Change{
		{Action: Create, Desired: to("new")},
		{Action: Destroy, Prior: at("destroyed")},
		{Action: Update, Prior: at("moved"), Desired: to("x")},
		{Action: Replace, Origin: Generate, Prior: at("replaced elsewhere"), Desired: to("y")},
		{Action: Create, Prior: at("lost, and made elsewhere"), Desired: to("z")},
		// These stay.
		{Action: Update, Prior: at("relabelled"), Desired: to("relabelled")},
		{Action: Update, Prior: at("taken as it is")},
		{Action: Forget, Prior: at("forgotten")},
		{Action: NoOp, Prior: at("unchanged"), Desired: to("unchanged")},
		{Action: Replace, Origin: Refused, Prior: at("refused"), Desired: to("v")},
		{Action: NoOp, Frozen: true, Prior: at("frozen"), Desired: to("w")},
	}}
	want := []string{"destroyed", "lost, and made elsewhere", "moved", "replaced elsewhere"}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(p.Leaving()))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
