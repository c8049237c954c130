package cli

import (
	"slices"
	"testing"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/workspace"
	"github.com/fluxbatch/fluxbatch/state"
)

// What the next apply takes from the store is no copy of an image on record, and stays as these do.
func TestSortStock(t *testing.T) {
	t.Parallel()
	file := func(name string) state.Kept { return state.Kept{SHA256: name, Since: time.Now()} }
	stock := []workspace.Stocked{
		{Kept: file("former")},
		{Kept: file("recorded"), InUse: true, Declared: true},
		{Kept: file("awaited"), Awaited: true},
	}
	for _, orphans := range []bool{false, true} {
		rows, doomed := sortStock(stock, orphans)
		want := []string{"copies of images on record", "paid for, taken by the next apply", "not in use, of this week"}
		if orphans {
			want = want[1:]
		}
		var got []string
		for _, row := range rows {
			got = append(got, row.What)
		}
		if !slices.Equal(got, want) || len(doomed) != 1 || doomed[0].SHA256 != "former" {
			t.Errorf("the rows are %q, want %q; and %+v may go", got, want, doomed)
		}
	}
}
