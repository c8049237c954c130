package planner

import (
	"maps"
	"slices"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
)

// whereabouts are the addresses of all that can move, so that each of many moves need not look at
// all of them: by block, and there by key, which an image shares with its candidates.
type whereabouts map[addrs.Image]map[addrs.Key][]addrs.Image

// whereabouts returns the addresses that have an image or a task.
func (p *prior) whereabouts() whereabouts {
	all := whereabouts{}
	for a := range p.images.Addresses() {
		all.add(a)
	}
	for a := range p.tasks {
		if !p.images.Has(a) {
			all.add(a)
		}
	}
	return all
}

func (w whereabouts) add(a addrs.Image) {
	block := a.Block()
	if w[block] == nil {
		w[block] = map[addrs.Key][]addrs.Image{}
	}
	w[block][a.Key] = append(w[block][a.Key], a)
}

func (w whereabouts) remove(a addrs.Image) {
	block := a.Block()
	rest := slices.DeleteFunc(w[block][a.Key], func(other addrs.Image) bool { return other == a })
	if w[block][a.Key] = rest; len(rest) > 0 {
		return
	}
	if delete(w[block], a.Key); len(w[block]) == 0 {
		delete(w, block)
	}
}

// of returns those that a move may be about, in no order: all that it is about are among them.
func (w whereabouts) of(move addrs.Move) []addrs.Image {
	from := move.From
	if !from.IsModule {
		keys := w[addrs.Image{Module: from.Parent, Name: from.Name}]
		if isWhole := from.Key.IsNone() && move.To.Key.IsNone(); !isWhole {
			return slices.Clone(keys[from.Key])
		}
		return slices.Concat(slices.Collect(maps.Values(keys))...)
	}
	var all []addrs.Image
	for block, keys := range w {
		if from.Contains(block) {
			for _, list := range keys {
				all = append(all, list...)
			}
		}
	}
	return all
}
