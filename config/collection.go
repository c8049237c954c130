package config

import (
	"iter"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/lang"
)

// Collection is the value of a gathering: a list, or an object by its keys. A cty value of a hundred
// thousand elements keeps a type for each of them, and an object two maps besides; here there is a
// key and a value.
type Collection struct {
	// IsObject tells an object from a list, whose elements have no keys.
	IsObject bool
	elements []gatheredElement // of an object sorted by key
}

type gatheredElement struct {
	key   string
	value cty.Value
}

// Len returns how many elements there are.
func (c *Collection) Len() int { return len(c.elements) }

// All goes through the elements in their order, which is that of the keys for an object. A list has
// no keys.
func (c *Collection) All() iter.Seq2[string, cty.Value] {
	return func(yield func(string, cty.Value) bool) {
		for i := range c.elements {
			if !yield(c.elements[i].key, c.elements[i].value) {
				return
			}
		}
	}
}

// Value returns the collection as a value of expressions.
func (c *Collection) Value() cty.Value {
	if c.IsObject {
		attrs := make(map[string]cty.Value, len(c.elements))
		for _, e := range c.elements {
			attrs[e.key] = e.value
		}
		return cty.ObjectVal(attrs)
	}
	list := make([]cty.Value, len(c.elements))
	for i := range c.elements {
		list[i] = c.elements[i].value
	}
	return cty.TupleVal(list)
}

// harvest is a collection in the making.
type harvest struct {
	of *gathering
	// seen counts the instances so far, of all that there are.
	seen, all int
	elements  []gatheredElement
	// groups are the lists of values by their keys.
	groups map[string][]cty.Value
	// marks are those of the keys and filters, from which it follows which elements there are, and
	// isMarked says that an element has some.
	marks    cty.ValueMarks
	isMarked bool
}

// add adds what an instance gives. It answers false where that cannot be told.
func (h *harvest) add(i *instance) bool {
	h.seen++
	if h.of.filter != nil {
		v, ok := h.of.filter(i)
		v, ok = h.plain(v, ok)
		if !ok || !v.Type().Equals(cty.Bool) {
			return false
		}
		if v.False() {
			return true
		}
	}
	key := ""
	if h.of.key != nil {
		v, ok := h.of.key(i)
		if v, ok = h.plain(v, ok); !ok {
			return false
		}
		if key, ok = keyText(v); !ok {
			return false
		}
	}
	v, ok := h.of.value(i)
	if !ok {
		return false
	}
	h.isMarked = h.isMarked || v.ContainsMarked()
	if !h.of.group {
		h.elements = append(roomFor(h, h.elements), gatheredElement{key, v})
		return true
	}
	if h.groups == nil {
		h.groups = map[string][]cty.Value{}
	}
	h.groups[key] = append(roomFor(h, h.groups[key]), v)
	return true
}

// roomFor returns a list with room for another element. Where it has none, it gets as much as the
// list needs if its share of the instances stays what it is: doubled each time, it would leave
// behind as much memory as it takes in the end.
func roomFor[T any](h *harvest, list []T) []T {
	if len(list) < cap(list) {
		return list
	}
	return slices.Grow(list, max(4, len(list)*(h.all-h.seen)/max(1, h.seen)))
}

// plain takes the marks of a filter or a key. It answers false where the value is not plain.
func (h *harvest) plain(v cty.Value, ok bool) (cty.Value, bool) {
	if !ok {
		return v, false
	}
	v, marks := v.Unmark()
	for mark := range marks {
		h.marks[mark] = struct{}{}
	}
	return v, lang.IsPlain(v)
}

// collection returns what was added. It answers false where two elements have one key.
func (h *harvest) collection() (*Collection, bool) {
	for key, list := range h.groups {
		h.elements = append(h.elements, gatheredElement{key, cty.TupleVal(list)})
	}
	c := &Collection{IsObject: h.of.key != nil, elements: h.elements}
	if !c.IsObject {
		return c, true
	}
	byKey := func(a, b gatheredElement) int { return strings.Compare(a.key, b.key) }
	if !slices.IsSortedFunc(c.elements, byKey) {
		slices.SortFunc(c.elements, byKey)
	}
	for i := range c.elements[min(1, len(c.elements)):] {
		if c.elements[i].key == c.elements[i+1].key {
			return nil, false
		}
	}
	return c, true
}
