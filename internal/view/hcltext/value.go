package hcltext

import (
	"iter"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/lang"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
)

// Text returns a value as it would stand in a configuration, over several lines where it has
// elements. Lines after the first are indented by indent columns. What is unknown or marked is
// named, not shown.
func Text(v cty.Value, indent int) string {
	w := writer{most: math.MaxInt}
	w.value(v, indent)
	return w.text.String()
}

// Head returns the first lines of Text, at most that many, without the newline after the last one.
func Head(v cty.Value, indent, lines int) string {
	w := writer{most: lines}
	w.value(v, indent)
	return firstLines(w.text.String(), lines)
}

func firstLines(head string, lines int) string {
	for at := range head {
		if head[at] != '\n' {
			continue
		}
		if lines--; lines == 0 {
			return head[:at]
		}
	}
	return head
}

// Lines returns how many lines Text has.
func Lines(v cty.Value) int {
	t := v.Type()
	switch {
	case v.IsMarked() || !v.IsKnown() || v.IsNull():
		return 1
	case t == cty.String:
		s := v.AsString()
		if !isLong(s) {
			return 1
		}
		return strings.Count(strings.TrimSuffix(layout.Escaped(s, true), "\n"), "\n") + 3
	case !t.IsCollectionType() && !t.IsTupleType() && !t.IsObjectType() || v.LengthInt() == 0:
		return 1
	}
	return elementsOf(v).Lines()
}

// Elements are those of a list, or of an object by their keys, of which there is no value.
type Elements struct {
	IsObject bool
	Len      int
	All      iter.Seq2[string, cty.Value]
}

func elementsOf(v cty.Value) Elements {
	e := Elements{IsObject: v.Type().IsMapType() || v.Type().IsObjectType(), Len: v.LengthInt()}
	e.All = func(yield func(string, cty.Value) bool) {
		for it := v.ElementIterator(); it.Next(); {
			key, element := it.Element()
			name := ""
			if e.IsObject {
				name = key.AsString()
			}
			if !yield(name, element) {
				return
			}
		}
	}
	return e
}

// Lines returns how many lines the text has.
func (e Elements) Lines() int {
	if e.Len == 0 {
		return 1
	}
	lines := 2
	for _, element := range e.All {
		lines += Lines(element)
	}
	return lines
}

// Head returns the first lines of the text, as that of a value does.
func (e Elements) Head(indent, lines int) string {
	w := writer{most: lines}
	w.elements(e, indent)
	return firstLines(w.text.String(), lines)
}

// writer writes a value, and ends after so many lines, or a little later.
type writer struct {
	text        strings.Builder
	lines, most int
}

// newline ends a line, and reports whether another one is wanted.
func (w *writer) newline() bool {
	w.text.WriteByte('\n')
	w.lines++
	return w.lines < w.most
}

func (w *writer) value(v cty.Value, indent int) {
	if v.IsMarked() {
		w.text.WriteString(SensitiveValue)
		return
	}
	switch t := v.Type(); {
	case !v.IsKnown():
		w.text.WriteString(KnownAfterApply)
	case v.IsNull():
		w.text.WriteString("null")
	case t == cty.String:
		w.literal(v.AsString(), indent)
	case t == cty.Number:
		w.text.WriteString(numberText(v.AsBigFloat()))
	case t == cty.Bool:
		w.text.WriteString(strconv.FormatBool(v.True()))
	case lang.IsStructure(t):
		w.elements(elementsOf(v), indent)
	default:
		w.text.WriteString(t.FriendlyName())
	}
}

// isLong reports whether a text has several lines.
func isLong(s string) bool { return strings.Contains(strings.TrimSuffix(s, "\n"), "\n") }

// literal writes a text of several lines as a heredoc, any other as a literal.
func (w *writer) literal(s string, indent int) {
	if !isLong(s) {
		w.text.WriteString(layout.Quoted(s))
		return
	}
	pad := strings.Repeat(" ", indent)
	w.text.WriteString("<<-EOT")
	more := w.newline()
	for line := range strings.Lines(layout.Escaped(s, true)) {
		if !more {
			return
		}
		w.text.WriteString(pad + "    " + strings.TrimSuffix(line, "\n"))
		more = w.newline()
	}
	w.text.WriteString(pad + "EOT")
}

func (w *writer) elements(e Elements, indent int) {
	switch {
	case e.Len == 0 && e.IsObject:
		w.text.WriteString("{}")
	case e.Len == 0:
		w.text.WriteString("[]")
	case e.IsObject:
		w.object(e, indent)
	default:
		w.list(e, indent)
	}
}

func (w *writer) object(of Elements, indent int) {
	type entry struct {
		key   string
		value cty.Value
	}
	entries := make([]entry, 0, of.Len)
	names := 0
	for name, element := range of.All {
		key := keyText(name)
		names = max(names, layout.Width(key))
		entries = append(entries, entry{key, element})
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	pad := strings.Repeat(" ", indent)
	w.text.WriteByte('{')
	more := w.newline()
	for _, e := range entries {
		if !more {
			return
		}
		w.text.WriteString(pad + "  " + e.key + strings.Repeat(" ", names-layout.Width(e.key)) + " = ")
		w.value(e.value, indent+2)
		more = w.newline()
	}
	w.text.WriteString(pad + "}")
}

func (w *writer) list(of Elements, indent int) {
	pad := strings.Repeat(" ", indent)
	w.text.WriteByte('[')
	more := w.newline()
	for _, element := range of.All {
		if !more {
			break
		}
		w.text.WriteString(pad + "  ")
		w.value(element, indent+2)
		w.text.WriteByte(',')
		more = w.newline()
	}
	w.text.WriteString(pad + "]")
}

// isBareWord reports whether a key needs no quotes. Of the few others that need none, HCL's scanner
// tells, which takes fifty times as long.
func isBareWord(key string) bool {
	for i := range len(key) {
		c := key[i]
		isLetter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !isLetter && (i == 0 || c != '_' && c != '-' && (c < '0' || c > '9')) {
			return false
		}
	}
	return key != ""
}

func keyText(key string) string {
	if isBareWord(key) || hclsyntax.ValidIdentifier(key) {
		return key
	}
	return layout.Quoted(key)
}

func numberText(f *big.Float) string {
	if f.IsInt() {
		return f.Text('f', 0)
	}
	text := f.Text('f', -1)
	if len(text) > longNumber {
		// What a computation left behind the last of its digits.
		text = new(big.Float).SetPrec(shownPrecision).Set(f).Text('f', -1)
	}
	return text
}

const (
	// longNumber is how many characters a number has that may end in what a computation with binary
	// fractions left.
	longNumber = 100
	// shownPrecision is the precision in bits of such numbers. They are computed with 512.
	shownPrecision = 400
)

// What stands for a value that is not shown.
const (
	KnownAfterApply = "(known after apply)"
	SensitiveValue  = "(sensitive value)"
)
