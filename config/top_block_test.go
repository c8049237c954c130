package config

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/fluxbatch/fluxbatch/internal/hclfast"
)

// FuzzTopBlocks holds the blocks of long files, whose memory is used again, against what becomes of
// them in short ones.
func FuzzTopBlocks(f *testing.F) {
	data, err := os.ReadFile("../internal/hclfast/testdata/pieces.json")
	if err != nil {
		f.Fatal(err)
	}
	var seeds []string
	if err := json.Unmarshal(data, &seeds); err != nil {
		f.Fatal(err)
	}
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	files, err := filepath.Glob("testdata/fixtures/*/*.flux.hcl")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		whole, diags := hclfast.Parse(src, "x.flux.hcl", len(src)+1, nil)
		if diags.HasErrors() {
			return
		}
		for _, size := range []int{1, max(len(src)/3, 1)} {
			long, _ := hclfast.Parse(src, "x.flux.hcl", size, readTopBlock)
			compareReady(t, whole.Body.(*hclsyntax.Body).Blocks, long)
		}
	})
}

// compareReady fails unless the blocks of a file in pieces are what becomes of blocks that were
// parsed as a whole.
func compareReady(t *testing.T, want hclsyntax.Blocks, got *hcl.File) {
	t.Helper()
	long, ok := got.Body.(*hclfast.Body)
	if !ok {
		return
	}
	for i, block := range want {
		w, _ := readTopBlock(block)
		for _, b := range []*hcl.Block{w, long.Blocks[i]} {
			if img, ok := b.Body.(*imageBody); ok {
				sortDiagnostics(img.diags) // They come in any order.
			}
		}
		if g := long.Blocks[i]; !reflect.DeepEqual(w, g) {
			t.Fatalf("block %d is ready as\n%#v\nin a long file, and in a short one as\n%#v", i, g.Body, w.Body)
		}
	}
}
