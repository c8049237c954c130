package view

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// State writes the images on record, sorted by address, as they would stand in a configuration,
// with what is known of them besides; then the outputs. With addresses, it writes only those images
// and no outputs. An address that is not on record is left out: the caller has checked.
func (v *View) State(s *state.State, addresses ...addrs.Image) {
	var b strings.Builder
	all := len(addresses) == 0
	if all {
		addresses = slices.Collect(maps.Keys(s.Images))
	}
	slices.SortFunc(addresses, addrs.Image.Compare)
	written := 0
	for _, addr := range addresses {
		img := s.Images[addr]
		if img == nil {
			continue
		}
		if written++; written > 1 {
			b.WriteByte('\n')
		}
		v.recordedImage(&b, addr, img)
	}
	switch {
	case all && written == 0 && len(s.Outputs) == 0:
		b.WriteString("The state has no images.\n")
	case all && len(s.Outputs) > 0:
		if written > 0 {
			b.WriteString("\n\n")
		}
		b.WriteString("Outputs:\n\n")
		for _, name := range slices.Sorted(maps.Keys(s.Outputs)) {
			o := s.Outputs[name]
			fmt.Fprintf(&b, "%s = %s\n", name, finalText(recordedValue(&o)))
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stdout(b.String())
}

// Argument is a name of the language and a value on record.
type Argument struct {
	Name string
	// Value is a string, or whatever else writes itself.
	Value any
}

// recordedImage writes one image on record.
func (v *View) recordedImage(b *strings.Builder, addr addrs.Image, img *state.Image) {
	fmt.Fprintf(b, "# %s:", v.colours.Strong.Styled(addr.String()))
	if img.Result.Simulated {
		b.WriteString(" (simulated)")
	}
	fmt.Fprintf(b, "\nimage %s {\n", layout.Quoted(addr.Name))
	arguments := recordedArguments(img)
	names := 0
	for _, a := range arguments {
		names = max(names, layout.Width(a.Name))
	}
	for _, a := range arguments {
		fmt.Fprintf(b, "    %s%s = ", a.Name, strings.Repeat(" ", names-layout.Width(a.Name)))
		column := 4 + names + len(" = ")
		f := layout.NewFlow(b, v.opts.Width, column, column)
		if text, ok := a.Value.(string); ok && strings.Contains(text, "\n") {
			f.Add(layout.Span{Text: "<<-EOT"})
			f.NewlineAt(8)
			f.Add(layout.Span{Text: layout.Escaped(strings.TrimSuffix(text, "\n"), true)})
			f.NewlineAt(4)
			f.Add(layout.Span{Text: "EOT"})
		} else {
			f.Add(layout.Span{Text: oneLine(a.Value, false)})
		}
		f.End()
	}
	b.WriteString("}\n")
}

// recordedArguments lists what is known of an image on record: what was asked, then what was made.
func recordedArguments(img *state.Image) []Argument {
	all := append([]Argument{{"model", img.Model}}, RequestArguments(img)...)
	add := func(name string, value any) { all = append(all, Argument{name, value}) }
	// made tells what the image really has of something that could be asked for.
	made := func(name string, value any) {
		i := slices.IndexFunc(all, func(a Argument) bool { return a.Name == name })
		switch {
		case i < 0:
			add(name, value)
		case oneLine(all[i].Value, false) != oneLine(value, false):
			all[i].Value = rawText(oneLine(value, false) + " # " + oneLine(all[i].Value, false) + " was asked for")
		}
	}
	out, result := img.Output, img.Result
	made("width", out.Width)
	made("height", out.Height)
	if result.Seed != nil {
		made("seed", *result.Seed)
	}
	if result.Prompt != "" {
		add("expanded_prompt", result.Prompt)
	}
	add("path", out.Path)
	add("sha256", out.SHA256)
	add("bytes", out.Bytes)
	add("format", out.Format)
	if asked := planner.FormatAsked(img); asked != "" && asked != out.Format && result.TaskID != "" {
		all[len(all)-1].Value = rawText(oneLine(out.Format, false) + " # " + oneLine(asked, false) + " was asked for")
	}
	add("id", result.TaskID)
	add("cost", rawText(result.Cost.Dollars()))
	if img.Provider != "" && img.Provider != "bfl" {
		add("provider", rawText(img.Provider))
	}
	for _, key := range slices.Sorted(maps.Keys(img.Labels)) {
		add("labels["+layout.Quoted(key)+"]", img.Labels[key])
	}
	if len(img.Dependencies) > 0 {
		names := make([]string, len(img.Dependencies))
		for i, d := range img.Dependencies {
			names[i] = d.String()
		}
		add("depends_on", rawText("["+strings.Join(names, ", ")+"]"))
	}
	return all
}

// rawText is a value that is written as it is.
type rawText string

// String implements fmt.Stringer.
func (r rawText) String() string { return string(r) }

// RequestArguments returns the arguments of the request that made an image, by the language's
// names.
func RequestArguments(img *state.Image) []Argument {
	var request struct {
		Body map[string]json.RawMessage `json:"body"`
	}
	if err := json.Unmarshal(img.Request, &request); err != nil {
		// The state was checked when it was read; without its request an image still has all else.
		return nil
	}
	model := bfl.Lookup(img.Model)
	all := make([]Argument, 0, len(request.Body))
	for field, value := range request.Body {
		name := field
		if i := referenceIndex(model, field); i >= 0 {
			name = fmt.Sprintf("references[%d]", i)
		} else if model != nil && slices.Contains(model.Inputs.Roles, field) {
			name = fmt.Sprintf("inputs[%q]", field)
		}
		all = append(all, Argument{name, recordedArgument(value)})
	}
	slices.SortFunc(all, func(a, b Argument) int { return planner.CompareNames(a.Name, b.Name) })
	return all
}

func referenceIndex(model *bfl.Model, field string) int {
	if model == nil {
		return -1
	}
	return slices.Index(model.Inputs.References, field)
}

// JSON returns an argument's value as JSON has it.
func (a Argument) JSON() any {
	raw, ok := a.Value.(rawText)
	if !ok {
		return a.Value
	}
	if sha256, ok := strings.CutPrefix(string(raw), contentHash); ok {
		return map[string]any{"sha256": sha256}
	}
	return json.RawMessage(raw)
}

// contentHash is what an input's hash is shown with.
const contentHash = "sha256:"

// recordedArgument decodes a field of a recorded request: an input to its hash, all else to a plain
// value.
func recordedArgument(raw json.RawMessage) any {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var input struct {
		SHA256 string `json:"sha256"`
	}
	if bytes.HasPrefix(raw, []byte("{")) && json.Unmarshal(raw, &input) == nil && input.SHA256 != "" {
		return rawText(contentHash + input.SHA256)
	}
	return rawText(raw)
}
