package layout

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/view/viewtest"
)

// An address can be typed as it is shown.
func TestShownAddressesParse(t *testing.T) {
	t.Parallel()
	for i, r := range viewtest.Unseen() {
		if i%7 != 0 && r > 0xe000 {
			continue
		}
		a := addrs.Image{Module: addrs.Module("").Child("m", addrs.StringKey(string(r))), Name: "a", Key: addrs.StringKey(`\` + string(r) + `"\u202e`)}
		if got, err := addrs.Parse(Visible(a.String())); err != nil || got != a {
			t.Fatalf("%q is shown as %s, which is %q, %v", a, Visible(a.String()), got, err)
		}
	}
}

func TestVisible(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, want string }{
		// What is written with characters of no width.
		{"👩‍👩‍👧‍👦 👩🏽‍🚀 ❤️‍🔥 🏳️‍🌈 ☎️ 1️⃣ ©︎", "👩‍👩‍👧‍👦 👩🏽‍🚀 ❤️‍🔥 🏳️‍🌈 ☎️ 1️⃣ ©︎"},
		{"🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"},
		{"Ame\u0301lie, Việt, ก็, שָׁלוֹם, 鷺, 葛\U000e0100", "Ame\u0301lie, Việt, ก็, שָׁלוֹם, 鷺, 葛\U000e0100"},
		{"می\u200cخواهم क्\u200dष ශ්\u200dරී", "می\u200cخواهم क्\u200dष ශ්\u200dරී"},
		{"10\u00a0MB 全\u3000角", "10\u00a0MB 全\u3000角"},
		// The same where they do nothing.
		{"a\u200db\u200cc a\ufe0f 👩\u200d क\u200dष \u200d👩", `a\u200db\u200cc a\ufe0f 👩\u200d क\u200dष \u200d👩`},
		{"🏴\U000e0068\U000e0069\U000e007f a\U000e0100", `🏴\U000e0068\U000e0069\U000e007f a\U000e0100`},
		{"\u202egnp.\u202c \u2066x\u2069 \u061c \u200e\u200f", `\u202egnp.\u202c \u2066x\u2069 \u061c \u200e\u200f`},
		{"\x1b[31m \u009b1m \x7f \x00 \r", `\u001b[31m \u009b1m \u007f \u0000 \u000d`},
		{"\xff \xc3( \ufffd", `\xff \xc3( ` + "\ufffd"},
		{"\ufeff\u00ad\u034f\u3164\u2028\ue000\ufdd0", `\ufeff\u00ad\u034f\u3164\u2028\ue000\ufdd0`},
		{"a\n\tb", "a\n\tb"},
	} {
		if diff := cmp.Diff(tt.want, Visible(tt.text)); diff != "" {
			t.Errorf("%+q (-want +got):\n%s", tt.text, diff)
		}
	}
}

func FuzzVisible(f *testing.F) {
	f.Add("a\u202eb 👩‍🚀 \xff")
	f.Fuzz(func(t *testing.T, text string) {
		once := Visible(text)
		if twice := Visible(once); twice != once {
			t.Errorf("%q is shown as %q, and that as %q", text, once, twice)
		}
		if !utf8.ValidString(once) {
			t.Errorf("%q is shown as %q", text, once)
		}
		encoded, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		var back string
		if err := json.Unmarshal(VisibleJSON(encoded), &back); err != nil || back != strings.ToValidUTF8(back, "") {
			t.Errorf("%q became %q, %v", text, back, err)
		}
	})
}
