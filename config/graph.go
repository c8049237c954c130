package config

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/internal/diag"
)

// order sorts nodes so that each comes after those it needs, and finds the cycles: sets of nodes that need each
// other. It is Tarjan's algorithm for strongly connected components, which yields both in one pass, with a stack of
// its own since a chain of images can be long.
func order(nodes []*node) (sorted []*node, cycles [][]*node) {
	t := tarjan{
		index: make(map[*node]int, len(nodes)), low: make(map[*node]int, len(nodes)),
		onStack: make(map[*node]bool, len(nodes)),
	}
	for _, n := range nodes {
		if _, seen := t.index[n]; !seen {
			t.visit(n)
		}
	}
	return t.sorted, t.cycles
}

type tarjan struct {
	index, low map[*node]int
	onStack    map[*node]bool
	stack      []*node
	sorted     []*node
	cycles     [][]*node
}

// frame is a node under visit, and the next of its needs to look at.
type frame struct {
	n    *node
	next int
}

func (t *tarjan) visit(start *node) {
	frames := []frame{t.enter(start)}
	for len(frames) > 0 {
		f := &frames[len(frames)-1]
		if f.next < len(f.n.needs) {
			other := f.n.needs[f.next]
			f.next++
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

func (t *tarjan) enter(n *node) frame {
	t.index[n] = len(t.index)
	t.low[n] = t.index[n]
	t.stack = append(t.stack, n)
	t.onStack[n] = true
	return frame{n: n}
}

// component takes the nodes from the stack that form a component with n.
func (t *tarjan) component(n *node) {
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
	if len(members) > 1 || slices.Contains(n.needs, n) {
		t.cycles = append(t.cycles, members)
	}
}

// cycleProblem describes a cycle by a shortest way around it.
func cycleProblem(members []*node) *hcl.Diagnostic {
	first := members[0]
	for _, n := range members {
		if before(n.at, first.at) {
			first = n
		}
	}
	if slices.Contains(first.needs, first) {
		return diag.Problem(first.at, "Cycle",
			"%s refers to itself. Its value would be needed to find its value. Remove the reference.", first.fullName())
	}
	names := []string{}
	for _, n := range around(first, members) {
		names = append(names, n.fullName())
	}
	return diag.Problem(first.at, "Cycle",
		"These refer to each other in a circle, so none of them can come first: %s. Each needs the one after it; "+
			"remove one of the references.",
		strings.Join(names, ", "))
}

func before(a, b hcl.Range) bool {
	if a.Filename != b.Filename {
		return a.Filename < b.Filename
	}
	return a.Start.Byte < b.Start.Byte
}

// around returns a shortest way from a node through the members of its component back to it, with the node at both
// ends.
func around(start *node, members []*node) []*node {
	from := map[*node]*node{}
	queue := []*node{start}
	for len(queue) > 0 {
		n := queue[0]
		queue = queue[1:]
		for _, other := range n.needs {
			if other == start {
				path := []*node{start}
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
