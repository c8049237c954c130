package planner

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/state"
)

// Selector is what -target and -exclude take: an address, a label or a file, perhaps with "*"
// wildcards, or several of these that all have to hold.
type Selector struct {
	text  string
	terms []term
}

// term is one condition of a selector. pattern is that of an address, of a label's value where
// label is set, or of a path where isPath is.
type term struct {
	pattern string
	label   string // "key" of label.key=value
	isPath  bool
}

// ParseSelector reads a selector:
//
//	image.card["winter"]                that instance
//	image.card                          all instances of the block
//	module.brand                        all that is in the module
//	image.card*                         all whose address matches; * stands for any characters
//	label.season=win*                   all with such a label
//	images/card-winter.png              the image whose file that is, as seen from the root module
//	image.card*,label.season=winter     all for which both hold
func ParseSelector(text string) (Selector, error) {
	s := Selector{text: text}
	for _, part := range conditions(text) {
		t, err := parseTerm(strings.TrimSpace(part))
		if err != nil {
			return Selector{}, err
		}
		s.terms = append(s.terms, t)
	}
	return s, nil
}

// conditions splits a selector at its commas. A comma inside of a key is none, and neither is one
// in a label's value, after which nothing follows that is an address or a label.
func conditions(text string) []string {
	var parts []string
	start, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			if quoted {
				i++
			}
		case '"':
			quoted = !quoted
		case ',':
			rest := strings.TrimSpace(text[i+1:])
			isLabel := strings.HasPrefix(strings.TrimSpace(text[start:]), "label.")
			if !quoted && (!isLabel || isSelector(rest)) {
				parts = append(parts, text[start:i])
				start = i + 1
			}
		}
	}
	return append(parts, text[start:])
}

// isSelector reports whether a text begins as an address or a label does.
func isSelector(text string) bool {
	for _, prefix := range []string{"image.", "module.", "label.", "*"} {
		if strings.HasPrefix(text, prefix) {
			return true
		}
	}
	return false
}

func parseTerm(text string) (term, error) {
	if label, ok := strings.CutPrefix(text, "label."); ok {
		key, value, found := strings.Cut(label, "=")
		if !found || key == "" {
			return term{}, fmt.Errorf("%q is not a selector. Write a label as label.KEY=VALUE", text)
		}
		return term{label: key, pattern: value}, nil
	}
	if isPath(text) {
		return term{isPath: true, pattern: path.Clean(text)}, nil
	}
	if !isSelector(text) {
		return term{}, fmt.Errorf("%q is not a selector. Use an address such as image.logo or image.card[\"a\"], "+
			"a pattern such as image.card*, label.KEY=VALUE, or the path of an image's file", text)
	}
	if !strings.Contains(text, "*") && strings.HasPrefix(text, "image.") {
		addr, err := addrs.Parse(text)
		if err != nil {
			return term{}, err
		}
		// The address as this program writes it, so that image.card["\u0041"] finds
		// image.card["A"].
		return term{pattern: addr.String()}, nil
	}
	return term{pattern: text}, nil
}

// isPath reports whether a text is the path of an image's file. No address ends as one does.
func isPath(text string) bool {
	switch path.Ext(text) {
	case ".png", ".jpg", ".jpeg", ".webp":
		return true
	}
	return false
}

// String returns the selector as it was written.
func (s Selector) String() string { return s.text }

func (s Selector) matches(addr addrs.Image, n *selectable) bool {
	for _, t := range s.terms {
		if !t.matches(addr, n) {
			return false
		}
	}
	return len(s.terms) > 0
}

func (t term) matches(addr addrs.Image, n *selectable) bool {
	switch {
	case t.label != "":
		value, ok := n.labels[t.label]
		return ok && wildcard(t.pattern, value)
	case t.isPath:
		return slices.ContainsFunc(n.files[:], func(file string) bool { return file != "" && wildcard(t.pattern, file) })
	}
	return MatchesAddress(t.pattern, addr.String())
}

// MatchesAddress reports whether an address, as text, is one that a pattern stands for: the address,
// or one below it, or with * one that matches.
func MatchesAddress(pattern, text string) bool {
	if strings.Contains(pattern, "*") {
		return wildcard(pattern, text)
	}
	rest, ok := strings.CutPrefix(text, pattern)
	return ok && (rest == "" || rest[0] == '[' || rest[0] == '.')
}

// wildcard matches text against a pattern in which * stands for any characters. Brackets and quotes
// have no meaning of their own, which is why this is not path.Match.
func wildcard(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == text
	}
	rest, ok := strings.CutPrefix(text, parts[0])
	if !ok {
		return false
	}
	last := len(parts) - 1
	for _, part := range parts[1:last] {
		_, after, found := strings.Cut(rest, part)
		if !found {
			return false
		}
		rest = after
	}
	return strings.HasSuffix(rest, parts[last])
}

// Select returns the addresses that a plan is limited to: the images that a target matches (all,
// without targets) with all that they are made from, less those that an exclusion matches with all
// that is made from them. It also returns the selectors that match nothing.
func Select(images []*image.Image, prior *state.State, targets, excludes []Selector) (only map[addrs.Image]bool, unmatched []Selector) {
	g := newGraph(len(images))
	for addr, img := range prior.Images.All() {
		if addr.Candidate == 0 { // Candidates go with their image.
			g.node(addr).labels, g.node(addr).files[0] = img.Labels, img.Output.Path
		}
	}
	for _, img := range images {
		g.node(img.Address).files[1] = img.Output
		g.add(img.Address, img.Labels, img.Dependencies)
	}
	return g.choose(targets, excludes)
}

// SelectDestroyed does the same for a plan that removes images: those that are made from a target
// go along with it, and what an excluded image is made from stays with it.
func SelectDestroyed(prior *state.State, targets, excludes []Selector) (only map[addrs.Image]bool, unmatched []Selector) {
	g := newGraph(prior.Images.Len())
	for addr, img := range prior.Images.All() {
		if addr.Candidate == 0 {
			g.node(addr).files[0] = img.Output.Path
			g.add(addr, img.Labels, img.Dependencies)
		}
	}
	g.needs, g.neededBy = g.neededBy, g.needs
	return g.choose(targets, excludes)
}

// graph is what a selection is made from.
type graph struct {
	nodes           map[addrs.Image]*selectable
	needs, neededBy map[addrs.Image][]addrs.Image
}

// selectable is what an image is selected by besides its address: its labels, and its file as it is
// on record and as it is desired.
type selectable struct {
	labels map[string]string
	files  [2]string
}

func newGraph(size int) *graph {
	return &graph{nodes: make(map[addrs.Image]*selectable, size), needs: map[addrs.Image][]addrs.Image{}, neededBy: map[addrs.Image][]addrs.Image{}}
}

func (g *graph) node(addr addrs.Image) *selectable {
	n := g.nodes[addr]
	if n == nil {
		n = &selectable{}
		g.nodes[addr] = n
	}
	return n
}

func (g *graph) add(addr addrs.Image, labels map[string]string, dependencies []addrs.Image) {
	g.node(addr).labels = labels
	g.needs[addr] = dependencies
	for _, dependency := range dependencies {
		g.neededBy[dependency] = append(g.neededBy[dependency], addr)
	}
}

func (g *graph) choose(targets, excludes []Selector) (only map[addrs.Image]bool, unmatched []Selector) {
	used := map[string]bool{}
	find := func(selectors []Selector) []addrs.Image {
		var found []addrs.Image
		for addr, node := range g.nodes {
			for _, s := range selectors {
				if s.matches(addr, node) {
					used[s.text] = true
					found = append(found, addr)
				}
			}
		}
		return found
	}
	only = map[addrs.Image]bool{}
	if len(targets) == 0 {
		for addr := range g.nodes {
			only[addr] = true
		}
	}
	walk(find(targets), g.needs, func(addr addrs.Image) bool {
		seen := only[addr]
		only[addr] = true
		return !seen
	})
	gone := map[addrs.Image]bool{}
	walk(find(excludes), g.neededBy, func(addr addrs.Image) bool {
		seen := gone[addr]
		gone[addr] = true
		delete(only, addr)
		return !seen
	})
	for _, s := range slices.Concat(targets, excludes) {
		if !used[s.text] {
			unmatched = append(unmatched, s)
		}
	}
	return only, unmatched
}

// walk visits all that can be reached from start, going on from an image where visit says so.
func walk(start []addrs.Image, next map[addrs.Image][]addrs.Image, visit func(addrs.Image) bool) {
	for stack := start; len(stack) > 0; {
		addr := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if visit(addr) {
			stack = append(stack, next[addr]...)
		}
	}
}
