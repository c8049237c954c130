package config

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// pieceSeeds are texts in which a cut after "\n}\n" is right, wrong, or near to either.
var pieceSeeds = []string{
	"",
	"a = 1\n",
	"image \"a\" {\n}\nimage \"b\" {\n}\nimage \"c\" {\n}\n",
	"image \"a\" {\n}\n\n# ü comment\nimage \"b\" {\n  x = \"ü${1}\"\n}\nb = 2",
	"x = <<EOT\n}\n}\nEOT\nimage \"a\" {\n}\nimage \"b\" {\n}\n",
	"/*\n}\n*/\nimage \"a\" {\n}\nimage \"b\" {\n}\n",
	"/* image \"x\" {\n}\nimage \"a\" {\n}\n*/ image \"b\" {\n}\n",
	"image \"a\" {\n  b {\n}\n}\nimage \"b\" {\n}\n",
	"locals {\n  x = {\n}\n}\nimage \"b\" {\n}\n",
	"locals {\n  x = <<EOT\n}\nEOT\n}\nimage \"b\" {\n}\nimage \"c\" {\n}\n",
	"a = 1\nimage \"a\" {\n}\na = 2\nimage \"b\" {\n}\n",
	"image \"a\" {\n}\nimage \"b\" {\n  x =\n}\nimage \"c\" {\n}\n",
	"image \"a\" {\r\n}\r\nimage \"b\" {\r\n}\r\n",
	"\ufeffimage \"a\" {\n}\nimage \"b\" {\n}\n",
	"image \"a\" {\n}\n\ufeffimage \"b\" {\n}\n",
	"x = [\n{\n}\n]\nimage \"b\" {\n}\n",
	"x = \"${\n{\n}\n}\"\nimage \"b\" {\n}\n",
	"image \"a\" {\n}\n}\nimage \"b\" {\n}\n",
	"image \"a\" {\n}\n\x00image \"b\" {\n}\n",
}

// FuzzPieces holds parsing in pieces against parsing as a whole: the same tree, and the same diagnostics, word for
// word and place for place.
func FuzzPieces(f *testing.F) {
	for _, seed := range pieceSeeds {
		f.Add([]byte(seed))
	}
	files, err := filepath.Glob("testdata/fixtures/*/*.flux.hcl")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		want, wantDiags := hclsyntax.ParseConfig(src, "x.flux.hcl", hcl.InitialPos)
		got, gotDiags := parseNative(src, "x.flux.hcl", 1)
		if diff := cmp.Diff(messages(wantDiags), messages(gotDiags)); diff != "" {
			t.Fatalf("diagnostics (-whole +pieces):\n%s", diff)
		}
		if wantDiags.HasErrors() {
			return
		}
		if !reflect.DeepEqual(want.Body, got.Body) {
			t.Fatalf("the trees differ:\n%#v\n%#v", want.Body, got.Body)
		}
		type navigator interface {
			ContextString(offset int) string
			ContextDefRange(offset int) hcl.Range
		}
		for offset := range src {
			w, g := want.Nav.(navigator), got.Nav.(navigator)
			if w.ContextString(offset) != g.ContextString(offset) || w.ContextDefRange(offset) != g.ContextDefRange(offset) {
				t.Fatalf("at offset %d: block %q as a whole, %q in pieces", offset, w.ContextString(offset), g.ContextString(offset))
			}
		}
	})
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
	src := blocks(100)
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
	if parsePieces(src, "x", pieces) == nil {
		t.Error("the pieces of a right file are found wrong")
	}
}
