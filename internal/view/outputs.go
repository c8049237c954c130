package view

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/view/hcltext"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// outputs writes the plan's section on outputs that change.
func (pp *planPage) outputs() {
	var changed []planner.OutputChange
	names := 0
	for _, o := range pp.plan.Outputs {
		if o.Changed {
			changed = append(changed, o)
			names = max(names, layout.Width(o.Name))
		}
	}
	if len(changed) == 0 {
		return
	}
	pp.printf("Changes to Outputs:\n")
	for _, o := range changed {
		pp.output(o, names)
	}
	pp.printf("\n")
}

func (pp *planPage) output(o planner.OutputChange, names int) {
	symbol, value := "~", ""
	const indent = 4
	const how = "Use -no-concise to see all."
	switch {
	case o.After == nil:
		symbol, value = "-", valueText(recordedValue(o.Before), indent, pp.opts.Unfolded, how)+" -> null"
	case o.Before == nil:
		symbol, value = "+", outputText(*o.After, indent, pp.opts.Unfolded, how)
	default:
		before, after := hcltext.Text(recordedValue(o.Before), indent), hcltext.Text(outputValue(*o.After), indent)
		switch {
		case before == after && o.Before.Sensitive:
			value = after
		case strings.Contains(before+after, "\n"):
			value = lineDiff(pp.colours, before, after)
		default:
			value = before + " -> " + after
		}
		if !pp.opts.Unfolded {
			value = foldLines(value, how)
		}
	}
	pp.printf("  %s %s%s = %s\n", paintSymbol(pp.colours, symbol), o.Name, strings.Repeat(" ", names-layout.Width(o.Name)), value)
}

// linesShown is how many lines inside of an output's value are shown where there are many more.
const linesShown = 3

// outputText returns an output's value as text, shortened as foldLines does.
func outputText(o config.Output, indent int, isWhole bool, how string) string {
	if o.Collection == nil || o.Sensitive || isWhole {
		return valueText(outputValue(o), indent, isWhole, how)
	}
	elements := o.Collection.Elements()
	lines := hcltext.LinesOf(elements)
	if lines-2 <= foldAbove {
		return hcltext.Text(elements.Whole(), indent)
	}
	end := "]"
	if elements.IsObject {
		end = "}"
	}
	return foldedHead(hcltext.HeadOf(elements, indent, 1+linesShown), lines, indent, indent+2, end, how)
}

// valueText returns a value as text, shortened as foldLines does. Of a hundred thousand lines it
// writes only those that are shown.
func valueText(v cty.Value, indent int, isWhole bool, how string) string {
	lines := hcltext.Lines(v)
	if isWhole || lines-2 <= foldAbove {
		return hcltext.Text(v, indent)
	}
	end, inner := "]", indent+2
	switch t := v.Type(); {
	case t == cty.String:
		end, inner = "EOT", indent+4
	case t.IsMapType() || t.IsObjectType():
		end = "}"
	}
	return foldedHead(hcltext.Head(v, indent, 1+linesShown), lines, indent, inner, end, how)
}

// foldedHead ends the first lines of a value with how many more there are.
func foldedHead(head string, lines, indent, inner int, end, how string) string {
	shown := strings.Split(head, "\n")
	shown = append(shown, fmt.Sprintf("%s# and %d more lines. %s", strings.Repeat(" ", inner), lines-2-linesShown, how), strings.Repeat(" ", indent)+end)
	return strings.Join(shown, "\n")
}

// foldLines shortens a difference of many lines to its first ones and the last, and counts those
// between; how says how to see all. It begins with the first that has a mark in front.
func foldLines(value, how string) string {
	lines := strings.Split(value, "\n")
	if len(lines)-2 <= foldAbove {
		return value
	}
	inner := lines[1 : len(lines)-1]
	from := max(0, slices.IndexFunc(inner, isMarked))
	if from > 0 {
		inner = slices.DeleteFunc(slices.Clone(inner), func(line string) bool { return !isMarked(line) })
	}
	if len(inner) <= foldAbove {
		linesOf := append([]string{lines[0]}, inner...)
		return strings.Join(append(linesOf, lines[len(lines)-1]), "\n")
	}
	pad := inner[0][:len(inner[0])-len(strings.TrimLeft(inner[0], " +-~"))]
	pad = strings.Repeat(" ", len(pad))
	shown := slices.Clone(lines[:1])
	shown = append(shown, inner[:linesShown]...)
	shown = append(shown, fmt.Sprintf("%s# and %d more lines. %s", pad, len(inner)-linesShown, how), lines[len(lines)-1])
	return strings.Join(shown, "\n")
}

// isMarked reports whether a line of a difference was added or removed.
func isMarked(line string) bool {
	text := strings.TrimLeft(line, " ")
	return strings.HasPrefix(text, "+ ") || strings.HasPrefix(text, "- ")
}

// outputValue returns an output's value, hidden where it is sensitive.
func outputValue(o config.Output) cty.Value {
	if o.Sensitive {
		return cty.DynamicVal.Mark(sensitiveMark)
	}
	return o.Whole()
}

// lineDiff writes two values of several lines as one, with the lines that differ marked in front.
// Both have their first line in common with what stands before them, so that it is never marked.
func lineDiff(colours *layout.Palette, before, after string) string {
	a, b := strings.Split(before, "\n"), strings.Split(after, "\n")
	if a[0] != b[0] {
		return before + " -> " + after
	}
	var script layout.Edits
	script.AddLines(a[1:], b[1:])
	var out strings.Builder
	out.WriteString(a[0])
	for _, e := range script {
		symbol := " "
		switch e.Kind {
		case layout.Removed:
			symbol = paintSymbol(colours, "-")
		case layout.Added:
			symbol = paintSymbol(colours, "+")
		case layout.Kept:
		}
		for line := range strings.Lines(e.Text) {
			line = strings.TrimSuffix(line, "\n")
			out.WriteString("\n  " + symbol + strings.TrimPrefix(line, "   "))
		}
	}
	return out.String()
}

// outputLines returns the root module's outputs after an apply, without those that come from images
// that were not made.
func (v *View) outputLines(outputs []config.Output, p *progress) string {
	var b strings.Builder
	for _, o := range outputs {
		if slices.ContainsFunc(o.From, p.isMissing) {
			continue
		}
		if value := outputValue(o); value.IsMarked() || value.IsWhollyKnown() {
			text := hiddenText
			if !value.IsMarked() {
				text = outputText(o, 0, v.opts.Unfolded, "See all with fluxbatch output.")
			}
			fmt.Fprintf(&b, "%s = %s\n", o.Name, text)
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return "\nOutputs:\n\n" + b.String()
}

// hiddenText stands for a value that is sensitive in results, as Terraform names it there.
const hiddenText = "<sensitive>"

// finalText is a value as results show it.
func finalText(v cty.Value) string {
	if v.IsMarked() {
		return hiddenText
	}
	return hcltext.Text(v, 0)
}

// Outputs writes the outputs on record, sorted by name.
func (v *View) Outputs(outputs map[string]state.OutputValue) {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(outputs)) {
		o := outputs[name]
		fmt.Fprintf(&b, "%s = %s\n", name, finalText(recordedValue(&o)))
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stdout(b.String())
}

// Output writes the value of one output as it would stand in a configuration.
func (v *View) Output(o state.OutputValue) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stdout(finalText(recordedValue(&o)) + "\n")
}

// RawOutput writes the value of one output without quotes and without a newline, for scripts. It
// reports an error for a value that is no string, number or boolean.
func (v *View) RawOutput(name string, o state.OutputValue) error {
	value := recordedValue(&o)
	text := ""
	switch t := value.Type(); {
	case value.IsMarked():
		return fmt.Errorf("the output %q is sensitive, and its value is not kept in the state", name)
	case value.IsNull():
		return fmt.Errorf("the output %q is null, which has no raw form. Use -json", name)
	case t == cty.String:
		text = value.AsString()
	case t.IsPrimitiveType():
		text = hcltext.Text(value, 0)
	default:
		return fmt.Errorf("the output %q is %s, and only a string, number or bool has a raw form. Use -json", name, t.FriendlyNameForConstraint())
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.data(text)
	return nil
}

// recordedValue decodes an output on record. A record that does not decode, which a damaged file
// may have, is shown as its JSON.
func recordedValue(o *state.OutputValue) cty.Value {
	if o.Sensitive {
		return cty.DynamicVal.Mark(sensitiveMark)
	}
	t, err := ctyjson.UnmarshalType(o.Type)
	if err == nil {
		var v cty.Value
		if v, err = ctyjson.Unmarshal(o.Value, t); err == nil {
			return v
		}
	}
	return cty.StringVal(string(o.Value))
}

// valueMark is the type of the marks that this package sets on values.
type valueMark string

const sensitiveMark valueMark = "sensitive"
