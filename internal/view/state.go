package view

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
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
		addresses = slices.Collect(s.Images.Addresses())
	}
	slices.SortFunc(addresses, addrs.Image.Compare)
	written := 0
	for _, addr := range addresses {
		// Of all images, those to choose from stand with what was chosen.
		isTold := all && addr.Candidate > 0 && s.Images.Has(addr.Of())
		if !s.Images.Has(addr) || isTold {
			continue
		}
		if written++; written > 1 {
			b.WriteByte('\n')
		}
		v.recordedImage(&b, s, addr)
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

// argument is a name of the language and a value on record.
type argument struct {
	name  string
	value any
}

// recordedImage writes one image on record.
func (v *View) recordedImage(b *strings.Builder, s *state.State, addr addrs.Image) {
	fmt.Fprintf(b, "# %s:", v.colours.Strong.Styled(addr.String()))
	if s.Images.Get(addr).Result.Simulated {
		b.WriteString(" (simulated)")
	}
	if s.Images.Get(addr).Made != nil {
		b.WriteString(" (edited by hand)")
	}
	b.WriteByte('\n')
	v.recordedBlock(b, s, addr, s.Images.Get(addr))
}

// recordedBlock writes an image as a block. The image need not be on record any more.
func (v *View) recordedBlock(b *strings.Builder, s *state.State, addr addrs.Image, img *state.Image) {
	fmt.Fprintf(b, "image %s {\n", layout.Quoted(addr.Name))
	arguments := append(recordedArguments(s, img), recordedChoice(s, addr, img)...)
	names := 0
	for _, a := range arguments {
		names = max(names, layout.Width(a.name))
	}
	for _, a := range arguments {
		fmt.Fprintf(b, "    %s%s = ", a.name, strings.Repeat(" ", names-layout.Width(a.name)))
		column := 4 + names + len(" = ")
		f := layout.NewFlow(b, v.opts.Width, column, column)
		if text, ok := a.value.(string); ok && strings.Contains(text, "\n") {
			f.Add(layout.Span{Text: "<<-EOT"})
			f.NewlineAt(8)
			f.Add(layout.Span{Text: layout.Escaped(strings.TrimSuffix(text, "\n"), true)})
			f.NewlineAt(4)
			f.Add(layout.Span{Text: "EOT"})
		} else {
			f.Add(layout.Span{Text: oneLine(a.value, false)})
		}
		f.End()
	}
	b.WriteString("}\n")
}

// recordedArguments lists what is known of an image on record: what was asked, then what was made.
func recordedArguments(s *state.State, img *state.Image) []argument {
	var all []argument
	// A damaged request was found when the state was read; without it an image still has all else.
	asked, _ := s.Asked(img, nil)
	for _, a := range asked.Attributes() {
		if !image.IsFree(a.Name) {
			all = append(all, argument{a.Name, recordedValueOf(a.After)})
		}
	}
	add := func(name string, value any) { all = append(all, argument{name, value}) }
	// made tells what the image really has of something that could be asked for.
	made := func(name string, value any) {
		i := slices.IndexFunc(all, func(a argument) bool { return a.name == name })
		switch {
		case i < 0:
			add(name, value)
		case oneLine(all[i].value, false) != oneLine(value, false):
			all[i].value = rawText(oneLine(value, false) + " # " + oneLine(all[i].value, false) + " was requested")
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
		all[len(all)-1].value = rawText(oneLine(out.Format, false) + " # " + oneLine(asked, false) + " was requested")
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

// recordedValueOf gives a reference of which nothing but its content is known all of its hash:
// nothing else tells it from others.
func recordedValueOf(value any) any {
	if r, ok := value.(image.Reference); ok && r.Name() == "" {
		return rawText("sha256:" + r.SHA256)
	}
	return value
}

// rawText is a value that is written as it is.
type rawText string

// String implements fmt.Stringer.
func (r rawText) String() string { return string(r) }
