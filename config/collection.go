package config

import (
	"slices"
	"sort"

	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/lang"
)

// Collection is the value of a gathering: a list, or an object by its keys. A cty value of a hundred
// thousand elements keeps a type for each of them, and an object two maps besides; here there is a
// key and a value, and of texts nothing but the text.
type Collection struct {
	// IsObject tells an object from a list, whose elements have no keys.
	IsObject bool
	keys     []string // of an object, sorted
	elements elements
	// groups are the elements of an object of lists, which has no others.
	groups []elements
}

// Elements returns the elements, without making values of them.
func (c *Collection) Elements() lang.Elements {
	if !c.IsObject {
		return c.elements.all()
	}
	return lang.Elements{IsObject: true, Len: len(c.keys), All: func(yield func(string, lang.Element) bool) {
		for i, key := range c.keys {
			var e lang.Element
			if c.groups == nil {
				e = c.elements.at(i)
			} else {
				list := c.groups[i].all()
				e.List = &list
			}
			if !yield(key, e) {
				return
			}
		}
	}}
}

// byKey sorts a collection by its keys.
type byKey struct{ *Collection }

func (c byKey) Len() int { return len(c.keys) }

func (c byKey) Less(i, j int) bool { return c.keys[i] < c.keys[j] }

func (c byKey) Swap(i, j int) {
	c.keys[i], c.keys[j] = c.keys[j], c.keys[i]
	if c.groups != nil {
		c.groups[i], c.groups[j] = c.groups[j], c.groups[i]
		return
	}
	c.elements.swap(i, j)
}

// elements are values in a row. While all of them are plain texts, which most are, there are the
// texts alone, a quarter of what the values take.
type elements struct {
	texts  []string
	values []cty.Value // nil while there are texts
}

func (e *elements) len() int { return len(e.texts) + len(e.values) }

func (e *elements) at(i int) lang.Element {
	if e.values == nil {
		return lang.Element{Text: e.texts[i]}
	}
	return lang.Element{Value: e.values[i]}
}

func (e *elements) all() lang.Elements {
	return lang.Elements{Len: e.len(), All: func(yield func(string, lang.Element) bool) {
		for i := range e.len() {
			if !yield("", e.at(i)) {
				return
			}
		}
	}}
}

func (e *elements) swap(i, j int) {
	if e.values == nil {
		e.texts[i], e.texts[j] = e.texts[j], e.texts[i]
		return
	}
	e.values[i], e.values[j] = e.values[j], e.values[i]
}

// add adds a value, for which a harvest knows how much room it needs.
func (e *elements) add(h *harvest, v cty.Value) {
	text, isText := lang.PlainText(v)
	switch {
	case e.values == nil && isText:
		e.texts = append(roomFor(h, e.texts), text)
		return
	case e.values == nil:
		e.values = make([]cty.Value, 0, cap(e.texts))
		for _, text := range e.texts {
			e.values = append(e.values, cty.StringVal(text))
		}
		e.texts = nil
	}
	e.values = append(roomFor(h, e.values), v)
}

// harvest is a collection in the making.
type harvest struct {
	of *gathering
	// seen counts the instances so far, of all that there are.
	seen, all int
	keys      []string
	elements  elements
	// groups are the lists of values by their keys.
	groups map[string]*elements
	// key is that of the last instance, text as it is written, and list the one of its group.
	key  cty.Value
	text string
	list *elements
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
		if v == cty.False { // v.False() compares in general, in ten times the time.
			return true
		}
	}
	if h.of.key != nil && !h.turnTo(i) {
		return false
	}
	v, ok := h.of.value(i)
	if !ok {
		return false
	}
	h.isMarked = h.isMarked || v.ContainsMarked()
	if h.of.group {
		h.list.add(h, v)
		return true
	}
	h.elements.add(h, v)
	if h.of.key != nil {
		h.keys = append(roomFor(h, h.keys), h.text)
	}
	return true
}

// turnTo finds the key of an instance and, in groups, the list that it is in. Of images in groups,
// most have the key that the one before has.
func (h *harvest) turnTo(i *instance) bool {
	v, ok := h.of.key(i)
	if v, ok = h.plain(v, ok); !ok || !v.Type().IsPrimitiveType() {
		return false
	}
	if v == h.key {
		return true
	}
	if h.text, ok = keyText(v); !ok {
		return false
	}
	h.key = v
	if !h.of.group {
		return true
	}
	if h.groups == nil {
		h.groups = map[string]*elements{}
	}
	if h.list = h.groups[h.text]; h.list == nil {
		h.list = &elements{}
		h.groups[h.text] = h.list
	}
	return true
}

// roomFor returns a list with room for another element. Where it has none, it gets as much as the
// list needs if its share of the instances stays what it is: doubled each time, it would leave
// behind as much memory as it takes in the end.
func roomFor[T any](h *harvest, list []T) []T {
	switch {
	case len(list) < cap(list):
		return list
	case cap(list) == 0 && h.of.filter == nil && !h.of.group:
		return make([]T, 0, h.all)
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
	c := &Collection{IsObject: h.of.key != nil, keys: h.keys, elements: h.elements}
	if h.of.group {
		c.groups = make([]elements, 0, len(h.groups))
		for key, list := range h.groups {
			c.keys, c.groups = append(c.keys, key), append(c.groups, *list)
		}
	}
	if !slices.IsSorted(c.keys) {
		sort.Sort(byKey{c})
	}
	for i := range c.keys[min(1, len(c.keys)):] {
		if c.keys[i] == c.keys[i+1] {
			return nil, false
		}
	}
	return c, true
}
