package hcltext

import (
	"bufio"
	"bytes"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hcled"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/lazyregexp"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
)

// maxSnippetLines bounds how much of a source a diagnostic repeats.
const maxSnippetLines = 8

// Source is the part of a file that a diagnostic is about.
type Source struct {
	// Context is the block around it, such as `image "logo"`.
	Context   string
	FirstLine int
	Lines     []Line
	// Cut says that lines were left out at the end.
	Cut bool
}

// Line is a line of a source in three parts, of which the middle is what the diagnostic points at.
type Line struct{ Before, Subject, After string }

// Paint returns the line with its subject in a style.
func (l Line) Paint(marked *layout.Style) string {
	if l.Subject == "" {
		return l.Before + l.After
	}
	return l.Before + marked.Styled(l.Subject) + l.After
}

// Underline returns carets below the subject, "" where the line has none.
func (l Line) Underline() string {
	if l.Subject == "" {
		return ""
	}
	subject := strings.TrimSpace(l.Subject)
	if subject == "" {
		return strings.Repeat(" ", layout.Width(l.Before)) + "^"
	}
	return strings.Repeat(" ", layout.Width(l.Before)+strings.Index(l.Subject, subject)) + strings.Repeat("^", layout.Width(subject))
}

// SourceOf returns the lines that a diagnostic is about, nil where the source is not at hand.
func SourceOf(d *hcl.Diagnostic, files map[string]*hcl.File) *Source {
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
	s := &Source{Context: contextOf(file, d.Subject.Start.Byte)}
	scanner := hcl.NewRangeScanner(file.Bytes, d.Subject.Filename, bufio.ScanLines)
	for scanner.Scan() {
		r := scanner.Range()
		if !r.Overlaps(shown) {
			continue
		}
		if len(s.Lines) == 0 {
			s.FirstLine = r.Start.Line
		}
		if len(s.Lines) == maxSnippetLines {
			s.Cut = true
			break
		}
		before, marked, after := r.PartitionAround(subject)
		if marked.Empty() && before.Empty() && after.Empty() {
			// The subject is on other lines.
			before = r
		}
		line := Line{sliceOf(file.Bytes, before), sliceOf(file.Bytes, marked), sliceOf(file.Bytes, after)}
		if line.Subject == "" && d.Subject.Empty() {
			// The range is at the line's end.
			line.Subject = " "
		}
		s.Lines = append(s.Lines, line)
	}
	if len(s.Lines) == 0 {
		return nil
	}
	return s
}

// sliceOf returns a range's text with tabs as spaces, so that what stands below lines up.
func sliceOf(source []byte, r hcl.Range) string {
	if r.Empty() || !r.CanSliceBytes(source) {
		return ""
	}
	return layout.Harmless(strings.ReplaceAll(string(r.SliceBytes(source)), "\t", "  "))
}

// blockHeader matches the first line of a block at the top level of a file.
var blockHeader = lazyregexp.New(`^([A-Za-z_][\w-]*)((?:\s+"[^"]*")*)\s*\{`)

// contextOf names the block around a position. Files that were read in pieces know of no blocks;
// there the nearest line above that begins one tells.
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
		if m := blockHeader().FindSubmatch(line); m != nil {
			return string(m[1]) + string(bytes.TrimRight(m[2], " "))
		}
		if bytes.HasPrefix(line, []byte("}")) {
			return ""
		}
	}
	return ""
}

// ExpressionValue says what an expression had where a diagnostic arose.
type ExpressionValue struct{ Traversal, Statement string }

// ExpressionValues returns what the variables in a diagnostic's expression stood for, sorted by
// name.
func ExpressionValues(d *hcl.Diagnostic) []ExpressionValue {
	if d.Expression == nil || d.EvalContext == nil {
		return nil
	}
	var values []ExpressionValue
	seen := map[string]bool{}
	for _, traversal := range d.Expression.Variables() {
		// The longest part that has a value tells the most: of image.logo.width, image.logo may be
		// all there is.
		for length := len(traversal); length > 0; length-- {
			value, diags := traversal[:length].TraverseAbs(d.EvalContext)
			if diags.HasErrors() {
				continue
			}
			name := traversalText(traversal[:length])
			if !seen[name] {
				seen[name] = true
				values = append(values, ExpressionValue{name, valueStatement(value)})
			}
			break
		}
	}
	slices.SortFunc(values, func(a, b ExpressionValue) int { return strings.Compare(a.Traversal, b.Traversal) })
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
			b.WriteString("[" + Text(step.Key, 0) + "]")
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
		return "is " + layout.Shorten(layout.Quoted(v.AsString()), statementWidth)
	case t.IsPrimitiveType():
		return "is " + Text(v, 0)
	case t.IsObjectType():
		return "is object with " + layout.Count(v.LengthInt(), "attribute")
	case t.IsCollectionType() || t.IsTupleType():
		return "is " + t.FriendlyName() + " with " + layout.Count(v.LengthInt(), "element")
	default:
		return "is " + t.FriendlyName()
	}
}
