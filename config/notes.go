package config

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/lang"
	"github.com/fluxbatch/fluxbatch/internal/lazyregexp"
)

// What is noted about images is legal in many rows and probably not meant in any.
const (
	emptyPrompt = iota
	placeholder
	longPrompt
	blankRow
)

var noteKinds = []diag.Kind{
	emptyPrompt: {
		Summary: "Empty prompt", One: "1 image has", Many: "%d images have",
		How: "a prompt without a word in it: %s. The model accepts that, and draws something of its own.",
	},
	placeholder: {
		Summary: "Placeholder in a prompt", One: "1 image has", Many: "%d images have",
		How: "a prompt with a placeholder that nothing was put into: %s. The API gets it as it stands. Use ${each.value.name} in the configuration, templatefile or templatestring for a text from elsewhere, or replace for {{name}}.",
	},
	longPrompt: {
		Summary: "Very long prompt", One: "1 image has", Many: "%d images have",
		How: "a prompt of more than 32,000 characters: %s. The models read at most 32,000 tokens, which can be as few characters. What comes after is cut off or refused.",
	},
	blankRow: {
		Summary: "Row of blanks", One: "1 image comes", Many: "%d images come",
		How: "from a row with nothing but blanks in it: %s. Remove such rows, or leave them out, as in " +
			"{ for row in rows : row.id => row if trimspace(row.id) != \"\" }.",
	},
}

// maxPrompt is the length of a prompt, in characters, from which on it may be over what models
// read. A token can be as short as one character.
const maxPrompt = 32_000

// openPlaceholder finds what templates of other programs, and ours where they were not evaluated,
// put values into.
var openPlaceholder = lazyregexp.New(`\{\{[^{}\n]{1,60}\}\}|\$\{[^{}\n]{0,60}\}?`)

// adviseOnPrompt notes what is strange about a prompt. It answers false, having reported it, for a
// prompt that the model cannot do without and that is empty.
func (d *builder) adviseOnPrompt(img *image.Image) bool {
	prompt, ok := img.Request().Value("prompt").(string)
	switch {
	case !ok:
	case strings.TrimSpace(prompt) == "":
		if v, p := d.given("prompt"), img.Model.Param("prompt"); v != nil && p != nil && p.Required {
			d.wrong(v, "Empty prompt", "The prompt of %s has no word in it. %s needs one.", img.Address, img.Model.Name)
			return false
		}
		d.notePrompt(emptyPrompt, img, "")
	case strings.Contains(prompt, "{{") || strings.Contains(prompt, "${"):
		if found := openPlaceholder().FindString(prompt); found != "" {
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

// notePrompt notes what is strange about the prompt of an image. what is a part of it, or something
// about it.
func (d *builder) notePrompt(kind int, img *image.Image, what string) {
	at := d.b.at
	if v := d.given("prompt"); v != nil {
		at = v.arg.valueAt()
	}
	d.e.notes.Add(kind, &at, func() string {
		if what == "" || slices.Contains(img.Sensitive(), "prompt") {
			return img.Address.String()
		}
		return img.Address.String() + " (" + what + ")"
	})
}

// noteBlankRows notes the instances of an image block that come from rows with nothing in them.
func (e *evaluator) noteBlankRows(b *imageBlock, s *scope, x *expansion) {
	if x.repeat.forEach == nil {
		return
	}
	for row := range x.all() {
		if row.isBlank() {
			e.notes.Add(blankRow, b.forEach.Range().Ptr(), func() string {
				name := (&builder{b: b, s: s}).addr(row).String()
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
		return x.table.IsBlank(x.row)
	}
	// Most rows have a key of their own, and are told by that; to look into each would be to build
	// an iterator for it.
	if key, _ := x.key.Text(); strings.Trim(key, " \t0123456789") != "" || !lang.IsPlain(x.value) || !x.value.Type().IsObjectType() || x.value.LengthInt() == 0 {
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
