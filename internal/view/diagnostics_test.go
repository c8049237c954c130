package view

import (
	"errors"
	"fmt"
	"testing"

	"github.com/fluxbatch/fluxbatch/internal/view/viewtest"
)

func TestDiagnostics(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]Options{"plain": {}, "wide": {Width: 200}, "color": {Color: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			diags, files := viewtest.SomeDiagnostics(t)
			v, screen := newTestView(opts)
			v.Diagnostics(diags, files)
			viewtest.Golden(t, "diagnostics/"+name, screen.String())
		})
	}
}

func TestError(t *testing.T) {
	t.Parallel()
	diags, _ := viewtest.SomeDiagnostics(t)
	err := errors.Join(
		errors.New("the state is locked by another run, which anna began on build-7 at 14:02:11 and which is still under way"),
		errors.Join(
			fmt.Errorf("fluxbatch.state.json is damaged: %w", errors.New("unexpected end of JSON input")),
			errors.New("no API key\n\nSet the variable that the provider names:\n\n    export BFL_API_KEY=..."),
		),
		diags[2:3],
		errors.New("an answer with \x1b[2J a terminal's command"),
		fmt.Errorf("several things: %w, %w", errors.New("one"), errors.New("two")),
	)
	v, screen := newTestView(Options{})
	v.Error(err)
	v.Error(nil)
	viewtest.Golden(t, "diagnostics/errors", screen.String())
}
