package web

import (
	"fmt"
	"strings"

	"github.com/fluxbatch/fluxbatch/internal/view"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
)

// mostMarkdown bounds the text in bytes: a comment of a pull request takes 65,536 characters.
const mostMarkdown = 60_000

// symbols stand for the changes, as in a plan.
var symbols = map[Change]string{Creates: "+", Replaces: "-/+", Updates: "~", Waits: "!", Destroys: "-", Was: "=", Same: "="}

// Markdown returns the album as a comment of a pull request: the sum, and a table of what changes
// with its thumbnails, which it names relative to the report's folder. It has no more than
// mostMarkdown bytes; what does not fit is counted.
func (a *Album) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "**%s**\n\n%s\n", view.MarkdownText(a.Head.Summary), view.MarkdownText(a.Head.Compared))
	if a.Head.Simulated {
		b.WriteString("\nThis is a simulation: nothing was charged.\n")
	}
	changed := a.Changed()
	if changed == 0 {
		return b.String()
	}
	b.WriteString("\n| | Image | Before | After | Differs by | Price |\n|---|---|---|---|--:|--:|\n")
	rest := func(n int) string {
		return fmt.Sprintf("\nAnd %s, which the page shows.\n", layout.Count(n, "more change"))
	}
	shown := 0
	for _, e := range a.Entries {
		if e.Change == Same || e.Change == Was {
			continue
		}
		row := e.row()
		if b.Len()+len(row)+len(rest(changed)) > mostMarkdown {
			break
		}
		b.WriteString(row)
		shown++
	}
	if shown < changed {
		b.WriteString(rest(changed - shown))
	}
	return b.String()
}

// mostWhy bounds the reasons in a row, in columns.
const mostWhy = 300

func (e *Entry) row() string {
	image := view.MarkdownCode(e.Address)
	if len(e.Why) > 0 {
		image += "<br>" + view.MarkdownText(layout.Shorten(strings.Join(e.Why, "; "), mostWhy))
	}
	differs := ""
	if e.Difference != nil {
		differs = fmt.Sprintf("%.0f %%", 100*e.Difference.Amount)
	}
	after := e.After.markdown("after")
	if after == "" && (e.Change == Creates || e.Change == Replaces) {
		after = "not made yet"
	}
	return fmt.Sprintf("| `%s` | %s | %s | %s | %s | %s |\n", symbols[e.Change], image, e.Before.markdown("before"), after, differs,
		view.MarkdownText(e.Price))
}

// markdown shows a thumbnail, "" for none.
func (s *Shot) markdown(alt string) string {
	if s == nil || s.Broken {
		return ""
	}
	return fmt.Sprintf("![%s](%s)", alt, s.Thumb())
}
