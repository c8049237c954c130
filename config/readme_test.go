package config

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/fluxbatch/fluxbatch/internal/lang"
	"github.com/fluxbatch/fluxbatch/internal/modelblock"
)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var fenced = regexp.MustCompile("(?ms)^```(hcl|hcl values|json)\n(.*?)^```$")

// TestReadmeExamples evaluates each example of the reference, together with the blocks of
// testdata/readme/around.txt that it does not have itself.
func TestReadmeExamples(t *testing.T) {
	t.Parallel()
	examples := fenced.FindAllStringSubmatch(readme(t), -1)
	if len(examples) < 15 {
		t.Fatalf("%d examples", len(examples))
	}
	for _, example := range examples {
		kind, text := example[1], example[2]
		t.Run(strings.SplitN(text, "\n", 2)[0], func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS("testdata/readme")); err != nil {
				t.Fatal(err)
			}
			name := map[string]string{"hcl": "main.flux.hcl", "hcl values": "fluxbatch.fluxvars.hcl", "json": "main.flux.json"}[kind]
			files := map[string]string{name: text, "around.flux.hcl": surroundings(t, kind, text)}
			for name, text := range files {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			for _, d := range diagnose(t, dir) {
				t.Errorf("%s: %s", d.Summary, d.Error())
			}
			if kind != "json" {
				if formatted, _ := Format([]byte(text), name); string(formatted) != text {
					t.Errorf("the example is not formatted; it should be\n%s", formatted)
				}
			}
		})
	}
}

// surroundings returns the blocks that an example takes for granted.
func surroundings(t *testing.T, kind, example string) string {
	t.Helper()
	src, err := os.ReadFile("testdata/readme/around.txt")
	if err != nil {
		t.Fatal(err)
	}
	declared := map[string]bool{}
	if kind == "hcl" {
		file, diags := hclsyntax.ParseConfig([]byte(example), "example", hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		for _, block := range file.Body.(*hclsyntax.Body).Blocks {
			declared[block.Type+" "+strings.Join(block.Labels, " ")] = true
		}
	}
	file, diags := hclwrite.ParseConfig(src, "around.txt", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for _, block := range file.Body().Blocks() {
		if declared[block.Type()+" "+strings.Join(block.Labels(), " ")] {
			file.Body().RemoveBlock(block)
		}
	}
	return string(file.Bytes())
}

// under returns the text under a heading of the reference.
func under(t *testing.T, heading string) string {
	t.Helper()
	_, text, ok := strings.Cut(readme(t), "\n"+heading+"\n")
	if !ok {
		t.Fatalf("the reference has no heading %q", heading)
	}
	for _, next := range []string{"\n## ", "\n### "} {
		if i := strings.Index(text, next); i >= 0 && (next == "\n## " || strings.HasPrefix(heading, "### ")) {
			text = text[:i]
		}
	}
	return text
}

var quoted = regexp.MustCompile("`([a-z_0-9]+)`")

// firstColumn returns the words in the first column of the tables in a text.
func firstColumn(text string) []string {
	var words []string
	for row := range strings.SplitSeq(text, "\n") {
		if cells := strings.Split(row, "|"); len(cells) > 2 {
			for _, match := range quoted.FindAllStringSubmatch(cells[1], -1) {
				words = append(words, match[1])
			}
		}
	}
	slices.Sort(words)
	return words
}

func TestReadmeIsComplete(t *testing.T) {
	t.Parallel()
	sorted := func(words []string) []string {
		words = slices.Clone(words)
		slices.Sort(words)
		return words
	}
	with := func(words []string, more ...string) []string { return sorted(append(slices.Clone(words), more...)) }
	tests := []struct {
		heading string
		want    []string
	}{
		{"### Arguments", sorted(imageSchema.Args)},
		{"### lifecycle", with(lifecycleSchema.Args, "precondition", "postcondition")},
		{"## model", with(modelblock.Schema.Args, "price", "limits")},
		{"## variable", with(variableSchema.Args, "validation")},
		{"## output", with(outputSchema.Args, "precondition")},
		{"## module", sorted(callSchema.Args)},
		{"## moved", sorted(movedSchema.Args)},
		{"## import", sorted(importSchema.Args)},
		{"## provider", with(providerSchema.Args, slotsSchema.Args...)},
		{"### Slots", sorted(slotsSchema.Args)},
		{"### Buckets", with(stateBucketSchema.Args, "prefix")},
		{"## budget", sorted(budgetSchema.Args)},
		{"## Conditions", sorted(ruleSchema.Args)},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, firstColumn(under(t, tt.heading))); diff != "" {
			t.Errorf("arguments under %q (-language +reference):\n%s", tt.heading, diff)
		}
	}
	var functions []string
	for row := range strings.SplitSeq(under(t, "## Functions"), "\n") {
		if cells := strings.Split(row, "|"); len(cells) > 2 {
			for _, match := range quoted.FindAllStringSubmatch(cells[2], -1) {
				functions = append(functions, match[1])
			}
		}
	}
	if diff := cmp.Diff(lang.Names(), sorted(functions)); diff != "" {
		t.Errorf("functions (-language +reference):\n%s", diff)
	}
	for _, block := range topLevel.Blocks {
		under(t, "## "+block.Name)
	}
}
