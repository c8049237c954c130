package view

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// frame writes a message with a rule down its left side: where it begins and ends can be seen among much else.
func (v *View) frame(severity hcl.DiagnosticSeverity, summary, body string) string {
	word, style := "Error", &v.colours.failure
	if severity == hcl.DiagWarning {
		word, style = "Warning", &v.colours.warning
	}
	return frameText(style, style.Styled(word+": ")+v.colours.strong.Styled(summary), body)
}

func frameText(style *style, head, body string) string {
	var b strings.Builder
	b.WriteString(style.Styled("╷") + "\n")
	line := func(text string) {
		b.WriteString(strings.TrimRight(style.Styled("│")+" "+text, " ") + "\n")
	}
	for text := range strings.Lines(head) {
		line(strings.TrimSuffix(text, "\n"))
	}
	if body != "" {
		line("")
		for text := range strings.Lines(body) {
			line(strings.TrimSuffix(text, "\n"))
		}
	}
	b.WriteString(style.Styled("╵") + "\n")
	return b.String()
}

// frameWidth is the number of columns inside a frame.
func (v *View) frameWidth() int { return v.opts.Width - len("| ") }
