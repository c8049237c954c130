package view

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/planner"
)

const (
	knownAfterApply = "(known after apply)"
	sensitiveValue  = "(sensitive value)"
	forces          = "# forces regeneration"
	mayDiffer       = "# may have changed"
	// nameColumn is where attributes begin: after the block's indent, the symbol and a space.
	nameColumn = 8
	// keptAtLeast is the share of the longer text, in percent, that two texts must have in common for a word diff to be easier to
	// read than both texts.
	keptAtLeast = 30
	// hashDigits is how much of a hash people are shown.
	hashDigits = 8
)

// shownAttributes returns the attributes that a change shows and how many unchanged ones it hides. What is new or destroyed shows all; what is
// forgotten shows where its file is.
func shownAttributes(c *planner.Change) (shown []*planner.Attribute, hidden int) {
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
func (pp *planPage) attribute(c *planner.Change, a *planner.Attribute, names int) {
	if c.Frozen {
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
	pp.write("      ", paintSymbol(pp.colours, symbol), " ", a.Name, strings.Repeat(" ", names-width(a.Name)), " = ")
	column := nameColumn + names + len(" = ")
	hang := column
	if hang > pp.opts.Width/2 {
		hang = nameColumn + 4
	}
	f := pp.values.restart(pp.out, pp.opts.Width, column, hang)
	if c.Action == planner.Destroy || c.Action == planner.Forget {
		f.add(span{text: shorten(oneLine(a.Before, a.Sensitive), pp.opts.Width-column), solid: true})
		f.end()
		return
	}
	pp.value(f, c, a)
	f.end()
}

// value writes an attribute's value, or its old and new values.
func (pp *planPage) value(f *flow, c *planner.Change, a *planner.Attribute) {
	before, isText := a.Before.(string)
	after, bothText := a.After.(string)
	multiline := strings.Contains(before, "\n") || strings.Contains(after, "\n")
	single := a.Before == nil
	switch {
	case a.Sensitive:
		f.add(span{text: sensitiveValue, solid: true})
		pp.forces(f, a)
	case isReference(a):
		pp.reference(f, c, a)
		pp.forces(f, a)
	case pp.structure(f, a):
	case single && bothText && multiline:
		pp.heredoc(f, a, []edit{{kept, after}})
	case single && a.Unknown:
		f.add(span{text: knownAfterApply, solid: true})
		pp.forces(f, a)
	case single:
		f.add(span{text: oneLine(a.After, false)})
		pp.forces(f, a)
	case multiline && !bothText:
		pp.heredoc(f, a, []edit{{kept, before}})
		after := "null"
		if a.Unknown {
			after = knownAfterApply
		}
		f.add(span{text: " "}, span{text: "-> " + after, solid: true})
	case a.Unknown:
		f.add(span{text: oneLine(a.Before, false)}, span{text: " "}, span{text: "-> " + knownAfterApply, solid: true})
		pp.forces(f, a)
	case a.After == nil:
		f.add(span{text: oneLine(a.Before, false)}, span{text: " "}, span{text: "-> null", solid: true})
		pp.forces(f, a)
	case isText && bothText:
		pp.textChange(f, a, before, after, multiline)
	default:
		f.add(span{text: oneLine(a.Before, false)}, span{text: " "}, span{text: "->", style: &pp.colours.update},
			span{text: " " + oneLine(a.After, false)})
		pp.forces(f, a)
	}
}

// textChange writes how a text changes: both where they are short or have little in common, else a diff of their words.
func (pp *planPage) textChange(f *flow, a *planner.Attribute, before, after string, multiline bool) {
	script := diffWords(before, after)
	alike := alike(script, before, after)
	tail := 0
	if a.Forces {
		tail = 1 + len(forces)
	}
	short := f.column+width(before)+width(after)+len(`"" -> ""`)+tail <= f.width
	switch {
	case multiline:
		if !alike {
			script = []edit{{removed, before}, {added, after}}
		}
		pp.heredoc(f, a, script)
		return
	case short || !alike:
		f.add(span{text: quoted(before)})
		if short {
			f.add(span{text: " "})
		} else {
			f.newline()
		}
		f.add(span{text: "->", style: &pp.colours.update}, span{text: " " + quoted(after)})
	default:
		f.add(span{text: `"`})
		f.add(pp.edits(script, false)...)
		f.add(span{text: `"`})
	}
	pp.forces(f, a)
}

// alike reports whether two texts have so much in common that the script between them is easier to read than both.
func alike(script []edit, before, after string) bool {
	same := 0
	for _, e := range script {
		if e.kind == kept {
			same += len(e.text)
		}
	}
	return same*100 >= max(len(before), len(after))*keptAtLeast
}

// heredoc writes text of several lines.
func (pp *planPage) heredoc(f *flow, a *planner.Attribute, script []edit) {
	if ended(a.Before) && ended(a.After) {
		// The newline that ends a text is the one before EOT.
		script = slices.Clone(script)
		last := &script[len(script)-1]
		last.text = strings.TrimSuffix(last.text, "\n")
	}
	f.add(span{text: "<<-EOT"})
	pp.forces(f, a)
	f.indent = nameColumn + 4
	f.newline()
	f.add(pp.edits(script, true)...)
	f.settle()
	f.indent = nameColumn
	f.newline()
	f.add(span{text: "EOT"})
}

// ended reports whether a text ends its last line, or there is none.
func ended(value any) bool {
	text, ok := value.(string)
	return !ok || strings.HasSuffix(text, "\n")
}

// edits returns a script as text: in colour, or with the marks of wdiff.
func (pp *planPage) edits(script []edit, lines bool) []span {
	var spans []span
	for _, e := range script {
		s := escaped(e.text, lines)
		if e.kind != kept && strings.TrimSpace(s) == "" {
			// A line that only ends elsewhere would show nothing.
			s = strings.ReplaceAll(s, "\n", `\n`)
		}
		switch {
		case e.kind == removed && pp.colours.diffs:
			spans = append(spans, span{text: s, style: &pp.colours.deleted})
		case e.kind == added && pp.colours.diffs:
			spans = append(spans, span{text: s, style: &pp.colours.inserted})
		case e.kind == removed:
			spans = append(spans, span{text: bracketed("[-", s, "-]")})
		case e.kind == added:
			spans = append(spans, span{text: bracketed("{+", s, "+}")})
		default:
			spans = append(spans, span{text: s})
		}
	}
	return spans
}

// bracketed puts marks around text, inside of the spaces at its ends, so that a line is not broken before a closing mark.
func bracketed(before, text, after string) string {
	inner := strings.Trim(text, " \n")
	if inner == "" {
		return before + text + after
	}
	start := strings.Index(text, inner)
	return text[:start] + before + inner + after + text[start+len(inner):]
}

func (pp *planPage) forces(f *flow, a *planner.Attribute) { f.add(pp.forcing(a)...) }

// forcing returns the comment on a value that makes a new image necessary, or may.
func (pp *planPage) forcing(a *planner.Attribute) []span {
	switch {
	case a.Forces:
		return []span{{text: " "}, {text: forces, style: &pp.colours.destroy, solid: true}}
	case a.MayDiffer:
		return []span{{text: " "}, {text: mayDiffer, style: &pp.colours.faint, solid: true}}
	default:
		return nil
	}
}

// reference writes an input image and how its content changes.
func (pp *planPage) reference(f *flow, c *planner.Change, a *planner.Attribute) {
	before, hadOne := a.Before.(planner.Reference)
	after, hasOne := a.After.(planner.Reference)
	switch {
	case !hadOne && a.Before != nil:
		f.add(span{text: oneLine(a.Before, false) + " -> "})
	case !hadOne:
		f.add(span{text: referenceName(after)})
		return
	case hasOne && (before.Name == after.Name || before.Name == "" && after != planner.Reference{}) && before.SHA256 != "":
		now := "known after apply"
		if after.SHA256 != "" {
			now = hash(after.SHA256)
		} else if !a.Unknown {
			now = "by URL"
		}
		f.add(span{text: referenceName(after)}, span{text: " "}, span{text: "(" + hash(before.SHA256) + " -> " + now + ")", solid: true})
		return
	default:
		f.add(span{text: referenceText(before) + " -> "})
	}
	switch {
	case hasOne:
		f.add(span{text: referenceText(after)})
	case a.Unknown:
		f.add(span{text: knownAfterApply, solid: true})
	default:
		f.add(span{text: "null"})
	}
}

func isReference(a *planner.Attribute) bool {
	_, before := a.Before.(planner.Reference)
	_, after := a.After.(planner.Reference)
	return before || after
}

// referenceText names an input and its content.
func referenceText(r planner.Reference) string {
	switch {
	case r.SHA256 == "":
		return referenceName(r)
	case r.Name == "":
		return "(" + hash(r.SHA256) + ")"
	default:
		return referenceName(r) + " (" + hash(r.SHA256) + ")"
	}
}

// referenceName names an input: an address as it is, a path or URL in quotes.
func referenceName(r planner.Reference) string {
	if r == (planner.Reference{}) {
		return knownAfterApply
	}
	if r.Name == "" {
		return "(" + hash(r.SHA256) + ")"
	}
	if _, err := addrs.Parse(r.Name); err == nil {
		return r.Name
	}
	return quoted(r.Name)
}

func hash(sha256 string) string { return sha256[:min(len(sha256), hashDigits)] }

// oneLine returns a value as it would stand in a configuration.
func oneLine(value any, sensitive bool) string {
	if sensitive {
		return sensitiveValue
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
		return quoted(v)
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case json.RawMessage:
		return string(v)
	case planner.Reference:
		return referenceText(v)
	default:
		return fmt.Sprint(v)
	}
}

// shorten cuts s to at most columns columns.
func shorten(s string, columns int) string {
	if width(s) <= columns {
		return s
	}
	total := 0
	for i, r := range s {
		w := width(string(r))
		if total+w > columns-1 {
			return s[:i] + "…"
		}
		total += w
	}
	return s
}
