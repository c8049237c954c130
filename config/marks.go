package config

import (
	"slices"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/ctymarks"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/lang"
)

// dependency marks a value that comes from an image. Being a provenance mark, it also stays with
// values that are unknown where it is not yet clear which image they will come from.
type dependency struct {
	ctymarks.ProvenanceMark
	addr addrs.Image
}

// isFound reports whether a value is an image: what is not known of it yet are its results, and it
// is found already.
func isFound(v cty.Value) bool {
	found := false
	for range cty.ValueMarksOfType[dependency](v) {
		found = true
	}
	return found && v.IsKnown() && isImage(v.Type())
}

// missing marks what stands for a name that does not exist, and what is made of it.
type missing struct{}

// noValue is the value of names that do not exist, which were reported.
var noValue = cty.DynamicVal.Mark(missing{})

// unmarked is a value without marks, and what they said.
type unmarked struct {
	value     cty.Value
	from      []addrs.Image
	sensitive bool
}

// unmark takes a value's marks off, at all depths.
func unmark(v cty.Value) unmarked {
	if v.Type().IsPrimitiveType() && !v.IsMarked() {
		return unmarked{value: v}
	}
	value, marks := v.UnmarkDeep()
	u := unmarked{value: value}
	for mark := range marks {
		if d, ok := mark.(dependency); ok {
			u.from = append(u.from, d.addr)
		}
		u.sensitive = u.sensitive || mark == lang.Sensitive
	}
	return u
}

// uniqueAddresses sorts addresses and drops repetitions.
func uniqueAddresses(list []addrs.Image) []addrs.Image {
	if len(list) < 2 {
		return list
	}
	slices.SortFunc(list, addrs.Image.Compare)
	return slices.Compact(list)
}
