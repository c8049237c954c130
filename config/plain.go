package config

import (
	"math/big"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// plainParser parses the part of HCL that long files are written in, into the very tree that HCL's parser makes of it,
// at a tenth of the time: blocks over several lines, whose arguments are numbers, strings, names with dots, and
// lists and objects of these, in ASCII. HCL's scanner makes a token with two positions of every bracket, and looks for
// the boundaries of characters in each; ASCII needs neither.
//
// It knows nothing about mistakes. Whatever is not plain, be it an operator, a heredoc or an error, makes it give up.
type plainParser struct {
	filename string
	text     string
	// base is where text starts in the file, in its first column.
	base hcl.Pos
	// at is the place in text, line the number of its line, and lineStart where that begins in text.
	at, line, lineStart int
	depth               int
	inner               int // of these, how many are lists and objects

	// words are names and short texts that were read before, with their values as strings, and numbers the whole numbers.
	// All else that is kept of the text is copied, so that the text goes.
	words, numbers map[string]cty.Value

	literals slab[hclsyntax.LiteralValueExpr]
	strings  slab[hclsyntax.TemplateExpr]
	attrs    slab[hclsyntax.Attribute]
	parts    slab[hclsyntax.Expression]
	spare    hclsyntax.Attributes // to be used next
}

// maxPlainDepth bounds how deep lists and objects may be nested before HCL's parser has to say what it thinks of it.
const maxPlainDepth = 32

// slab hands out values from larger allocations.
type slab[T any] struct {
	free []T
	// since is what was free at the last mark, or a later allocation.
	since []T
}

func (s *slab[T]) mark() { s.since = s.free }

// reset takes back all that was handed out since the mark, but for full allocations.
func (s *slab[T]) reset() { s.free = s.since }

func (s *slab[T]) put(v T) *T { return &s.list(v)[0] }

// list returns a slice of one element.
func (s *slab[T]) list(v T) []T {
	if len(s.free) == 0 {
		s.free = make([]T, 32)
		s.since = s.free
	}
	one := s.free[:1:1]
	one[0] = v
	s.free = s.free[1:]
	return one
}

func newPlainParser(filename string) *plainParser {
	return &plainParser{filename: filename, words: map[string]cty.Value{}, numbers: map[string]cty.Value{}}
}

// parse parses a text that starts at base, which is the start of a line. It reports false where not all of it is plain.
// Of the body's range, only the end is set.
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

// reuse lets the next block have the memory of the last one, which was all of its text, where nobody needs its arguments
// any more, nor those of their expressions that are single literals.
func (p *plainParser) reuse(b *hclsyntax.Block) {
	p.literals.reset()
	p.strings.reset()
	p.attrs.reset()
	p.parts.reset()
	p.spare = b.Body.Attributes
	clear(p.spare)
}

// isPlainText reports whether a text has no other characters than ASCII's printable ones, tabs and line feeds.
func isPlainText(text string) bool {
	for i := range len(text) {
		if c := text[i]; c >= 0x7f || c < ' ' && c != '\n' && c != '\t' {
			return false
		}
	}
	return true
}

// pos returns the position of a place in the current line.
func (p *plainParser) pos(at int) hcl.Pos {
	return hcl.Pos{Line: p.line, Column: at - p.lineStart + 1, Byte: p.base.Byte + at}
}

// from returns the range from a place in the current line to where the parser is.
func (p *plainParser) from(start int) hcl.Range {
	return hcl.Range{Filename: p.filename, Start: p.pos(start), End: p.pos(p.at)}
}

// peek returns the next character, 0 at the end.
func (p *plainParser) peek() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

func (p *plainParser) accept(c byte) bool {
	if p.peek() != c {
		return false
	}
	p.at++
	return true
}

func (p *plainParser) spaces() {
	for p.at < len(p.text) && (p.text[p.at] == ' ' || p.text[p.at] == '\t') {
		p.at++
	}
}

// maxKept bounds how many words and numbers are kept, and maxWord how long words are.
const (
	maxKept = 1024
	maxWord = 32
)

// str returns a part of the text as a string.
func (p *plainParser) str(text string) cty.Value {
	if len(text) > maxWord {
		return cty.StringVal(strings.Clone(text))
	}
	v, ok := p.words[text]
	if !ok {
		text = strings.Clone(text)
		if v = cty.StringVal(text); len(p.words) < maxKept {
			p.words[text] = v
		}
	}
	return v
}

// endLine passes over spaces, a comment and the line feed. It reports false where there is anything else. The end of
// the text ends a line as well.
func (p *plainParser) endLine() bool {
	p.spaces()
	if p.peek() == '#' || strings.HasPrefix(p.text[p.at:], "//") {
		if i := strings.IndexByte(p.text[p.at:], '\n'); i >= 0 {
			p.at += i
		} else {
			return false // A comment that is not ended is no end of a line to HCL.
		}
	}
	if p.at == len(p.text) {
		return true
	}
	return p.newline()
}

func (p *plainParser) newline() bool {
	if !p.accept('\n') {
		return false
	}
	p.line++
	p.lineStart = p.at
	return true
}

// blank passes over lines without content, and over the spaces of the next one.
func (p *plainParser) blank() {
	for p.spaces(); p.at < len(p.text); p.spaces() {
		at, line, lineStart := p.at, p.line, p.lineStart
		if !p.endLine() {
			p.at, p.line, p.lineStart = at, line, lineStart
			return
		}
	}
}

// word reads an identifier, "" where there is none.
func (p *plainParser) word() string {
	start := p.at
	for p.at < len(p.text) && isWord(p.text[p.at], p.at == start) {
		p.at++
	}
	if start == p.at {
		return ""
	}
	return p.str(p.text[start:p.at]).AsString()
}

func isWord(c byte, first bool) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_':
		return true
	default:
		return !first && (c >= '0' && c <= '9' || c == '-')
	}
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

// expr reads an expression. It returns nil where it is not plain. What follows it is looked at by the caller, who
// takes nothing but the end of a line, a comma or a closing bracket, so that no operator is overlooked.
func (p *plainParser) expr() hclsyntax.Expression {
	switch c := p.peek(); {
	case c == '"':
		return p.template()
	case c >= '0' && c <= '9':
		return p.number()
	case c == '[':
		return p.list()
	case c == '{':
		return p.object()
	default:
		return p.name()
	}
}

// literal makes a literal. Those of lists and objects stay for long, and would keep all that they were allocated with.
func (p *plainParser) literal(v cty.Value, at hcl.Range) hclsyntax.Expression {
	e := hclsyntax.LiteralValueExpr{Val: v, SrcRange: at}
	if p.inner > 0 {
		return &e
	}
	return p.literals.put(e)
}

// number reads a whole number without sign.
func (p *plainParser) number() hclsyntax.Expression {
	start := p.at
	for p.at < len(p.text) && p.text[p.at] >= '0' && p.text[p.at] <= '9' {
		p.at++
	}
	digits := p.text[start:p.at]
	v, ok := p.numbers[digits]
	if !ok {
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil {
			return nil
		}
		// With the precision that cty.ParseNumberVal gives to all numbers of a configuration.
		v = cty.NumberVal(new(big.Float).SetPrec(512).SetInt64(n))
		if len(p.numbers) < maxKept {
			p.numbers[strings.Clone(digits)] = v
		}
	}
	if c := p.peek(); c == '.' || isWord(c, false) {
		return nil
	}
	return p.literal(v, p.from(start))
}

// name reads true, false, null or a name with dots.
func (p *plainParser) name() hclsyntax.Expression {
	start := p.at
	root := p.word()
	at := p.from(start)
	if c := p.peek(); c == '.' {
		return p.traversal(start, root, at)
	}
	switch root {
	case "":
		return nil
	case "true":
		return p.literal(cty.True, at)
	case "false":
		return p.literal(cty.False, at)
	case "null":
		return p.literal(cty.NullVal(cty.DynamicPseudoType), at)
	}
	return p.traversal(start, root, at)
}

func (p *plainParser) traversal(start int, root string, at hcl.Range) hclsyntax.Expression {
	if root == "" || root == "true" || root == "false" || root == "null" || root == "for" {
		return nil
	}
	steps := hcl.Traversal{hcl.TraverseRoot{Name: root, SrcRange: at}}
	for dot := p.at; p.accept('.'); dot = p.at {
		name := p.word()
		if name == "" {
			return nil
		}
		steps = append(steps, hcl.TraverseAttr{Name: name, SrcRange: p.from(dot)})
	}
	return &hclsyntax.ScopeTraversalExpr{Traversal: steps, SrcRange: p.from(start)}
}

// template reads a quoted string, with names in it.
func (p *plainParser) template() hclsyntax.Expression {
	start := p.at
	p.at++
	var parts []hclsyntax.Expression
	for literal := p.at; ; {
		end := strings.IndexAny(p.text[p.at:], "\"\\$%\n")
		if end < 0 {
			return nil
		}
		p.at += end
		switch p.peek() {
		case '"':
			if p.at > literal {
				parts = p.part(parts, p.text[literal:p.at], literal)
			}
			p.at++
			return p.endTemplate(parts, start)
		case '$':
			if p.at > literal {
				parts = p.part(parts, p.text[literal:p.at], literal)
			}
			name := p.interpolation()
			if name == nil {
				return nil
			}
			parts, literal = append(parts, name), p.at
		default:
			return nil
		}
	}
}

// part adds a literal part of a template, which starts at a place in the line and ends where the parser is.
func (p *plainParser) part(parts []hclsyntax.Expression, text string, start int) []hclsyntax.Expression {
	e := hclsyntax.LiteralValueExpr{Val: p.str(text), SrcRange: p.from(start)}
	if parts == nil && p.peek() == '"' && p.inner == 0 {
		// Most strings are of one part.
		return p.parts.list(p.literals.put(e))
	}
	return append(parts, &e)
}

func (p *plainParser) endTemplate(parts []hclsyntax.Expression, start int) hclsyntax.Expression {
	if len(parts) == 0 {
		return nil
	}
	if _, isLiteral := parts[0].(*hclsyntax.LiteralValueExpr); len(parts) == 1 && !isLiteral {
		return &hclsyntax.TemplateWrapExpr{Wrapped: parts[0], SrcRange: p.from(start)}
	}
	e := hclsyntax.TemplateExpr{Parts: parts, SrcRange: p.from(start)}
	if len(parts) > 1 || p.inner > 0 {
		return &e
	}
	return p.strings.put(e)
}

// interpolation reads a name between ${ and }.
func (p *plainParser) interpolation() hclsyntax.Expression {
	if !strings.HasPrefix(p.text[p.at:], "${") {
		return nil
	}
	p.at += len("${")
	p.spaces()
	start := p.at
	root := p.word()
	name := p.traversal(start, root, p.from(start))
	p.spaces()
	if name == nil || !p.accept('}') {
		return nil
	}
	return name
}

// list reads a list in brackets.
func (p *plainParser) list() hclsyntax.Expression {
	open, ok := p.open()
	if !ok {
		return nil
	}
	e := &hclsyntax.TupleConsExpr{OpenRange: open}
	for p.blank(); !p.accept(']'); p.blank() {
		element := p.expr()
		if element == nil {
			return nil
		}
		e.Exprs = append(e.Exprs, element)
		p.blank()
		if p.peek() != ']' && !p.accept(',') {
			return nil
		}
	}
	e.SrcRange = p.close(open)
	return e
}

// object reads an object in braces.
func (p *plainParser) object() hclsyntax.Expression {
	open, ok := p.open()
	if !ok {
		return nil
	}
	e := &hclsyntax.ObjectConsExpr{OpenRange: open}
	for p.blank(); !p.accept('}'); p.blank() {
		item, ok := p.item()
		if !ok {
			return nil
		}
		e.Items = append(e.Items, item)
		if p.spaces(); p.peek() != '}' && !p.accept(',') && !p.endLine() {
			return nil
		}
	}
	e.SrcRange = p.close(open)
	return e
}

// open passes over the bracket that begins a list or an object, and reports false where they are nested too deep.
func (p *plainParser) open() (hcl.Range, bool) {
	start := p.at
	p.at++
	p.inner++
	p.depth++
	return p.from(start), p.depth <= maxPlainDepth
}

// close returns the range of a list or an object whose end was passed.
func (p *plainParser) close(open hcl.Range) hcl.Range {
	p.inner--
	p.depth--
	return hcl.Range{Filename: p.filename, Start: open.Start, End: p.pos(p.at)}
}

// item reads one key of an object with its value.
func (p *plainParser) item() (item hclsyntax.ObjectConsItem, ok bool) {
	var key hclsyntax.Expression
	if p.peek() == '"' {
		key = p.template()
	} else {
		key = p.name()
	}
	p.spaces()
	if key == nil || !p.accept('=') && !p.accept(':') {
		return item, false
	}
	p.spaces()
	value := p.expr()
	return hclsyntax.ObjectConsItem{KeyExpr: &hclsyntax.ObjectConsKeyExpr{Wrapped: key}, ValueExpr: value}, value != nil
}
