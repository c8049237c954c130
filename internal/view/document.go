package view

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// document writes one value as indented JSON to stdout.
func (v *View) document(value any) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(value); err != nil {
		// Everything that is written here has a type of this package or of terraform-json, all of which encode.
		panic(fmt.Sprintf("view: encoding a %T: %v", value, err))
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stdout(b.String())
}
