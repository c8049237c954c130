package bfl

import "strings"

// Suggest returns the candidate that name most likely was meant to be, or "" when none is near: of
// several that are as near the longest, since a letter is left out more often than mistaken for
// another. The shorter the name, the nearer a candidate must be, since any two names of two letters
// are near to each other.
func Suggest(name string, candidates []string) string {
	best, bestDistance := "", 2+len(name)/4
	for _, candidate := range candidates {
		d := typos(strings.ToLower(name), strings.ToLower(candidate))
		if d < bestDistance || d == bestDistance && best != "" && len(candidate) > len(best) {
			best, bestDistance = candidate, d
		}
	}
	return best
}

// typos returns how many slips of a typist make one text of another: a character that is missing,
// one too many, another one, or two that changed places (the optimal string alignment distance).
// Two that changed places are one slip here and two to Levenshtein, to whom "widht" is as near to
// "right" as to "width".
func typos(a, b string) int {
	s, t := []rune(a), []rune(b)
	before, last, row := make([]int, len(t)+1), make([]int, len(t)+1), make([]int, len(t)+1)
	for j := range last {
		last[j] = j
	}
	for i := range s {
		row[0] = i + 1
		for j := range t {
			cost := 1
			if s[i] == t[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && s[i] == t[j-1] && s[i-1] == t[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(t)]
}
