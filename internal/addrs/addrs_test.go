package addrs

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text string
		want Image
	}{
		{"image.logo", Image{Name: "logo"}},
		{"image.card[0]", Image{Name: "card", Key: IntKey(0)}},
		{"image.card[12]", Image{Name: "card", Key: IntKey(12)}},
		{`image.card["a b"]`, Image{Name: "card", Key: StringKey("a b")}},
		{`image.card["a\"]\\ $${x} %%{y} \n \u00e9"]`, Image{Name: "card", Key: StringKey("a\"]\\ ${x} %{y} \n é")}},
		{`image.card[""]`, Image{Name: "card", Key: StringKey("")}},
		{"image.logo.candidate[3]", Image{Name: "logo", Candidate: 3}},
		{`module.brand["eu"].image.card["a"].candidate[12]`, Image{Module: `module.brand["eu"]`, Name: "card", Key: StringKey("a"), Candidate: 12}},
		{"module.brand.image.logo", Image{Module: "module.brand", Name: "logo"}},
		{
			`module.brand["eu"].module.icons[1].image.x["k"]`,
			Image{Module: `module.brand["eu"].module.icons[1]`, Name: "x", Key: StringKey("k")},
		},
	}
	for _, tt := range tests {
		got, err := Parse(tt.text)
		if err != nil {
			t.Errorf("Parse(%q): %v", tt.text, err)
			continue
		}
		if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(Key{})); diff != "" {
			t.Errorf("Parse(%q) (-want +got):\n%s", tt.text, diff)
		}
		again, err := Parse(got.String())
		if err != nil || again != got {
			t.Errorf("Parse(%q) = %v, %v, want the same address again", got.String(), again, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, want string }{
		{"", "an address looks like"},
		{"logo", "an address looks like"},
		{"image.", "name is missing"},
		{"image.9", "name is missing"},
		{"image.logo.path", "only an instance key"},
		{"image.card[x]", "single quotes"},
		{"image.card[-1]", "single quotes"},
		{"image.card[01]", "single quotes"},
		{`image.card["x"`, "closing bracket"},
		{`image.card["x`, "closing quote"},
		{`image.card["${x}"]`, "template"},
		{`image.card["\q"]`, "unknown escape"},
		{`image.card["\ud800"]`, `bad \u escape`},
		{"image.card[\"\xff\"]", "valid UTF-8"},
		{"module.brand", "continues with"},
		{"module.brand[0]", "continues with"},
	}
	for _, tt := range tests {
		_, err := Parse(tt.text)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Parse(%q) = %v, want an error with %q", tt.text, err, tt.want)
		}
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	want := []string{
		"image.a", "image.b", "image.b[2]", "image.b[10]", `image.b["1"]`, `image.b["k"]`, "image.c", "module.a.image.a",
	}
	var addresses []Image
	for _, s := range want {
		addr, err := Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		addresses = append(addresses, addr)
	}
	slices.Reverse(addresses)
	slices.SortFunc(addresses, Image.Compare)
	var got []string
	for _, a := range addresses {
		got = append(got, a.String())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"image.a", `image.a["\u00e9"]`, "module.m[0].image.a[1]", `image.a["$${"]`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		addr, err := Parse(s)
		if err != nil {
			return
		}
		again, err := Parse(addr.String())
		if err != nil || again != addr {
			t.Errorf("Parse(%q).String() = %q, which reads as %v, %v", s, addr, again, err)
		}
	})
}
