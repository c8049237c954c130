package hclfast

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// pieceSeeds are texts in which a cut after "\n}\n" is right, wrong, or near to either.
func pieceSeeds(tb testing.TB) []string {
	tb.Helper()
	data, err := os.ReadFile("testdata/pieces.json")
	if err != nil {
		tb.Fatal(err)
	}
	var seeds []string
	if err := json.Unmarshal(data, &seeds); err != nil {
		tb.Fatal(err)
	}
	return seeds
}

// FuzzPieces holds parsing in pieces against parsing as a whole: the same tree, and the same
// diagnostics, word for word and place for place.
func FuzzPieces(f *testing.F) {
	for _, seed := range pieceSeeds(f) {
		f.Add([]byte(seed))
	}
	files, err := filepath.Glob("../../config/testdata/fixtures/*/*.flux.hcl")
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
	f.Fuzz(comparePieces)
}

// snippets are what FuzzSnippets writes texts of.
var snippets = []string{
	"image \"a\" {\n", "\n}\n", "  x = ", "y=", "\n", " ", "}", "{", "[", "]", ",", "=", ":", "\"", "\"s t\"", "${", "var.x", "a", "b-c", ".",
	"12", "0", "1.5", "-", "true", "null", "for", "# c\n", "// d\n", "#", "/* e */", "\t", "\\n", "$", "%", "%{", "ü", "lifecycle {\n", "<<E\n", "E\n",
	"(", ")", "+", "?", "_", "f(", "\r\n", "image \"b\" {\n  x = 1\n  y = \"${local.z} w\"\n",
}

// FuzzSnippets is FuzzPieces with texts of the words of the language, which come nearer to what is
// plain than bytes do.
func FuzzSnippets(f *testing.F) {
	f.Add([]byte{0, 2, 20, 4, 2, 14, 1, 0, 2, 8, 20, 10, 16, 9, 1})
	f.Add([]byte{0, 1, 0, 2, 7, 17, 11, 20, 10, 18, 12, 24, 6, 1, 0, 37, 2, 13, 15, 16, 6, 13, 1, 1})
	f.Fuzz(func(t *testing.T, words []byte) {
		var text []byte
		for _, w := range words {
			text = append(text, snippets[int(w)%len(snippets)]...)
		}
		comparePieces(t, text)
	})
}

// comparePieces fails unless parsing in pieces gives what parsing as a whole does, with a block a
// piece and with many.
func comparePieces(t *testing.T, src []byte) {
	t.Helper()
	compareInPieces(t, src, 1)
	compareInPieces(t, src, max(len(src)/3, 1))
}

func compareInPieces(t *testing.T, src []byte, size int) {
	t.Helper()
	want, wantDiags := hclsyntax.ParseConfig(src, "x.flux.hcl", hcl.InitialPos)
	unifyNewlines(want.Body.(*hclsyntax.Body), src, 0)
	got, gotDiags := Parse(src, "x.flux.hcl", size, readBlock)
	if diff := cmp.Diff(messages(wantDiags), messages(gotDiags)); diff != "" {
		t.Fatalf("diagnostics (-whole +pieces):\n%s", diff)
	}
	if wantDiags.HasErrors() {
		return
	}
	same := func(block *hclsyntax.Block) (*hclsyntax.Block, bool) { return block, false }
	pieces := cut(src, size)
	if len(pieces) < 2 {
		return
	}
	if blocks, body := parsePieces("x.flux.hcl", pieces, same); body != nil {
		body.Blocks = append(hclsyntax.Blocks{}, blocks...)
		if !reflect.DeepEqual(want.Body, body) {
			t.Fatalf("the trees of %q differ:\n%#v\n%#v", src, want.Body, body)
		}
	}
	compareBlocks(t, want.Body.(*hclsyntax.Body).Blocks, got)
	_, wantJust := want.Body.JustAttributes()
	_, gotJust := got.Body.JustAttributes()
	if diff := cmp.Diff(messages(wantJust), messages(gotJust)); diff != "" {
		t.Fatalf("diagnostics about blocks (-whole +pieces):\n%s", diff)
	}
	type navigator interface {
		ContextString(offset int) string
		ContextDefRange(offset int) hcl.Range
	}
	for offset := 0; offset < len(src); offset += 1 + len(src)/50 { // Each look parses a piece again.
		w, g := want.Nav.(navigator), got.Nav.(navigator)
		if w.ContextString(offset) != g.ContextString(offset) || w.ContextDefRange(offset) != g.ContextDefRange(offset) {
			t.Fatalf("at offset %d: block %q as a whole, %q in pieces", offset, w.ContextString(offset), g.ContextString(offset))
		}
	}
}

// blockRead is what readBlock makes of a block.
type blockRead struct {
	hcl.Body
	names []string
	exprs []hcl.Expression
}

// readBlock keeps of a block what its memory can be used again for.
func readBlock(block *hclsyntax.Block) (ready *hcl.Block, free bool) {
	b := block.AsHCLBlock()
	read := &blockRead{Body: hcl.EmptyBody()}
	for _, name := range slices.Sorted(maps.Keys(block.Body.Attributes)) {
		read.names = append(read.names, name)
		read.exprs = append(read.exprs, Compact(block.Body.Attributes[name].Expr))
	}
	b.Body = read
	return b, true
}

// compareBlocks fails unless the blocks of a long file are what becomes of them in a short one,
// whose memory nothing uses again.
func compareBlocks(t *testing.T, want hclsyntax.Blocks, got *hcl.File) {
	t.Helper()
	long, ok := got.Body.(*Body)
	if !ok {
		return
	}
	for i, block := range want {
		w, _ := readBlock(block)
		if g := long.Blocks[i]; !reflect.DeepEqual(w, g) {
			t.Fatalf("block %d is ready as\n%#v\nin a long file, and in a short one as\n%#v", i, g.Body, w.Body)
		}
	}
}

// TestPlain tells which blocks are plain: what looks the same as before when it no longer is, and
// is slower.
func TestPlain(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text string
		want bool
	}{
		{"x = 1", true},
		{"x = 1 # comment", true},
		{"x = 1 /* comment */", false},
		{"x = true\n  y = null", true},
		{"x = \"a ${var.b} c\"", true},
		{"x = \"${var.b}\"", true},
		{"x = \"${upper(var.b)}\"", false},
		{"x = \"a \\\"b\\\"\"", false},
		{"x = \"ü\"", false},
		{"x = image.a", true},
		{"x = image.a[0]", false},
		{"x = [image.a, \"b.png\",\n  3,]", true},
		{"x = { a = 1, \"b\": c\n d = [2] }", true},
		{"x = { for a in b : a => a }", false},
		{"x = -1", false},
		{"x = 1.5", false},
		{"x = 1 + 2", false},
		{"x = <<EOT\na\nEOT", false},
		{"lifecycle {\n    frozen = true\n  }", true},
		{"lifecycle { frozen = true }", false},
		{"x = 1\n  x = 2", false},
		{"x = 99999999999999999999", false},
	}
	for _, test := range tests {
		text := "# comment\nimage \"a\" {\n  " + test.text + "\n}\n"
		plain := newPlainParser("")
		if _, got := plain.parse(text, hcl.InitialPos); got != test.want {
			t.Errorf("%q is plain: %t, want %t", test.text, got, test.want)
		}
	}
}

func messages(diags hcl.Diagnostics) []string {
	list := make([]string, 0, len(diags))
	for _, d := range diags {
		list = append(list, d.Error())
	}
	return list
}

func TestCut(t *testing.T) {
	t.Parallel()
	var src []byte
	for i := range 200 {
		src = fmt.Appendf(src, "image \"product_%d\" {\n  prompt = \"Studio photo of ${local.style}\"\n  seed   = %d\n}\n", i, i)
	}
	pieces := cut(src, 1000)
	var again []byte
	for _, p := range pieces {
		if p.start.Byte != len(again) || len(p.src) == 0 {
			t.Fatalf("a piece of %d bytes starts at %d, want %d", len(p.src), p.start.Byte, len(again))
		}
		again = append(again, p.src...)
	}
	if string(again) != string(src) || len(pieces) < 10 {
		t.Errorf("%d pieces with %d bytes of %d", len(pieces), len(again), len(src))
	}
	if _, body := parsePieces("x", pieces, readBlock); body == nil {
		t.Error("the pieces of a right file are found wrong")
	}
}
