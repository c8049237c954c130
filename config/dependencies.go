package config

import (
	"slices"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
)

// dependencies finds the images that the instance needs: those its values come from, and those it
// must wait for.
func (d *builder) dependencies(img *image.Image) {
	n := len(d.after) + len(d.expansion.from) + len(d.conditions)
	for i := range d.values {
		n += len(d.values[i].from)
	}
	for i := range img.References {
		if img.References[i].IsImage() {
			n++
		}
	}
	isSettled := img.Known() && !img.Lifecycle().Undecided
	if n == 0 && isSettled {
		return
	}
	list := make([]addrs.Image, 0, n)
	list = append(append(append(list, d.after...), d.expansion.from...), d.conditions...)
	for i := range d.values {
		list = append(list, d.values[i].from...)
	}
	for i := range img.References {
		if r := &img.References[i]; r.IsImage() {
			list = append(list, r.Image)
		}
	}
	if !isSettled && !slices.ContainsFunc(list, d.e.isPending) {
		list = append(list, d.e.pending(&d.b.node)...)
		if w := d.b.weave; w != nil {
			list = append(list, w.looked...)
		}
	}
	img.Dependencies = uniqueAddresses(list)
}

// isPending reports whether an image's result is not known yet.
func (e *evaluator) isPending(addr addrs.Image) bool {
	s := e.byAddr[addr.Module]
	if s == nil || s.mod.images[addr.Name] == nil {
		return false
	}
	list := s.images[s.mod.images[addr.Name]]
	if list == nil || list.objects == nil {
		return false
	}
	o := list.object(addr.Key)
	return o == nil || !o.final
}

// pending returns all images without a result that a node's value can come from. It is for values
// that are unknown although no mark says why, because an expression on the way to them has lost it:
// then it is better to wait for too many images than for too few.
func (e *evaluator) pending(n *node) []addrs.Image {
	var list []addrs.Image
	seen := map[*node]bool{}
	var of *weave
	if b, ok := n.work.(*imageBlock); ok {
		of = b.weave
	}
	var walk func(*node)
	walk = func(n *node) {
		if seen[n] {
			return
		}
		seen[n] = true
		for _, other := range n.needs {
			b, isImage := other.work.(*imageBlock)
			if !isImage {
				walk(other)
				continue
			}
			if b.weave != nil && b.weave == of {
				continue // Of these it needs what it looked up, rather than those that may need it.
			}
			for _, s := range e.scopes[b.mod] {
				if made := s.images[b]; made != nil {
					for _, o := range made.objects {
						if !o.final {
							list = append(list, addrs.Image{Module: s.addr, Name: b.key, Key: o.key})
						}
					}
				}
			}
		}
	}
	walk(n)
	return list
}

// waitsFor returns the instances that an entry of a depends_on names, seen from a scope.
func (e *evaluator) waitsFor(after explicit, s *scope) []addrs.Image {
	scopes := []*scope{s}
	if after.call != nil {
		scopes = nil
		for _, child := range s.children[after.call.child] {
			if after.key.IsNone() || child.each.key == after.key {
				scopes = append(scopes, child)
			}
		}
	}
	var list []addrs.Image
	for _, b := range after.blocks {
		for _, at := range e.scopes[b.mod] {
			if !slices.ContainsFunc(scopes, at.isIn) {
				continue
			}
			made := at.images[b]
			if made == nil || made.expansion == nil {
				continue
			}
			for each := range made.all() {
				if after.call == nil && !after.key.IsNone() && each.key != after.key {
					continue
				}
				list = append(list, addrs.Image{Module: at.addr, Name: b.key, Key: each.key})
			}
		}
	}
	return list
}

// isIn reports whether a scope is another, or below it.
func (s *scope) isIn(other *scope) bool {
	for at := s; at != nil; at = at.parent {
		if at == other {
			return true
		}
	}
	return false
}
