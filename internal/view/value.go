package view

import (
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/view/hcltext"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
)

// Value writes the value of an expression as it would stand in a configuration. What carries a
// mark, as config.Config.Eval leaves it on what is sensitive, is named and not shown.
func (v *View) Value(value cty.Value) {
	text := hcltext.Text(value, 0)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stdout(text + "\n")
}

// Prompt asks for something on stderr, with text that ends where the answer is typed.
func (v *View) Prompt(text string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stderr(text)
}

// Note writes a remark to stderr.
func (v *View) Note(text string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stderr(layout.Wrap(text, v.opts.Width) + "\n")
}
