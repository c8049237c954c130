package view

import (
	"fmt"
	"html"
	"slices"
	"strings"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
	"github.com/fluxbatch/fluxbatch/planner"
)

const (
	// markdownWidth is where lines of prompts end: about what a pull request shows without
	// scrolling.
	markdownWidth = 100
	// markdownRows bounds the table, and markdownBytes the report, since a comment of a pull
	// request has at most 65,536 characters.
	markdownRows  = 200
	markdownBytes = 50_000
)

// PlanMarkdown writes a plan as Markdown for a pull request: its summary, a table of the changes
// with their costs, and for each a section that opens to show what changes. Folding is as in Plan.
func (v *View) PlanMarkdown(p *planner.Plan, info PlanInfo) {
	r := markdownReport{plan: p, downstream: newCascade(p)}
	r.write(info, v.opts.Unfolded)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stdout(r.out.String())
}

// markdownReport is the text of one report under way.
type markdownReport struct {
	out        strings.Builder
	plan       *planner.Plan
	downstream *cascade
}

func (r *markdownReport) printf(format string, args ...any) { fmt.Fprintf(&r.out, format, args...) }

func (r *markdownReport) write(info PlanInfo, unfolded bool) {
	line, free, notes := summaryOf(r.plan)
	r.printf("**%s**\n", strings.Join(append([]string{line}, free...), " "))
	if len(notes) > 0 {
		r.printf("\n%s\n", markdownText(strings.Join(notes, " ")))
	}
	acts, apart := sorted(r.plan)
	if len(apart) == 0 && idle(r.plan) {
		return
	}
	r.printf("\n")
	if info.Simulated {
		r.printf("This is a plan for a simulation. Prices are shown as they would be, and nothing is charged.\n\n")
	}
	shown := foldChanges(acts, unfolded)
	r.table(shown)
	r.sections(shown)
	if shown := foldChanges(apart, unfolded); len(shown) > 0 {
		r.printf("%s\n\n", apartTitle)
		r.table(shown)
		r.sections(shown)
	}
	r.rest()
}

// table lists changes, a row each.
func (r *markdownReport) table(items []planItem) {
	if len(items) == 0 {
		return
	}
	r.printf("| | Image | Why | Cost |\n|---|---|---|--:|\n")
	for i, item := range items {
		if i == markdownRows {
			r.printf("| | and %s | %s | |\n", layout.Count(len(items)-i, "more row"), chargedAmong(items[i:]))
			break
		}
		if f := item.folded; f != nil {
			cost := priceText(f.first)
			if f.isPaid() {
				cost = f.cost.String()
			}
			r.row(f.first, fmt.Sprintf("and %d more of %s", f.count, markdownCode(f.block)), r.why(f.charged, f.changes...), cost)
			continue
		}
		c, charged := item.change, bfl.Credits(0)
		if c.MayHaveBeenCharged() {
			charged = c.Uncertain()
		}
		r.row(c, markdownCode(c.Address.String()), r.why(charged, c), priceText(c))
	}
	r.printf("\n")
}

// chargedAmong names the images that may be paid for twice among those that have no row of their own.
func chargedAmong(items []planItem) string {
	var sum bfl.Credits
	var names []string
	note := func(c *planner.Change) {
		if c.MayHaveBeenCharged() {
			sum += c.Uncertain()
			names = append(names, markdownCode(c.Address.String()))
		}
	}
	for _, item := range items {
		if f := item.folded; f != nil {
			for _, c := range f.changes {
				note(c)
			}
			continue
		}
		note(item.change)
		for _, candidate := range item.change.Candidates() {
			note(candidate)
		}
	}
	if len(names) == 0 {
		return ""
	}
	text := "of these, **some may have been charged"
	if sum > 0 {
		text += " " + sum.Dollars()
	}
	return text + " by an interrupted run, and are sent again**: " + strings.Join(names, ", ")
}

func (r *markdownReport) row(c *planner.Change, image, why, cost string) {
	symbol := strings.TrimSpace(lookOf(c).symbol)
	if symbol != "" {
		symbol = "`" + symbol + "`"
	}
	r.printf("| %s | %s | %s | %s |\n", symbol, image, why, cost)
}

// why says why images change, what may be paid for twice, and what else changes with them. charged
// is what an interrupted run may have been charged for them.
func (r *markdownReport) why(charged bfl.Credits, changes ...*planner.Change) string {
	c := changes[0]
	phrases := whyOf(c, r.downstream)
	if len(phrases) > 0 {
		phrases[0] = strings.TrimPrefix(phrases[0], "because ")
	}
	h := headingOf(c)
	switch {
	case c.Frozen, c.Withheld(), c.Action == planner.Forget:
		phrases = slices.Insert(phrases, 0, strings.TrimSpace(h.phrase+" "+h.object))
	case c.Action == planner.Move:
		phrases = append(phrases, "moved from "+c.From().String())
	case c.Action == planner.Import:
		phrases = append(phrases, "imported from "+h.object)
	case len(phrases) == 0 && c.Action == planner.Create:
		phrases = append(phrases, "it is new")
	}
	text := markdownText(strings.Join(phrases, "; "))
	if c.MayHaveBeenCharged() {
		text += " **may have been charged"
		if charged > 0 {
			text += " " + charged.Dollars()
		}
		text += " by an interrupted run, and is sent again**"
		if len(changes) > 1 {
			text += ": " + (&fold{changes: changes}).names(markdownCode)
		}
	}
	var candidates strings.Builder
	for _, candidate := range unansweredCandidates(c) {
		fmt.Fprintf(&candidates, " **candidate %d %s**", candidate.Address.Candidate, chargedPhrase(candidate))
	}
	text += candidates.String()
	if n, cost := r.downstream.dragged(changes...); n > 0 && !c.Withheld() {
		text += fmt.Sprintf(" **+ %s downstream, %s**", layout.Count(n, "image"), cost)
	}
	return strings.TrimSpace(text)
}

// sections shows each change in full, closed at first.
func (r *markdownReport) sections(items []planItem) {
	left := 0
	for _, item := range items {
		c := item.change
		if c == nil {
			continue
		}
		if r.out.Len() > markdownBytes {
			left++
			continue
		}
		price := ""
		if text := priceText(c); text != "" {
			price = ", " + text
		}
		h := headingOf(c)
		r.printf("<details><summary><code>%s</code> %s%s%s</summary>\n\n<pre>\n%s</pre>\n</details>\n\n",
			html.EscapeString(h.subject), h.phrase, markdownObject(h), price, r.block(c))
	}
	if left > 0 {
		r.printf("%s not shown in full, since comments have a limited length.\n\n", layout.Count(left, "change"))
	}
}

// Styles of HTML are first set with characters that stand nowhere else, since all text is escaped
// after that.
const (
	openDeleted, closeDeleted   = "\uE000", "\uE001"
	openInserted, closeInserted = "\uE002", "\uE003"
)

var htmlTags = strings.NewReplacer(openDeleted, "<del>", closeDeleted, "</del>", openInserted, "<ins>", closeInserted, "</ins>")

// block returns a change as a plan shows it, as HTML.
func (r *markdownReport) block(c *planner.Change) string {
	colours := layout.Palette{Diffs: true, Deleted: layout.Style{Open: openDeleted, Close: closeDeleted}, Inserted: layout.Style{Open: openInserted, Close: closeInserted}}
	var b strings.Builder
	page := planPage{out: &b, colours: &colours, opts: Options{Width: markdownWidth}, plan: r.plan, downstream: r.downstream}
	page.block(c)
	return htmlTags.Replace(html.EscapeString(b.String()))
}

// rest shows what is not about images: outputs, and tasks that no image wants.
func (r *markdownReport) rest() {
	var b strings.Builder
	page := planPage{out: &b, colours: &layout.Palette{}, opts: Options{Width: markdownWidth}, plan: r.plan, downstream: r.downstream}
	page.outputs()
	page.abandoned()
	if b.Len() > 0 {
		r.printf("<details><summary>Outputs and tasks</summary>\n\n<pre>\n%s</pre>\n</details>\n", html.EscapeString(b.String()))
	}
}

// markdownObject returns what follows a heading's phrase.
func markdownObject(h heading) string {
	if h.object == "" {
		return ""
	}
	return " <code>" + html.EscapeString(h.object) + "</code>"
}

// markdownCode returns text in the style of code, safe within a table.
func markdownCode(s string) string {
	return "<code>" + strings.ReplaceAll(html.EscapeString(s), "|", "&#124;") + "</code>"
}

// markdownText returns text in which nothing means anything to Markdown, and that mentions nobody.
func markdownText(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case string(r) == layout.HardSpace:
			b.WriteByte(' ')
		case r == '@':
			// A word joiner after it keeps a key that looks like a user's name from notifying them.
			b.WriteString("@&#8288;")
		case strings.ContainsRune("\\`*_[]<>|~#&!", r):
			b.WriteString("\\" + string(r))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// MarkdownText returns text in which nothing means anything to Markdown, safe within a table.
func MarkdownText(s string) string { return markdownText(s) }

// MarkdownCode is MarkdownText in the style of code.
func MarkdownCode(s string) string { return markdownCode(s) }
