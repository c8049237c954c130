package planner_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/planner"
)

// A collection is encoded as its value is.
func TestEncodeCollection(t *testing.T) {
	t.Parallel()
	dir, text := t.TempDir(), "defaults { model = \"flux-2-pro\" }\nimage \"p\" {\n  for_each = toset([\"b\", \"a\", \"<ä>\"])\n  prompt = \"\\\"${each.key}\\\" & \\u2028 C:\\\\x\"\n  width = 512\n  height = 512\n}\n"
	values := []string{"i.path", "i.prompt", "i.width", "i.width / 3", "i.seed", "i.labels", "[k, i.width, null]", "{ a = k, \"b c\" = true }", "null", "true", "k == \"a\" ? i.sha256 : i.path", "i.sha256"}
	for n, v := range values {
		text += fmt.Sprintf("output \"l%[1]d\" { value = [for k, i in image.p : %[2]s] }\noutput \"o%[1]d\" { value = { for k, i in image.p : k => %[2]s if i.width > 1 } }\noutput \"g%[1]d\" { value = { for k, i in image.p : i.width => %[2]s... if k != \"b\" } }\noutput \"e%[1]d\" { value = [for k, i in image.p : %[2]s if k == \"none\"] }\n", n, v)
	}
	if err := os.WriteFile(filepath.Join(dir, "main.flux.hcl"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, diags := config.Load(dir, config.Options{})
	outputs, more := cfg.Outputs(nil)
	if diags = append(diags, more...); diags.HasErrors() {
		t.Fatal(diags)
	}
	collections, unknown := 0, 0
	for _, o := range outputs {
		got, ok := planner.EncodeOutput(o)
		want, wantOK := planner.EncodeOutput(config.Output{Name: o.Name, Value: o.Whole()})
		if diff := cmp.Diff(want, got); diff != "" || ok != wantOK {
			t.Errorf("%s: %t, want %t; (-of the value +of the collection)\n%s", o.Name, ok, wantOK, diff)
		}
		if o.Collection != nil {
			collections++
		}
		if !ok {
			unknown++
		}
	}
	if collections < 30 || unknown < 4 {
		t.Errorf("%d of %d outputs are collections, and %d are not known", collections, len(outputs), unknown)
	}
}
