package machine

import (
	"strings"
	"testing"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/view"
	"github.com/fluxbatch/fluxbatch/internal/view/viewtest"
	"github.com/fluxbatch/fluxbatch/state"
)

func TestModelsJSON(t *testing.T) {
	t.Parallel()
	screen := &strings.Builder{}
	WriteModels(screen, []*bfl.Model{bfl.Lookup("flux-2-flex"), bfl.Lookup("flux-kontext-max"), bfl.Lookup("flux-fill"), bfl.Lookup("flux-3-image"), bfl.Lookup("flux-vto-v2")})
	viewtest.Golden(t, "json/models", screen.String())
}

func TestOutputJSON(t *testing.T) {
	t.Parallel()
	screen := &strings.Builder{}
	if err := WriteOutput(screen, "hero", state.OutputValue{Value: []byte(`{"a":[1,"<b>"]}`)}); err != nil {
		t.Error(err)
	}
	for _, o := range []state.OutputValue{{Sensitive: true, Value: []byte("null")}, {Value: []byte("{")}} {
		if err := WriteOutput(screen, "hero", o); err == nil {
			t.Errorf("%s is no error", o.Value)
		}
	}
	viewtest.Golden(t, "json/output", screen.String())
}

func TestCreditsJSON(t *testing.T) {
	t.Parallel()
	screen := &strings.Builder{}
	WriteCredits(screen, []view.Balance{
		{Provider: "bfl", Credits: 123_456, Host: "api.bfl.ai"},
		{Provider: "bfl.test", Credits: 1000, Host: "127.0.0.1:8787", Simulated: true},
	})
	WriteCredits(screen, nil)
	viewtest.Golden(t, "json/credits", screen.String())
}

func TestVersionJSON(t *testing.T) {
	t.Parallel()
	screen := &strings.Builder{}
	WriteVersion(screen, "0.1.0", "linux_amd64")
	viewtest.Golden(t, "json/version", screen.String())
}

func TestOutputsJSON(t *testing.T) {
	t.Parallel()
	screen := &strings.Builder{}
	WriteOutputs(screen, viewtest.SomeRecords())
	viewtest.Golden(t, "json/outputs", screen.String())
}
