package state

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
)

// A Finder finds what the map has, in whatever order it is asked, and of files in whatever order.
func TestFinder(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		st := newState("one")
		for i := range 1 + r.IntN(12) {
			at := addrs.Image{Name: string(rune('a' + r.IntN(3))), Key: addrs.StringKey(fmt.Sprint(r.IntN(9)))}
			st.Images[at] = testImage(i)
		}
		var text bytes.Buffer
		if err := st.Write(&text); err != nil {
			t.Fatal(err)
		}
		read, err := parsePieces(&text, 1500)
		if err != nil {
			read = st // It is too short for pieces.
		}
		if r.IntN(4) == 0 { // People merge files in any order.
			for _, piece := range read.listed {
				r.Shuffle(len(piece), func(i, j int) { piece[i], piece[j] = piece[j], piece[i] })
			}
		}
		if r.IntN(4) == 0 {
			read.set(addrs.Image{Name: "a", Key: addrs.StringKey("0")}, nil)
		}
		asked := make([]addrs.Image, 40)
		for i := range asked {
			asked[i] = addrs.Image{Name: string(rune('a' + r.IntN(3))), Key: addrs.StringKey(fmt.Sprint(r.IntN(10)))}
		}
		if r.IntN(2) == 0 {
			slices.SortFunc(asked, addrs.Image.Compare)
		}
		f := read.Finder()
		for _, at := range asked {
			switch got, want := f.Find(at), read.Images[at]; {
			case got == nil && want == nil:
			case got == nil || got.Image != want || got.Address != at:
				t.Fatalf("%s is %v, want %v", at, got, want)
			}
		}
		all := 0
		for at, img := range read.All() {
			if all++; read.Images[at] != img {
				t.Fatalf("All has another %s", at)
			}
		}
		if all != len(read.Images) {
			t.Fatalf("All has %d images of %d", all, len(read.Images))
		}
	}
}
