package cli_test

import (
	"crypto/sha256"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestShop edits one of the twenty products of examples/shop: exactly its files change, and what it is
// part of.
func TestShop(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("skipped with -short: eighty pictures and more, pixel by pixel; the test without the race detector makes them")
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../examples/shop")); err != nil {
		t.Fatal(err)
	}
	apply := func(from, to string, want ...string) {
		t.Helper()
		table := filepath.Join(dir, "products.csv")
		text, err := os.ReadFile(table)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(table, []byte(strings.Replace(string(text), from, to, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		before := pictures(t, dir)
		must(t, "apply", "-simulate", "-auto-approve", dir)
		var changed []string
		for path, sum := range pictures(t, dir) {
			if before[path] != sum {
				changed = append(changed, path)
			}
		}
		slices.Sort(changed)
		if len(want) > 0 {
			if diff := cmp.Diff(want, changed); diff != "" {
				t.Errorf("%s: other files changed than should (-want +got):\n%s", to, diff)
			}
			return
		}
		if len(changed) != 20*4+2+2 {
			t.Errorf("%d files were made: %v", len(changed), changed)
		}
	}
	apply("", "")
	apply("clock of birch", "clock of slate", "products/clock-card.webp", "products/clock-page.webp", "products/clock-thumb.webp", "products/clock.jpg", "sprites.webp")
	apply("speckled stoneware", "red clay",
		"products/mug-card.webp", "products/mug-page.webp", "products/mug-thumb.webp", "products/mug.jpg", "social-og.jpg", "social.jpg", "sprites.webp")
	must(t, "verify", "-simulate", "-provenance", dir)
}

// pictures are the hashes of the files of a simulation.
func pictures(t *testing.T, dir string) map[string][32]byte {
	t.Helper()
	sums := map[string][32]byte{}
	root := os.DirFS(filepath.Join(dir, ".fluxbatch/simulation/images"))
	err := fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil // Before the first apply there is no folder.
		}
		content, err := fs.ReadFile(root, path)
		sums[path] = sha256.Sum256(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sums
}
