package hclfast

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// plainParser parses the part of HCL that long files are written in, into the very tree that HCL's
// parser makes of it, at a tenth of the time: blocks over several lines, whose arguments are
// numbers, strings, names with dots, and lists and objects of these, in ASCII. HCL's scanner makes
// a token with two positions of every bracket, and looks for the boundaries of characters in each;
// ASCII needs neither.
//
// It knows nothing about mistakes. Whatever is not plain, be it an operator, a heredoc or an error,
// makes it give up.
type plainParser struct {
	filename string
	text     string
	// base is where text starts in the file, in its first column.
	base hcl.Pos
	// at is the place in text, line the number of its line, and lineStart where that begins in
	// text.
	at, line, lineStart int
	depth               int
	inner               int // of these, how many are lists and objects

	// words are names and short texts that were read before, with their values as strings, and
	// numbers the whole numbers. All else that is kept of the text is copied, so that the text
	// goes.
	words, numbers map[string]cty.Value

	literals slab[hclsyntax.LiteralValueExpr]
	strings  slab[hclsyntax.TemplateExpr]
	attrs    slab[hclsyntax.Attribute]
	parts    slab[hclsyntax.Expression]
	spare    hclsyntax.Attributes // to be used next
}

// maxPlainDepth bounds how deep lists and objects may be nested before HCL's parser has to say what
// it thinks of it.
const maxPlainDepth = 32

func newPlainParser(filename string) *plainParser {
	return &plainParser{filename: filename, words: map[string]cty.Value{}, numbers: map[string]cty.Value{}}
}

// parse parses a text that starts at base, which is the start of a line. It reports false where not
// all of it is plain. Of the body's range, only the end is set.
func (p *plainParser) parse(text string, base hcl.Pos) (*hclsyntax.Body, bool) {
	if !isPlainText(text) {
		return nil, false
	}
	p.text, p.base, p.at, p.line, p.lineStart, p.depth, p.inner = text, base, 0, base.Line, 0, 0, 0
	p.literals.mark()
	p.strings.mark()
	p.attrs.mark()
	p.parts.mark()
	body := &hclsyntax.Body{Attributes: hclsyntax.Attributes{}}
	for p.blank(); p.at < len(text); p.blank() {
		b := p.block()
		if b == nil {
			return nil, false
		}
		body.Blocks = append(body.Blocks, b)
	}
	body.SrcRange.End = p.pos(p.at)
	body.EndRange = hcl.Range{Filename: p.filename, Start: body.SrcRange.End, End: body.SrcRange.End}
	return body, true
}

// reuse lets the next block have the memory of the last one, which was all of its text, where
// nobody needs its arguments any more, nor those of their expressions that are single literals.
func (p *plainParser) reuse(b *hclsyntax.Block) {
	p.literals.reset()
	p.strings.reset()
	p.attrs.reset()
	p.parts.reset()
	p.spare = b.Body.Attributes
	clear(p.spare)
}

// block reads a block. It returns nil where it is not plain.
func (p *plainParser) block() *hclsyntax.Block {
	start := p.at
	b := &hclsyntax.Block{Type: p.word()}
	if b.Type == "" {
		return nil
	}
	b.TypeRange = p.from(start)
	for p.spaces(); p.peek() == '"'; p.spaces() {
		label, at, ok := p.label()
		if !ok {
			return nil
		}
		b.Labels, b.LabelRanges = append(b.Labels, label), append(b.LabelRanges, at)
	}
	open := p.at
	if !p.accept('{') {
		return nil
	}
	b.OpenBraceRange = p.from(open)
	if b.Body = p.body(b.OpenBraceRange); b.Body == nil {
		return nil
	}
	b.CloseBraceRange = hcl.Range{Filename: p.filename, Start: p.pos(p.at - 1), End: p.pos(p.at)}
	if !p.endLine() {
		return nil
	}
	return b
}

// label reads the quoted label of a block.
func (p *plainParser) label() (label string, at hcl.Range, ok bool) {
	start := p.at
	p.at++
	end := strings.IndexAny(p.text[p.at:], "\"\\$%\n")
	if end < 0 || p.text[p.at+end] != '"' {
		return "", hcl.Range{}, false
	}
	label = strings.Clone(p.text[p.at : p.at+end])
	p.at += end + 1
	return label, p.from(start), true
}

// body reads the lines of a block up to its closing brace.
func (p *plainParser) body(open hcl.Range) *hclsyntax.Body {
	if p.depth++; p.depth > maxPlainDepth || !p.endLine() {
		return nil
	}
	body := &hclsyntax.Body{Attributes: p.spare, Blocks: hclsyntax.Blocks{}}
	if p.spare = nil; body.Attributes == nil {
		body.Attributes = make(hclsyntax.Attributes, 8)
	}
	for p.blank(); !p.accept('}'); p.blank() {
		start := p.at
		name := p.word()
		p.spaces()
		if p.peek() != '=' {
			p.at = start
			inner := p.block()
			if inner == nil {
				return nil
			}
			body.Blocks = append(body.Blocks, inner)
			continue
		}
		attr := p.attribute(start, name)
		if attr == nil || body.Attributes[name] != nil {
			return nil
		}
		body.Attributes[name] = attr
	}
	p.depth--
	body.SrcRange = hcl.Range{Filename: p.filename, Start: open.Start, End: p.pos(p.at)}
	body.EndRange = hcl.Range{Filename: p.filename, Start: p.pos(p.at), End: p.pos(p.at)}
	return body
}

// attribute reads an argument from its equals sign on.
func (p *plainParser) attribute(start int, name string) *hclsyntax.Attribute {
	if name == "" {
		return nil
	}
	attr := p.attrs.put(hclsyntax.Attribute{Name: name})
	nameStart := p.pos(start)
	attr.NameRange = hcl.Range{Filename: p.filename, Start: nameStart, End: p.pos(start + len(name))}
	equals := p.at
	p.at++
	attr.EqualsRange = p.from(equals)
	p.spaces()
	if attr.Expr = p.expr(); attr.Expr == nil {
		return nil
	}
	attr.SrcRange = hcl.Range{Filename: p.filename, Start: nameStart, End: p.pos(p.at)}
	if !p.endLine() {
		return nil
	}
	return attr
}
