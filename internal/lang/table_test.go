package lang

import (
	"testing"

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
