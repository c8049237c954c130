package config

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/lang"
)

// ended puts a full stop after a text that lacks one, so that another sentence can follow.
func ended(text string) string {
	text = strings.TrimSpace(text)
	last, _ := utf8.DecodeLastRuneInString(strings.TrimRight(text, `"')`))
	if strings.ContainsRune(".!?…。", last) {
		return text
	}
	return text + "."
}

// plural writes a number with its noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// collector gathers diagnostics. A mistake in a block with many instances is one mistake: the first
// instance's diagnostic stands for all those with the same summary at the same place, with a word
// on how many there are.
type collector struct {
	diags hcl.Diagnostics
	seen  map[diagKey][]int // indices in diags
	more  map[int]int       // how many further ones each stands for
	// earlier are diagnostics that were reported before, and are not repeated.
	earlier map[diagKey][]int
	// instance is what the diagnostics to come are about: an image, or without a name an instance
	// of a module.
	instance addrs.Image
	// own are the details of the diagnostics about one instance, which is of.
	of  addrs.Image
	own map[diagKey][]string
}

type diagKey struct {
	severity hcl.DiagnosticSeverity
	summary  string
	subject  hcl.Range
}

func (c *collector) add(diags ...*hcl.Diagnostic) {
	for _, d := range diags {
		key := diagKey{severity: d.Severity, summary: d.Summary}
		if d.Subject != nil {
			key.subject = *d.Subject
		}
		if _, ok := c.earlier[key]; !ok {
			c.addNew(key, d)
		}
	}
}

// addNew adds a diagnostic, or counts it with that of another instance. Several that one instance
// has at one place are different mistakes.
func (c *collector) addNew(key diagKey, d *hcl.Diagnostic) {
	if c.seen == nil {
		c.seen, c.more, c.own = map[diagKey][]int{}, map[int]int{}, map[diagKey][]string{}
	}
	if c.of != c.instance {
		c.of = c.instance
		clear(c.own)
	}
	nth := len(c.own[key])
	if slices.Contains(c.own[key], d.Detail) {
		return
	}
	c.own[key] = append(c.own[key], d.Detail)
	if same := c.seen[key]; nth < len(same) {
		if first := same[nth]; c.diags[first].Detail != d.Detail || d.EvalContext != nil {
			c.more[first]++
		}
		return
	}
	c.seen[key] = append(c.seen[key], len(c.diags))
	c.diags = append(c.diags, d)
}

// list returns what was gathered, in the order of the files.
func (c *collector) list() hcl.Diagnostics {
	out := make(hcl.Diagnostics, len(c.diags))
	for i, d := range c.diags {
		polished := *d
		polished.Detail = lang.Detail(d, isImage) + more(c.more[i])
		polished.EvalContext = printable(d)
		out[i] = &polished
	}
	sortDiagnostics(out)
	return out
}

// sortDiagnostics orders diagnostics by place, those without one first.
func sortDiagnostics(diags hcl.Diagnostics) {
	slices.SortStableFunc(diags, func(a, b *hcl.Diagnostic) int {
		switch {
		case a.Subject == nil && b.Subject == nil:
			return 0
		case a.Subject == nil:
			return -1
		case b.Subject == nil:
			return 1
		}
		return comparePlaces(*a.Subject, *b.Subject)
	})
}

// printable returns a context with the values that a diagnostic's expression names, so that views
// can print them. Values that are marked there are sensitive, and not to be shown. Where a name
// does not exist, which was reported, it returns none.
func printable(d *hcl.Diagnostic) *hcl.EvalContext {
	if d.EvalContext == nil || d.Expression == nil {
		return d.EvalContext
	}
	vars := map[string]cty.Value{}
	for _, traversal := range d.Expression.Variables() {
		if v, _ := traversal.TraverseAbs(d.EvalContext); v.HasMarkDeep(missing{}) {
			return nil
		}
		name := traversal.RootName()
		for ctx := d.EvalContext; ctx != nil; ctx = ctx.Parent() {
			if v, ok := ctx.Variables[name]; ok {
				vars[name] = lang.OnlySensitive(v)
				break
			}
		}
	}
	return &hcl.EvalContext{Variables: vars}
}

// more tells how many instances a diagnostic stands for besides the one that it is about.
func more(n int) string {
	switch n {
	case 0:
		return ""
	case 1:
		return " 1 more instance has the same problem."
	default:
		return fmt.Sprintf(" %d more instances have the same problem.", n)
	}
}

func capitalise(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
