package picture

import (
	"strings"
	"unicode"
)

// scene paints an arrangement of shapes over all of a canvas.
type scene func(*canvas, palette, *chance)

// themes are looked for in the prompt; the first whose words are there gives the scenes to choose
// from.
var themes = []struct {
	words  string
	scenes []scene
}{
	{"logo icon emblem badge symbol mark brand favicon", []scene{emblem}},
	{"portrait headshot person face woman man character people executive hero knight", []scene{portrait}},
	{"bottle product mug cup vase packaging studio perfume jar shoe watch", []scene{stillLife}},
	{"city street skyline building house tower office village castle", []scene{skyline}},
	{"flower leaf leaves garden plant botanical jungle bouquet", []scene{botanic}},
	{"forest tree wood park", []scene{forest}},
	{"space planet galaxy orbit star cosmos moon", []scene{orbits}},
	{"sea ocean beach wave water lake river coast harbour boat island", []scene{waves}},
	{"mountain alps peak canyon cliff summit glacier snow", []scene{mountains}},
	{"hill valley landscape meadow field desert dune countryside sunset sunrise horizon", []scene{hills, mountains}},
	{"sale typography banner announcement poster", []scene{rays, tiles}},
}

// abstract scenes suit any prompt.
var abstract = []scene{tiles, arches, cutouts, hills, waves, rays, orbits, mountains}

// chooseScene returns a scene that suits the prompt.
func chooseScene(prompt string, r *chance) scene {
	said := wordsOf(prompt)
	for _, theme := range themes {
		if said.anyOf(theme.words) {
			return theme.scenes[r.intn(len(theme.scenes))]
		}
	}
	return abstract[r.intn(len(abstract))]
}

// words are the words of a prompt, in lower case and, where they look like a plural, without its s
// as well.
type words map[string]bool

func wordsOf(prompt string) words {
	all := words{}
	for word := range strings.FieldsFuncSeq(strings.ToLower(prompt), func(r rune) bool { return !unicode.IsLetter(r) }) {
		all[word], all[strings.TrimSuffix(word, "s")] = true, true
	}
	return all
}

// anyOf reports whether one of some words, which are separated by spaces, is among these.
func (w words) anyOf(some string) bool {
	for word := range strings.FieldsSeq(some) {
		if w[word] {
			return true
		}
	}
	return false
}
