package planner

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/state"
)

// prior is what exists, under the addresses that it has after all moves.
type prior struct {
	images *state.Images
	finder *state.Finder
	// tasks are those of each address, in the order of their keys.
	tasks map[addrs.Image][]*state.Task
	files map[addrs.Image]state.FileStatus
	// unanswered are the tasks of which nobody knows whether the API has them.
	unanswered []located
	// from has the former address of each image and task that moves.
	from map[addrs.Image]addrs.Image
	// same and held are made when they are asked for: see made and holder.
	same map[string][]addrs.Image
	held map[string][]addrs.Image
	// candidates says whether there are any, nil as long as nobody asked: see hasCandidates.
	candidates *bool
}

// hasCandidates reports whether any image on record is a candidate.
func (p *prior) hasCandidates() bool {
	if p.candidates == nil {
		p.candidates = new(bool)
		for addr := range p.images.Addresses() {
			if addr.Candidate > 0 {
				*p.candidates = true
				break
			}
		}
	}
	return *p.candidates
}

// newPrior applies moves, in their order, to all that exists. What would end where something else
// is stays where it is.
func newPrior(o Options) prior {
	p := prior{images: new(state.Images), tasks: map[addrs.Image][]*state.Task{}, files: o.Files, from: map[addrs.Image]addrs.Image{}}
	if o.Prior != nil {
		p.images = o.Prior.Images
		for _, task := range slices.SortedFunc(maps.Values(o.Prior.Tasks), state.CompareTasks) {
			p.tasks[task.Address] = append(p.tasks[task.Address], task)
		}
	}
	if len(o.Moves) > 0 {
		p.move(o.Moves)
	}
	p.finder = p.images.Finder()
	for addr, tasks := range p.tasks {
		for _, task := range tasks {
			if !task.Answered() {
				p.unanswered = append(p.unanswered, located{addr, task})
			}
		}
	}
	slices.SortFunc(p.unanswered, func(a, b located) int {
		return cmp.Or(a.addr.Compare(b.addr), strings.Compare(a.task.Key, b.task.Key))
	})
	return p
}

// located is a task under the address that it has after all moves.
type located struct {
	addr addrs.Image
	task *state.Task
}

func (p *prior) move(moves []addrs.Move) {
	p.images, p.files = p.images.Clone(), maps.Clone(p.files)
	all := p.whereabouts()
	for _, m := range moves {
		p.apply(m, all)
	}
}

func (p *prior) apply(move addrs.Move, all whereabouts) {
	moved := map[addrs.Image]addrs.Image{} // to -> from
	for _, a := range all.of(move) {
		to, ok := move.Apply(a)
		if !ok || to == a || p.images.Has(to) || p.tasks[to] != nil {
			continue
		}
		moved[to] = a
	}
	for to, a := range moved {
		if img := p.images.Get(a); img != nil {
			p.images.Delete(a)
			p.images.Set(to, img)
		}
		rename(p.tasks, a, to)
		rename(p.files, a, to)
		all.remove(a)
		all.add(to)
		first, again := p.from[a]
		if !again {
			first = a
		}
		delete(p.from, a)
		p.from[to] = first
	}
}

// made returns the addresses of the images that a request made, sorted.
func (p *prior) made(fingerprint string) []addrs.Image {
	if p.same == nil {
		p.same = index(p.images, func(img *state.Image) string { return img.Fingerprint })
	}
	return p.same[fingerprint]
}

// isHeld reports whether another image than the one at an address shows a picture.
func (p *prior) isHeld(content string, but addrs.Image) bool {
	if p.held == nil {
		p.held = index(p.images, func(img *state.Image) string { return img.Output.Identity() })
	}
	// An image with a choice shows the picture of one of its candidates.
	return slices.ContainsFunc(p.held[content], func(a addrs.Image) bool { return a != but && a != but.Of() })
}

// index returns the sorted addresses of images by a key.
func index(images *state.Images, key func(*state.Image) string) map[string][]addrs.Image {
	all := make(map[string][]addrs.Image, images.Len())
	for a, img := range images.All() {
		k := key(img)
		all[k] = append(all[k], a)
	}
	for _, list := range all {
		if len(list) > 1 {
			slices.SortFunc(list, addrs.Image.Compare)
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
