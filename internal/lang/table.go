package lang

import (
	"encoding/csv"
	"fmt"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/fluxbatch/fluxbatch/internal/diag"
)

// Table is the content of a CSV file. Its rows stay strings, where csvdecode makes an object of
// each.
type Table struct {
	Header []string
	Rows   [][]string
}

// ReadTable reads what csvdecode decodes. It answers nil where csvdecode would find something
// wrong.
func ReadTable(text string) *Table {
	records, ok := unquoted(text)
	if !ok {
		var err error
		if records, err = csv.NewReader(strings.NewReader(text)).ReadAll(); err != nil {
			return nil
		}
	}
	if len(records) == 0 {
		return nil
	}
	t := &Table{Header: records[0], Rows: records[1:]}
	for i, name := range t.Header {
		t.Header[i] = Normal(name)
		if slices.Contains(t.Header[:i], t.Header[i]) {
			return nil
		}
	}
	return t
}

// unquoted reads a text without quotes as encoding/csv does: its fields are pieces of the text, and
// are not copied. It answers false for a text with quotes, and for one that is no table.
func unquoted(text string) (records [][]string, ok bool) {
	if strings.Contains(text, `"`) {
		return nil, false
	}
	lines := strings.Count(text, "\n") + 1
	var fields []string
	width := 0
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if line == "" {
			continue
		}
		if width == 0 {
			width = strings.Count(line, ",") + 1
			records, fields = make([][]string, 0, lines), make([]string, 0, strings.Count(text, ",")+lines)
		}
		start := len(fields)
		for more := true; more && len(fields)-start <= width; {
			var field string
			field, line, more = strings.Cut(line, ",")
			fields = append(fields, field)
		}
		if len(fields)-start != width {
			return nil, false
		}
		records = append(records, fields[start:len(fields):len(fields)])
	}
	return records, true
}

// Cell returns the field of a row in the column called name as the file has it, and whether there
// is such a column.
func (t *Table) Cell(row int, name string) (string, bool) {
	i := slices.Index(t.Header, name)
	if i < 0 {
		return "", false
	}
	return t.Rows[row][i], true
}

// Object returns a row as csvdecode does.
func (t *Table) Object(row int) cty.Value {
	attrs := make(map[string]cty.Value, len(t.Header))
	for i, name := range t.Header {
		attrs[name] = cty.StringVal(t.Rows[row][i])
	}
	return cty.ObjectVal(attrs)
}

// Normal returns a text in the form that all strings of the language have.
func Normal(text string) string { return cty.StringVal(text).AsString() }

// separators are those of tables that are called CSV and are not, by their names.
var separators = []struct{ text, name, expr string }{
	{";", "semicolons", `";"`}, {"\t", "tabs", `"\t"`}, {"|", "bars", `"|"`},
}

// lookAtCSV says so where a text given to csvdecode has other separators: with commas it has a
// single column with a strange name.
func lookAtCSV(args []cty.Value, _ cty.Value, err error) error {
	if text, ok := PlainText(args[0]); ok {
		if reason := otherSeparator(text, err != nil); reason != "" {
			return function.NewArgErrorf(0, "%s", reason)
		}
	}
	return err
}

// otherSeparator says which separator a text has in the place of commas, "" where it has commas or
// but one column. failed says that it was found to be no table.
func otherSeparator(text string, failed bool) string {
	header, _, _ := strings.Cut(strings.TrimLeft(text, "\r\n"), "\n")
	header = strings.TrimRight(header, "\r")
	for _, s := range separators {
		n := strings.Count(header, s.text)
		if n == 0 || strings.Contains(header, ",") && (!failed || n <= strings.Count(header, ",")) {
			continue
		}
		columns := strings.Split(header, s.text)
		for i, column := range columns {
			columns[i] = strings.Trim(strings.TrimSpace(column), `"`)
		}
		return fmt.Sprintf("columns are separated by commas, and this text has %s: its columns seem to be %s. Save it with commas, or, where no field has one, "+
			"write csvdecode(replace(TEXT, %s, \",\"))", s.name, diag.QuotedList(columns, "and"), s.expr)
	}
	return ""
}
