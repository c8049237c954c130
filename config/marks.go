package config

import (
	"slices"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/ctymarks"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
)

// dependency marks a value that comes from an image. Being a provenance mark, it also stays with values that are
// unknown where it is not yet clear which image they will come from.
type dependency struct {
	ctymarks.ProvenanceMark
	addr addrs.Image
}

// secret is the type of the mark of values that are not to be shown.
type secret struct{}

// sensitive marks a value that comes from a sensitive variable.
var sensitive = secret{}

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
		switch m := mark.(type) {
		case dependency:
			u.from = append(u.from, m.addr)
		case secret:
			u.sensitive = true
		}
	}
	return u
}

// dependencyMarks returns the marks that say which images a value comes from.
func dependencyMarks(v cty.Value) cty.ValueMarks {
	_, marks := v.UnmarkDeep()
	delete(marks, sensitive)
	return marks
}

// onlySecrets returns a value for messages: only what is sensitive is marked still.
func onlySecrets(v cty.Value) cty.Value {
	v, err := v.WrangleMarksDeep(func(mark any, _ cty.Path) (ctymarks.WrangleAction, error) {
		if mark == sensitive {
			return ctymarks.WrangleKeep, nil
		}
		return ctymarks.WrangleDrop, nil
	})
	if err != nil {
		return cty.DynamicVal // The function above returns no error.
	}
	return v
}

// uniqueAddresses sorts addresses and drops repetitions.
func uniqueAddresses(list []addrs.Image) []addrs.Image {
	if len(list) < 2 {
		return list
	}
	slices.SortFunc(list, addrs.Image.Compare)
	return slices.Compact(list)
}
