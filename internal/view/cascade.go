package view

import (
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/planner"
)

// cascade knows which changes of a plan drag others along.
type cascade struct {
	changes []*planner.Change
	// places are the indexes of changes by address, nil until one is asked for.
	places map[addrs.Image]int
	// drags lists for a change those that name it as the image upstream that changes.
	drags map[int][]int
	// visited marks with the number of the last walk, so that a walk need not clear it.
	visited []int
	walks   int
	// needs lists for an image those that are skipped and need it; nil until it is asked for.
	needs map[addrs.Image][]addrs.Image
}

func newCascade(p *planner.Plan) *cascade {
	c := &cascade{changes: p.Changes, drags: map[int][]int{}}
	for i, change := range p.Changes {
		for _, r := range change.Reasons {
			if !isUpstream(r) || change.Address.Candidate > 0 {
				continue
			}
			if up, ok := c.place(r.Upstream); ok {
				c.drags[up] = append(c.drags[up], i)
			}
		}
	}
	if len(c.drags) > 0 {
		c.visited = make([]int, len(p.Changes))
	}
	return c
}

// place returns the index of what is planned for an image, and whether anything is.
func (c *cascade) place(a addrs.Image) (int, bool) {
	if c.places == nil {
		c.places = map[addrs.Image]int{}
		for i, change := range c.changes {
			if change.Action != planner.NoOp {
				c.places[change.Address] = i
			}
		}
	}
	i, ok := c.places[a]
	return i, ok
}

// change returns what is planned for an image, nil where nothing is.
func (c *cascade) change(a addrs.Image) *planner.Change {
	if i, ok := c.place(a); ok {
		return c.changes[i]
	}
	return nil
}

// dragged returns how many images change because these do, directly or through others, and what
// that costs. A change that is itself only dragged along answers 0: its own cause has counted what
// follows it.
func (c *cascade) dragged(changes ...*planner.Change) (n int, cost estimate) {
	if len(c.drags) == 0 {
		return 0, cost
	}
	c.walks++
	var queue []int
	for _, change := range changes {
		if onlyDragged(change) {
			continue
		}
		if i, ok := c.place(change.Address); ok {
			c.visited[i] = c.walks
			queue = append(queue, i)
		}
	}
	for len(queue) > 0 {
		var next int
		next, queue = queue[0], queue[1:]
		for _, i := range c.drags[next] {
			if c.visited[i] == c.walks || c.changes[i].Withheld() {
				continue
			}
			c.visited[i] = c.walks
			queue = append(queue, i)
			n++
			cost.add(c.changes[i])
		}
	}
	return n, cost
}

// needing returns how many images are skipped because they need that of a change, directly or
// through others.
func (c *cascade) needing(change *planner.Change) int {
	if c.needs == nil {
		c.needs = map[addrs.Image][]addrs.Image{}
		for _, down := range c.changes {
			if down.Origin == planner.Skipped {
				for _, up := range down.Desired.Dependencies {
					c.needs[up] = append(c.needs[up], down.Address)
				}
			}
		}
	}
	seen := map[addrs.Image]bool{change.Address: true}
	for queue := []addrs.Image{change.Address}; len(queue) > 0; queue = queue[1:] {
		for _, down := range c.needs[queue[0]] {
			if !seen[down] {
				seen[down] = true
				queue = append(queue, down)
			}
		}
	}
	return len(seen) - 1
}

// isUpstream reports whether a reason is that another image changes.
func isUpstream(r planner.Reason) bool {
	return r.Kind == planner.UpstreamChanges || r.Kind == planner.Triggered
}

// onlyDragged reports whether a change would not be there but for images upstream.
func onlyDragged(c *planner.Change) bool {
	for _, r := range c.Reasons {
		if !isUpstream(r) {
			return false
		}
	}
	return len(c.Reasons) > 0
}
