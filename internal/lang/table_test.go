package lang

import (
	"encoding/csv"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/zclconf/go-cty/cty"
)

// TestTableCells tells that a table's cells are those of csvdecode's objects.
func TestTableCells(t *testing.T) {
	t.Parallel()
	table := ReadTable("a,b\n1,u\u0308\n")
	for i, name := range table.Header {
		text, ok := table.Cell(0, name)
		if want := table.Object(0).GetAttr(name); !ok || !want.RawEquals(cty.StringVal(text)) {
			t.Errorf("cell %d is %q, and in the object %#v", i, text, want)
		}
	}
	if _, ok := table.Cell(0, "c"); ok {
		t.Error("there is a cell of a column that does not exist")
	}
}

// TestQuoted tells that a table with quotes has the fields that encoding/csv reads.
func TestQuoted(t *testing.T) {
	t.Parallel()
	table := ReadTable("a,b\n\"x, \"\"y\"\"\",1\n\n\" \",\n")
	got := [][]string{table.Header, table.Row(0), table.Row(1)}
	if diff := cmp.Diff([][]string{{"a", "b"}, {`x, "y"`, "1"}, {" ", ""}}, got); diff != "" || table.Len() != 2 || !table.IsBlank(1) || table.IsBlank(0) {
		t.Errorf("%d rows (-want +got):\n%s", table.Len(), diff)
	}
}

// TestUnquoted tells that texts without quotes are read as encoding/csv reads them.
func TestUnquoted(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	pieces := []string{"a", "bc", ",", ",", "\n", "\n", "\r\n", "\r", " ", "ü", "\xff", "#"}
	read := 0
	for range 20_000 {
		var text strings.Builder
		for range r.IntN(14) {
			text.WriteString(pieces[r.IntN(len(pieces))])
		}
		want, err := csv.NewReader(strings.NewReader(text.String())).ReadAll()
		bounds, width, ok := unquoted(text.String())
		var got [][]string
		if width > 0 {
			table := &Table{Header: make([]string, width), text: text.String(), bounds: bounds}
			for i := range table.Len() {
				got = append(got, table.Row(i))
			}
		}
		if ok != (err == nil) {
			t.Fatalf("%q is a table: %v, but encoding/csv says %v", text.String(), ok, err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); ok && diff != "" {
			t.Fatalf("%q (-want +got):\n%s", text.String(), diff)
		}
		if ok && len(got) > 1 {
			read++
		}
	}
	if read < 1000 {
		t.Errorf("only %d tables have rows", read)
	}
}
