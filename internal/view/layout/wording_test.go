package layout

import (
	"testing"
	"time"
)

func TestWording(t *testing.T) {
	t.Parallel()
	tests := []struct{ got, want string }{
		{List(nil), ""},
		{List([]string{"a"}), "a"},
		{List([]string{"a", "b", "c"}), "a, b and c"},
		{Count(1, "image"), "1 image"},
		{Count(0, "image"), "0 images"},
		{Duration(59*time.Second + 900*time.Millisecond), "59s"},
		{Duration(time.Hour + 62*time.Second), "1h1m2s"},
		{Duration(-time.Second), "0s"},
		{Wait(1532 * time.Millisecond), "1.5s"},
		{Wait(72 * time.Second), "1m12s"},
		{Sentence("the state is locked"), "The state is locked"},
		{Sentence("image.logo: no"), "image.logo: no"},
		{Sentence("-target takes an address"), "-target takes an address"},
		{Sentence(""), ""},
		{Quoted("a \"b\"\\\n\x1b\U000E0001é"), `"a \"b\"\\\n\u001b\U000e0001é"`},
		{Harmless("a\x1b[2J\r\nb\tc"), "a\\u001b[2J\nb\tc"},
		{Shorten("abcdef", 4), "abc…"},
		{Shorten("abcd", 4), "abcd"},
	}
	for _, test := range tests {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}

func TestMessage(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][2]string{
		"provider bfl has no key. Set BFL_API_KEY": {"Provider bfl has no key", "Set BFL_API_KEY."},
		"Two words.":                                         {"Two words", ""},
		`"a. B" is not a name. Use -x`:                       {`"a. B" is not a name`, "Use -x."},
		"Nothing to do.\nType:\n\n  fluxbatch plan":          {"Nothing to do", "Type:\n\n  fluxbatch plan"},
		"the file (a. Big one) is gone. image.a needs it.":   {"The file (a. Big one) is gone", "image.a needs it."},
		"a.png is not an image, and e.g. b.png is":           {"a.png is not an image, and e.g. b.png is", ""},
		"One sentence. Another one.\nAnd a third on a line.": {"One sentence", "Another one.\nAnd a third on a line."},
	} {
		if summary, detail := Message(text); summary != want[0] || detail != want[1] {
			t.Errorf("%q is %q and %q, want %q", text, summary, detail, want)
		}
	}
}

func TestMiddle(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		columns int
		want    string
	}{{20, `image.card["winter"]`}, {11, `image…ter"]`}, {2, "i…"}, {1, "…"}} {
		if got := Middle(`image.card["winter"]`, tt.columns); got != tt.want {
			t.Errorf("in %d columns it is %q, want %q", tt.columns, got, tt.want)
		}
	}
}
