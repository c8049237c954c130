package config

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/json"

	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/hclfast"
	"github.com/fluxbatch/fluxbatch/internal/lang"
	"github.com/fluxbatch/fluxbatch/internal/sourcefile"
)

// parser reads files, each once, and keeps them for the snippets in diagnostics.
type parser struct {
	files map[string]*hcl.File
}

// directory parses the configuration files of a module, in the order of their names.
func (p *parser) directory(dir string) ([]*hcl.File, hcl.Diagnostics) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, hcl.Diagnostics{{
			Severity: hcl.DiagError,
			Summary:  "Cannot read module directory",
			Detail:   fmt.Sprintf("The directory %s cannot be read: %s.", dir, sourcefile.Reason(err)),
		}}
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

// isConfigFile reports whether a file of that name belongs to a module. Hidden files and editors' copies do not.
func isConfigFile(name string) bool {
	if strings.HasPrefix(name, ".") || strings.HasSuffix(name, "~") || strings.HasPrefix(name, "#") {
		return false
	}
	return strings.HasSuffix(name, ".flux.hcl") || strings.HasSuffix(name, ".flux.json")
}

// file parses one file in the syntax that its name tells. It returns nil where nothing of the file can be used. A file that is kept without
// its tree, since it was wrong or is done with, is parsed again.
func (p *parser) file(path string, read func(string) ([]byte, error)) (*hcl.File, hcl.Diagnostics) {
	if file, ok := p.files[path]; ok && file.Body != nil {
		return file, nil
	}
	src, err := read(path)
	if err != nil {
		return nil, hcl.Diagnostics{{
			Severity: hcl.DiagError,
			Summary:  "Cannot read file",
			Detail:   fmt.Sprintf("The file %s cannot be read: %s.", path, sourcefile.Reason(err)),
		}}
	}
	if wrong := sourcefile.NotUTF8(src); wrong != "" {
		// One error, where the parser would have one for each zero.
		return nil, hcl.Diagnostics{{
			Severity: hcl.DiagError,
			Summary:  "File is not in UTF-8",
			Detail:   wrong + ".",
			Subject:  &hcl.Range{Filename: path, Start: hcl.InitialPos, End: hcl.InitialPos},
		}}
	}
	var file *hcl.File
	var diags hcl.Diagnostics
	if strings.HasSuffix(path, ".json") {
		src = bytes.TrimPrefix(src, []byte(sourcefile.ByteOrderMark))
		file, diags = json.Parse(src, path)
	} else {
		file, diags = hclfast.Parse(src, path, hclfast.PieceSize, readTopBlock)
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

// conceal hides a part of a file that no diagnostic may show. The text is not what was parsed, but a copy.
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

// readTopBlock makes a block ready for the decoder. Images are what there are many of. It reports whether the block's
// arguments were let go.
func readTopBlock(block *hclsyntax.Block) (ready *hcl.Block, free bool) {
	b := block.AsHCLBlock()
	if block.Type != "image" {
		return b, false
	}
	img := readImage(block.Body)
	b.Body = img
	return b, len(img.blocks) == 0
}

// schema lists what may stand in a body.
type schema struct {
	// in names the body in messages, such as "an image block".
	in     string
	args   []string
	blocks []blockSchema
	// open lets any other argument pass.
	open bool
}

// blockSchema names a kind of block and what its labels are.
type blockSchema struct {
	name   string
	labels []string
}

// section is a body that was held against its schema.
type section struct {
	args   map[string]*hcl.Attribute
	blocks []*hcl.Block
}

// named returns the blocks of one type.
func (s *section) named(name string) []*hcl.Block {
	var blocks []*hcl.Block
	for _, block := range s.blocks {
		if block.Type == name {
			blocks = append(blocks, block)
		}
	}
	return blocks
}

// read holds a body against a schema. Whatever the schema does not know is an error, and left out.
func (s *schema) read(body hcl.Body) (*section, hcl.Diagnostics) {
	if native, ok := body.(*hclsyntax.Body); ok {
		out := &section{args: make(map[string]*hcl.Attribute, len(native.Attributes))}
		diags := s.readNative(native,
			func(attr *hclsyntax.Attribute) { out.args[attr.Name] = attr.AsHCLAttribute() },
			func(block *hcl.Block) { out.blocks = append(out.blocks, block) })
		return out, diags
	}
	hclSchema := &hcl.BodySchema{}
	for _, name := range s.args {
		hclSchema.Attributes = append(hclSchema.Attributes, hcl.AttributeSchema{Name: name})
	}
	for _, b := range s.blocks {
		hclSchema.Blocks = append(hclSchema.Blocks, hcl.BlockHeaderSchema{Type: b.name, LabelNames: b.labels})
	}
	content, rest, diags := body.PartialContent(hclSchema)
	left, moreDiags := rest.JustAttributes()
	diags = append(diags, moreDiags...)
	out := &section{args: content.Attributes, blocks: content.Blocks}
	for _, name := range sortedKeys(left) {
		if s.open {
			out.args[name] = left[name]
			continue
		}
		diags = append(diags, s.unknownArgument(left[name]))
	}
	return out, diags
}

// readNative does for HCL's native syntax what HCL's own Body.Content does, without copying the body's maps for each
// of tens of thousands of blocks. It hands over arguments and blocks one by one.
func (s *schema) readNative(
	body *hclsyntax.Body, argument func(*hclsyntax.Attribute), inner func(*hcl.Block),
) hcl.Diagnostics {
	diags := s.readArguments(body, argument)
	for _, block := range body.Blocks {
		diags = append(diags, s.readBlock(block.AsHCLBlock(), inner)...)
	}
	return diags
}

func (s *schema) readArguments(body *hclsyntax.Body, argument func(*hclsyntax.Attribute)) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for name, attr := range body.Attributes {
		if !s.open && !slices.Contains(s.args, name) {
			diags = append(diags, s.unknownArgument(attr.AsHCLAttribute()))
			continue
		}
		argument(attr)
	}
	return diags
}

func (s *schema) readBlock(block *hcl.Block, inner func(*hcl.Block)) hcl.Diagnostics {
	i := slices.IndexFunc(s.blocks, func(b blockSchema) bool { return b.name == block.Type })
	if i < 0 {
		return hcl.Diagnostics{s.unknownBlock(block)}
	}
	if want := s.blocks[i].labels; len(block.Labels) != len(want) {
		return hcl.Diagnostics{wrongLabels(block, want)}
	}
	inner(block)
	return nil
}

func (s *schema) unknownArgument(attr *hcl.Attribute) *hcl.Diagnostic {
	name, at := attr.Name, attr.NameRange
	if slices.ContainsFunc(s.blocks, func(b blockSchema) bool { return b.name == name }) {
		return diag.Problem(at, "Unsupported argument",
			"In %s, %s is a block: write it without the equals sign, as in %s { ... }.", s.in, name, name)
	}
	d := diag.Problem(at, "Unsupported argument", "An argument named %q is not expected in %s.%s",
		name, s.in, diag.DidYouMean(name, s.args))
	d.Extra = unknownName{name: name, meant: diag.Nearest(name, s.args), value: attr.Expr.Range()}
	return d
}

// unknownName is the extra of a diagnostic about an argument that its schema does not know.
type unknownName struct {
	name  string
	meant string // the argument that it probably is, misspelt; or ""
	value hcl.Range
}

// misspelt returns the arguments that are in a body under names that its schema does not know, so that they only seem to be missing.
func misspelt(diags hcl.Diagnostics) []string {
	var names []string
	for _, d := range diags {
		if unknown, ok := d.Extra.(unknownName); ok && unknown.meant != "" {
			names = append(names, unknown.meant)
		}
	}
	return names
}

func (s *schema) unknownBlock(block *hcl.Block) *hcl.Diagnostic {
	if slices.Contains(s.args, block.Type) {
		return diag.Problem(block.TypeRange, "Unsupported block type",
			"In %s, %s is an argument: write it with an equals sign, as in %s = { ... }.", s.in, block.Type, block.Type)
	}
	var names []string
	for _, b := range s.blocks {
		names = append(names, b.name)
	}
	if hint, ok := foreignBlocks[block.Type]; ok && s == &topLevel {
		return diag.Problem(block.TypeRange, "Unsupported block type", "%s", hint)
	}
	return diag.Problem(block.TypeRange, "Unsupported block type", "A block of type %q is not expected in %s.%s",
		block.Type, s.in, diag.DidYouMean(block.Type, names))
}

func wrongLabels(block *hcl.Block, want []string) *hcl.Diagnostic {
	at := block.TypeRange
	if len(block.Labels) > len(want) {
		at = block.LabelRanges[len(want)]
	}
	words := []string{block.Type}
	for _, label := range want {
		words = append(words, strconv.Quote(strings.ToUpper(label)))
	}
	usage := strings.Join(words, " ")
	if len(block.Labels) < len(want) {
		return diag.Problem(at, "Missing block label", "The %s block lacks its %s. Write %s { ... }.",
			block.Type, want[len(block.Labels)], usage)
	}
	return diag.Problem(at, "Extraneous block label",
		"The %s block has more labels than it takes. Write %s { ... }.", block.Type, usage)
}

func sortedKeys[K ~string, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
