package suggest_test

import (
	"testing"

	"github.com/fluxbatch/fluxbatch/internal/suggest"
)

func TestNearest(t *testing.T) {
	t.Parallel()
	names := []string{"flux-2-pro", "flux-2-max", "flux-kontext"}
	for name, want := range map[string]string{
		"flux-2-por": "flux-2-pro", "flux-2-xma": "flux-2-max", "FLUX-2-MAX": "flux-2-max", "flux_kontext": "flux-kontext", "dall-e-3": "",
	} {
		if got := suggest.Nearest(name, names); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", name, got, want)
		}
	}
}

// What is far is not proposed, and of two names the one that a typist's slip leads to.
func TestNearestOfArguments(t *testing.T) {
	t.Parallel()
	names := []string{"bottom", "height", "left", "prompt", "raw", "right", "seed", "steps", "top", "width"}
	for name, want := range map[string]string{
		"widht": "width", "wdith": "width", "propmt": "prompt", "sede": "seed", "step": "steps", "rigth": "right",
		"weight": "height", "size": "", "guidance": "", "art": "", "to": "top", "xy": "", "": "",
	} {
		if got := suggest.Nearest(name, names); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", name, got, want)
		}
	}
}
