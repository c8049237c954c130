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
