// Package diag words the diagnostics about a configuration.
//
// A problem is an error at a place. Its summary is one of a fixed set of lines; its detail says in
// full sentences what is wrong, why, and what would be right. A warning is the same about what is
// legal and yet probably not meant. What is strange in many rows is tallied instead: one warning
// with a count and a few examples stands for all.
package diag

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/internal/suggest"
)

// Problem returns an error at a place. The detail is made of format and args as by fmt.Sprintf.
func Problem(at hcl.Range, summary, format string, args ...any) *hcl.Diagnostic {
	d := Error(summary, format, args...)
	d.Subject = &at
	return d
}

// Error returns an error that is about no place in a file.
func Error(summary, format string, args ...any) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(format, args...)}
}

// Warning is like Problem for what is legal and yet probably not meant.
func Warning(at hcl.Range, summary, format string, args ...any) *hcl.Diagnostic {
	d := Problem(at, summary, format, args...)
	d.Severity = hcl.DiagWarning
	return d
}

// About adds the expression whose values explain the problem, which the views print below the
// source line.
func About(d *hcl.Diagnostic, expr hcl.Expression, ctx *hcl.EvalContext) *hcl.Diagnostic {
	d.Expression, d.EvalContext = expr, ctx
	return d
}

// DidYouMean returns a sentence to append to a detail, "" where no candidate is near.
func DidYouMean(name string, candidates []string) string {
	if s := Nearest(name, candidates); s != "" {
		return fmt.Sprintf(" Did you mean %q?", s)
	}
	return ""
}

// Nearest returns the candidate that a name was probably meant to be, "" where there is none.
func Nearest(name string, candidates []string) string {
	return suggest.Nearest(name, slices.Sorted(slices.Values(candidates)))
}

// QuotedList writes words as `"a", "b" and "c"`.
func QuotedList(words []string, conjunction string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = strconv.Quote(w)
	}
	if len(quoted) < 2 {
		return strings.Join(quoted, "")
	}
	last := len(quoted) - 1
	return strings.Join(quoted[:last], ", ") + " " + conjunction + " " + quoted[last]
}

// Place writes a position as views write it.
func Place(r hcl.Range) string { return fmt.Sprintf("%s:%d", r.Filename, r.Start.Line) }
