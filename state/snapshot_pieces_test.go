package state

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// However a snapshot is cut, and whatever was done to it by hand, its pieces are either refused or
// the state that the whole is.
func TestPiecesAreTheWhole(t *testing.T) {
	t.Parallel()
	text := written(t, testState(40))
	edits := []func(*rand.Rand) string{
		func(*rand.Rand) string { return text },
		func(r *rand.Rand) string { return without(text, r.IntN(len(text)), 1) },
		func(r *rand.Rand) string { return without(text, r.IntN(len(text)), 700) },
		func(r *rand.Rand) string { return twice(text, r.IntN(len(text)), r.IntN(3000)) },
		func(r *rand.Rand) string {
			return strings.Replace(text, "\n        }\n      },", "\n    }\n    },", r.IntN(40))
		},
	}
	random := rand.New(rand.NewPCG(1, 2))
	accepted := 0
	for i := range 200 {
		edited := edits[i%len(edits)](random)
		got, err := parsePieces(strings.NewReader(edited), 1500+random.IntN(8000))
		if err != nil {
			continue
		}
		accepted++
		want, err := parseSnapshot(strings.NewReader(edited))
		if err != nil {
			t.Fatalf("edit %d is accepted in pieces and refused as a whole: %v", i, err)
		}
		if diff := cmp.Diff(want, got, sameState); diff != "" {
			t.Fatalf("edit %d (-whole +pieces):\n%s", i, diff)
		}
	}
	if accepted < 40 {
		t.Errorf("only %d were read in pieces", accepted)
	}
}

func without(text string, at, n int) string { return text[:at] + text[min(at+n, len(text)):] }

func twice(text string, at, n int) string {
	end := min(at+n, len(text))
	return text[:end] + text[at:]
}

// An image that two pieces have is refused as one that a single parser finds twice.
func TestPiecesWithTheSameImage(t *testing.T) {
	t.Parallel()
	text := written(t, testState(40))
	first, rest, _ := strings.Cut(text, "\n    },\n")
	_, image, _ := strings.Cut(first, "\"images\": {\n")
	text = first + "\n    },\n" + strings.Replace(rest, "\n    },\n", "\n    },\n"+image+"\n    },\n", 20)
	for _, size := range []int{2000, 5000, 1 << 20} {
		if _, err := parsePieces(strings.NewReader(text), size); err == nil {
			t.Errorf("in pieces of %d bytes, it is accepted", size)
		}
		if _, _, err := readSnapshot(strings.NewReader(text), "x"); !strings.Contains(fmt.Sprint(err), "twice") {
			t.Errorf("readSnapshot: %v", err)
		}
	}
}
