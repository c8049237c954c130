package view

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	tfjson "github.com/hashicorp/terraform-json"
)

// ValidateJSON writes the outcome of a check of the configuration as Terraform's "validate -json" does.
func (v *View) ValidateJSON(diags hcl.Diagnostics, files map[string]*hcl.File) {
	out := tfjson.ValidateOutput{FormatVersion: validateFormat, Valid: !diags.HasErrors(), Diagnostics: []tfjson.Diagnostic{}}
	for _, d := range ordered(diags) {
		if d.Severity == hcl.DiagError {
			out.ErrorCount++
		} else {
			out.WarningCount++
		}
		out.Diagnostics = append(out.Diagnostics, jsonDiagnostic(d, files))
	}
	v.document(out)
}

// jsonDiagnostic returns a diagnostic with its place and, where the source is at hand, a snippet of it.
func jsonDiagnostic(d *hcl.Diagnostic, files map[string]*hcl.File) tfjson.Diagnostic {
	out := tfjson.Diagnostic{Severity: tfjson.DiagnosticSeverityError, Summary: d.Summary, Detail: d.Detail}
	if d.Severity == hcl.DiagWarning {
		out.Severity = tfjson.DiagnosticSeverityWarning
	}
	if d.Subject == nil {
		return out
	}
	out.Range = &tfjson.Range{Filename: d.Subject.Filename, Start: jsonPos(d.Subject.Start), End: jsonPos(d.Subject.End)}
	if s := sourceOf(d, files); s != nil {
		out.Snippet = s.json(d)
	}
	return out
}

func jsonPos(p hcl.Pos) tfjson.Pos { return tfjson.Pos{Line: p.Line, Column: p.Column, Byte: p.Byte} }

// json returns a source as the snippet of a diagnostic. Offsets count bytes of the code.
func (s *source) json(d *hcl.Diagnostic) *tfjson.DiagnosticSnippet {
	out := &tfjson.DiagnosticSnippet{StartLine: s.firstLine, Values: []tfjson.DiagnosticExpressionValue{}}
	if s.context != "" {
		out.Context = &s.context
	}
	var code strings.Builder
	begun := false
	for i, line := range s.lines {
		if i > 0 {
			code.WriteByte('\n')
		}
		if line.subject != "" {
			if !begun {
				out.HighlightStartOffset = code.Len() + len(line.before)
				begun = true
			}
			out.HighlightEndOffset = code.Len() + len(line.before) + len(line.subject)
		}
		code.WriteString(line.before + line.subject + line.after)
	}
	out.Code = code.String()
	for _, value := range expressionValues(d) {
		out.Values = append(out.Values, tfjson.DiagnosticExpressionValue{Traversal: value.traversal, Statement: value.statement})
	}
	return out
}
