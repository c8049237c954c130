package lang

import (
	"encoding/csv"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/fluxbatch/fluxbatch/internal/diag"
)

// Table is the content of a CSV file. Its rows stay text, where csvdecode makes an object of each:
// of a million rows, each field is no more than where it stands.
type Table struct {
	Header []string
	text   string
	fields []span // of all rows, without the header
}

// span is a part of a text.
type span struct{ start, end uint32 }

// ReadTable reads what csvdecode decodes. It answers nil where csvdecode would find something
// wrong.
func ReadTable(text string) *Table {
	if len(text) > math.MaxUint32 {
		return nil
	}
	fields, width, ok := unquoted(text)
	if !ok {
		records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil {
			return nil
		}
		text, fields, width = joined(records)
	}
	if width == 0 {
		return nil
	}
	t := &Table{text: text, fields: fields[width:], Header: make([]string, width)}
	for i, field := range fields[:width] {
		t.Header[i] = Normal(text[field.start:field.end])
		if slices.Contains(t.Header[:i], t.Header[i]) {
			return nil
		}
	}
	return t
}

// joined returns the fields of records that all have the same number of them.
func joined(records [][]string) (text string, fields []span, width int) {
	var all strings.Builder
	for _, record := range records {
		width = len(record)
		for _, field := range record {
			start := all.Len()
			all.WriteString(field)
			fields = append(fields, span{uint32(start), uint32(all.Len())}) //nolint:gosec // It is no longer than the file.
		}
	}
	return all.String(), fields, width
}

// unquoted reads a text without quotes as encoding/csv does: its fields are parts of the text. It
// answers false for a text with quotes, and for one that is no table. The width is 0 where there is
// no row.
func unquoted(text string) (fields []span, width int, ok bool) {
	if strings.Contains(text, `"`) {
		return nil, 0, false
	}
	next := 0
	for line := range strings.Lines(text) {
		start := next
		next += len(line)
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if line == "" {
			continue
		}
		if width == 0 {
			width = strings.Count(line, ",") + 1
			fields = make([]span, 0, strings.Count(text, ",")+strings.Count(text, "\n")+1)
		}
		before := len(fields)
		for more := true; more && len(fields)-before <= width; {
			var field string
			field, line, more = strings.Cut(line, ",")
			fields = append(fields, span{uint32(start), uint32(start + len(field))}) //nolint:gosec // ReadTable has looked at the length.
			start += len(field) + 1
		}
		if len(fields)-before != width {
			return nil, 0, false
		}
	}
	return fields, width, true
}

// Len returns the number of rows.
func (t *Table) Len() int { return len(t.fields) / len(t.Header) }

// Row returns the fields of a row.
func (t *Table) Row(row int) []string {
	fields := make([]string, len(t.Header))
	for i := range fields {
		fields[i] = t.field(row, i)
	}
	return fields
}

// IsBlank reports whether there is nothing in a row but blanks.
func (t *Table) IsBlank(row int) bool {
	for i := range t.Header {
		if strings.TrimSpace(t.field(row, i)) != "" {
			return false
		}
	}
	return true
}

func (t *Table) field(row, column int) string {
	at := t.fields[row*len(t.Header)+column]
	return t.text[at.start:at.end]
}

// Cell returns the field of a row in the column called name as the file has it, and whether there
// is such a column.
func (t *Table) Cell(row int, name string) (string, bool) {
	i := slices.Index(t.Header, name)
	if i < 0 {
		return "", false
	}
	return t.field(row, i), true
}

// Object returns a row as csvdecode does.
func (t *Table) Object(row int) cty.Value {
	attrs := make(map[string]cty.Value, len(t.Header))
	for i, name := range t.Header {
		attrs[name] = cty.StringVal(t.field(row, i))
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
