package picture

import (
	"slices"
	"strings"
	"unicode"
)

// scene paints an arrangement of shapes over all of a canvas.
type scene func(*canvas, palette, *chance)

// scenes are looked for in the prompt.
var scenes = []topic[scene]{
	{"logo icon emblem badge symbol mark brand favicon", []scene{emblem}},
	{"city street skyline building house tower office village castle", []scene{skyline}},
	{"forest tree wood park flower leaf leaves garden plant botanical jungle", []scene{forest}},
	{"sea ocean beach wave water lake river coast harbour boat island", []scene{waves}},
	{"mountain alps peak canyon cliff summit glacier snow", []scene{mountains}},
	{"hill valley landscape meadow field desert dune countryside sunset sunrise horizon space planet galaxy moon", []scene{hills, mountains}},
	{"sale typography banner announcement poster", []scene{rays, tiles}},
}

// anyScene suits any prompt.
var anyScene = []scene{tiles, rays, hills, waves, mountains}

// topic is what there is to choose from for a prompt with one of some words, which are separated by
// spaces.
type topic[T any] struct {
	words   string
	choices []T
}

// choose returns what suits a prompt: a choice of the first topic that it has a word of, or else
// one of those for any prompt. A word of the prompt may be a plural.
func choose[T any](prompt string, topics []topic[T], other []T, r *chance) T {
	said := map[string]bool{}
	for word := range strings.FieldsFuncSeq(strings.ToLower(prompt), func(r rune) bool { return !unicode.IsLetter(r) }) {
		said[word], said[strings.TrimSuffix(word, "s")] = true, true
	}
	for _, t := range topics {
		if slices.ContainsFunc(strings.Fields(t.words), func(word string) bool { return said[word] }) {
			return t.choices[r.intn(len(t.choices))]
		}
	}
	return other[r.intn(len(other))]
}
