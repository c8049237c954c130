package workspace

import (
	"os"
	"path/filepath"
	"testing"
)

// FuzzSavedPlan reads files that claim to be saved plans: each is read whole or refused.
func FuzzSavedPlan(f *testing.F) {
	for _, text := range []string{
		`{"kind":"fluxbatch plan","version":1,"fluxbatch_version":"0.1.0-dev","directory":".","options":{"targets":["image.a"],"max_cost_credits":5}}`,
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
		p, err := ReadPlan(&Environment{Version: "0.1.0-dev"}, path)
		if err == nil && (p.Kind != savedPlanKind || p.Dir == "") {
			t.Errorf("read %q as %+v", data, p)
		}
	})
}
