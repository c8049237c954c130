package config

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Files that are claimed as a pattern clash with others as those that are claimed one by one.
func TestPatternClashes(t *testing.T) {
	t.Parallel()
	const rows = "  for_each = toset([\"0\", \"a\", \"b\", \"c\", \"B\", \"d/e\", \"p-c\"])\n  prompt = each.key\n"
	const few = "  for_each = toset([\"a\", \"b\", \"c\"])\n  prompt = each.key\n"
	tests := []struct {
		name, module string
		clashes      int
	}{
		{"two blocks", "image \"p\" {\n" + rows + "}\nimage \"p-p\" {\n" + rows + "}\n", 2},
		{"one image", "image \"p\" {\n" + rows + "}\nimage \"p-b\" {\n  prompt = \"b\"\n}\nimage \"o\" {\n  prompt = \"o\"\n  output = \"P-C.jpg\"\n}\n", 3},
		{"own names", "image \"p\" {\n" + rows + "  output = \"art/${lower(each.key)}.png\"\n}\nimage \"q\" {\n" + rows + "  output = \"art/c.png/${each.key}.png\"\n}\n", 2},
		{"a folder", "image \"p\" {\n" + rows + "  output = \"p/${each.key}/x.png\"\n}\nimage \"q\" {\n  prompt = \"q\"\n  output = \"p/c/x.png/q.png\"\n}\n", 2},
		{"renditions", "image \"p\" {\n" + few + "  rendition \"a\" {\n    width = 64\n    format = \"jpeg\"\n  }\n}\nimage \"p-b\" {\n" + few + "}\n", 1},
		{"no clash", "image \"p\" {\n  count = 6\n  prompt = \"p\"\n}\nimage \"q\" {\n" + few + "}\n", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "main.flux.hcl"), []byte(head+tt.module), 0o600); err != nil {
				t.Fatal(err)
			}
			singly := outcome(dir, 1, Options{ahead: math.MaxInt})
			if diff := cmp.Diff(singly, outcome(dir, 1, Options{ahead: 2})); diff != "" {
				t.Errorf("-one by one +as a pattern:\n%s", diff)
			}
			if len(singly.Messages) != tt.clashes {
				t.Errorf("%d clashes, want %d:\n%q", len(singly.Messages), tt.clashes, singly.Messages)
			}
		})
	}
}
