package cli

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
)

func TestParseEndpoint(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text string
		want addrs.Endpoint
	}{
		{"image.logo", addrs.Endpoint{Name: "logo"}},
		{"image.card[2]", addrs.Endpoint{Name: "card", Key: addrs.IntKey(2)}},
		{`module.a["x"].module.b.image.card["y.z]"]`, addrs.Endpoint{Parent: `module.a["x"].module.b`, Name: "card", Key: addrs.StringKey("y.z]")}},
		{"module.a", addrs.Endpoint{IsModule: true, Name: "a"}},
		{`module.a["x"].module.b[0]`, addrs.Endpoint{Parent: `module.a["x"]`, IsModule: true, Name: "b", Key: addrs.IntKey(0)}},
		{`module.image`, addrs.Endpoint{IsModule: true, Name: "image"}},
	}
	for _, test := range tests {
		got, err := parseEndpoint(test.text)
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
		}
		if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(addrs.Key{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.text, diff)
		}
	}
	for _, text := range []string{
		"", "logo", "image", "image.", "module", "module.", "module.a.", "module.a.logo", "module.a[", "module.a[x]", "module.a.image", "module.a.image.",
		"image.a.b", "module.a image.b", "module.a.image.b.image.c",
	} {
		if got, err := parseEndpoint(text); err == nil {
			t.Errorf("%q is taken for %v", text, got)
		}
	}
}

// What is an address is written as one, and read again as the same.
func FuzzParseEndpoint(f *testing.F) {
	f.Add("image.logo")
	f.Add(`module.a["x"].module.b[0]`)
	f.Add(`module.a["\u0041${"].image.b`)
	f.Fuzz(func(t *testing.T, text string) {
		end, err := parseEndpoint(text)
		if err != nil {
			return
		}
		again, err := parseEndpoint(end.String())
		if err != nil || again != end {
			t.Errorf("%q is %v, and that is %v, %v", text, end, again, err)
		}
	})
}
