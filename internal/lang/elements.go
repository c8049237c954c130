package lang

import (
	"iter"

	"github.com/zclconf/go-cty/cty"
)

// Elements are those of a list, or of an object by their keys, of which there may be no cty value: of
// a hundred thousand, it is made for those that are looked at.
type Elements struct {
	// IsObject tells an object from a list, whose elements have no keys.
	IsObject bool
	Len      int
	// All goes through the elements in their order, which is that of the keys for an object.
	All iter.Seq2[string, Element]
}

// Element is one of a list or an object: a value, or one of two that are there without being values
// yet.
type Element struct {
	// Value is cty.NilVal where there is a text, or a list.
	Value cty.Value
	// List is nil where it is none, and Text counts where it is neither a value nor a list.
	List *Elements
	Text string
}

// IsText reports whether it is a text that is not a value yet.
func (e Element) IsText() bool { return e.Value == cty.NilVal && e.List == nil }

// Whole returns the element as a value.
func (e Element) Whole() cty.Value {
	switch {
	case e.IsText():
		return cty.StringVal(e.Text)
	case e.List == nil:
		return e.Value
	}
	return e.List.Whole()
}

// Whole returns the elements as a value.
func (e Elements) Whole() cty.Value {
	if e.IsObject {
		attrs := make(map[string]cty.Value, e.Len)
		for key, element := range e.All {
			attrs[key] = element.Whole()
		}
		return cty.ObjectVal(attrs)
	}
	list := make([]cty.Value, 0, e.Len)
	for _, element := range e.All {
		list = append(list, element.Whole())
	}
	return cty.TupleVal(list)
}
