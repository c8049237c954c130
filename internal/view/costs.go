package view

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/costs"
	"github.com/fluxbatch/fluxbatch/internal/view/layout"
	"github.com/fluxbatch/fluxbatch/planner"
)

// Costs prints what was charged, a row for each key of a grouping, and the total.
func (v *View) Costs(by string, sums []costs.Sum, total costs.Sum) {
	if len(sums) == 0 {
		v.Say("Nothing was charged yet, as far as the ledger tells.")
		return
	}
	rows := [][]string{{strings.ToUpper(by), "IMAGES", "ESTIMATED", "CHARGED", "LOST", "MODERATED"}}
	for _, s := range append(slices.Clone(sums), total) {
		rows = append(rows, []string{
			layout.Visible(s.Key), strconv.Itoa(s.Images), s.Estimated.Dollars(), s.Charged.Dollars(), s.Lost.Dollars(), s.Moderated.Dollars(),
		})
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stdout(table(rows))
}

// table lays out rows in columns, all but the first of which end on one line.
func table(rows [][]string) string {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], layout.Width(cell))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-layout.Width(cell))
			if i == 0 {
				b.WriteString(cell + pad)
				continue
			}
			b.WriteString("  " + pad + cell)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// costsByModel writes what a plan is estimated to cost, by model.
func (pp *planPage) costsByModel() {
	type sum struct {
		images int
		cost   bfl.Credits
	}
	sums := map[string]sum{}
	for _, c := range pp.plan.Changes {
		if c.Origin == planner.Generate && c.Makes() && !c.Withheld() {
			s := sums[c.Desired.Model.Name]
			sums[c.Desired.Model.Name] = sum{s.images + 1, s.cost + c.Cost}
		}
	}
	if len(sums) == 0 {
		return
	}
	rows := [][]string{}
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		rows = append(rows, []string{"  " + name, layout.Count(sums[name].images, "image"), sums[name].cost.Dollars()})
	}
	pp.write(fmt.Sprintf("Estimated cost by model:\n%s\n", table(rows)))
}
