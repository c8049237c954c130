package view

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/planner"
)

// everyFree is a plan of what costs nothing.
func everyFree() *planner.Plan {
	return &planner.Plan{Changes: []*planner.Change{updateBanner(), destroyOld()}}
}

func TestDiffWords(t *testing.T) {
	t.Parallel()
	tests := []struct{ before, after, want string }{
		{"", "", ""},
		{"same text", "same text", "same text"},
		{"", "new", "{+new+}"},
		{"old", "", "[-old-]"},
		{"a heron logo", "a kingfisher logo", "a [-heron-]{+kingfisher+} logo"},
		{"soft summer light", "hard winter light", "[-soft summer-]{+hard winter+} light"},
		{"calm mood, no people, no text", "calm mood, no text", "calm mood[-, no people-], no text"},
		{"the old man and the sea", "a young dog or some mice", "[-the old man and the sea-]{+a young dog or some mice+}"},
		{"鷺のロゴ", "鷹のロゴ", "[-鷺-]{+鷹+}のロゴ"},
		{"#0b3d91", "#0b3d92", "[-#0b3d91-]{+#0b3d92+}"},
	}
	for _, test := range tests {
		var got strings.Builder
		for _, e := range diffWords(test.before, test.after) {
			switch e.kind {
			case removed:
				got.WriteString("[-" + e.text + "-]")
			case added:
				got.WriteString("{+" + e.text + "+}")
			case kept:
				got.WriteString(e.text)
			}
		}
		if diff := cmp.Diff(test.want, got.String()); diff != "" {
			t.Errorf("%q to %q (-want +got):\n%s", test.before, test.after, diff)
		}
	}
}

// The parts of a diff are the two texts, whatever they are.
func FuzzDiffWords(f *testing.F) {
	f.Add("a heron logo", "a kingfisher logo")
	f.Add("x\ny  z", "\xff,鷺 z")
	f.Add(heroPrompt, logoPrompt)
	f.Fuzz(func(t *testing.T, before, after string) {
		var left, right strings.Builder
		for _, e := range diffWords(before, after) {
			if e.text == "" {
				t.Error("an edit is empty")
			}
			if e.kind != added {
				left.WriteString(e.text)
			}
			if e.kind != removed {
				right.WriteString(e.text)
			}
		}
		if left.String() != before || right.String() != after {
			t.Errorf("%q to %q: the parts are %q and %q", before, after, left.String(), right.String())
		}
	})
}

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
		{unbroken("one two") + " three", 9, "one two\nthree"},
	}
	for _, test := range tests {
		if diff := cmp.Diff(test.want, wrap(test.text, test.columns)); diff != "" {
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
		text = harmless(text)
		got := wrap(text, min(max(columns, 1), 200))
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

func TestWording(t *testing.T) {
	t.Parallel()
	tests := []struct{ got, want string }{
		{list(nil), ""},
		{list([]string{"a"}), "a"},
		{list([]string{"a", "b", "c"}), "a, b and c"},
		{count(1, "image"), "1 image"},
		{count(0, "image"), "0 images"},
		{duration(59*time.Second + 900*time.Millisecond), "59s"},
		{duration(time.Hour + 62*time.Second), "1h1m2s"},
		{duration(-time.Second), "0s"},
		{wait(1532 * time.Millisecond), "1.5s"},
		{wait(72 * time.Second), "1m12s"},
		{sentence("the state is locked"), "The state is locked"},
		{sentence("image.logo: no"), "image.logo: no"},
		{sentence("-target takes an address"), "-target takes an address"},
		{sentence(""), ""},
		{quoted("a \"b\"\\\n\x1b\U000E0001é"), `"a \"b\"\\\n\u001b\U000e0001é"`},
		{harmless("a\x1b[2J\r\nb\tc"), "a\\u001b[2J\nb\tc"},
		{shorten("abcdef", 4), "abc…"},
		{shorten("abcd", 4), "abcd"},
	}
	for _, test := range tests {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}
