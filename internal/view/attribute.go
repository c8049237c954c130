package view

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/view/hcltext"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
	"github.com/fluxbatch/fluxbatch/planner"
)

const (
	forces    = "# forces regeneration"
	mayDiffer = "# may have changed"
	// nameColumn is where attributes begin: after the block's indent, the symbol and a space.
	nameColumn = 8
	// keptAtLeast is the share of the longer text, in percent, that two texts must have in common
	// for a word diff to be easier to read than both texts.
	keptAtLeast = 30
	// hashDigits is how much of a hash people are shown.
	hashDigits = 8
)

// shownAttributes returns the attributes that a change shows and how many unchanged ones it hides.
// What is new or destroyed shows all; what is forgotten shows where its file is.
func shownAttributes(c *planner.Change) (shown []*image.Attribute, hidden int) {
	all := c.Attributes()
	for i := range all {
		a := &all[i]
		switch {
		case c.Action == planner.Forget:
			if a.Name == "output" {
				shown = append(shown, a)
			} else {
				hidden++
			}
		case c.Prior == nil, c.Action == planner.Destroy, a.Changed():
			shown = append(shown, a)
		default:
			hidden++
		}
	}
	return shown, hidden
}

// attribute writes one attribute of a change, its name padded to names columns.
func (pp *planPage) attribute(c *planner.Change, a *image.Attribute, names int) {
	if c.Frozen || c.Action == planner.Update {
		// Nothing is regenerated.
		unforced := *a
		unforced.Forces = false
		a = &unforced
	}
	symbol := "~"
	switch {
	case c.Action == planner.Destroy:
		symbol = "-"
	case c.Action == planner.Forget, c.Prior == nil && (c.Action == planner.Import || c.Withheld()):
		symbol = " "
	case a.Before == nil:
		symbol = "+"
	case a.After == nil && !a.Unknown:
		symbol = "-"
	}
	pp.write("      ", paintSymbol(pp.colours, symbol), " ", a.Name, strings.Repeat(" ", names-layout.Width(a.Name)), " = ")
	column := nameColumn + names + len(" = ")
	hang := column
	if hang > pp.opts.Width/2 {
		hang = nameColumn + 4
	}
	f := pp.flow.Restart(pp.out, pp.opts.Width, column, hang)
	if c.Action == planner.Destroy || c.Action == planner.Forget {
		f.Add(layout.Span{Text: layout.Shorten(oneLine(a.Before, a.Sensitive), pp.opts.Width-column), Solid: true})
		f.End()
		return
	}
	pp.value(f, c, a)
	f.End()
}

// value writes an attribute's value, or its old and new values.
func (pp *planPage) value(f *layout.Flow, c *planner.Change, a *image.Attribute) {
	before, isText := a.Before.(string)
	after, bothText := a.After.(string)
	multiline := strings.Contains(before, "\n") || strings.Contains(after, "\n")
	single := a.Before == nil
	switch {
	case a.Sensitive:
		f.Add(layout.Span{Text: hcltext.SensitiveValue, Solid: true})
		pp.forces(f, a)
	case isReference(a):
		pp.reference(f, c, a)
		pp.forces(f, a)
	case pp.structure(f, a):
	case single && bothText && multiline:
		pp.heredoc(f, a, []layout.Edit{{Kind: layout.Kept, Text: after}})
	case single && a.Unknown:
		f.Add(layout.Span{Text: hcltext.KnownAfterApply, Solid: true})
		pp.forces(f, a)
	case single:
		f.Add(layout.Span{Text: oneLine(a.After, false)})
		pp.forces(f, a)
	case multiline && !bothText:
		pp.heredoc(f, a, []layout.Edit{{Kind: layout.Kept, Text: before}})
		after := "null"
		if a.Unknown {
			after = hcltext.KnownAfterApply
		}
		f.Add(layout.Span{Text: " "}, layout.Span{Text: "-> " + after, Solid: true})
	case a.Unknown:
		f.Add(layout.Span{Text: oneLine(a.Before, false)}, layout.Span{Text: " "}, layout.Span{Text: "-> " + hcltext.KnownAfterApply, Solid: true})
		pp.forces(f, a)
	case a.After == nil:
		f.Add(layout.Span{Text: oneLine(a.Before, false)}, layout.Span{Text: " "}, layout.Span{Text: "-> null", Solid: true})
		pp.forces(f, a)
	case isText && bothText:
		pp.textChange(f, a, before, after, multiline)
	default:
		f.Add(layout.Span{Text: oneLine(a.Before, false)}, layout.Span{Text: " "}, layout.Span{Text: "->", Style: &pp.colours.Update},
			layout.Span{Text: " " + oneLine(a.After, false)})
		pp.forces(f, a)
	}
}

// textChange writes how a text changes: both where they are short or have little in common, else a
// diff of their words.
func (pp *planPage) textChange(f *layout.Flow, a *image.Attribute, before, after string, multiline bool) {
	script := layout.DiffWords(before, after)
	alike := alike(script, before, after)
	tail := 0
	if a.Forces {
		tail = 1 + len(forces)
	}
	short := layout.Width(before)+layout.Width(after)+len(`"" -> ""`)+tail <= f.Room()
	switch {
	case multiline:
		if !alike {
			script = []layout.Edit{{Kind: layout.Removed, Text: before}, {Kind: layout.Added, Text: after}}
		}
		pp.heredoc(f, a, script)
		return
	case short || !alike:
		f.Add(layout.Span{Text: layout.Quoted(before)})
		if short {
			f.Add(layout.Span{Text: " "})
		} else {
			f.Newline()
		}
		f.Add(layout.Span{Text: "->", Style: &pp.colours.Update}, layout.Span{Text: " " + layout.Quoted(after)})
	default:
		f.Add(layout.Span{Text: `"`})
		f.Add(pp.edits(script, false)...)
		f.Add(layout.Span{Text: `"`})
	}
	pp.forces(f, a)
}

// alike reports whether two texts have so much in common that the script between them is easier to
// read than both.
func alike(script []layout.Edit, before, after string) bool {
	same := 0
	for _, e := range script {
		if e.Kind == layout.Kept {
			same += len(e.Text)
		}
	}
	return same*100 >= max(len(before), len(after))*keptAtLeast
}

// heredoc writes text of several lines.
func (pp *planPage) heredoc(f *layout.Flow, a *image.Attribute, script []layout.Edit) {
	if ended(a.Before) && ended(a.After) {
		// The newline that ends a text is the one before EOT.
		script = slices.Clone(script)
		last := &script[len(script)-1]
		last.Text = strings.TrimSuffix(last.Text, "\n")
	}
	f.Add(layout.Span{Text: "<<-EOT"})
	pp.forces(f, a)
	f.NewlineAt(nameColumn + 4)
	f.Add(pp.edits(script, true)...)
	f.NewlineAt(nameColumn)
	f.Add(layout.Span{Text: "EOT"})
}

// ended reports whether a text ends its last line, or there is none.
func ended(value any) bool {
	text, ok := value.(string)
	return !ok || strings.HasSuffix(text, "\n")
}

// edits returns a script as text: in colour, or with the marks of wdiff.
func (pp *planPage) edits(script []layout.Edit, lines bool) []layout.Span {
	var spans []layout.Span
	for _, e := range script {
		s := layout.Escaped(e.Text, lines)
		if e.Kind != layout.Kept && strings.TrimSpace(s) == "" {
			// A line that only ends elsewhere would show nothing.
			s = strings.ReplaceAll(s, "\n", `\n`)
		}
		switch {
		case e.Kind == layout.Removed && pp.colours.Diffs:
			spans = append(spans, layout.Span{Text: s, Style: &pp.colours.Deleted})
		case e.Kind == layout.Added && pp.colours.Diffs:
			spans = append(spans, layout.Span{Text: s, Style: &pp.colours.Inserted})
		case e.Kind == layout.Removed:
			spans = append(spans, layout.Span{Text: bracketed("[-", s, "-]")})
		case e.Kind == layout.Added:
			spans = append(spans, layout.Span{Text: bracketed("{+", s, "+}")})
		default:
			spans = append(spans, layout.Span{Text: s})
		}
	}
	return spans
}

// bracketed puts marks around text, inside of the spaces at its ends, so that a line is not broken
// before a closing mark.
func bracketed(before, text, after string) string {
	inner := strings.Trim(text, " \n")
	if inner == "" {
		return before + text + after
	}
	start := strings.Index(text, inner)
	return text[:start] + before + inner + after + text[start+len(inner):]
}

func (pp *planPage) forces(f *layout.Flow, a *image.Attribute) { f.Add(pp.forcing(a)...) }

// forcing returns the comment on a value that makes a new image necessary, or may.
func (pp *planPage) forcing(a *image.Attribute) []layout.Span {
	switch {
	case a.Forces:
		return []layout.Span{{Text: " "}, {Text: forces, Style: &pp.colours.Destroy, Solid: true}}
	case a.MayDiffer:
		return []layout.Span{{Text: " "}, {Text: mayDiffer, Style: &pp.colours.Faint, Solid: true}}
	default:
		return nil
	}
}

// reference writes an input image and how its content changes.
func (pp *planPage) reference(f *layout.Flow, c *planner.Change, a *image.Attribute) {
	before, hadOne := a.Before.(image.Reference)
	after, hasOne := a.After.(image.Reference)
	switch {
	case !hadOne && a.Before != nil:
		f.Add(layout.Span{Text: oneLine(a.Before, false) + " -> "})
	case !hadOne:
		f.Add(layout.Span{Text: referenceName(after)})
		return
	case hasOne && (before.Name() == after.Name() || before.Name() == "" && isTold(after)) && before.SHA256 != "":
		now := "known after apply"
		if after.SHA256 != "" {
			now = hash(after.SHA256)
		} else if !a.Unknown {
			now = "by URL"
		}
		f.Add(layout.Span{Text: referenceName(after)}, layout.Span{Text: " "}, layout.Span{Text: "(" + hash(before.SHA256) + " -> " + now + ")", Solid: true})
		return
	default:
		f.Add(layout.Span{Text: referenceText(before) + " -> "})
	}
	switch {
	case hasOne:
		f.Add(layout.Span{Text: referenceText(after)})
	case a.Unknown:
		f.Add(layout.Span{Text: hcltext.KnownAfterApply, Solid: true})
	default:
		f.Add(layout.Span{Text: "null"})
	}
}

func isReference(a *image.Attribute) bool {
	_, before := a.Before.(image.Reference)
	_, after := a.After.(image.Reference)
	return before || after
}

// isTold reports whether anything is known of an input.
func isTold(r image.Reference) bool { return r.Name() != "" || r.SHA256 != "" }

// referenceText names an input and its content.
func referenceText(r image.Reference) string {
	switch {
	case r.SHA256 == "":
		return referenceName(r)
	case r.Name() == "":
		return "(" + hash(r.SHA256) + ")"
	default:
		return referenceName(r) + " (" + hash(r.SHA256) + ")"
	}
}

// referenceName names an input: an address as it is, a path or URL in quotes.
func referenceName(r image.Reference) string {
	if !isTold(r) {
		return hcltext.KnownAfterApply
	}
	switch name := r.Name(); {
	case name == "":
		return "(" + hash(r.SHA256) + ")"
	case r.IsMade():
		return name
	default:
		return layout.Quoted(name)
	}
}

func hash(sha256 string) string { return sha256[:min(len(sha256), hashDigits)] }

// oneLine returns a value as it would stand in a configuration.
func oneLine(value any, sensitive bool) string {
	if sensitive {
		return hcltext.SensitiveValue
	}
	switch v := value.(type) {
	case nil:
		return "null"
	case string:
		if structuredOf(v) != nil {
			var b bytes.Buffer
			_ = json.Compact(&b, []byte(v)) // what is structured is JSON
			return "jsonencode(" + b.String() + ")"
		}
		return layout.Quoted(v)
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case json.RawMessage:
		return string(v)
	case image.Reference:
		return referenceText(v)
	default:
		return fmt.Sprint(v)
	}
}

// AttributeText returns an attribute's value as a plan writes it on one line, "" for none. What is
// sensitive is named, not shown.
func AttributeText(value any, sensitive bool) string {
	if value == nil {
		return ""
	}
	return oneLine(value, sensitive)
}
