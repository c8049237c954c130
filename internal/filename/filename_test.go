package filename

import (
	"strings"
	"testing"
)

// What is made fit is not refused, and what is fit already stays as it is.
func TestFitIsNotRefused(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"hero": "hero", "größe-1": "größe-1", "a/b": "a_b", "a:b": "a_b", "x.": "x_", "CON": "CON_", "lpt¹": "lpt¹_", "com": "com",
		"a\x00b": "a_b", "..": "_",
	} {
		got := Fit(name)
		if got != want {
			t.Errorf("%q becomes %q, want %q", name, got, want)
		}
		if reason := Refused(got); reason != "" {
			t.Errorf("%q is refused: %s", got, reason)
		}
	}
	one, other := Fit(strings.Repeat("ü", 100)+"a"), Fit(strings.Repeat("ü", 100)+"b")
	if len(one) > Longest || one == other || Refused(one) != "" {
		t.Errorf("long names become %q and %q", one, other)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for _, path := range []string{
		"", "/a.png", "~/a.png", "C:a.png", `a\b.png`, "a/", "../a.png", "a/../../b.png", ".git/a.png", "a/.FluxBatch/b.png", "a?.png",
		"nul.png", "a./b.png", "a\xff.png", strings.Repeat("a", 250) + ".png",
	} {
		if Refused(path) == "" {
			t.Errorf("%q is taken", path)
		}
	}
}
