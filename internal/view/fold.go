package view

import (
	"fmt"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/planner"
)

const (
	// foldAbove is how many instances of a block may have the same change before they are folded.
	foldAbove = 10
	// foldShows is how many of them are then shown in full.
	foldShows = 3
)

// planItem is one entry of a plan: a change, or what stands for those that are folded.
type planItem struct {
	change *planner.Change
	folded *fold
}

// fold stands for instances of one block that all have the same change.
type fold struct {
	// block is their address without keys.
	block string
	// first is the first of all, shown in full.
	first *planner.Change
	// changes are those that are not shown.
	changes []*planner.Change
	count   int
	cost    estimate
	// charged is what an interrupted run may have been charged for them.
	charged bfl.Credits
}

// foldChanges returns what a plan shows of changes, in the order of addresses. More than foldAbove
// instances of one block are folded where they have the same action for the same reasons and change
// the same attributes, so that an instance with a change of its own always shows.
func foldChanges(changes []*planner.Change, unfolded bool) []planItem {
	kinds, sizes := kindsOf(changes, unfolded)
	items := make([]planItem, 0, min(len(changes), 1024))
	seen := make([]int, len(sizes))
	folds := make([]*fold, len(sizes))
	for i, c := range changes {
		kind := kinds[i]
		seen[kind]++
		if kind == 0 || sizes[kind] <= foldAbove || seen[kind] <= foldShows {
			items = append(items, planItem{change: c})
			continue
		}
		f := folds[kind]
		if f == nil {
			f = &fold{block: blockName(c.Address), first: c, changes: make([]*planner.Change, 0, sizes[kind]-foldShows)}
			folds[kind] = f
			items = append(items, planItem{folded: f})
		}
		f.changes = append(f.changes, c)
		f.count++
		f.cost.add(c)
		if c.MayHaveBeenCharged() {
			f.charged += c.Uncertain()
		}
	}
	return items
}

// unansweredCandidates are the candidates of a change that may have been charged.
func unansweredCandidates(c *planner.Change) (found []*planner.Change) {
	for _, candidate := range c.Candidates() {
		if candidate.MayHaveBeenCharged() {
			found = append(found, candidate)
		}
	}
	return found
}

// kindsOf numbers the kinds of changes: it returns that of each, and how many changes there are of
// each kind. Kind 0 is of all that cannot be folded because their blocks have few instances.
func kindsOf(changes []*planner.Change, unfolded bool) (kinds, sizes []int) {
	kinds, sizes = make([]int, len(changes)), []int{0}
	if unfolded {
		return kinds, sizes
	}
	modules := unkeyedModules{}
	instances := map[addrs.Image]int{}
	for _, c := range changes {
		if !isAlone(c.Address) {
			instances[modules.block(c.Address)]++
		}
	}
	numbers := map[changeKind]int{}
	for i, c := range changes {
		if isAlone(c.Address) {
			continue
		}
		block := modules.block(c.Address)
		if instances[block] <= foldAbove || len(unansweredCandidates(c)) > 0 {
			continue // Which candidates may be paid for again is said of each image.
		}
		kind := kindOf(c, block)
		number, ok := numbers[kind]
		if !ok {
			number = len(sizes)
			numbers[kind], sizes = number, append(sizes, 0)
		}
		kinds[i] = number
		sizes[number]++
	}
	return kinds, sizes
}

// isAlone reports whether nothing but the image itself has its block: of ten thousand blocks, there
// is no need to count.
func isAlone(a addrs.Image) bool { return a.Key.IsNone() && a.Module == "" }

// unkeyedModules remembers the paths of modules without instance keys.
type unkeyedModules map[addrs.Module]addrs.Module

// block returns the address that all instances of a block share, also those in other instances of
// its module.
func (m unkeyedModules) block(a addrs.Image) addrs.Image {
	module, ok := m[a.Module]
	if !ok {
		module = a.Module.Unkeyed()
		m[a.Module] = module
	}
	return addrs.Image{Module: module, Name: a.Name}
}

// changeKind is the same for the changes that may be folded together.
type changeKind struct {
	block          addrs.Image // without any keys
	action         planner.Action
	origin         planner.Origin
	exists, frozen bool
	charged        bool
	seeded         bool
	unpriced       bool
	// reason is the first reason's kind, and rest all that few changes have.
	reason planner.ReasonKind
	rest   string
}

// kindOf returns what a change of a block is for folding.
func kindOf(c *planner.Change, block addrs.Image) changeKind {
	kind := changeKind{
		block: block, action: c.Action, origin: c.Origin, exists: c.Prior != nil,
		frozen: c.Frozen, charged: c.MayHaveBeenCharged(), seeded: c.RecordedSeed() != nil, unpriced: c.PriceUnknown,
	}
	var rest []byte // Of a million changes, nearly none has any.
	for i, r := range c.Reasons {
		if r.Kind == planner.RenditionChanges {
			rest = fmt.Appendf(rest, " %s %s.%s.%s", r.Kind, r.Rendition.Of.Module, r.Rendition.Of.Name, r.Rendition.Name)
			continue
		}
		if i == 0 && r.Upstream == (addrs.Image{}) {
			kind.reason = r.Kind
			continue
		}
		rest = fmt.Appendf(rest, " %s %s.%s", r.Kind, r.Upstream.Module, r.Upstream.Name)
	}
	if len(c.ModerationReasons()) > 0 {
		rest = fmt.Appendf(rest, " %q", c.ModerationReasons())
	}
	if c.Origin == planner.Skipped {
		rest = fmt.Appendf(rest, " lacks %s %s", c.Lacks().Module.Unkeyed(), c.Lacks().Name)
	}
	if c.From() != nil {
		rest = fmt.Appendf(rest, " from %s %s", c.From().Module.Unkeyed(), c.From().Name)
	}
	if c.Action == planner.Replace || c.Action == planner.Update || c.Frozen {
		all := c.Attributes()
		for i := range all {
			if a := &all[i]; a.Changed() {
				rest = append(append(rest, ' '), a.Name...)
			}
		}
	}
	kind.rest = string(rest)
	return kind
}
