package planner

import (
	"strings"
	"testing"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
)

// A mask that has not the size of its image is an error of the plan wherever both sizes are
// certain.
func TestMaskOfAnotherSize(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		made   bool   // the image is there
		asked  [2]any // its sides, in the configuration
		refuse bool
	}{
		"of an image that is there":             {true, [2]any{int64(1024), int64(1024)}, true},
		"of one to be made":                     {false, [2]any{int64(1024), int64(1024)}, true},
		"the same size":                         {false, [2]any{int64(512), int64(512)}, false},
		"of a size that the API rounds":         {false, [2]any{int64(1080), int64(1920)}, false},
		"of a size that is known only in apply": {false, [2]any{nil, int64(512)}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			base := w.image(t, "image.base", "a room")
			base.Arguments = []bfl.Argument{{Name: "height", Value: tt.asked[0]}, {Name: "prompt", Value: "a room"}, {Name: "width", Value: tt.asked[1]}}
			if tt.made {
				w.make(t)
			}
			patch := w.image(t, "image.patch", "a window", "image.base")
			patch.Model = bfl.Lookup("flux-fill")
			patch.Arguments = []bfl.Argument{{Name: "prompt", Value: "a window"}}
			in := patch.Model.Inputs
			patch.References[0].Field = in.References[0]
			patch.References = append(patch.References, image.Reference{
				Input: bfl.Input{Field: in.Mask, SHA256: strings.Repeat("1", 64), Size: bfl.Size{Width: 512, Height: 512}},
			})
			_, diags := w.plan(t, Options{})
			if diags.HasErrors() != tt.refuse || tt.refuse && !strings.Contains(diags[0].Detail, "The mask has 512 x 512 pixels") {
				t.Errorf("the plan says %v", diags)
			}
		})
	}
}
