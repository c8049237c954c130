package workspace

import (
	"os"
	"path/filepath"
	"testing"
)

func TestDeclaredState(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		files map[string]string
		want  string // "" where it takes more than reading
	}{
		"nothing at all":      {map[string]string{}, ""},
		"a state alone":       {map[string]string{"fluxbatch.state.json": "{}"}, "fluxbatch.state.json"},
		"no settings":         {map[string]string{"a.flux.hcl": `image "fluxbatch" {}`}, "fluxbatch.state.json"},
		"no state in them":    {map[string]string{"a.flux.hcl": "fluxbatch {\n  output_dir = var.x\n}"}, "fluxbatch.state.json"},
		"a path":              {map[string]string{"a.flux.hcl": "fluxbatch {\n  state \"local\" { path = \"states/./x.json\" }\n}", "b.flux.hcl": "oops"}, "states/x.json"},
		"a path in JSON":      {map[string]string{"a.flux.json": `{"fluxbatch": {"state": {"local": {"path": "x.json"}}}}`}, "x.json"},
		"a path with a value": {map[string]string{"a.flux.hcl": "fluxbatch {\n  state \"local\" { path = var.x }\n}"}, ""},
		"a path of a type":    {map[string]string{"a.flux.hcl": "fluxbatch {\n  state \"local\" { path = 3 }\n}"}, ""},
		"no path":             {map[string]string{"a.flux.hcl": "fluxbatch {\n  state \"local\" { path = \"\" }\n}"}, ""},
		"a mistake near it":   {map[string]string{"a.flux.hcl": "fluxbatch {\n  state \"local\" { path = \n}"}, ""},
		"another's file":      {map[string]string{".a.flux.hcl": "fluxbatch {\n  state \"local\" { path = \"x.json\" }\n}", "a.flux.hcl": ""}, "fluxbatch.state.json"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for file, content := range test.files {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got, ok := DeclaredState(dir)
			if ok != (test.want != "") || ok && filepath.ToSlash(got) != test.want {
				t.Errorf("got %q, %v, want %q", got, ok, test.want)
			}
		})
	}
}
