package view

import (
	"bufio"
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hcled"
	"github.com/zclconf/go-cty/cty"
)

// maxSnippetLines bounds how much of a source a diagnostic repeats.
const maxSnippetLines = 8

// snippet returns where in the sources a diagnostic points, and the values that its expression had there.
func (v *View) snippet(d *hcl.Diagnostic, files map[string]*hcl.File) string {
	if d.Subject == nil {
		return ""
	}
	var b strings.Builder
	place := fmt.Sprintf("  on %s line %d", d.Subject.Filename, d.Subject.Start.Line)
	source := sourceOf(d, files)
	if source == nil {
		return place
	}
	if source.context != "" {
		place += ", in " + source.context
	}
	b.WriteString(place + ":\n")
	for i, line := range source.lines {
		fmt.Fprintf(&b, "  %4d: %s\n", source.firstLine+i, line.paint(v.colours))
		// Lines that belong to the subject as a whole need no marks.
		if marks := line.underline(); marks != "" && !v.colours.diffs && d.Subject.Start.Line == d.Subject.End.Line {
			fmt.Fprintf(&b, "        %s\n", marks)
		}
	}
	if source.cut {
		b.WriteString("        ...\n")
	}
	if values := expressionValues(d); len(values) > 0 {
		b.WriteString("    " + v.colours.faint.Styled("├────────────────") + "\n")
		for _, value := range values {
			fmt.Fprintf(&b, "    %s %s %s\n", v.colours.faint.Styled("│"), v.colours.strong.Styled(value.traversal), value.statement)
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// source is the part of a file that a diagnostic is about.
type source struct {
	// context is the block around it, such as `image "logo"`.
	context   string
	firstLine int
	lines     []sourceLine
	// cut says that lines were left out at the end.
	cut bool
}

// sourceLine is a line in three parts, of which the middle is what the diagnostic points at.
type sourceLine struct{ before, subject, after string }

func (l sourceLine) paint(colours palette) string {
	if l.subject == "" {
		return l.before + l.after
	}
	return l.before + colours.marked.Styled(l.subject) + l.after
}

// underline returns carets below the subject, "" where the line has none.
func (l sourceLine) underline() string {
	if l.subject == "" {
		return ""
	}
	subject := strings.TrimSpace(l.subject)
	if subject == "" {
		return strings.Repeat(" ", width(l.before)) + "^"
	}
	return strings.Repeat(" ", width(l.before)+strings.Index(l.subject, subject)) + strings.Repeat("^", width(subject))
}

// sourceOf returns the lines that a diagnostic is about, nil where the source is not at hand.
func sourceOf(d *hcl.Diagnostic, files map[string]*hcl.File) *source {
	file := files[d.Subject.Filename]
	if file == nil || len(file.Bytes) == 0 || d.Subject.Start.Byte > len(file.Bytes) {
		return nil
	}
	subject, shown := *d.Subject, *d.Subject
	if d.Context != nil {
		shown = hcl.RangeOver(shown, *d.Context)
	}
	if subject.Empty() {
		// An empty range, such as the end of a file, is pointed at by the character that follows.
		subject.End.Byte++
		subject.End.Column++
	}
	if shown.Empty() {
		shown.End.Byte++
		shown.End.Column++
	}
	s := &source{context: contextOf(file, d.Subject.Start.Byte)}
	scanner := hcl.NewRangeScanner(file.Bytes, d.Subject.Filename, bufio.ScanLines)
	for scanner.Scan() {
		r := scanner.Range()
		if !r.Overlaps(shown) {
			continue
		}
		if len(s.lines) == 0 {
			s.firstLine = r.Start.Line
		}
		if len(s.lines) == maxSnippetLines {
			s.cut = true
			break
		}
		before, marked, after := r.PartitionAround(subject)
		if marked.Empty() && before.Empty() && after.Empty() {
			// The subject is on other lines.
			before = r
		}
		line := sourceLine{sliceOf(file.Bytes, before), sliceOf(file.Bytes, marked), sliceOf(file.Bytes, after)}
		if line.subject == "" && d.Subject.Empty() {
			// The range is at the line's end.
			line.subject = " "
		}
		s.lines = append(s.lines, line)
	}
	if len(s.lines) == 0 {
		return nil
	}
	return s
}

// sliceOf returns a range's text with tabs as spaces, so that what stands below lines up.
func sliceOf(source []byte, r hcl.Range) string {
	if r.Empty() || !r.CanSliceBytes(source) {
		return ""
	}
	return harmless(strings.ReplaceAll(string(r.SliceBytes(source)), "\t", "  "))
}

// blockHeader matches the first line of a block at the top level of a file.
var blockHeader = regexp.MustCompile(`^([A-Za-z_][\w-]*)((?:\s+"[^"]*")*)\s*\{`)

// contextOf names the block around a position. Files that were read in pieces know of no blocks; there the nearest line above that
// begins one tells.
func contextOf(file *hcl.File, offset int) string {
	if context := hcled.ContextString(file, offset); context != "" {
		return context
	}
	if file.Nav != nil || offset > len(file.Bytes) {
		return ""
	}
	end := offset
	if next := bytes.IndexByte(file.Bytes[offset:], '\n'); next >= 0 {
		end += next
	}
	lines := bytes.Split(file.Bytes[:end], []byte("\n"))
	for _, line := range slices.Backward(lines) {
		if m := blockHeader.FindSubmatch(line); m != nil {
			return string(m[1]) + string(bytes.TrimRight(m[2], " "))
		}
		if bytes.HasPrefix(line, []byte("}")) {
			return ""
		}
	}
	return ""
}

// expressionValue says what an expression had where a diagnostic arose.
type expressionValue struct{ traversal, statement string }

// expressionValues returns what the variables in a diagnostic's expression stood for, sorted by name.
func expressionValues(d *hcl.Diagnostic) []expressionValue {
	if d.Expression == nil || d.EvalContext == nil {
		return nil
	}
	var values []expressionValue
	seen := map[string]bool{}
	for _, traversal := range d.Expression.Variables() {
		// The longest part that has a value tells the most: of image.logo.width, image.logo may be all there is.
		for length := len(traversal); length > 0; length-- {
			value, diags := traversal[:length].TraverseAbs(d.EvalContext)
			if diags.HasErrors() {
				continue
			}
			name := traversalText(traversal[:length])
			if !seen[name] {
				seen[name] = true
				values = append(values, expressionValue{name, valueStatement(value)})
			}
			break
		}
	}
	slices.SortFunc(values, func(a, b expressionValue) int { return strings.Compare(a.traversal, b.traversal) })
	return values
}

func traversalText(t hcl.Traversal) string {
	var b strings.Builder
	for _, step := range t {
		switch step := step.(type) {
		case hcl.TraverseRoot:
			b.WriteString(step.Name)
		case hcl.TraverseAttr:
			b.WriteString("." + step.Name)
		case hcl.TraverseIndex:
			b.WriteString("[" + hclText(step.Key, 0) + "]")
		}
	}
	return b.String()
}

// statementWidth is how much of a string a statement shows.
const statementWidth = 60

// valueStatement says in a few words what a value is.
func valueStatement(v cty.Value) string {
	t := v.Type()
	switch {
	case v.IsMarked():
		return "has a sensitive value"
	case !v.IsKnown() && t == cty.DynamicPseudoType:
		return "will be known only after apply"
	case !v.IsKnown():
		return "is a " + t.FriendlyName() + ", known only after apply"
	case v.IsNull():
		return "is null"
	case t == cty.String:
		return "is " + shorten(quoted(v.AsString()), statementWidth)
	case t.IsPrimitiveType():
		return "is " + hclText(v, 0)
	case t.IsObjectType():
		return "is object with " + count(v.LengthInt(), "attribute")
	case t.IsCollectionType() || t.IsTupleType():
		return "is " + t.FriendlyName() + " with " + count(v.LengthInt(), "element")
	default:
		return "is " + t.FriendlyName()
	}
}
