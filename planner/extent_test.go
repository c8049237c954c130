package planner

import (
	"strings"
	"testing"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

// A mask that has not the size of its image is an error of the plan wherever both sizes are certain.
func TestMaskOfAnotherSize(t *testing.T) {
	t.Parallel()
	file := config.Source{File: "mask.png", Size: bfl.Size{Width: 512, Height: 512}}
	tests := map[string]struct {
		made   bool   // the image is there
		asked  [2]any // its sides, in the configuration
		mask   config.Source
		refuse bool
	}{
		"of an image that is there":             {true, [2]any{int64(1024), int64(1024)}, file, true},
		"of one to be made":                     {false, [2]any{int64(1024), int64(1024)}, file, true},
		"the same size":                         {false, [2]any{int64(512), int64(512)}, file, false},
		"of a size that the API rounds":         {false, [2]any{int64(1080), int64(1920)}, file, false},
		"of a size that is known only in apply": {false, [2]any{nil, int64(512)}, file, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			base := w.image(t, "image.base", "a room")
			base.Request.Arguments = []bfl.Argument{{Name: "height", Value: tt.asked[0]}, {Name: "prompt", Value: "a room"}, {Name: "width", Value: tt.asked[1]}}
			if tt.made {
				w.make(t)
			}
			patch := w.image(t, "image.patch", "a window", "image.base")
			patch.Request.Model = bfl.Lookup("flux-fill")
			patch.Request.Arguments = []bfl.Argument{{Name: "prompt", Value: "a window"}}
			in := patch.Request.Model.Inputs
			patch.Request.Inputs = []bfl.Input{{Field: in.References[0]}, {Field: in.Mask, SHA256: strings.Repeat("1", 64)}}
			patch.Sources = append(patch.Sources, tt.mask)
			_, diags := w.plan(t, Options{})
			if diags.HasErrors() != tt.refuse || tt.refuse && !strings.Contains(diags[0].Detail, "The mask has 512 x 512 pixels") {
				t.Errorf("the plan says %v", diags)
			}
		})
	}
}
