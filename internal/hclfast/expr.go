package hclfast

import (
	"math/big"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// The expressions that are plain.

// expr reads an expression. It returns nil where it is not plain. What follows it is looked at by
// the caller, who takes nothing but the end of a line, a comma or a closing bracket, so that no
// operator is overlooked.
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

// literal makes a literal. Those of lists and objects stay for long, and would keep all that they
// were allocated with.
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

// part adds a literal part of a template, which starts at a place in the line and ends where the
// parser is.
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

// open passes over the bracket that begins a list or an object, and reports false where they are
// nested too deep.
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
