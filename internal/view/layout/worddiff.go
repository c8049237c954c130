package layout

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// editKind tells what an edit does with its text.
type editKind uint8

const (
	Kept editKind = iota
	Removed
	Added
)

// Edit is a run of text that two versions share, or that only one has.
type Edit struct {
	Kind editKind
	Text string
}

// maxDiffCells bounds the table that DiffWords fills. Two texts of 2,000 words stay below; beyond,
// what lies between their common start and end counts as changed as a whole.
const maxDiffCells = 4 << 20

// DiffWords compares two texts word by word. Of each change, what is removed comes first.
func DiffWords(before, after string) []Edit {
	a, b := words(before), words(after)
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	var script Edits
	script.add(Kept, a[:head]...)
	script.addMiddle(a[head:len(a)-tail], b[head:len(b)-tail])
	script.add(Kept, a[len(a)-tail:]...)
	return script.joined()
}

// words cuts text into runs of letters and digits, runs of spaces, and single other characters.
func words(text string) []string {
	class := func(r rune) int {
		switch {
		case r == '\n':
			return 0
		case unicode.IsSpace(r):
			return 1
		case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana):
			return 0
		case unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsMark(r), r == '\'', r == '#', r == '_':
			return 2
		default:
			return 0
		}
	}
	var all []string
	for text != "" {
		r, end := utf8.DecodeRuneInString(text)
		if c := class(r); c != 0 {
			for end < len(text) {
				next, size := utf8.DecodeRuneInString(text[end:])
				if class(next) != c {
					break
				}
				end += size
			}
		}
		all = append(all, text[:end])
		text = text[end:]
	}
	return all
}

// Edits gathers a script, neighbours of one kind in one entry.
type Edits []Edit

func (e *Edits) add(kind editKind, words ...string) {
	for _, w := range words {
		if last := len(*e) - 1; last >= 0 && (*e)[last].Kind == kind {
			(*e)[last].Text += w
		} else {
			*e = append(*e, Edit{kind, w})
		}
	}
}

// addMiddle adds the difference of two word lists by their longest common subsequence.
func (e *Edits) addMiddle(a, b []string) {
	if len(a) == 0 || len(b) == 0 || len(a)*len(b) > maxDiffCells {
		e.add(Removed, a...)
		e.add(Added, b...)
		return
	}
	x, y, weights := numbered(a, b)
	// common[i][j] is the weight of what a[i:] and b[j:] share. Letters weigh, so that a long word
	// is kept rather than a comma.
	columns := len(b) + 1
	common := make([]uint32, (len(a)+1)*columns)
	for i, word := range slices.Backward(x) {
		row, below := common[i*columns:(i+1)*columns], common[(i+1)*columns:(i+2)*columns]
		for j := len(b) - 1; j >= 0; j-- {
			best := max(below[j], row[j+1])
			if word == y[j] {
				best = max(best, below[j+1]+weights[word])
			}
			row[j] = best
		}
	}
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		switch here := common[i*columns+j]; {
		case x[i] == y[j] && here == common[(i+1)*columns+j+1]+weights[x[i]]:
			e.add(Kept, a[i])
			i++
			j++
		case here == common[(i+1)*columns+j]:
			e.add(Removed, a[i])
			i++
		default:
			e.add(Added, b[j])
			j++
		}
	}
	e.add(Removed, a[i:]...)
	e.add(Added, b[j:]...)
}

// numbered gives each different word a number, which compares faster than text, and a weight.
func numbered(a, b []string) (x, y []int32, weights []uint32) {
	numbers := make(map[string]int32, len(a)+len(b))
	number := func(words []string) []int32 {
		all := make([]int32, len(words))
		for i, w := range words {
			n, ok := numbers[w]
			if !ok {
				n = int32(len(weights)) //nolint:gosec // There are at most as many words as the table has cells.
				numbers[w] = n
				weights = append(weights, weight(w))
			}
			all[i] = n
		}
		return all
	}
	x = number(a)
	y = number(b)
	return x, y, weights
}

func weight(word string) uint32 {
	if r, _ := utf8.DecodeRuneInString(word); unicode.IsSpace(r) || unicode.IsPunct(r) {
		return 1
	}
	return uint32(2 + min(len(word), 1000))
}

// joined makes a script easy to read: what two changes have between them is taken as changed too
// where it is shorter than both, since a shared comma or "the" is an accident; and of each change,
// what is removed comes first.
func (e Edits) joined() []Edit {
	for merged := true; merged; {
		merged = false
		var next Edits
		for i := 0; i < len(e); {
			if e[i].Kind == Kept {
				next.add(Kept, e[i].Text)
				i++
				continue
			}
			gone, came, end := e.Change(i)
			for end+1 < len(e) {
				gone2, came2, end2 := e.Change(end + 1)
				between := e[end].Text
				longer := len(between) >= max(len(gone), len(came)) || len(between) >= max(len(gone2), len(came2))
				if longer && strings.Trim(between, " ") != "" {
					break
				}
				gone, came, end = gone+between+gone2, came+between+came2, end2
				merged = true
			}
			if gone != "" {
				next.add(Removed, gone)
			}
			if came != "" {
				next.add(Added, came)
			}
			i = end
		}
		e = next
	}
	return e.shifted()
}

// shifted moves what is only removed, or only added, to where it reads best: of "no [people, no
// ]text" and "mood[, no people], no text", which say the same, it takes the second.
func (e Edits) shifted() []Edit {
	for i := 1; i+1 < len(e); i++ {
		if e[i].Kind == Kept || e[i-1].Kind != Kept || e[i+1].Kind != Kept {
			continue
		}
		left, middle, right := words(e[i-1].Text), words(e[i].Text), words(e[i+1].Text)
		run := slices.Concat(left, middle, right)
		from, size := len(left), len(middle)
		first, last := from, from
		for first > 0 && run[first-1] == run[first+size-1] {
			first--
		}
		for last+size < len(run) && run[last] == run[last+size] {
			last++
		}
		best := from
		for at := first; at <= last; at++ {
			if startScore(run[at]) > startScore(run[best]) {
				best = at
			}
		}
		e[i-1].Text = strings.Join(run[:best], "")
		e[i].Text = strings.Join(run[best:best+size], "")
		e[i+1].Text = strings.Join(run[best+size:], "")
	}
	return slices.DeleteFunc(e, func(part Edit) bool { return part.Text == "" })
}

// startScore says how well a change reads that starts with a word: a new line is best, then
// punctuation, then a space.
func startScore(word string) int {
	r, _ := utf8.DecodeRuneInString(word)
	switch {
	case r == '\n':
		return 3
	case unicode.IsPunct(r):
		return 2
	case unicode.IsSpace(r):
		return 1
	default:
		return 0
	}
}

// Change returns what the change at entry i removes and adds, and the entry after it.
func (e Edits) Change(i int) (gone, came string, end int) {
	for end = i; end < len(e) && e[end].Kind != Kept; end++ {
		if e[end].Kind == Removed {
			gone += e[end].Text
		} else {
			came += e[end].Text
		}
	}
	return gone, came, end
}

// AddLines adds the difference of two lists of lines.
func (e *Edits) AddLines(a, b []string) {
	terminated := func(lines []string) []string {
		all := make([]string, len(lines))
		for i, line := range lines {
			all[i] = line + "\n"
		}
		return all
	}
	e.addMiddle(terminated(a), terminated(b))
}
