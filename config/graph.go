package config

import (
	"cmp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/graph"
)

func needsOf(n *node) []*node { return n.needs }

// cycleProblem describes a cycle by a shortest way around it.
func cycleProblem(members []*node) *hcl.Diagnostic {
	first := slices.MinFunc(members, func(a, b *node) int { return comparePlaces(a.at, b.at) })
	if slices.Contains(first.needs, first) {
		return diag.Problem(first.at, "Cycle",
			"%s refers to itself, so its value cannot be found. Remove the reference.", first.fullName())
	}
	names := []string{}
	for _, n := range graph.Around(first, members, needsOf) {
		names = append(names, n.fullName())
	}
	return diag.Problem(first.at, "Cycle",
		"These refer to each other in a circle, so none of them can come first: %s. Remove one of the references.",
		strings.Join(names, ", "))
}

// comparePlaces compares two places by the order of the files.
func comparePlaces(a, b hcl.Range) int {
	return cmp.Or(strings.Compare(a.Filename, b.Filename), cmp.Compare(a.Start.Byte, b.Start.Byte))
}
