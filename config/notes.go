package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/image"
)

// notes gather what is legal in many rows and probably not meant in any: of each kind there is one warning, with a count and a few examples.
type notes struct {
	kinds [noteKinds]note
	// texts are those that were looked at by noteYAML.
	texts map[string]bool
}

type note struct {
	count    int
	examples []string
	at       *hcl.Range // of the first
}

// noteKind is a kind of warning.
type noteKind int

const (
	emptyPrompt noteKind = iota
	placeholder
	longPrompt
	blankRow
	yamlKey
	yamlZero
	noteKinds
)

// noteTexts are the summary of each kind, what it says of one and of many, and what to do.
var noteTexts = [noteKinds]struct{ summary, one, many, how string }{
	emptyPrompt: {"Empty prompt", "1 image has", "%d images have", "a prompt without a word in it: %s. The model takes that, and makes something of its own."},
	placeholder: {
		"Placeholder in a prompt", "1 image has", "%d images have",
		"a prompt with a placeholder that nothing was put into: %s. The API gets it as it stands. A value is put into a text by ${each.value.name} in the " +
			"configuration, by templatefile or templatestring in a text from elsewhere, and in the place of {{name}} by replace.",
	},
	longPrompt: {
		"Very long prompt", "1 image has", "%d images have",
		"a prompt of more than 32,000 characters: %s. The models read at most 32,000 tokens, which may be no more characters than that; what comes after is cut " +
			"off or refused.",
	},
	blankRow: {
		"Row of blanks", "1 image comes", "%d images come",
		"from a row with nothing but blanks in it: %s. Remove such rows, or leave them out, as in { for row in rows : row.id => row if trimspace(row.id) != \"\" }.",
	},
	yamlKey: {
		"YAML key is a boolean", "1 key of YAML is", "%d keys of YAML are",
		"true or false, although written otherwise: %s. YAML takes yes, no, on, off, y and n for booleans. Put quotes around it.",
	},
	yamlZero: {
		"YAML number lost its zeros", "1 number of YAML begins", "%d numbers of YAML begin",
		"with zeros, which are lost: %s. If it is a name, such as an article number, put quotes around it.",
	},
}

// maxExamples is how many examples a warning has.
const maxExamples = 3

func (n *notes) add(kind noteKind, at *hcl.Range, example func() string) {
	if n == nil {
		return
	}
	k := &n.kinds[kind]
	if k.count++; k.count == 1 {
		k.at = at
	}
	if len(k.examples) < maxExamples {
		k.examples = append(k.examples, example())
	}
}

// diagnostics returns a warning for each kind that was noted.
func (n *notes) diagnostics() hcl.Diagnostics {
	if n == nil {
		return nil
	}
	var diags hcl.Diagnostics
	for kind := range noteKinds {
		k, text := &n.kinds[kind], noteTexts[kind]
		if k.count == 0 {
			continue
		}
		who := text.one
		if k.count > 1 {
			who = fmt.Sprintf(text.many, k.count)
		}
		examples := strings.Join(k.examples, ", ")
		if more := k.count - len(k.examples); more > 0 {
			examples += fmt.Sprintf(" and %d more", more)
		}
		diags = append(diags, &hcl.Diagnostic{
			Severity: hcl.DiagWarning, Summary: text.summary, Detail: who + " " + fmt.Sprintf(text.how, examples), Subject: k.at,
		})
	}
	return diags
}

// maxPrompt is the length of a prompt, in characters, from which on it may be over what models read. A token can be as short as one character.
const maxPrompt = 32_000

// openPlaceholder finds what templates of other programs, and ours where they were not evaluated, put values into.
var openPlaceholder = regexp.MustCompile(`\{\{[^{}\n]{1,60}\}\}|\$\{[^{}\n]{0,60}\}?`)

// adviseOnPrompt notes what is strange about a prompt. It answers false, having reported it, for a prompt that the model cannot do without and that is empty.
func (d *builder) adviseOnPrompt(img *image.Image) bool {
	prompt, ok := img.Request().Value("prompt").(string)
	switch {
	case !ok:
	case strings.TrimSpace(prompt) == "":
		if v, p := d.given("prompt"), img.Model.Param("prompt"); v != nil && p != nil && p.Required {
			d.wrong(v, "Empty prompt", "The prompt of %s has no word in it. %s makes nothing without one.", img.Address, img.Model.Name)
			return false
		}
		d.notePrompt(emptyPrompt, img, "")
	case strings.Contains(prompt, "{{") || strings.Contains(prompt, "${"):
		if found := openPlaceholder.FindString(prompt); found != "" {
			d.notePrompt(placeholder, img, found)
		}
	}
	if len(prompt) > maxPrompt {
		if n := utf8.RuneCountInString(prompt); n > maxPrompt {
			d.notePrompt(longPrompt, img, fmt.Sprint(n))
		}
	}
	return true
}

// notePrompt notes what is strange about the prompt of an image. what is a part of it, or something about it.
func (d *builder) notePrompt(kind noteKind, img *image.Image, what string) {
	at := d.b.at
	if v := d.given("prompt"); v != nil {
		at = v.arg.valueAt()
	}
	d.e.notes.add(kind, &at, func() string {
		if what == "" || slices.Contains(img.Sensitive, "prompt") {
			return img.Address.String()
		}
		return img.Address.String() + " (" + what + ")"
	})
}

// noteBlankRows notes the instances of an image block that come from rows with nothing in them.
func (e *evaluator) noteBlankRows(b *imageBlock, s *scope, x *expansion) {
	for i := range x.rows {
		if row := &x.rows[i]; row.isBlank() {
			e.notes.add(blankRow, b.forEach.Range().Ptr(), func() string {
				name := (&builder{b: b, s: s}).addr(*row).String()
				if row.table != nil {
					name += fmt.Sprintf(" (row %d)", row.row+1)
				}
				return name
			})
		}
	}
}

// isBlank reports whether each.value is a row with nothing but blanks in it.
func (x each) isBlank() bool {
	if x.table != nil {
		return !slices.ContainsFunc(x.table.rows[x.row], func(cell string) bool { return strings.TrimSpace(cell) != "" })
	}
	// Most rows have a key of their own, and are told by that; to look into each would be to build an iterator for it.
	if key, _ := x.key.Text(); strings.Trim(key, " \t0123456789") != "" || !isPlain(x.value) || !x.value.Type().IsObjectType() || x.value.LengthInt() == 0 {
		return false
	}
	for it := x.value.ElementIterator(); it.Next(); {
		_, v := it.Element()
		if v.IsMarked() || !v.IsKnown() || !v.IsNull() && (v.Type() != cty.String || strings.TrimSpace(v.AsString()) != "") {
			return false
		}
	}
	return true
}

var (
	yamlBoolean = regexp.MustCompile(`(?mi)^[ \t-]*(yes|no|on|off|y|n)[ \t]*:(?:[ \t]|$)`)
	yamlZeros   = regexp.MustCompile(`(?m)(?:^[ \t]*(?:-[ \t]+)*|:[ \t]+|[\[,][ \t]*)(0\d+)[ \t]*(?:$|#|:|[,\]])`)
)

// lookAtYAML notes what YAML understands in a way of its own in a text given to yamldecode.
func (n *notes) lookAtYAML(args []cty.Value, v cty.Value, err error) error {
	if text, ok := plainText(args[0]); ok && err == nil && (yamlBoolean.MatchString(text) || yamlZeros.MatchString(text)) {
		n.noteYAML(text, v)
	}
	return err
}

func (n *notes) noteYAML(text string, v cty.Value) {
	text = withoutBlocks(text)
	keys, zeros := yamlBoolean.FindAllStringSubmatchIndex(text, -1), yamlZeros.FindAllStringSubmatchIndex(text, -1)
	if len(keys)+len(zeros) == 0 || n.texts[text] {
		return
	}
	if n.texts == nil {
		n.texts = map[string]bool{}
	}
	n.texts[text] = true
	// What looks so may stand in a longer text. It counts if the result has what would become of it.
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
			n.add(yamlKey, nil, func() string { return fmt.Sprintf("%s (line %d)", word, line(m[2])) })
		}
	}
	for _, m := range zeros {
		word := text[m[2]:m[3]]
		if plain := strings.TrimLeft(word, "0"); numbers[plain] || names[plain] || plain == "" && numbers["0"] {
			n.add(yamlZero, nil, func() string { return fmt.Sprintf("%s (line %d)", word, line(m[2])) })
		}
	}
}

// blockStart finds the line before a text over several lines.
var blockStart = regexp.MustCompile(`[:-][ \t]+[|>][-+0-9]*[ \t]*(#.*)?$`)

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
		inside, indent = blockStart.MatchString(strings.TrimRight(line, "\r\n")), depth
		out.WriteString(line)
	}
	return out.String()
}

// collect gathers the names of attributes in a value, and its numbers as text.
func collect(v cty.Value, names, numbers map[string]bool) {
	if v, _ = v.Unmark(); !isPlain(v) {
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
