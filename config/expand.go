package config

import (
	"cmp"
	"fmt"
	"iter"
	"math/big"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/lang"
)

// maxInstances bounds what one block can ask for, so that a slip in a count does not fill the
// memory. It is far more than an account could make.
const maxInstances = 10_000_000

// each is what tells one instance of a block from the others. The zero value is that of a block's
// only instance.
type each struct {
	key addrs.Key
	// value is each.value. It is cty.NilVal for a row of a table.
	value cty.Value
	table *lang.Table
	row   int
}

func (x each) isSet() bool { return !x.key.IsNone() }

// whole returns each.value.
func (x each) whole() cty.Value {
	if x.table != nil {
		return x.table.Object(x.row)
	}
	return x.value
}

// attr returns each.value.NAME where that is a plain string or number.
func (x each) attr(name string) (cty.Value, bool) {
	if x.table != nil {
		text, ok := x.table.Cell(x.row, name)
		return cty.StringVal(text), ok
	}
	v, ok := lang.PlainAttr(x.value, name)
	return v, ok && v.Type().IsPrimitiveType()
}

// context returns a child context in which each, or count, exists.
func (x each) context(parent *hcl.EvalContext) *hcl.EvalContext {
	ctx := parent.NewChild()
	ctx.Variables = make(map[string]cty.Value, 2)
	x.define(ctx)
	return ctx
}

// define sets each, or count, in a context.
func (x each) define(ctx *hcl.EvalContext) {
	if n, ok := x.key.Int(); ok {
		ctx.Variables["count"] = cty.ObjectVal(map[string]cty.Value{"index": cty.NumberIntVal(int64(n))})
		return
	}
	if key, ok := x.key.Text(); ok {
		ctx.Variables["each"] = cty.ObjectVal(map[string]cty.Value{"key": cty.StringVal(key), "value": x.whole()})
	}
}

// rows are the instances of a for_each: elements of a list of values, or rows of a table. Of a million
// rows, each is a number.
type rows struct {
	// numbers are those of the elements or rows, in the order of their keys.
	numbers []uint32
	// keys and values are those of elements, by their numbers.
	keys   []string
	values []cty.Value
	// column has the keys of a table.
	table  *lang.Table
	column int
}

// place is a key, and the number of the element or row that has it.
type place struct {
	key string
	row int
	// head is for order.
	head uint64
}

// put keeps the order of sorted places.
func (r *rows) put(places []place) {
	r.numbers = make([]uint32, len(places))
	for i, p := range places {
		r.numbers[i] = uint32(p.row) //nolint:gosec // Nobody has four billion rows.
	}
}

// key returns the key of the instance at a place in the order of keys.
func (r *rows) key(i int) string {
	if r.table == nil {
		return r.keys[r.numbers[i]]
	}
	return lang.Normal(r.table.Field(int(r.numbers[i]), r.column))
}

func (r *rows) at(i int) each {
	x := each{key: addrs.StringKey(r.key(i)), table: r.table, row: int(r.numbers[i])}
	if r.table == nil {
		x.value = r.values[x.row]
	}
	return x
}

// expansion is the outcome of a for_each or count.
type expansion struct {
	repeat repeat
	count  int
	// rows are the instances of a for_each.
	rows *rows
	// from are the images that which instances there are comes from.
	from []addrs.Image
}

// len returns the number of instances.
func (x *expansion) len() int {
	switch {
	case x.repeat.forEach != nil:
		return len(x.rows.numbers)
	case x.repeat.count != nil:
		return x.count
	default:
		return 1
	}
}

// all goes through the instances in the order of their keys.
func (x *expansion) all() iter.Seq[each] {
	return func(yield func(each) bool) {
		for i := range x.len() {
			if !yield(x.at(i)) {
				return
			}
		}
	}
}

// find returns the place of the instance with a key in the order of keys.
func (x *expansion) find(key addrs.Key) (int, bool) {
	switch {
	case x.repeat.forEach != nil:
		text, isText := key.Text()
		at, found := sort.Find(len(x.rows.numbers), func(i int) int { return strings.Compare(text, x.rows.key(i)) })
		return at, isText && found
	case x.repeat.count != nil:
		n, ok := key.Int()
		return n, ok && n < x.count
	default:
		return 0, key.IsNone()
	}
}

// at returns the instance at a place in the order of keys.
func (x *expansion) at(i int) each {
	switch {
	case x.repeat.forEach != nil:
		return x.rows.at(i)
	case x.repeat.count != nil:
		return each{key: addrs.IntKey(i)}
	default:
		return each{}
	}
}

// get returns the instance with a key.
func (x *expansion) get(key addrs.Key) (each, bool) {
	i, ok := x.find(key)
	if !ok {
		return each{}, false
	}
	return x.at(i), true
}

// expand evaluates for_each or count. It answers false where the instances cannot be told, which it
// reports.
func (e *evaluator) expand(n *node, r repeat, ctx *hcl.EvalContext) (*expansion, bool) {
	switch {
	case r.forEach != nil:
		return e.expandForEach(n, r, ctx)
	case r.count != nil:
		return e.expandCount(n, r, ctx)
	default:
		return &expansion{}, true
	}
}

func (e *evaluator) expandForEach(n *node, r repeat, ctx *hcl.EvalContext) (*expansion, bool) {
	var rows *rows
	var twice *hcl.Diagnostic
	if !e.opts.general {
		rows, twice = rowsByKey(r.forEach, ctx)
	}
	switch {
	case twice != nil:
		e.fail(n, twice)
		return nil, false
	case rows != nil && len(rows.numbers) <= e.maxInstances():
		return &expansion{repeat: r, rows: rows}, true
	}
	raw, ok := e.value(n, r.forEach, ctx)
	if !ok {
		return nil, false
	}
	v, marks := raw.Unmark()
	reason, late := e.notForEach(v, marks)
	switch {
	case reason == "":
		from := unmark(cty.NullVal(cty.String).WithMarks(marks)).from
		return &expansion{repeat: r, rows: rowsOf(v), from: from}, true
	case late && n.tainted:
		return nil, false // It is unknown because of what was reported.
	}
	e.fail(n, diag.About(diag.Problem(r.forEach.Range(), "Invalid for_each argument", "%s", reason), r.forEach, ctx))
	return nil, false
}

// rowsOf returns the instances of a collection.
func rowsOf(v cty.Value) *rows {
	n := v.LengthInt()
	r := &rows{keys: make([]string, 0, n), values: make([]cty.Value, 0, n)}
	isSet := v.Type().IsSetType()
	for it := v.ElementIterator(); it.Next(); {
		key, value := it.Element()
		if isSet {
			key = value
		}
		r.add(key.AsString(), value)
	}
	places := r.places()
	order(places)
	r.put(places)
	return r
}

// add adds an element of a list of values.
func (r *rows) add(key string, value cty.Value) {
	r.keys, r.values = append(r.keys, key), append(r.values, value)
}

// places returns the keys of all elements or rows.
func (r *rows) places() []place {
	if r.table == nil {
		places := make([]place, len(r.keys))
		for i, key := range r.keys {
			places[i] = place{key: key, row: i}
		}
		return places
	}
	places := make([]place, r.table.Len())
	for i := range places {
		places[i] = place{key: lang.Normal(r.table.Field(i, r.column)), row: i}
	}
	return places
}

// notForEach says why a value cannot be that of for_each, "" where it can. It tells whether that is
// because the value is not known yet.
func (e *evaluator) notForEach(v cty.Value, marks cty.ValueMarks) (reason string, late bool) {
	ty := v.Type()
	switch {
	case marks.Has(lang.Sensitive):
		return "for_each comes from a sensitive value, but every plan shows the keys of instances. Use nonsensitive(...) if everybody may see them.", false
	case v.IsNull():
		return "for_each is null. Use an empty map, {}, for no instances.", false
	case ty == cty.DynamicPseudoType, !v.IsKnown():
		return "Which instances there are depends on values that are known only after apply. The keys of for_each must be known before. Put what is known later into the values.", true
	case ty.IsTupleType() || ty.IsListType():
		return "for_each takes a map or a set of strings, but this is a list. Write toset(...) around a list of strings. Make a map of a list of objects, as in { for row in list : row.name => row }.", false
	case isWholeImage(ty):
		return "for_each takes a map or a set of strings, but this is one image, whose attributes would each get an instance. Leave " +
			"for_each out and name the image where it is used, or make a map of images, as in { logo = image.logo }.", false
	case ty.IsSetType():
		if reason, late = notKeys(v); reason != "" {
			return reason, late
		}
	case !ty.IsObjectType() && !ty.IsMapType():
		return fmt.Sprintf("for_each takes a map or a set of strings, but this is %s.", withArticle(ty.FriendlyName())), false
	}
	if v.LengthInt() > e.maxInstances() {
		return fmt.Sprintf("for_each asks for %d instances, but there can be at most %d.", v.LengthInt(), e.maxInstances()), false
	}
	return "", false
}

// notKeys says why the elements of a set cannot be the keys of instances.
func notKeys(set cty.Value) (reason string, late bool) {
	if !set.IsWhollyKnown() {
		return "The set has elements that are known only after apply. The keys of for_each must be known before.", true
	}
	if ty := set.Type().ElementType(); set.LengthInt() > 0 && !ty.Equals(cty.String) {
		return fmt.Sprintf("for_each takes a set of strings, but this is a set of %s. Make a map of it, with a key "+
			"for each instance.",
			ty.FriendlyName()), false
	}
	for _, element := range set.Elements() {
		if element.IsNull() {
			return "The set has an element that is null. The elements are the keys of instances.", false
		}
	}
	return "", false
}

func (e *evaluator) expandCount(n *node, r repeat, ctx *hcl.EvalContext) (*expansion, bool) {
	raw, ok := e.value(n, r.count, ctx)
	if !ok {
		return nil, false
	}
	wrong := func(format string, args ...any) (*expansion, bool) {
		e.fail(n, diag.About(diag.Problem(r.count.Range(), "Invalid count argument", format, args...), r.count, ctx))
		return nil, false
	}
	u := unmark(raw)
	v, err := convert.Convert(u.value, cty.Number)
	switch {
	case u.sensitive:
		return wrong("count comes from a sensitive value, but every plan shows the number of instances. Use nonsensitive(...) if everybody may see it.")
	case v.IsNull() && err == nil:
		return wrong("count is null. Use 0 for no instances.")
	case err != nil:
		return wrong("count must be a whole number, but this is %s.", withArticle(u.value.Type().FriendlyName()))
	case !v.IsKnown():
		if n.tainted {
			return nil, false
		}
		return wrong("How many instances there are depends on values that are known only after apply. It must be " +
			"known before.")
	}
	count, accuracy := v.AsBigFloat().Int64()
	if accuracy != big.Exact || count < 0 || count > int64(e.maxInstances()) {
		return wrong("count must be a whole number from 0 to %d, but this is %s.",
			e.maxInstances(), v.AsBigFloat().Text('f', -1))
	}
	return &expansion{repeat: r, count: int(count), from: u.from}, true
}

func (e *evaluator) maxInstances() int { return cmp.Or(e.opts.limit, maxInstances) }

func withArticle(noun string) string {
	switch noun[0] {
	case 'a', 'e', 'i', 'o', 'u':
		return "an " + noun
	}
	return "a " + noun
}
