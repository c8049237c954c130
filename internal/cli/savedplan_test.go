package cli

import (
	"os"
	"path/filepath"
	"testing"
)

// FuzzSavedPlan reads files that claim to be saved plans: each is read whole or refused.
func FuzzSavedPlan(f *testing.F) {
	for _, text := range []string{
		`{"kind":"fluxbatch plan","version":1,"fluxbatch_version":"` + Version() + `","directory":".","options":{"targets":["image.a"],"max_cost_credits":5}}`,
		`{"kind":"fluxbatch plan","version":2,"fluxbatch_version":"9.0.0"}`,
		`{"kind":"terraform plan"}`,
		`{"kind":"fluxbatch plan","version":1`,
		``,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "plan")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		a := &app{}
		saved, dir, options, err := a.readPlan(path)
		if err == nil && (saved.Kind != savedPlanKind || dir == "" || options == nil) {
			t.Errorf("read %q as %+v in %q", data, saved, dir)
		}
	})
}
