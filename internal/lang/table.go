package lang

import (
	"encoding/csv"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/fluxbatch/fluxbatch/internal/diag"
)

// Table is the content of a CSV file. Its rows stay text, where csvdecode makes an object of each:
// of a million rows, each field is no more than where it ends.
type Table struct {
	Header []string
	text   string
	// bounds are of each row, without the header, where it begins and where its fields end. Each but
	// the first begins one byte after the end of the one before.
	bounds []uint32
}

// ReadTable reads what csvdecode decodes. It answers nil where csvdecode would find something
// wrong.
func ReadTable(text string) *Table {
	if len(text) > math.MaxUint32 {
		return nil
	}
	bounds, width, ok := unquoted(text)
	if !ok {
		records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil {
			return nil
		}
		text, bounds, width = joined(records)
	}
	if width == 0 {
		return nil
	}
	t := &Table{text: text, bounds: bounds, Header: make([]string, width)}
	for i := range t.Header {
		t.Header[i] = Normal(t.Field(0, i))
		if slices.Contains(t.Header[:i], t.Header[i]) {
			return nil
		}
	}
	t.bounds = bounds[width+1:]
	return t
}

// joined returns records that all have the same number of fields as one text, and their bounds.
func joined(records [][]string) (text string, bounds []uint32, width int) {
	var all strings.Builder
	for _, record := range records {
		width = len(record)
		bounds = append(bounds, uint32(all.Len())) //nolint:gosec // It is no longer than the file.
		for _, field := range record {
			all.WriteString(field)
			bounds = append(bounds, uint32(all.Len())) //nolint:gosec // It is no longer than the file.
			all.WriteByte(',')
		}
	}
	return all.String(), bounds, width
}

// unquoted reads a text without quotes as encoding/csv does: its fields are parts of the text, of
// which it returns the bounds. It answers false for a text with quotes, and for one that is no
// table. The width is 0 where there is no row.
func unquoted(text string) (bounds []uint32, width int, ok bool) {
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
			bounds = make([]uint32, 0, strings.Count(text, ",")+2*(strings.Count(text, "\n")+1))
		}
		bounds = append(bounds, uint32(start)) //nolint:gosec // ReadTable has looked at the length.
		before := len(bounds)
		for more := true; more && len(bounds)-before <= width; {
			var field string
			field, line, more = strings.Cut(line, ",")
			bounds = append(bounds, uint32(start+len(field))) //nolint:gosec // ReadTable has looked at the length.
			start += len(field) + 1
		}
		if len(bounds)-before != width {
			return nil, 0, false
		}
	}
	return bounds, width, true
}

// Len returns the number of rows.
func (t *Table) Len() int { return len(t.bounds) / (len(t.Header) + 1) }

// Row returns the fields of a row.
func (t *Table) Row(row int) []string {
	fields := make([]string, len(t.Header))
	for i := range fields {
		fields[i] = t.Field(row, i)
	}
	return fields
}

// IsBlank reports whether there is nothing in a row but blanks.
func (t *Table) IsBlank(row int) bool {
	for i := range t.Header {
		if strings.TrimSpace(t.Field(row, i)) != "" {
			return false
		}
	}
	return true
}

// Field returns the field of a row in a column, by its number, as the file has it.
func (t *Table) Field(row, column int) string {
	row *= len(t.Header) + 1
	start, end := t.bounds[row+column], t.bounds[row+column+1]
	if column > 0 {
		start++
	}
	return t.text[start:end]
}

// Cell returns the field of a row in the column called name as the file has it, and whether there
// is such a column.
func (t *Table) Cell(row int, name string) (string, bool) {
	i := slices.Index(t.Header, name)
	if i < 0 {
		return "", false
	}
	return t.Field(row, i), true
}

// Object returns a row as csvdecode does.
func (t *Table) Object(row int) cty.Value {
	attrs := make(map[string]cty.Value, len(t.Header))
	for i, name := range t.Header {
		attrs[name] = cty.StringVal(t.Field(row, i))
	}
	return cty.ObjectVal(attrs)
}

// Normal returns a text in the form that all strings of the language have.
func Normal(text string) string {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return cty.StringVal(text).AsString()
		}
	}
	return text // Letters of ASCII have one form.
}

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
