// Package graph puts things in an order in which each comes after those that it needs, and finds
// where there is none.
//
// A cycle is a set of things that all need each other, by themselves or by way of others of the
// set, or one thing that needs itself.
package graph

import "slices"

// Order sorts nodes so that each comes after those it needs, but for those of cycles, which it
// returns too. It is Tarjan's algorithm for strongly connected components, which yields both in one
// pass, with a stack of its own since a chain of nodes can be long.
func Order[N comparable](nodes []N, needs func(N) []N) (sorted []N, cycles [][]N) {
	t := tarjan[N]{
		needs: needs, index: make(map[N]int, len(nodes)), low: make(map[N]int, len(nodes)), onStack: make(map[N]bool, len(nodes)),
	}
	for _, n := range nodes {
		if _, seen := t.index[n]; !seen {
			t.visit(n)
		}
	}
	return t.sorted, t.cycles
}

type tarjan[N comparable] struct {
	needs      func(N) []N
	index, low map[N]int
	onStack    map[N]bool
	stack      []N
	sorted     []N
	cycles     [][]N
}

// frame is a node under visit, and those of its needs that are still to be looked at.
type frame[N comparable] struct {
	n    N
	rest []N
}

func (t *tarjan[N]) visit(start N) {
	frames := []frame[N]{t.enter(start)}
	for len(frames) > 0 {
		f := &frames[len(frames)-1]
		if len(f.rest) > 0 {
			other := f.rest[0]
			f.rest = f.rest[1:]
			if _, seen := t.index[other]; !seen {
				frames = append(frames, t.enter(other))
			} else if t.onStack[other] {
				t.low[f.n] = min(t.low[f.n], t.index[other])
			}
			continue
		}
		done := f.n
		frames = frames[:len(frames)-1]
		if len(frames) > 0 {
			parent := frames[len(frames)-1].n
			t.low[parent] = min(t.low[parent], t.low[done])
		}
		if t.low[done] == t.index[done] {
			t.component(done)
		}
	}
}

func (t *tarjan[N]) enter(n N) frame[N] {
	t.index[n] = len(t.index)
	t.low[n] = t.index[n]
	t.stack = append(t.stack, n)
	t.onStack[n] = true
	return frame[N]{n: n, rest: t.needs(n)}
}

// component takes the nodes from the stack that form a component with n.
func (t *tarjan[N]) component(n N) {
	start := len(t.stack) - 1
	for t.stack[start] != n {
		start--
	}
	members := slices.Clone(t.stack[start:])
	t.stack = t.stack[:start]
	for _, m := range members {
		t.onStack[m] = false
	}
	t.sorted = append(t.sorted, members...)
	if len(members) > 1 || slices.Contains(t.needs(n), n) {
		t.cycles = append(t.cycles, members)
	}
}

// Around returns a shortest way from a node through the members of its cycle back to it, each of
// which needs the next, with the node at both ends.
func Around[N comparable](start N, members []N, needs func(N) []N) []N {
	from := map[N]N{}
	queue := []N{start}
	for len(queue) > 0 {
		n := queue[0]
		queue = queue[1:]
		for _, other := range needs(n) {
			if other == start {
				path := []N{start}
				for back := n; back != start; back = from[back] {
					path = append(path, back)
				}
				path = append(path, start)
				slices.Reverse(path)
				return path
			}
			if _, seen := from[other]; !seen && slices.Contains(members, other) {
				from[other] = n
				queue = append(queue, other)
			}
		}
	}
	return members
}
