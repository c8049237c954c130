package planner

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/state"
)

// Selector is what -target and -exclude take: an address, perhaps with "*" wildcards, or a label.
type Selector struct {
	text    string
	pattern string
	label   string // "key" of label.key=value
	value   string
}

// ParseSelector reads a selector:
//
//	image.card["winter"]   that instance
//	image.card             all instances of the block
//	module.brand           all that is in the module
//	image.card*            all whose address matches; * stands for any characters
//	label.season=winter    all with that label
func ParseSelector(text string) (Selector, error) {
	if label, ok := strings.CutPrefix(text, "label."); ok {
		key, value, found := strings.Cut(label, "=")
		if !found || key == "" {
			return Selector{}, fmt.Errorf("%q is no selector: a label is written label.KEY=VALUE", text)
		}
		return Selector{text: text, label: key, value: value}, nil
	}
	if !strings.HasPrefix(text, "image.") && !strings.HasPrefix(text, "module.") && !strings.HasPrefix(text, "*") {
		return Selector{}, fmt.Errorf("%q is no selector: write an address such as image.logo or image.card[\"a\"], "+
			"a pattern such as image.card*, or label.KEY=VALUE", text)
	}
	if !strings.Contains(text, "*") && strings.HasPrefix(text, "image.") {
		addr, err := addrs.Parse(text)
		if err != nil {
			return Selector{}, err
		}
		// The address as this program writes it, so that image.card["\u0041"] finds image.card["A"].
		return Selector{text: text, pattern: addr.String()}, nil
	}
	return Selector{text: text, pattern: text}, nil
}

// String returns the selector as it was written.
func (s Selector) String() string { return s.text }

func (s Selector) matches(addr addrs.Image, labels map[string]string) bool {
	if s.label != "" {
		value, ok := labels[s.label]
		return ok && value == s.value
	}
	text := addr.String()
	if strings.Contains(s.pattern, "*") {
		return wildcard(s.pattern, text)
	}
	rest, ok := strings.CutPrefix(text, s.pattern)
	return ok && (rest == "" || rest[0] == '[' || rest[0] == '.')
}

// wildcard matches text against a pattern in which * stands for any characters. Brackets and quotes have no meaning of their own, which is
// why this is not path.Match.
func wildcard(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
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

// Select returns the addresses that a plan is limited to: the images that a target matches (all, without targets) with all that they
// are made from, less those that an exclusion matches with all that is made from them. It also returns the selectors that match nothing.
func Select(images []*config.Image, prior *state.State, targets, excludes []Selector) (only map[addrs.Image]bool, unmatched []Selector) {
	g := graph{labels: map[addrs.Image]map[string]string{}, needs: map[addrs.Image][]addrs.Image{}, neededBy: map[addrs.Image][]addrs.Image{}}
	for addr, img := range prior.Images {
		g.labels[addr] = img.Labels
	}
	for _, img := range images {
		g.add(img.Address, img.Labels, img.Dependencies)
	}
	return g.choose(targets, excludes)
}

// SelectDestroyed does the same for a plan that removes images: those that are made from a target go along with it, and what an excluded image is made from
// stays with it.
func SelectDestroyed(prior *state.State, targets, excludes []Selector) (only map[addrs.Image]bool, unmatched []Selector) {
	g := graph{labels: map[addrs.Image]map[string]string{}, needs: map[addrs.Image][]addrs.Image{}, neededBy: map[addrs.Image][]addrs.Image{}}
	for addr, img := range prior.Images {
		g.add(addr, img.Labels, img.Dependencies)
	}
	g.needs, g.neededBy = g.neededBy, g.needs
	return g.choose(targets, excludes)
}

// graph is what a selection is made from.
type graph struct {
	labels          map[addrs.Image]map[string]string
	needs, neededBy map[addrs.Image][]addrs.Image
}

func (g *graph) add(addr addrs.Image, labels map[string]string, dependencies []addrs.Image) {
	g.labels[addr] = labels
	g.needs[addr] = dependencies
	for _, dependency := range dependencies {
		g.neededBy[dependency] = append(g.neededBy[dependency], addr)
	}
}

func (g *graph) choose(targets, excludes []Selector) (only map[addrs.Image]bool, unmatched []Selector) {
	used := map[string]bool{}
	find := func(selectors []Selector) []addrs.Image {
		var found []addrs.Image
		for addr, labels := range g.labels {
			for _, s := range selectors {
				if s.matches(addr, labels) {
					used[s.text] = true
					found = append(found, addr)
				}
			}
		}
		return found
	}
	only = map[addrs.Image]bool{}
	if len(targets) == 0 {
		for addr := range g.labels {
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
