package lang

import (
	"fmt"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/lazyregexp"
)

// yamlNotes notes what YAML understands in a way of its own, in each text once. It is not safe for
// concurrent use.
type yamlNotes struct {
	warnings *diag.Tally
	// texts are those that were looked at.
	texts map[string]bool
}

const (
	yamlKey = iota
	yamlZero
)

var yamlKinds = []diag.Kind{
	yamlKey: {
		Summary: "YAML key is a boolean", One: "1 key of YAML is", Many: "%d keys of YAML are",
		How: "true or false, although written otherwise: %s. YAML takes yes, no, on, off, y and n for booleans. Put quotes " +
			"around it.",
	},
	yamlZero: {
		Summary: "YAML number lost its zeros", One: "1 number of YAML begins", Many: "%d numbers of YAML begin",
		How: "with zeros, which are lost: %s. If it is a name, such as an article number, put quotes around it.",
	},
}

var (
	yamlBoolean = lazyregexp.New(`(?mi)^[ \t-]*(yes|no|on|off|y|n)[ \t]*:(?:[ \t]|$)`)
	yamlZeros   = lazyregexp.New(`(?m)(?:^[ \t]*(?:-[ \t]+)*|:[ \t]+|[\[,][ \t]*)(0\d+)[ \t]*(?:$|#|:|[,\]])`)
)

// look notes what YAML understands in a way of its own in a text given to yamldecode.
func (n *yamlNotes) look(args []cty.Value, v cty.Value, err error) error {
	if text, ok := PlainText(args[0]); ok && err == nil && (yamlBoolean().MatchString(text) || yamlZeros().MatchString(text)) {
		n.note(text, v)
	}
	return err
}

func (n *yamlNotes) note(text string, v cty.Value) {
	text = withoutBlocks(text)
	keys, zeros := yamlBoolean().FindAllStringSubmatchIndex(text, -1), yamlZeros().FindAllStringSubmatchIndex(text, -1)
	if len(keys)+len(zeros) == 0 || n.texts[text] {
		return
	}
	if n.texts == nil {
		n.texts = map[string]bool{}
	}
	n.texts[text] = true
	// What looks so may stand in a longer text. It counts if the result has what would become of
	// it.
	names, numbers := map[string]bool{}, map[string]bool{}
	collect(v, names, numbers)
	line := func(at int) int { return strings.Count(text[:at], "\n") + 1 }
	for _, m := range keys {
		word := text[m[2]:m[3]]
		became := "false"
		if slices.Contains([]string{"yes", "on", "y"}, strings.ToLower(word)) {
			became = "true"
		}
		if names[became] {
			n.warnings.Add(yamlKey, nil, func() string { return fmt.Sprintf("%s (line %d)", word, line(m[2])) })
		}
	}
	for _, m := range zeros {
		word := text[m[2]:m[3]]
		if plain := strings.TrimLeft(word, "0"); numbers[plain] || names[plain] || plain == "" && numbers["0"] {
			n.warnings.Add(yamlZero, nil, func() string { return fmt.Sprintf("%s (line %d)", word, line(m[2])) })
		}
	}
}

// blockStart finds the line before a text over several lines.
var blockStart = lazyregexp.New(`[:-][ \t]+[|>][-+0-9]*[ \t]*(#.*)?$`)

// withoutBlocks returns a text of YAML with empty lines in the place of those of texts in it.
func withoutBlocks(text string) string {
	var out strings.Builder
	inside, indent := false, 0
	for line := range strings.Lines(text) {
		depth := len(line) - len(strings.TrimLeft(line, " "))
		if inside && (depth > indent || strings.TrimSpace(line) == "") {
			out.WriteByte('\n')
			continue
		}
		inside, indent = blockStart().MatchString(strings.TrimRight(line, "\r\n")), depth
		out.WriteString(line)
	}
	return out.String()
}

// collect gathers the names of attributes in a value, and its numbers as text.
func collect(v cty.Value, names, numbers map[string]bool) {
	if v, _ = v.Unmark(); !IsPlain(v) {
		return
	}
	switch ty := v.Type(); {
	case ty == cty.Number:
		numbers[v.AsBigFloat().Text('f', -1)] = true
	case v.CanIterateElements():
		for it := v.ElementIterator(); it.Next(); {
			key, element := it.Element()
			if !ty.IsTupleType() && !ty.IsListType() && key.Type() == cty.String {
				names[key.AsString()] = true
			}
			collect(element, names, numbers)
		}
	}
}
