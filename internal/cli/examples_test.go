package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	tfjson "github.com/hashicorp/terraform-json"

	"github.com/fluxbatch/fluxbatch/internal/cli/clitest"
)

// TestExamplesAreReadByTerraformsTools decodes what show -json prints of every example's plan and
// state with Terraform's own types.
func TestExamplesAreReadByTerraformsTools(t *testing.T) {
	t.Parallel()
	examples, err := filepath.Glob("../../examples/*/*.flux.hcl")
	if err != nil || len(examples) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, file := range examples {
		example := filepath.Dir(file)
		t.Run(filepath.Base(example), func(t *testing.T) {
			t.Parallel()
			if judges, _ := filepath.Glob(filepath.Join(example, "*/*.py")); len(judges) > 0 { // the pattern is a good one
				if _, err := exec.LookPath("python3"); err != nil {
					t.Skip("its judges need python3, which is not here")
				}
			}
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(example)); err != nil {
				t.Fatal(err)
			}
			saved := filepath.Join(t.TempDir(), "plan")
			must(t, "plan", "-simulate", "-out", saved, dir)
			var plan tfjson.Plan
			if err := plan.UnmarshalJSON([]byte(must(t, "show", "-json", saved))); err != nil {
				t.Errorf("the plan: %v", err)
			}
			if len(plan.ResourceChanges) == 0 {
				t.Error("the plan has no changes")
			}
			must(t, "apply", saved)
			var state tfjson.State
			if err := state.UnmarshalJSON([]byte(must(t, "show", "-json", "-simulate", dir))); err != nil {
				t.Errorf("the state: %v", err)
			}
		})
	}
}

// TestReadmesFirstExample plans the first example of README.md as it stands there, in the directory
// of the quick start, whose bottle it uses.
func TestReadmesFirstExample(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```hcl\n")
	example, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatal("README.md has no example")
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../examples/quickstart")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "brand.flux.hcl")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "main.flux.hcl"), []byte(example), 0o600); err != nil {
		t.Fatal(err)
	}
	must(t, "plan", "-simulate", dir)
}

// must runs a command that is to succeed.
func must(t *testing.T, args ...string) string {
	t.Helper()
	stdout, stderr, code := clitest.Run(t, nil, args...)
	if code != 0 {
		t.Fatalf("fluxbatch %s exited with %d:\n%s", strings.Join(args, " "), code, stderr)
	}
	return stdout
}
