package hcltext

import (
	"math/big"
	"sort"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/view/layout"
)

// Text returns a value as it would stand in a configuration, over several lines where it has
// elements. Lines after the first are indented by indent columns. What is unknown or marked is
// named, not shown.
func Text(v cty.Value, indent int) string {
	var b strings.Builder
	writeHCL(&b, v, indent)
	return b.String()
}

func writeHCL(b *strings.Builder, v cty.Value, indent int) {
	if v.IsMarked() {
		b.WriteString(SensitiveValue)
		return
	}
	switch t := v.Type(); {
	case !v.IsKnown():
		b.WriteString(KnownAfterApply)
	case v.IsNull():
		b.WriteString("null")
	case t == cty.String:
		writeHCLString(b, v.AsString(), indent)
	case t == cty.Number:
		b.WriteString(numberText(v.AsBigFloat()))
	case t == cty.Bool:
		b.WriteString(strconv.FormatBool(v.True()))
	case t.IsMapType() || t.IsObjectType():
		writeHCLMap(b, v, indent)
	case t.IsListType() || t.IsSetType() || t.IsTupleType():
		writeHCLList(b, v, indent)
	default:
		b.WriteString(t.FriendlyName())
	}
}

// writeHCLString writes a text of several lines as a heredoc, any other as a literal.
func writeHCLString(b *strings.Builder, s string, indent int) {
	if !strings.Contains(strings.TrimSuffix(s, "\n"), "\n") {
		b.WriteString(layout.Quoted(s))
		return
	}
	pad := strings.Repeat(" ", indent)
	b.WriteString("<<-EOT\n")
	for line := range strings.Lines(layout.Escaped(s, true)) {
		b.WriteString(pad + "    " + strings.TrimSuffix(line, "\n") + "\n")
	}
	b.WriteString(pad + "EOT")
}

func writeHCLMap(b *strings.Builder, v cty.Value, indent int) {
	if v.LengthInt() == 0 {
		b.WriteString("{}")
		return
	}
	type entry struct {
		key   string
		value cty.Value
	}
	entries := make([]entry, 0, v.LengthInt())
	names := 0
	for it := v.ElementIterator(); it.Next(); {
		k, element := it.Element()
		key := keyText(k.AsString())
		names = max(names, layout.Width(key))
		entries = append(entries, entry{key, element})
	}
	sort.Slice(entries, func(i, j int) bool { return entries[i].key < entries[j].key })
	pad := strings.Repeat(" ", indent)
	b.WriteString("{\n")
	for _, e := range entries {
		b.WriteString(pad + "  " + e.key + strings.Repeat(" ", names-layout.Width(e.key)) + " = ")
		writeHCL(b, e.value, indent+2)
		b.WriteByte('\n')
	}
	b.WriteString(pad + "}")
}

func writeHCLList(b *strings.Builder, v cty.Value, indent int) {
	if v.LengthInt() == 0 {
		b.WriteString("[]")
		return
	}
	pad := strings.Repeat(" ", indent)
	b.WriteString("[\n")
	for it := v.ElementIterator(); it.Next(); {
		_, element := it.Element()
		b.WriteString(pad + "  ")
		writeHCL(b, element, indent+2)
		b.WriteString(",\n")
	}
	b.WriteString(pad + "]")
}

func keyText(key string) string {
	if hclsyntax.ValidIdentifier(key) {
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
