package config

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// Rows come in the order of their keys' bytes, and of their numbers where keys are the same, whatever
// the keys begin with and however they go on.
func TestOrder(t *testing.T) {
	t.Parallel()
	pieces := []string{"", "a", "b", "ab", "\x00", "sku", "123456789", "é", "\xff", "long enough to go past a number"}
	r := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		begin := pieces[r.IntN(len(pieces))]
		got := make([]place, r.IntN(20))
		for i := range got {
			got[i] = place{key: begin + pieces[r.IntN(len(pieces))] + pieces[r.IntN(len(pieces))], row: i}
		}
		want := slices.Clone(got)
		slices.SortStableFunc(want, func(a, b place) int { return strings.Compare(a.key, b.key) })
		var twice [][2]int
		for i := 1; i < len(want); i++ {
			if want[i].key == want[i-1].key {
				twice = append(twice, [2]int{want[i-1].row, want[i].row})
			}
		}
		if again := order(got); !slices.Equal(again, twice) {
			t.Fatalf("%v are there twice, want %v", again, twice)
		}
		if !slices.EqualFunc(got, want, func(a, b place) bool { return a.key == b.key && a.row == b.row }) {
			t.Fatalf("the order is %v, want %v", got, want)
		}
	}
}
