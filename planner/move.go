package planner

import (
	"maps"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/state"
)

// prior is what exists, under the addresses that it has after all moves.
type prior struct {
	images map[addrs.Image]*state.Image
	tasks  map[addrs.Image]*state.Task
	files  map[addrs.Image]state.FileStatus
	// from has the former address of each image and task that moves.
	from map[addrs.Image]addrs.Image
}

// newPrior applies moves, in their order, to all that exists. What would end where something else is stays where it is.
func newPrior(o Options) prior {
	p := prior{images: map[addrs.Image]*state.Image{}, files: o.Files, from: map[addrs.Image]addrs.Image{}}
	if o.Prior != nil {
		p.images, p.tasks = o.Prior.Images, o.Prior.Tasks
	}
	if len(o.Moves) == 0 {
		return p
	}
	p.images, p.tasks, p.files = maps.Clone(p.images), maps.Clone(p.tasks), maps.Clone(p.files)
	for _, move := range o.Moves {
		p.apply(move)
	}
	return p
}

func (p *prior) apply(move addrs.Move) {
	moved := map[addrs.Image]addrs.Image{} // to -> from
	for _, a := range p.addresses() {
		to, ok := move.Apply(a)
		if !ok || to == a || p.images[to] != nil || p.tasks[to] != nil {
			continue
		}
		moved[to] = a
	}
	for to, a := range moved {
		rename(p.images, a, to)
		rename(p.tasks, a, to)
		rename(p.files, a, to)
		first, again := p.from[a]
		if !again {
			first = a
		}
		delete(p.from, a)
		p.from[to] = first
	}
}

// addresses returns all that can move.
func (p *prior) addresses() []addrs.Image {
	all := make([]addrs.Image, 0, len(p.images))
	for a := range p.images {
		all = append(all, a)
	}
	for a := range p.tasks {
		if p.images[a] == nil {
			all = append(all, a)
		}
	}
	return all
}

func rename[V any](m map[addrs.Image]V, from, to addrs.Image) {
	if v, ok := m[from]; ok {
		delete(m, from)
		m[to] = v
	}
}
