package layout

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/view/viewtest"
)

func BenchmarkDiffWords(b *testing.B) {
	before, after := "", ""
	for i := range 300 {
		before += fmt.Sprintf("word%d and ", i)
		after += fmt.Sprintf("word%d or ", i+i%7)
	}
	b.ReportAllocs()
	for b.Loop() {
		DiffWords(before, after)
	}
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
		for _, e := range DiffWords(test.before, test.after) {
			switch e.Kind {
			case Removed:
				got.WriteString("[-" + e.Text + "-]")
			case Added:
				got.WriteString("{+" + e.Text + "+}")
			case Kept:
				got.WriteString(e.Text)
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
	f.Add(viewtest.HeroPrompt, viewtest.LogoPrompt)
	f.Fuzz(func(t *testing.T, before, after string) {
		var left, right strings.Builder
		for _, e := range DiffWords(before, after) {
			if e.Text == "" {
				t.Error("an edit is empty")
			}
			if e.Kind != Added {
				left.WriteString(e.Text)
			}
			if e.Kind != Removed {
				right.WriteString(e.Text)
			}
		}
		if left.String() != before || right.String() != after {
			t.Errorf("%q to %q: the parts are %q and %q", before, after, left.String(), right.String())
		}
	})
}
