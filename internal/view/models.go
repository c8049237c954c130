package view

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
)

// Models writes the catalogue: a line a model with its price, how many references it takes, and
// what it is for.
func (v *View) Models(models []*bfl.Model) {
	type row struct{ name, price, references string }
	head := row{"MODEL", "CREDITS", "REFERENCES"}
	rows := make([]row, len(models))
	names, prices := layout.Width(head.name), layout.Width(head.price)
	for i, m := range models {
		rows[i] = row{m.Name, shortPrice(m.Price), shortReferences(m.Inputs)}
		names, prices = max(names, layout.Width(m.Name)), max(prices, layout.Width(rows[i].price))
	}
	references := layout.Width(head.references)
	indent := names + prices + references + 6
	var b strings.Builder
	line := func(r row, about string) {
		lead := fmt.Sprintf("%-*s  %-*s  %-*s  ", names, r.name, prices, r.price, references, r.references)
		b.WriteString(lead)
		f := layout.NewFlow(&b, v.opts.Width, indent, indent)
		f.Add(layout.Span{Text: about})
		f.End()
	}
	line(head, "WHAT IT IS FOR")
	for i, m := range models {
		line(rows[i], purpose(m))
	}
	b.WriteByte('\n')
	b.WriteString(layout.Wrap("Prices are for an image of one megapixel, with what each further megapixel adds, references included. They are of "+
		bfl.PricesAsOf+", and -prices tells where they come from. A credit is one US cent.", v.opts.Width) + "\n")
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stdout(b.String())
}

// purpose is the part of a title that says what the model is for.
func purpose(m *bfl.Model) string {
	if _, after, ok := strings.Cut(m.Title, ": "); ok {
		return after
	}
	return m.Title
}

func shortPrice(p bfl.Price) string {
	switch {
	case p.Unknown:
		return "unknown"
	case p.By != "":
		low, high := p.Tiers[0].Price, p.Tiers[0].Price
		for _, tier := range p.Tiers {
			low, high = min(low, tier.Price), max(high, tier.Price)
		}
		return creditText(low) + " to " + creditText(high)
	case p.Image != 0:
		return creditText(p.Image)
	}
	return creditText(p.First) + " + " + creditText(p.Further) + "/MP"
}

func shortReferences(in bfl.Inputs) string {
	text := strconv.Itoa(len(in.References))
	if len(in.Roles) > 0 {
		return strings.Join(in.Roles, ", ")
	}
	switch {
	case in.Required == 0 && len(in.References) == 1:
		text = "0 or 1"
	case in.Required == len(in.References):
	case in.Required > 0:
		text = strconv.Itoa(in.Required) + " to " + text
	case len(in.References) > 0:
		text = "up to " + text
	}
	if in.Mask != "" {
		text += ", mask"
	}
	return text
}

// creditText is an amount of credits without zeros that say nothing.
func creditText(c bfl.Credits) string { return strconv.FormatFloat(c.Float(), 'f', -1, 64) }

// Model writes all that the catalogue knows of one model. concurrency is how many tasks an account
// may have active where the model has no limit of its own.
func (v *View) Model(m *bfl.Model, concurrency int) {
	var b strings.Builder
	b.WriteString(v.colours.Strong.Styled(m.Name) + "\n" + layout.Wrap(m.Title, v.opts.Width) + "\n\n")
	facts := []HelpEntry{
		{"Endpoint", m.Endpoint},
		{"Price", longPrice(m.Price)},
	}
	if m.Price.First != 0 {
		facts = append(facts, HelpEntry{"For example", examplePrices(m.Price)})
	}
	facts = append(facts, HelpEntry{"References", longReferences(m.Inputs)})
	if len(m.Inputs.Roles) > 0 {
		facts = append(facts, HelpEntry{"Inputs", layout.List(m.Inputs.Roles) + ", all required (files, images and https URLs)"})
	}
	if m.Inputs.Mask != "" {
		facts = append(facts, HelpEntry{"Mask", "a file or an image, whose white parts are repainted"})
	}
	if text := limitsText(m.Inputs.Limits); text != "" {
		facts = append(facts, HelpEntry{"Their size", text})
	}
	facts = append(facts, HelpEntry{"Sizes", sizes(m)}, HelpEntry{"Active tasks", activeTasks(m, concurrency)})
	if m.Preview {
		facts = append(facts, HelpEntry{"Preview", "the API may replace this model without notice, and the same request then gives another image"})
	}
	if m.Deprecated {
		facts = append(facts, HelpEntry{"Deprecated", "the API's schema advises against this model"})
	}
	if m.Param("seed") == nil {
		facts = append(facts, HelpEntry{"Seed", "none, so an image cannot be repeated"})
	}
	if m.NoWebhook {
		facts = append(facts, HelpEntry{"Webhooks", "none, and its tasks are asked about"})
	}
	if m.Strict {
		facts = append(facts, HelpEntry{"Other fields", "are refused"})
	}
	v.helpEntries(&b, facts)
	b.WriteString("\n" + v.colours.Strong.Styled("Arguments:") + "\n")
	entries := make([]HelpEntry, len(m.Params))
	for i := range m.Params {
		entries[i] = HelpEntry{m.Params[i].Name, parameterText(&m.Params[i])}
	}
	v.helpEntries(&b, entries)
	b.WriteString("\n" + layout.Wrap("The prices are of "+bfl.PricesAsOf+". A default is what the API assumes where an argument is left out.", v.opts.Width) + "\n")
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stdout(b.String())
}

// limitsText says of what extent the images can be that go into a request, "" for any.
func limitsText(l bfl.InputLimits) string {
	var parts []string
	if l.MinSide > 0 {
		parts = append(parts, fmt.Sprintf("at least %d x %d", l.MinSide, l.MinSide))
	}
	if l.MinPixels > 0 {
		parts = append(parts, fmt.Sprintf("at least %s pixels", thousands(l.MinPixels)))
	}
	if l.MaxSide > 0 {
		parts = append(parts, fmt.Sprintf("at most %d a side", l.MaxSide))
	}
	if l.MaxPixels > 0 {
		parts = append(parts, fmt.Sprintf("at most %s pixels", thousands(l.MaxPixels)))
	}
	return layout.List(parts)
}

func longPrice(p bfl.Price) string {
	switch {
	case p.Unknown:
		return "unknown, since no list has one. It cannot be held against a budget"
	case p.By != "":
		tiers := make([]string, len(p.Tiers))
		for i, tier := range p.Tiers {
			tiers[i] = tier.Value + " " + creditText(tier.Price)
		}
		return fmt.Sprintf("by %s: %s credits for an image (unknown for any other, which counts as the highest against a budget)", p.By, layout.List(tiers))
	case p.Image != 0:
		return fmt.Sprintf("%s for an image, whatever its size", creditsText(p.Image))
	}
	return fmt.Sprintf("%s for the first megapixel, %s for each further one and for each megapixel of the references. An image counts as whole megapixels of 1024 x 1024, rounded up", creditsText(p.First), creditText(p.Further))
}

// creditsText is an amount of credits with its unit.
func creditsText(c bfl.Credits) string {
	if c == 1000 {
		return "1 credit"
	}
	return creditText(c) + " credits"
}

// examplePrices lists what common requests cost.
func examplePrices(p bfl.Price) string {
	large := bfl.Megapixels(bfl.Size{Width: 2048, Height: 2048})
	return fmt.Sprintf("1024x1024 %s, 2048x2048 %s, 1024x1024 from two references of that size %s",
		p.Cost(1, 0).Dollars(), p.Cost(large, 0).Dollars(), p.Cost(1, 2).Dollars())
}

func longReferences(in bfl.Inputs) string {
	n := len(in.References)
	if n == 0 {
		return "none"
	}
	text := "up to " + strconv.Itoa(n)
	switch {
	case in.Required == n:
		text = strconv.Itoa(n)
	case n == 1:
		text = "0 or 1"
	case in.Required > 0:
		text += ", at least " + strconv.Itoa(in.Required)
	}
	if in.NoURL {
		text += " (files and images, no URLs)"
	} else {
		text += " (files, images and https URLs)"
	}
	if in.Documented > 0 {
		text += fmt.Sprintf(" (the published schema has %d)", in.Documented)
	}
	return text
}

// sizes says which extents a model's images can have.
func sizes(m *bfl.Model) string {
	width := m.Param("width")
	switch {
	case m.Param("resolution") != nil:
		return "by resolution and aspect_ratio"
	case width == nil && len(m.Inputs.Roles) > 0:
		return "that of " + m.Inputs.Roles[0]
	case width == nil && m.Param("aspect_ratio") != nil:
		return "by aspect_ratio, from 21:9 to 9:21"
	case width == nil && m.Param("top") != nil:
		return "that of the reference and the added margins"
	case width == nil:
		return "that of the reference"
	}
	text := "sides " + rangeText(width)
	if m.MaxPixels > 0 {
		text += fmt.Sprintf(", together at most %s pixels", thousands(m.MaxPixels))
	}
	if len(m.Sizes) == 0 {
		return text
	}
	more := make([]string, len(m.Sizes))
	for i, s := range m.Sizes {
		more[i] = fmt.Sprintf("%dx%d", s.Width, s.Height)
	}
	return text + ", and also " + layout.List(more)
}

func activeTasks(m *bfl.Model, account int) string {
	if m.Concurrency > 0 {
		return fmt.Sprintf("%d in an account, of its %d", m.Concurrency, account)
	}
	return fmt.Sprintf("%d in an account", account)
}

// parameterText describes an argument: its type, what it may be, what it is by default, and what it
// means.
func parameterText(p *bfl.Param) string {
	parts := []string{string(p.Kind)}
	if text := rangeText(p); text != "" {
		parts[0] += " " + text
	}
	if p.Required {
		parts = append(parts, "required")
	}
	if p.Default != nil && p.Default != "" {
		parts = append(parts, "default "+fmt.Sprint(p.Default))
	}
	text := strings.Join(parts, ", ")
	if p.About != "" {
		text += "; " + p.About
	}
	return text
}

// rangeText says what values a parameter takes, "" for any.
func rangeText(p *bfl.Param) string {
	var text string
	low, high := strconv.FormatFloat(p.Min, 'f', -1, 64), strconv.FormatFloat(p.Max, 'f', -1, 64)
	switch {
	case len(p.Enum) > 0:
		return strings.Join(p.Enum, " | ")
	case p.Ratio:
		return `such as "16:9"`
	case p.Bounded == bfl.Between:
		text = "from " + low + " to " + high
	case p.Bounded == bfl.Below:
		text = "from " + low
	case p.Bounded == bfl.Above:
		text = "up to " + high
	}
	if p.MultipleOf != 0 {
		text = strings.TrimSpace(text + " in steps of " + strconv.Itoa(p.MultipleOf))
	}
	return text
}

// thousands writes a number with its thousands apart.
func thousands(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
