package diag

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// Kind is a kind of warning that a Tally gives.
type Kind struct {
	Summary string
	// One and Many begin the detail with who is concerned, as in "1 image has" and "%d images
	// have".
	One, Many string
	// How goes on with what is strange, with %s in the place of the examples, and what to do.
	How string
}

// Tally counts what is legal in many rows and probably not meant in any: of each kind it gives one
// warning, with a count and a few examples. A nil one counts nothing. It is not safe for concurrent
// use.
type Tally struct {
	kinds []Kind
	cases []cases // of each kind
}

type cases struct {
	count    int
	examples []string
	at       *hcl.Range // of the first
}

// maxExamples is how many examples a warning has.
const maxExamples = 3

// NewTally returns a tally of kinds, whose warnings come in their order.
func NewTally(kinds []Kind) *Tally { return &Tally{kinds: kinds, cases: make([]cases, len(kinds))} }

// Add counts a case of the kind with a place in the list, at a range or nil. example is called
// where the case becomes one of the examples.
func (t *Tally) Add(kind int, at *hcl.Range, example func() string) {
	if t == nil {
		return
	}
	c := &t.cases[kind]
	if c.count++; c.count == 1 {
		c.at = at
	}
	if len(c.examples) < maxExamples {
		c.examples = append(c.examples, example())
	}
}

// Empty reports whether nothing was counted.
func (t *Tally) Empty() bool {
	return t == nil || !slices.ContainsFunc(t.cases, func(c cases) bool { return c.count > 0 })
}

// Warnings returns a warning for each kind that was counted.
func (t *Tally) Warnings() hcl.Diagnostics {
	if t == nil {
		return nil
	}
	var diags hcl.Diagnostics
	for i, kind := range t.kinds {
		c := &t.cases[i]
		if c.count == 0 {
			continue
		}
		who := kind.One
		if c.count > 1 {
			who = fmt.Sprintf(kind.Many, c.count)
		}
		examples := strings.Join(c.examples, ", ")
		if more := c.count - len(c.examples); more > 0 {
			examples += fmt.Sprintf(" and %d more", more)
		}
		diags = append(diags, &hcl.Diagnostic{
			Severity: hcl.DiagWarning, Summary: kind.Summary, Detail: who + " " + fmt.Sprintf(kind.How, examples), Subject: c.at,
		})
	}
	return diags
}
