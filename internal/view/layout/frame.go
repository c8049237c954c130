package layout

import "strings"

// Frame returns a message with a rule of a style down its left side: where it begins and ends can
// be seen among much else. The head and the body are laid out already, and may be painted.
func Frame(style *Style, head, body string) string {
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
