package config

import (
	"runtime"

	"golang.org/x/sync/errgroup"
)

// gathered is what an output's gathering gave; ok is false where the output has to be evaluated.
type gathered struct {
	collection *Collection
	ok         bool
}

// gatherBeside has outputs of the root module gather what they do beside each other. All else about
// them, and what cannot be gathered, comes when they are evaluated, one after the other: to gather
// only reads what there is, and reports nothing.
func (e *evaluator) gatherBeside(outputs []*node) {
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, n := range outputs {
		o := n.work.(*output)
		if n.skip || !o.isBare(e.root) {
			continue
		}
		if g, of, ok := e.recognise(n, e.root, o.value); ok && !of.alone {
			group.Go(func() error {
				c, ok := g.bare(of)
				o.ahead = &gathered{c, ok}
				return nil
			})
		}
	}
	_ = group.Wait() // None of them fails.
}

// isRootOutput reports whether a node is an output of the root module, on which nothing depends.
func (e *evaluator) isRootOutput(n *node) bool {
	_, isOutput := n.work.(*output)
	return isOutput && n.mod == e.root.mod
}
