package view

import (
	"errors"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/internal/view/layout"
)

// Error writes an error to stderr in a frame; of several joined errors, each has its own. It does
// nothing for nil.
func (v *View) Error(err error) {
	var b strings.Builder
	for _, e := range Flatten(err) {
		if diags, ok := errors.AsType[hcl.Diagnostics](e); ok {
			for _, group := range groupDiagnostics(diags, v.opts.Unfolded) {
				b.WriteString(v.diagnostic(group, nil))
			}
			continue
		}
		b.WriteString(v.errorFrame(e))
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.aboveProgress(b.String())
}

// errorFrame writes an error as a diagnostic: its first sentence is the summary.
func (v *View) errorFrame(err error) string {
	summary, detail := layout.Message(layout.Harmless(err.Error()))
	const label = "Error: "
	var head strings.Builder
	head.WriteString(v.colours.Failure.Styled(label))
	for line := range strings.Lines(layout.Wrap(summary, v.frameWidth()-len(label))) {
		text := strings.TrimSuffix(line, "\n")
		head.WriteString(v.colours.Strong.Styled(text) + line[len(text):])
	}
	return layout.Frame(&v.colours.Failure, head.String(), layout.Wrap(detail, v.frameWidth()))
}

// Flatten returns the errors that were joined into one. An error that only mentions others in its
// own text stays whole.
func Flatten(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	children := joined.Unwrap()
	texts := make([]string, len(children))
	for i, child := range children {
		texts[i] = child.Error()
	}
	if strings.Join(texts, "\n") != err.Error() {
		return []error{err}
	}
	var all []error
	for _, child := range children {
		all = append(all, Flatten(child)...)
	}
	return all
}

// frame writes a message with a rule down its left side: where it begins and ends can be seen among
// much else.
func (v *View) frame(severity hcl.DiagnosticSeverity, summary, body string) string {
	word, style := "Error", &v.colours.Failure
	if severity == hcl.DiagWarning {
		word, style = "Warning", &v.colours.Warning
	}
	return layout.Frame(style, style.Styled(word+": ")+v.colours.Strong.Styled(summary), body)
}

// frameWidth is the number of columns inside a frame.
func (v *View) frameWidth() int { return v.opts.Width - len("| ") }
