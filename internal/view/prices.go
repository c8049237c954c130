package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
)

// Prices writes how each price is known, and how old the table is at a time.
func (v *View) Prices(models []*bfl.Model, now time.Time) {
	type row struct{ name, price, source string }
	rows := []row{{"MODEL", "CREDITS", "SOURCE"}}
	for _, m := range models {
		rows = append(rows, row{m.Name, tableOf(m.Price), sourceText(m.Price)})
	}
	names, prices := 0, 0
	for _, r := range rows {
		names, prices = max(names, layout.Width(r.name)), max(prices, layout.Width(r.price))
	}
	var b strings.Builder
	for _, r := range rows {
		fmt.Fprintf(&b, "%-*s  %-*s  %s\n", names, r.name, prices, r.price, r.source)
	}
	b.WriteString("\n" + layout.Wrap("The prices are of "+bfl.PricesAsOf+ageText(now)+". A credit is one US cent; MP is a megapixel of 1024 x 1024. What the API charges "+
		"in the end is what counts, and is what is recorded.", v.opts.Width) + "\n")
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stdout(b.String())
}

// tableOf is shortPrice with every price of a model.
func tableOf(p bfl.Price) string {
	if p.By == "" || p.Unknown {
		return shortPrice(p)
	}
	tiers := make([]string, len(p.Tiers))
	for i, tier := range p.Tiers {
		tiers[i] = tier.Value + " " + creditText(tier.Price)
	}
	return strings.Join(tiers, ", ")
}

func sourceText(p bfl.Price) string {
	switch {
	case p.Unknown:
		return "unlisted"
	case p.Source == bfl.Unlisted && p.Of != "":
		return "unlisted, that of " + p.Of + " stands in"
	case p.Source == bfl.Seen:
		return "BFL's list, and seen in answers"
	case p.Source == bfl.Listed:
		return "BFL's list"
	default:
		return "unlisted"
	}
}

// ageText says how long ago the month of the price table was, "" for this month and for a clock
// that is behind it.
func ageText(now time.Time) string {
	of, err := time.Parse("2006-01", bfl.PricesAsOf)
	if err != nil {
		return "" // A test holds that it is a month.
	}
	now = now.UTC()
	months := (now.Year()-of.Year())*12 + int(now.Month()-of.Month())
	if months <= 0 {
		return ""
	}
	return ", " + layout.Count(months, "month") + " ago"
}
