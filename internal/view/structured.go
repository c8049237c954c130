package view

import (
	"encoding/json"
	"slices"
	"strings"

	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/lazyregexp"
	"github.com/fluxbatch/fluxbatch/internal/view/hcltext"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
)

// structured is a value that has elements, in lines as it would stand in a configuration: a list or
// an object, or text that holds one as JSON, as structured prompts do. Its first and last lines
// hold its brackets.
type structured []string

// structuredOf returns an attribute's value in lines, nil for one without elements.
func structuredOf(value any) structured {
	switch v := value.(type) {
	case json.RawMessage:
		return structuredJSON(string(v), "", "")
	case string:
		return structuredJSON(v, "jsonencode(", ")")
	default:
		return nil
	}
}

func structuredJSON(text, before, after string) structured {
	if text == "" || text[0] != '{' && text[0] != '[' {
		return nil
	}
	t, err := ctyjson.ImpliedType([]byte(text))
	if err != nil {
		return nil
	}
	value, err := ctyjson.Unmarshal([]byte(text), t)
	if err != nil || value.LengthInt() == 0 {
		return nil
	}
	return strings.Split(before+hcltext.Text(value, 0)+after, "\n")
}

// rawJSON returns a value that is structured as it is written.
func rawJSON(value any) string {
	if raw, ok := value.(json.RawMessage); ok {
		return string(raw)
	}
	text, _ := value.(string)
	return text
}

// same reports whether two values have the same elements.
func (s structured) same(other structured) bool {
	return strings.Join(s, "\n") == strings.Join(other, "\n")
}

// marginColumn is where the lines of a value have their mark. The elements begin two columns
// further.
const marginColumn = nameColumn + 2

// structure writes an attribute of which a value has elements, and reports whether there is one.
func (pp *planPage) structure(f *layout.Flow, a *image.Attribute) bool {
	before, after := structuredOf(a.Before), structuredOf(a.After)
	switch {
	case before == nil && after == nil:
		return false
	case before == nil && a.Before != nil:
		f.Add(layout.Span{Text: oneLine(a.Before, false)}, layout.Span{Text: " -> "})
		pp.lines(f, after, pp.forcing(a)...)
	case before == nil:
		pp.lines(f, after, pp.forcing(a)...)
	case a.Unknown:
		pp.lines(f, before, pp.forcing(a)...)
		f.Add(layout.Span{Text: " "}, layout.Span{Text: "-> " + hcltext.KnownAfterApply, Solid: true})
	case after == nil:
		pp.lines(f, before, pp.forcing(a)...)
		f.Add(layout.Span{Text: " -> " + oneLine(a.After, false)})
	case before.same(after):
		// What differs is how the text is written, which makes another request all the same.
		before, after := rawJSON(a.Before), rawJSON(a.After)
		pp.textChange(f, a, before, after, strings.Contains(before+after, "\n"))
	case before[0] != after[0]:
		pp.lines(f, before, pp.forcing(a)...)
		f.Add(layout.Span{Text: " -> "})
		pp.lines(f, after)
	default:
		pp.lineChange(f, a, before, after)
	}
	return true
}

// lines writes a value, with comments behind its first line. What follows its last line may be
// added.
func (pp *planPage) lines(f *layout.Flow, s structured, comments ...layout.Span) {
	f.Add(layout.Span{Text: s[0], Solid: true})
	f.Add(comments...)
	for _, line := range s[1 : len(s)-1] {
		pp.line(f, " ", line)
	}
	pp.endLines(f, s)
}

func (pp *planPage) endLines(f *layout.Flow, s structured) {
	f.Begin(strings.Repeat(" ", nameColumn), nameColumn, nameColumn)
	f.Add(layout.Span{Text: s[len(s)-1], Solid: true})
}

// lineChange writes how a value changes, each line that differs with a mark in front.
func (pp *planPage) lineChange(f *layout.Flow, a *image.Attribute, before, after structured) {
	f.Add(layout.Span{Text: after[0], Solid: true})
	pp.forces(f, a)
	var script layout.Edits
	script.AddLines(unaligned(before[1:len(before)-1]), unaligned(after[1:len(after)-1]))
	gone, came := before[1:], after[1:]
	for i := 0; i < len(script); {
		if e := script[i]; e.Kind == layout.Kept {
			n := strings.Count(e.Text, "\n")
			for _, line := range came[:n] {
				pp.line(f, " ", line)
			}
			gone, came = gone[n:], came[n:]
			i++
			continue
		}
		less, more, end := script.Change(i)
		n, m := strings.Count(less, "\n"), strings.Count(more, "\n")
		pp.changedLines(f, gone[:n], came[:m])
		gone, came, i = gone[n:], came[m:], end
	}
	pp.endLines(f, after)
}

// changedLines writes lines that take the place of others. Two that give a value to one name stand
// as one.
func (pp *planPage) changedLines(f *layout.Flow, gone, came []string) {
	for _, old := range gone {
		name, _ := nameOfLine(old)
		at := slices.IndexFunc(came, func(line string) bool {
			other, _ := nameOfLine(line)
			return name != "" && name == other
		})
		if at < 0 {
			pp.line(f, "-", old)
			continue
		}
		for _, line := range came[:at] {
			pp.line(f, "+", line)
		}
		pp.changedLine(f, old, came[at])
		came = came[at+1:]
	}
	for _, line := range came {
		pp.line(f, "+", line)
	}
}

// changedLine writes a line whose value changes: as a diff of its words, or both values where they
// have little in common.
func (pp *planPage) changedLine(f *layout.Flow, old, line string) {
	_, before := nameOfLine(old)
	_, after := nameOfLine(line)
	pp.beginLine(f, "~", line)
	f.Add(layout.Span{Text: strings.TrimLeft(strings.TrimSuffix(line, after), " "), Solid: true})
	if script := layout.DiffWords(before, after); alike(script, before, after) {
		f.Add(pp.edits(script, true)...)
		return
	}
	f.Add(layout.Span{Text: before}, layout.Span{Text: " "}, layout.Span{Text: "->", Style: &pp.colours.Update}, layout.Span{Text: " " + after})
}

// line writes one line of a value with a mark in the margin.
func (pp *planPage) line(f *layout.Flow, mark, line string) {
	pp.beginLine(f, mark, line)
	_, value := nameOfLine(line)
	f.Add(layout.Span{Text: strings.TrimLeft(strings.TrimSuffix(line, value), " "), Solid: true}, layout.Span{Text: strings.TrimLeft(value, " ")})
}

// beginLine writes what stands before a line. Where the line is too long, it goes on below its
// value.
func (pp *planPage) beginLine(f *layout.Flow, mark, line string) {
	indent := len(line) - len(strings.TrimLeft(line, " "))
	column := marginColumn + indent
	hang := column
	if _, value := nameOfLine(line); value != line {
		if hang = marginColumn + layout.Width(line) - layout.Width(value); hang > pp.opts.Width/2 {
			hang = column + 4
		}
	}
	lead := strings.Repeat(" ", marginColumn) + paintSymbol(pp.colours, mark) + strings.Repeat(" ", max(indent-1, 1))
	if strings.TrimSpace(line) == "" {
		lead = strings.TrimRight(lead, " ")
	}
	f.Begin(lead, column, hang)
}

// alignment matches what stands between a name and its value.
var alignment = lazyregexp.New(`^( *(?:[\w-]+|"(?:[^"\\]|\\.)*")) += `)

// nameOfLine returns the name that a line gives a value to, with its indent, "" for none, and the
// value.
func nameOfLine(line string) (name, value string) {
	if m := alignment().FindStringSubmatch(line); m != nil {
		return m[1], line[len(m[0]):]
	}
	return "", line
}

// unaligned returns lines without the spaces that align their values: a longer name among them is
// no change of the others.
func unaligned(lines []string) []string {
	plain := make([]string, len(lines))
	for i, line := range lines {
		plain[i] = alignment().ReplaceAllString(line, "$1 = ")
	}
	return plain
}
