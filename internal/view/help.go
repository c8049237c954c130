package view

import (
	"strings"

	"github.com/fluxbatch/fluxbatch/internal/view/layout"
)

// Help is what a command tells of itself.
type Help struct {
	// About is prose. Lines of a paragraph are joined and laid out anew; indented lines stay as
	// they are.
	About string
	// Usage is how the command is typed.
	Usage string
	// Groups are the commands inside of it, in the order in which they are shown.
	Groups []HelpGroup
	// Flags are the command's own flags, Global those that every command has.
	Flags, Global []HelpEntry
	// Examples are command lines, indented by two columns.
	Examples string
	// Hint is a last sentence about where to read on, "" for none.
	Hint string
}

// HelpGroup is a headed list of commands.
type HelpGroup struct {
	Title   string
	Entries []HelpEntry
}

// HelpEntry is a term with what it means.
type HelpEntry struct{ Term, Text string }

// longestTerm is how long a term may be to have its explanation on the same line.
const longestTerm = 24

// Help writes a command's help to stdout.
func (v *View) Help(h Help) {
	var b strings.Builder
	section := func(title string) {
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		if title != "" {
			b.WriteString(v.colours.Strong.Styled(title) + "\n")
		}
	}
	if h.About != "" {
		b.WriteString(v.prose(h.About))
	}
	section("Usage:")
	b.WriteString("  " + h.Usage + "\n")
	for _, g := range h.Groups {
		section(g.Title + ":")
		v.helpEntries(&b, g.Entries)
	}
	if len(h.Flags) > 0 {
		section("Flags:")
		v.helpEntries(&b, h.Flags)
	}
	if len(h.Global) > 0 {
		section("Flags of every command:")
		v.helpEntries(&b, h.Global)
	}
	if h.Examples != "" {
		section("Examples:")
		b.WriteString(strings.TrimRight(h.Examples, "\n") + "\n")
	}
	if h.Hint != "" {
		section("")
		b.WriteString(layout.Wrap(h.Hint, v.opts.Width) + "\n")
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stdout(b.String())
}

// helpEntries writes a list in two columns.
func (v *View) helpEntries(b *strings.Builder, entries []HelpEntry) {
	terms := 0
	for _, e := range entries {
		if n := layout.Width(e.Term); n <= longestTerm {
			terms = max(terms, n)
		}
	}
	indent := 2 + terms + 2
	for _, e := range entries {
		b.WriteString("  " + e.Term)
		column := 2 + layout.Width(e.Term)
		if column+2 > indent {
			b.WriteByte('\n')
			column = 0
		}
		b.WriteString(strings.Repeat(" ", indent-column))
		f := layout.NewFlow(b, v.opts.Width, indent, indent)
		f.Add(layout.Span{Text: e.Text})
		f.End()
	}
}

// prose lays out text in paragraphs. Indented lines, such as commands to type, stay as they are.
func (v *View) prose(text string) string {
	var b strings.Builder
	for line := range strings.Lines(paragraphs(text)) {
		line = strings.TrimSuffix(line, "\n")
		if !strings.HasPrefix(line, " ") {
			line = layout.Wrap(line, v.opts.Width)
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}

// paragraphs joins the lines of each paragraph, and leaves indented lines alone.
func paragraphs(text string) string {
	var b strings.Builder
	prose := false
	for line := range strings.Lines(strings.TrimSpace(text)) {
		line = strings.TrimSuffix(line, "\n")
		isProse := line != "" && !strings.HasPrefix(line, " ")
		switch {
		case b.Len() == 0:
		case prose && isProse:
			b.WriteByte(' ')
		default:
			b.WriteByte('\n')
		}
		b.WriteString(line)
		prose = isProse
	}
	return b.String()
}
