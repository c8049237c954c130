package config

import (
	"bytes"
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/json"

	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/hclfast"
	"github.com/fluxbatch/fluxbatch/internal/hugepage"
	"github.com/fluxbatch/fluxbatch/internal/lang"
	"github.com/fluxbatch/fluxbatch/internal/sourcefile"
)

// parser reads files, each once, and keeps them for the snippets in diagnostics.
type parser struct {
	files map[string]*hcl.File
	// pieceSize is that of the options.
	pieceSize int
	// size is how many bytes were parsed.
	size int64
}

// parsedMemory is about how much memory a plan needs for each byte of its blocks.
const parsedMemory = 40

// directory parses the configuration files of a module, in the order of their names.
func (p *parser) directory(dir string) ([]*hcl.File, hcl.Diagnostics) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, hcl.Diagnostics{diag.Error("Cannot read module directory", "The directory %s cannot be read: %s.", dir, sourcefile.Reason(err))}
	}
	var files []*hcl.File
	var diags hcl.Diagnostics
	for _, entry := range entries {
		if name := entry.Name(); entry.IsDir() || !isConfigFile(name) {
			continue
		}
		file, moreDiags := p.file(filepath.Join(dir, entry.Name()), sourcefile.Read)
		diags = append(diags, moreDiags...)
		if file != nil {
			files = append(files, file)
		}
	}
	return files, diags
}

// isConfigFile reports whether a file of that name belongs to a module. Hidden files and editors'
// copies do not.
func isConfigFile(name string) bool {
	if strings.HasPrefix(name, ".") || strings.HasSuffix(name, "~") || strings.HasPrefix(name, "#") {
		return false
	}
	return strings.HasSuffix(name, ".flux.hcl") || strings.HasSuffix(name, ".flux.json")
}

// file parses one file in the syntax that its name tells. It returns nil where nothing of the file
// can be used. A file that is kept without its tree, since it was wrong or is done with, is parsed
// again.
func (p *parser) file(path string, read func(string) ([]byte, error)) (*hcl.File, hcl.Diagnostics) {
	if file, ok := p.files[path]; ok && file.Body != nil {
		return file, nil
	}
	src, err := read(path)
	if err != nil {
		return nil, hcl.Diagnostics{diag.Error("Cannot read file", "The file %s cannot be read: %s.", path, sourcefile.Reason(err))}
	}
	if wrong := sourcefile.NotUTF8(src); wrong != "" {
		// One error, where the parser would have one for each zero.
		at := hcl.Range{Filename: path, Start: hcl.InitialPos, End: hcl.InitialPos}
		return nil, hcl.Diagnostics{diag.Problem(at, "File is not in UTF-8", "%s.", wrong)}
	}
	var file *hcl.File
	var diags hcl.Diagnostics
	if strings.HasSuffix(path, ".json") {
		src = bytes.TrimPrefix(src, []byte(sourcefile.ByteOrderMark))
		file, diags = json.Parse(src, path)
	} else {
		p.size += int64(len(src))
		hugepage.Expect(p.size * parsedMemory)
		file, diags = hclfast.Parse(src, path, cmp.Or(p.pieceSize, hclfast.PieceSize), readTopBlock)
	}
	if huge := lang.HugeNumbers(src, path); huge.HasErrors() {
		return nil, append(diags, huge...)
	}
	if file == nil || file.Body == nil {
		p.keep(path, &hcl.File{Bytes: src})
		return nil, diags
	}
	p.keep(path, file)
	return file, diags
}

func (p *parser) keep(path string, file *hcl.File) {
	if p.files == nil {
		p.files = map[string]*hcl.File{}
	}
	p.files[path] = file
}

// conceal hides a part of a file that no diagnostic may show. The text is not what was parsed, but
// a copy.
func (p *parser) conceal(r hcl.Range) {
	file := p.files[r.Filename]
	if file == nil || !r.CanSliceBytes(file.Bytes) {
		return
	}
	file.Bytes = bytes.Clone(file.Bytes)
	for i := range r.SliceBytes(file.Bytes) {
		file.Bytes[r.Start.Byte+i] = '*'
	}
}

// readTopBlock makes a block ready for the decoder. Images are what there are many of. It reports
// whether the block's arguments were let go.
func readTopBlock(block *hclsyntax.Block) (ready *hcl.Block, free bool) {
	b := block.AsHCLBlock()
	if block.Type != "image" {
		return b, false
	}
	img := readImage(block.Body)
	b.Body = img
	return b, len(img.blocks) == 0
}

func sortedKeys[K ~string, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
