// Package schema holds the blocks of a configuration against what may stand in them.
//
// A body is what stands between the braces of a block, or in a file: arguments and blocks. What its
// schema does not know is an error that says what may be meant, and is left out of the content. A
// constant is an argument that is needed before there are any variables, and so names nothing.
package schema

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/fluxbatch/fluxbatch/internal/diag"
)

// Body is the schema of a body: what may stand in it. It is not changed once it is used, and then
// safe for concurrent use.
type Body struct {
	// In names the body in messages, such as "an image block".
	In     string
	Args   []string
	Blocks []Block
	// Open lets any other argument pass.
	Open bool
	// Foreign says of blocks that it does not know, by their types, what there is in their place.
	Foreign map[string]string
}

// Block names a kind of block and what its labels are.
type Block struct {
	Name   string
	Labels []string
}

// Content is what a schema knows of a body.
type Content struct {
	Args   map[string]*hcl.Attribute
	Blocks []*hcl.Block
}

// Named returns the blocks of one type.
func (s *Content) Named(name string) []*hcl.Block {
	var blocks []*hcl.Block
	for _, block := range s.Blocks {
		if block.Type == name {
			blocks = append(blocks, block)
		}
	}
	return blocks
}

// Read holds a body against the schema. Whatever the schema does not know is an error, and left
// out.
func (s *Body) Read(body hcl.Body) (*Content, hcl.Diagnostics) {
	if native, ok := body.(*hclsyntax.Body); ok {
		out := &Content{Args: make(map[string]*hcl.Attribute, len(native.Attributes))}
		diags := s.ReadNative(native,
			func(attr *hclsyntax.Attribute) { out.Args[attr.Name] = attr.AsHCLAttribute() },
			func(block *hcl.Block) { out.Blocks = append(out.Blocks, block) })
		return out, diags
	}
	hclSchema := &hcl.BodySchema{}
	for _, name := range s.Args {
		hclSchema.Attributes = append(hclSchema.Attributes, hcl.AttributeSchema{Name: name})
	}
	for _, b := range s.Blocks {
		hclSchema.Blocks = append(hclSchema.Blocks, hcl.BlockHeaderSchema{Type: b.Name, LabelNames: b.Labels})
	}
	content, rest, diags := body.PartialContent(hclSchema)
	left, moreDiags := rest.JustAttributes()
	diags = append(diags, moreDiags...)
	out := &Content{Args: content.Attributes, Blocks: content.Blocks}
	for _, name := range slices.Sorted(maps.Keys(left)) {
		if s.Open {
			out.Args[name] = left[name]
			continue
		}
		diags = append(diags, s.unknownArgument(left[name]))
	}
	return out, diags
}

// ReadNative does for HCL's native syntax what HCL's own Body.Content does, without copying the
// body's maps for each of tens of thousands of blocks. It hands over arguments and blocks one by
// one.
func (s *Body) ReadNative(
	body *hclsyntax.Body, argument func(*hclsyntax.Attribute), inner func(*hcl.Block),
) hcl.Diagnostics {
	diags := s.ReadArguments(body, argument)
	for _, block := range body.Blocks {
		diags = append(diags, s.ReadBlock(block.AsHCLBlock(), inner)...)
	}
	return diags
}

// ReadArguments is ReadNative for the arguments alone.
func (s *Body) ReadArguments(body *hclsyntax.Body, argument func(*hclsyntax.Attribute)) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for name, attr := range body.Attributes {
		if !s.Open && !slices.Contains(s.Args, name) {
			diags = append(diags, s.unknownArgument(attr.AsHCLAttribute()))
			continue
		}
		argument(attr)
	}
	return diags
}

// ReadBlock hands over a block that may stand in the body.
func (s *Body) ReadBlock(block *hcl.Block, inner func(*hcl.Block)) hcl.Diagnostics {
	i := slices.IndexFunc(s.Blocks, func(b Block) bool { return b.Name == block.Type })
	if i < 0 {
		return hcl.Diagnostics{s.unknownBlock(block)}
	}
	if want := s.Blocks[i].Labels; len(block.Labels) != len(want) {
		return hcl.Diagnostics{wrongLabels(block, want)}
	}
	inner(block)
	return nil
}

func (s *Body) unknownArgument(attr *hcl.Attribute) *hcl.Diagnostic {
	name, at := attr.Name, attr.NameRange
	if slices.ContainsFunc(s.Blocks, func(b Block) bool { return b.Name == name }) {
		return diag.Problem(at, "Unsupported argument",
			"In %s, %s is a block. Write it without the equals sign, as in %s { ... }.", s.In, name, name)
	}
	d := diag.Problem(at, "Unsupported argument", "An argument named %q is not expected in %s.%s",
		name, s.In, diag.DidYouMean(name, s.Args))
	d.Extra = UnknownName{Name: name, meant: diag.Nearest(name, s.Args), Value: attr.Expr.Range()}
	return d
}

// UnknownName is the extra of a diagnostic about an argument that its schema does not know.
type UnknownName struct {
	Name  string
	Value hcl.Range // of what it was to be set to
	meant string    // the argument that it probably is, misspelt; or ""
}

// Misspelt returns the arguments that are in a body under names that its schema does not know, so
// that they only seem to be missing.
func Misspelt(diags hcl.Diagnostics) []string {
	var names []string
	for _, d := range diags {
		if unknown, ok := d.Extra.(UnknownName); ok && unknown.meant != "" {
			names = append(names, unknown.meant)
		}
	}
	return names
}

func (s *Body) unknownBlock(block *hcl.Block) *hcl.Diagnostic {
	if slices.Contains(s.Args, block.Type) {
		return diag.Problem(block.TypeRange, "Unsupported block type",
			"In %s, %s is an argument. Write it with an equals sign, as in %s = { ... }.", s.In, block.Type, block.Type)
	}
	var names []string
	for _, b := range s.Blocks {
		names = append(names, b.Name)
	}
	if hint, ok := s.Foreign[block.Type]; ok {
		return diag.Problem(block.TypeRange, "Unsupported block type", "%s", hint)
	}
	return diag.Problem(block.TypeRange, "Unsupported block type", "A block of type %q is not expected in %s.%s",
		block.Type, s.In, diag.DidYouMean(block.Type, names))
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
		return diag.Problem(at, "Missing block label", "The %s block needs its %s. Write %s { ... }.",
			block.Type, want[len(block.Labels)], usage)
	}
	return diag.Problem(at, "Extraneous block label",
		"The %s block has more labels than it takes. Write %s { ... }.", block.Type, usage)
}
