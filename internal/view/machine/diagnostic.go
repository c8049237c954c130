package machine

import (
	"io"
	"strings"

	"github.com/hashicorp/hcl/v2"
	tfjson "github.com/hashicorp/terraform-json"

	"github.com/fluxbatch/fluxbatch/internal/view"
	"github.com/fluxbatch/fluxbatch/internal/view/hcltext"
)

// WriteValidation writes the outcome of a check of the configuration as Terraform's "validate
// -json" does.
func WriteValidation(out io.Writer, diags hcl.Diagnostics, files map[string]*hcl.File) {
	document(out, validation(diags, files))
}

func validation(diags hcl.Diagnostics, files map[string]*hcl.File) tfjson.ValidateOutput {
	result := tfjson.ValidateOutput{FormatVersion: validateFormat, Valid: !diags.HasErrors(), Diagnostics: []tfjson.Diagnostic{}}
	for _, d := range view.Ordered(diags) {
		if d.Severity == hcl.DiagError {
			result.ErrorCount++
		} else {
			result.WarningCount++
		}
		result.Diagnostics = append(result.Diagnostics, jsonDiagnostic(d, files))
	}
	return result
}

// jsonDiagnostic returns a diagnostic with its place and, where the source is at hand, a snippet of
// it.
func jsonDiagnostic(d *hcl.Diagnostic, files map[string]*hcl.File) tfjson.Diagnostic {
	out := tfjson.Diagnostic{Severity: tfjson.DiagnosticSeverityError, Summary: d.Summary, Detail: d.Detail}
	if d.Severity == hcl.DiagWarning {
		out.Severity = tfjson.DiagnosticSeverityWarning
	}
	if d.Subject == nil {
		return out
	}
	out.Range = &tfjson.Range{Filename: d.Subject.Filename, Start: jsonPos(d.Subject.Start), End: jsonPos(d.Subject.End)}
	if s := hcltext.SourceOf(d, files); s != nil {
		out.Snippet = snippet(s, d)
	}
	return out
}

func jsonPos(p hcl.Pos) tfjson.Pos { return tfjson.Pos{Line: p.Line, Column: p.Column, Byte: p.Byte} }

// snippet returns a source as the snippet of a diagnostic. Offsets count bytes of the code.
func snippet(s *hcltext.Source, d *hcl.Diagnostic) *tfjson.DiagnosticSnippet {
	out := &tfjson.DiagnosticSnippet{StartLine: s.FirstLine, Values: []tfjson.DiagnosticExpressionValue{}}
	if s.Context != "" {
		out.Context = &s.Context
	}
	var code strings.Builder
	begun := false
	for i, line := range s.Lines {
		if i > 0 {
			code.WriteByte('\n')
		}
		if line.Subject != "" {
			if !begun {
				out.HighlightStartOffset = code.Len() + len(line.Before)
				begun = true
			}
			out.HighlightEndOffset = code.Len() + len(line.Before) + len(line.Subject)
		}
		code.WriteString(line.Before + line.Subject + line.After)
	}
	out.Code = code.String()
	for _, value := range hcltext.ExpressionValues(d) {
		out.Values = append(out.Values, tfjson.DiagnosticExpressionValue{Traversal: value.Traversal, Statement: value.Statement})
	}
	return out
}
