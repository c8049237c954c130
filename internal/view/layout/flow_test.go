package layout

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestWrap(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text    string
		columns int
		want    string
	}{
		{"", 10, ""},
		{"one two three", 20, "one two three"},
		{"one two three", 8, "one two\nthree"},
		{"one  two", 20, "one  two"},
		{"one averyveryverylongword two", 10, "one\naveryveryverylongword\ntwo"},
		{"a\n\nb\n", 10, "a\n\nb"},
		{"Type:\n    fluxbatch apply -target image.logo", 20, "Type:\n    fluxbatch apply\n    -target\n    image.logo"},
		{"鷺鷺鷺鷺 鷺鷺", 6, "鷺鷺鷺\n鷺 鷺\n鷺"},
		{"10\u00a0MB at C:\\my\u202fart", 6, "10\u00a0MB\nat\nC:\\my\u202fart"},
		{Unbroken("one two") + " three", 9, "one two\nthree"},
	}
	for _, test := range tests {
		if diff := cmp.Diff(test.want, Wrap(test.text, test.columns)); diff != "" {
			t.Errorf("%q at %d (-want +got):\n%s", test.text, test.columns, diff)
		}
	}
}

// Wrapping changes nothing but space.
func FuzzWrap(f *testing.F) {
	f.Add("one two\n  three\t四五", 7)
	f.Add("\n\n", 1)
	f.Add("\u00a0", 7)
	f.Add("The lock was taken by another run.", 12)
	f.Fuzz(func(t *testing.T, text string, columns int) {
		if !utf8.ValidString(text) {
			t.Skip()
		}
		text = Harmless(text)
		got := Wrap(text, min(max(columns, 1), 200))
		bare := func(s string) string {
			return strings.NewReplacer(" ", "", "\t", "", "\n", "").Replace(s)
		}
		if bare(got) != bare(text) {
			t.Errorf("%q became %q", text, got)
		}
		if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) || strings.HasPrefix(text, " ") {
			return // Only of plain text on one line is it simple to say which lines could be shorter.
		}
		for line := range strings.Lines(got) {
			line = strings.TrimSuffix(line, "\n")
			if len(line) > min(max(columns, 1), 200) && strings.Contains(line, " ") {
				t.Errorf("%q at %d has the line %q", text, columns, line)
			}
		}
	})
}
