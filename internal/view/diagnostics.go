package view

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/view/hcltext"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
)

// Diagnostics writes what is wrong with a configuration, or doubtful, to stderr: warnings first, so
// that errors stand where the reader looks. Warnings with one summary are folded into their first,
// and so are errors that several instances of a block have in common.
func (v *View) Diagnostics(diags hcl.Diagnostics, files map[string]*hcl.File) {
	var b strings.Builder
	for _, group := range groupDiagnostics(diags, v.opts.Unfolded) {
		b.WriteString(v.diagnostic(group, files))
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.aboveProgress(b.String())
}

// diagnosticGroup is a diagnostic and how many like it are not shown.
type diagnosticGroup struct {
	first *hcl.Diagnostic
	more  int
	// others are the subjects of the cases that are not shown, in their order, the first of them
	// only.
	others []string
}

// Ordered returns diagnostics sorted by severity, file and line.
func Ordered(diags hcl.Diagnostics) hcl.Diagnostics {
	all := slices.Clone(diags)
	slices.SortStableFunc(all, func(a, b *hcl.Diagnostic) int {
		// DiagError is less than DiagWarning, and comes last.
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), comparePlace(a.Subject, b.Subject))
	})
	return all
}

// groupDiagnostics folds diagnostics that say the same. Cases of one cause stay apart where they
// are unfolded.
func groupDiagnostics(diags hcl.Diagnostics, unfolded bool) []*diagnosticGroup {
	type key struct {
		severity        hcl.DiagnosticSeverity
		summary, detail string
		place           hcl.Range
	}
	var groups []*diagnosticGroup
	known := map[key]*diagnosticGroup{}
	for _, d := range Ordered(diags) {
		k := key{severity: d.Severity, summary: d.Summary}
		of, isCase := d.Extra.(diag.Case)
		switch {
		case isCase && unfolded:
			groups = append(groups, &diagnosticGroup{first: d})
			continue
		case isCase:
			k.detail = "case " + of.Cause
		case d.Severity == hcl.DiagError:
			k.detail = d.Detail
			if d.Subject != nil {
				k.place = *d.Subject
			}
		}
		if g := known[k]; g != nil {
			g.more++
			if isCase && len(g.others) < casesNamed-1 {
				g.others = append(g.others, of.Subject)
			}
			continue
		}
		g := &diagnosticGroup{first: d}
		known[k] = g
		groups = append(groups, g)
	}
	return groups
}

// casesNamed is how many cases of one cause are named before the rest is counted.
const casesNamed = 3

func comparePlace(a, b *hcl.Range) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	return cmp.Or(strings.Compare(a.Filename, b.Filename), cmp.Compare(a.Start.Byte, b.Start.Byte))
}

// diagnostic returns one diagnostic in its frame.
func (v *View) diagnostic(g *diagnosticGroup, files map[string]*hcl.File) string {
	d, more := g.first, g.more
	var parts []string
	if s := v.snippet(d, files); s != "" {
		parts = append(parts, s)
	}
	if d.Detail != "" {
		parts = append(parts, layout.Wrap(layout.Harmless(d.Detail), v.frameWidth()))
	}
	switch {
	case len(g.others) > 0:
		parts = append(parts, layout.Wrap(othersText(g), v.frameWidth()))
	case more > 0 && d.Severity == hcl.DiagWarning:
		parts = append(parts, fmt.Sprintf("(and %d more like it)", more))
	case more > 0:
		parts = append(parts, fmt.Sprintf("(and the same for %s)", layout.Count(more, "more instance")))
	}
	return v.frame(d.Severity, layout.Harmless(d.Summary), strings.Join(parts, "\n\n"))
}

// othersText names the cases that are not shown, and says how to see all.
func othersText(g *diagnosticGroup) string {
	names := g.others
	rest := g.more - len(names)
	if rest == 0 {
		return "The same holds for " + layout.List(names) + "."
	}
	return "The same holds for " + layout.List(append(names, strconv.Itoa(rest)+" more")) + ". Use -no-concise to see all."
}

// snippet returns where in the sources a diagnostic points, and the values that its expression had
// there.
func (v *View) snippet(d *hcl.Diagnostic, files map[string]*hcl.File) string {
	if d.Subject == nil {
		return ""
	}
	var b strings.Builder
	place := fmt.Sprintf("  on %s line %d", d.Subject.Filename, d.Subject.Start.Line)
	source := hcltext.SourceOf(d, files)
	if source == nil {
		return place
	}
	if source.Context != "" {
		place += ", in " + source.Context
	}
	b.WriteString(place + ":\n")
	for i, line := range source.Lines {
		fmt.Fprintf(&b, "  %4d: %s\n", source.FirstLine+i, line.Paint(&v.colours.Marked))
		// Lines that belong to the subject as a whole need no marks.
		if marks := line.Underline(); marks != "" && !v.colours.Diffs && d.Subject.Start.Line == d.Subject.End.Line {
			fmt.Fprintf(&b, "        %s\n", marks)
		}
	}
	if source.Cut {
		b.WriteString("        ...\n")
	}
	if values := hcltext.ExpressionValues(d); len(values) > 0 {
		b.WriteString("    " + v.colours.Faint.Styled("├────────────────") + "\n")
		for _, value := range values {
			fmt.Fprintf(&b, "    %s %s %s\n", v.colours.Faint.Styled("│"), v.colours.Strong.Styled(value.Traversal), value.Statement)
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}
