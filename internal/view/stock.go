package view

import (
	"fmt"
	"strconv"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
)

// StockRow is what some files of the store come to together.
type StockRow struct {
	What  string
	Files int
	Bytes int64
	// Cost is what it would cost to buy them again.
	Cost bfl.Credits
}

// Stock prints what the store holds, a row for each kind, and the total.
func (v *View) Stock(rows []StockRow) {
	total := StockRow{What: "total"}
	cells := [][]string{{"", "PICTURES", "SIZE", "BUYING AGAIN"}}
	add := func(r StockRow) {
		cells = append(cells, []string{r.What, strconv.Itoa(r.Files), sizeText(r.Bytes), r.Cost.Dollars()})
	}
	for _, r := range rows {
		add(r)
		total.Files, total.Bytes, total.Cost = total.Files+r.Files, total.Bytes+r.Bytes, total.Cost+r.Cost
	}
	add(total)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stdout(table(cells))
}

// sizeText writes a number of bytes as people do: "12.3 MB".
func sizeText(bytes int64) string {
	const kilo = 1000
	switch {
	case bytes < kilo:
		return layout.Count(int(bytes), "byte")
	case bytes < kilo*kilo:
		return fmt.Sprintf("%.1f kB", float64(bytes)/kilo)
	case bytes < kilo*kilo*kilo:
		return fmt.Sprintf("%.1f MB", float64(bytes)/kilo/kilo)
	default:
		return fmt.Sprintf("%.1f GB", float64(bytes)/kilo/kilo/kilo)
	}
}

// AskPrune asks whether files are to be removed from the store. The caller reads the answer.
func (v *View) AskPrune(row StockRow) {
	v.Prompt(fmt.Sprintf("\n%s\n  %s, %s. Buying them again would cost about %s, and no restore brings them back.\n"+
		"  Only 'yes' will be accepted to approve.\n\n  Enter a value: ",
		v.colours.Strong.Styled("Do you want to remove these pictures from the store?"), layout.Count(row.Files, "picture"), sizeText(row.Bytes), row.Cost.Dollars()))
}
