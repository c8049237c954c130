package config

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/diag"
	"github.com/fluxbatch/fluxbatch/internal/lang"
)

// A for_each is most often a list whose elements get keys, as in { for row in
// csvdecode(file("products.csv")) : row.sku => row }. Evaluated as it stands, each row of a hundred
// thousand becomes two maps, an object with a type of its own, and a scope; here the list is gone
// through directly, and the rows of a file stay strings.

// rowsByKey returns the instances of a for_each of the form { for NAME in LIST : NAME.ATTR => NAME
// }. It answers nil for all others, and where the list or a key is anything but plain, or a key is
// there twice: the expression is then evaluated as it stands.
func rowsByKey(expr hcl.Expression, ctx *hcl.EvalContext) (*rows, *hcl.Diagnostic) {
	loop, ok := expr.(*hclsyntax.ForExpr)
	if !ok || loop.KeyVar != "" || loop.CondExpr != nil || loop.Group || loop.KeyExpr == nil {
		return nil, nil
	}
	key, ok1 := steps(loop.KeyExpr, loop.ValVar, 1)
	_, ok2 := steps(loop.ValExpr, loop.ValVar, 0)
	if !ok1 || !ok2 {
		return nil, nil
	}
	rows := listRows(loop.CollExpr, key, ctx)
	if rows == nil {
		return nil, nil
	}
	places := rows.places()
	twice := order(places)
	if len(twice) == 0 {
		rows.put(places)
		return rows, nil
	}
	return nil, duplicateRows(loop, key, rows.table, places, twice)
}

// duplicateRows is about rows with one key: the numbers of those that have the first one that is
// there twice, and of the last row of each other such key.
func duplicateRows(loop *hclsyntax.ForExpr, column string, table *lang.Table, places []place, twice [][2]int) *hcl.Diagnostic {
	first := slices.MinFunc(twice, func(a, b [2]int) int { return cmp.Compare(a[1], b[1]) })
	key := places[slices.IndexFunc(places, func(p place) bool { return p.row == first[0] })].key
	describe := func(i int) string {
		text := fmt.Sprintf("row %d", i+1)
		if table != nil {
			line := []rune(strings.Join(table.Row(i), ","))
			if len(line) > maxShownRow {
				line = append(line[:maxShownRow], '…')
			}
			text += fmt.Sprintf(" (%s)", string(line))
		}
		return text
	}
	detail := fmt.Sprintf("Two rows have the %s %q: %s and %s, counted from 1 without a header.", column, key, describe(first[0]), describe(first[1]))
	if more := len(twice) - 1; more > 0 {
		detail += fmt.Sprintf(" So it is with %d more.", more)
	}
	return diag.Problem(loop.KeyExpr.Range(), "Duplicate object key", "%s Each instance needs its own key. Give one of them another key, remove it, or use a column without duplicates.", detail)
}

// maxShownRow is how many characters of a row are shown.
const maxShownRow = 60

// order sorts rows by their keys, and those with the same key by their numbers. It returns the
// numbers of those, in pairs, that have the same key as another one before them.
func order(places []place) (twice [][2]int) {
	// Keys mostly begin alike and go on for a few bytes. What follows the beginning is compared as a
	// number, which a hundred thousand of them are sorted by in half of the time.
	same := commonPrefix(places)
	for i := range places {
		var head [8]byte
		copy(head[:], places[i].key[same:])
		places[i].head = binary.BigEndian.Uint64(head[:])
	}
	slices.SortFunc(places, func(a, b place) int {
		if a.head != b.head {
			return cmp.Compare(a.head, b.head)
		}
		return cmp.Or(strings.Compare(a.key, b.key), cmp.Compare(a.row, b.row))
	})
	for i, p := range places {
		if i > 0 && places[i-1].key == p.key {
			twice = append(twice, [2]int{places[i-1].row, p.row})
		}
	}
	return twice
}

// commonPrefix returns with how many bytes all keys begin alike.
func commonPrefix(places []place) int {
	if len(places) == 0 {
		return 0
	}
	same := places[0].key
	for _, p := range places[1:] {
		n := 0
		for n < min(len(same), len(p.key)) && same[n] == p.key[n] {
			n++
		}
		same = same[:n]
	}
	return len(same)
}

// steps reports whether an expression is the variable called name with n attribute names after it,
// and returns the last of these.
func steps(expr hclsyntax.Expression, name string, n int) (last string, ok bool) {
	scope, ok := expr.(*hclsyntax.ScopeTraversalExpr)
	if !ok || len(scope.Traversal) != n+1 || scope.Traversal.RootName() != name {
		return "", false
	}
	if n == 0 {
		return "", true
	}
	step, ok := scope.Traversal[n].(hcl.TraverseAttr)
	return step.Name, ok
}

// listRows returns the elements of a list with their keys, nil where anything about them is not
// plain.
func listRows(list hclsyntax.Expression, key string, ctx *hcl.EvalContext) *rows {
	if t := tableOf(list, ctx); t != nil {
		column := slices.Index(t.Header, key)
		if column < 0 {
			return nil
		}
		return &rows{table: t, column: column}
	}
	v, diags := list.Value(ctx)
	if len(diags) > 0 || !lang.IsPlain(v) || !v.Type().IsListType() && !v.Type().IsTupleType() {
		return nil
	}
	r := &rows{keys: make([]string, 0, v.LengthInt()), values: make([]cty.Value, 0, v.LengthInt())}
	for it := v.ElementIterator(); it.Next(); {
		_, element := it.Element()
		of, ok := lang.PlainAttr(element, key)
		text, isText := "", false
		if ok {
			text, isText = lang.PlainText(of)
		}
		if !isText {
			return nil
		}
		r.add(text, element)
	}
	return r
}

// tableOf returns the table that a call of csvdecode decodes, nil for all other expressions.
func tableOf(expr hclsyntax.Expression, ctx *hcl.EvalContext) *lang.Table {
	call, ok := expr.(*hclsyntax.FunctionCallExpr)
	if !ok || call.Name != "csvdecode" || len(call.Args) != 1 || call.ExpandFinal {
		return nil
	}
	v, diags := call.Args[0].Value(ctx)
	if len(diags) > 0 {
		return nil
	}
	text, ok := lang.PlainText(v)
	if !ok {
		return nil
	}
	return lang.ReadTable(text)
}
