package config

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// The quick look at a prompt passes over none in which an image has a number.
func TestQuickLookMissesNoNumber(t *testing.T) {
	t.Parallel()
	pieces := []string{"image", "IMAGES", "picture", "References", "image ", "references ", "image #", "s", "ſ", " ", "  ", "#", "1", "12", "345", "é", "\n", "e", "n", ""}
	r := rand.New(rand.NewPCG(1, 1))
	found, passed := 0, 0
	for range 200_000 {
		var prompt strings.Builder
		for range 1 + r.IntN(7) {
			prompt.WriteString(pieces[r.IntN(len(pieces))])
		}
		text := prompt.String()
		has, may := imageNumber().MatchString(text), mayNumberImages(text)
		if has && !may {
			t.Errorf("%q is passed over", text)
		}
		if has {
			found++
		}
		if !may {
			passed++
		}
	}
	if found < 1000 || passed < 1000 {
		t.Errorf("%d prompts have numbers, %d are passed over", found, passed)
	}
}
