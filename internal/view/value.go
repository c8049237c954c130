package view

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/state"
)

// Value writes the value of an expression as it would stand in a configuration. What carries a mark, as config.Config.Eval leaves it
// on what is sensitive, is named and not shown.
func (v *View) Value(value cty.Value) {
	text := hclText(value, 0)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stdout(text + "\n")
}

// OutputJSON writes the value of one output as JSON. It reports an error for one whose value is not kept.
func (v *View) OutputJSON(name string, o state.OutputValue) error {
	if o.Sensitive {
		return fmt.Errorf("the output %q is sensitive, and its value is not kept in the state", name)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, o.Value, "", "  "); err != nil {
		return fmt.Errorf("the output %q on record is damaged: %w", name, err)
	}
	b.WriteByte('\n')
	v.mu.Lock()
	defer v.mu.Unlock()
	v.data(string(visibleJSON(b.Bytes())))
	return nil
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
	v.stderr(wrap(text, v.opts.Width) + "\n")
}
