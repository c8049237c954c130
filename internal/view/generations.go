package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
	"github.com/fluxbatch/fluxbatch/state"
)

// Generations lists the former images of an address: where the store has each, its seed, price and
// date, and its prompt as it differs from that of the image that the address has now, nil for none.
func (v *View) Generations(addr addrs.Image, all []state.Generation, now *state.Image) {
	if len(all) == 0 {
		v.Say(fmt.Sprintf("The store has no former image of %s.", addr))
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Former images of %s, the oldest first:\n", addr)
	for _, g := range all {
		b.WriteString(v.generation(g, now))
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stdout(b.String())
}

func (v *View) generation(g state.Generation, now *state.Image) string {
	out := g.Image.Output
	facts := []string{g.Image.Model, fmt.Sprintf("%dx%d", out.Width, out.Height), g.Image.Result.Cost.Dollars()}
	if seed := argumentOf(g.Image, "seed"); seed != "" {
		facts = append([]string{"seed " + seed}, facts...)
	}
	where := g.Path
	switch {
	case !g.Available:
		where = "no longer in the store"
	case !g.Kept.IsZero():
		facts = append(facts, g.Kept.Format(time.DateOnly+" 15:04"))
	}
	if g.Edited {
		facts = append(facts, "edited by hand")
	}
	text := fmt.Sprintf("\n  %d  %s\n     %s\n", g.Number, where, strings.Join(facts, ", "))
	prompt := argumentOf(g.Image, "prompt")
	if now != nil {
		prompt = promptDifference(argumentOf(now, "prompt"), prompt)
	}
	if prompt != "" {
		text += layout.Indent(layout.Wrap("Prompt: "+prompt, v.opts.Width-len("     ")), "     ") + "\n"
	}
	return text
}

// promptDifference writes a prompt with what it has other than the present one, "" where they are
// the same.
func promptDifference(now, then string) string {
	if now == then {
		return "the same as now"
	}
	var b strings.Builder
	for _, e := range layout.DiffWords(now, then) {
		switch e.Kind {
		case layout.Kept:
			b.WriteString(e.Text)
		case layout.Removed:
			b.WriteString("[-" + e.Text + "-]")
		case layout.Added:
			b.WriteString("{+" + e.Text + "+}")
		}
	}
	return b.String()
}

// argumentOf returns an argument of a recorded request as text, "" where it has none.
func argumentOf(img *state.Image, name string) string {
	recorded, err := image.Decode(img.Request, nil, img.Model)
	if err != nil {
		return ""
	}
	for _, a := range recorded.Arguments {
		if a.Name == name {
			return layout.Visible(fmt.Sprint(a.Value))
		}
	}
	return ""
}
