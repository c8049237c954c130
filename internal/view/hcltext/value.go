package hcltext

import (
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
		return textLines(v.AsString())
	case !t.IsCollectionType() && !t.IsTupleType() && !t.IsObjectType() || v.LengthInt() == 0:
		return 1
	}
	return LinesOf(elementsOf(v))
}

func textLines(s string) int {
	if !isLong(s) {
		return 1
	}
	return strings.Count(strings.TrimSuffix(layout.Escaped(s, true), "\n"), "\n") + 3
}

func elementsOf(v cty.Value) lang.Elements {
	e := lang.Elements{IsObject: v.Type().IsMapType() || v.Type().IsObjectType(), Len: v.LengthInt()}
	e.All = func(yield func(string, lang.Element) bool) {
		for it := v.ElementIterator(); it.Next(); {
			key, element := it.Element()
			name := ""
			if e.IsObject {
				name = key.AsString()
			}
			if !yield(name, lang.Element{Value: element}) {
				return
			}
		}
	}
	return e
}

// LinesOf returns how many lines the text of elements has, as Lines does for a value.
func LinesOf(e lang.Elements) int {
	if e.Len == 0 {
		return 1
	}
	lines := 2
	for _, element := range e.All {
		switch {
		case element.IsText():
			lines += textLines(element.Text)
		case element.List != nil:
			lines += LinesOf(*element.List)
		default:
			lines += Lines(element.Value)
		}
	}
	return lines
}

// HeadOf returns the first lines of the text of elements, as Head does for a value.
func HeadOf(e lang.Elements, indent, lines int) string {
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

func (w *writer) element(e lang.Element, indent int) {
	switch {
	case e.IsText():
		w.literal(e.Text, indent)
	case e.List != nil:
		w.elements(*e.List, indent)
	default:
		w.value(e.Value, indent)
	}
}

func (w *writer) elements(e lang.Elements, indent int) {
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

func (w *writer) object(of lang.Elements, indent int) {
	entries, names := w.entries(of)
	pad := strings.Repeat(" ", indent)
	w.text.WriteByte('{')
	more := w.newline()
	for _, e := range entries {
		if !more {
			return
		}
		w.text.WriteString(pad + "  " + e.key + strings.Repeat(" ", names-layout.Width(e.key)) + " = ")
		w.element(e.element, indent+2)
		more = w.newline()
	}
	w.text.WriteString(pad + "}")
}

// entry is an element of an object under its key as it is written.
type entry struct {
	key     string
	element lang.Element
}

func compareEntries(a, b entry) int { return strings.Compare(a.key, b.key) }

// entries returns those of an object that are written, in their order, and how wide the widest key of
// all is. Each takes a line, so that there are no more of them than lines are wanted.
func (w *writer) entries(of lang.Elements) (first []entry, names int) {
	room := min(max(1, w.most-w.lines), of.Len)
	first = make([]entry, 0, room)
	for name, element := range of.All {
		e := entry{keyText(name), element}
		names = max(names, layout.Width(e.key))
		switch {
		case len(first) < room:
			if first = append(first, e); len(first) == room {
				slices.SortFunc(first, compareEntries)
			}
		case compareEntries(e, first[room-1]) < 0:
			at, _ := slices.BinarySearchFunc(first, e, compareEntries)
			first = slices.Insert(first[:room-1], at, e)
		}
	}
	return first, names
}

func (w *writer) list(of lang.Elements, indent int) {
	pad := strings.Repeat(" ", indent)
	w.text.WriteByte('[')
	more := w.newline()
	for _, element := range of.All {
		if !more {
			break
		}
		w.text.WriteString(pad + "  ")
		w.element(element, indent+2)
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
