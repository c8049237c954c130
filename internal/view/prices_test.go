package view

import (
	"testing"
	"time"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
)

func TestAgeOfPrices(t *testing.T) {
	t.Parallel()
	of, err := time.Parse("2006-01", bfl.PricesAsOf)
	if err != nil {
		t.Fatal(err)
	}
	for months, want := range map[int]string{-1: "", 0: "", 1: ", 1 month ago", 14: ", 14 months ago"} {
		if got := ageText(of.AddDate(0, months, 27)); got != want {
			t.Errorf("after %d months: %q, want %q", months, got, want)
		}
	}
}
