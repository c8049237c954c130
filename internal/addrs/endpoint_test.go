package addrs

import "testing"

func image(t *testing.T, s string) Image {
	t.Helper()
	a, err := Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestMoveApply(t *testing.T) {
	t.Parallel()
	logo := Endpoint{Name: "logo"}
	brand := Endpoint{IsModule: true, Name: "brand"}
	tests := []struct {
		name     string
		move     Move
		from, to string // to is "" where the move is not about the image
	}{
		{"block", Move{logo, Endpoint{Name: "mark"}}, "image.logo", "image.mark"},
		{"block keeps keys", Move{logo, Endpoint{Name: "mark"}}, `image.logo["k"]`, `image.mark["k"]`},
		{"other block", Move{logo, Endpoint{Name: "mark"}}, "image.logo2", ""},
		{"other module", Move{logo, Endpoint{Name: "mark"}}, "module.brand.image.logo", ""},
		{"to key", Move{logo, Endpoint{Name: "logo", Key: StringKey("eu")}}, "image.logo", `image.logo["eu"]`},
		{"to key leaves keys", Move{logo, Endpoint{Name: "logo", Key: StringKey("eu")}}, `image.logo["us"]`, ""},
		{"from key", Move{Endpoint{Name: "logo", Key: IntKey(0)}, logo}, "image.logo[0]", "image.logo"},
		{"from other key", Move{Endpoint{Name: "logo", Key: IntKey(0)}, logo}, "image.logo[1]", ""},
		{
			"count to for_each",
			Move{Endpoint{Name: "logo", Key: IntKey(0)}, Endpoint{Name: "logo", Key: StringKey("a")}},
			"image.logo[0]", `image.logo["a"]`,
		},
		{"into module", Move{logo, Endpoint{Parent: "module.brand", Name: "logo"}}, "image.logo", "module.brand.image.logo"},
		{"module", Move{brand, Endpoint{IsModule: true, Name: "style"}}, `module.brand["eu"].image.logo[1]`, `module.style["eu"].image.logo[1]`},
		{"nested module", Move{brand, Endpoint{IsModule: true, Name: "style"}}, "module.brand.module.icons[0].image.x", "module.style.module.icons[0].image.x"},
		{"module prefix of a name", Move{brand, Endpoint{IsModule: true, Name: "style"}}, "module.brand2.image.logo", ""},
		{"module to key", Move{brand, Endpoint{IsModule: true, Name: "brand", Key: StringKey("eu")}}, "module.brand.image.logo", `module.brand["eu"].image.logo`},
		{"module to key leaves keys", Move{brand, Endpoint{IsModule: true, Name: "brand", Key: StringKey("eu")}}, `module.brand["us"].image.logo`, ""},
		{
			"module inside a module",
			Move{Endpoint{Parent: "module.a[0]", IsModule: true, Name: "b"}, Endpoint{IsModule: true, Name: "c"}},
			`module.a[0].module.b["k.]"].image.x`, `module.c["k.]"].image.x`,
		},
	}
	for _, tt := range tests {
		got, ok := tt.move.Apply(image(t, tt.from))
		want := image(t, tt.from)
		if tt.to != "" {
			want = image(t, tt.to)
		}
		if got != want || ok != (tt.to != "") {
			t.Errorf("%s: %s to %s of %s = %s, %v, want %s", tt.name, tt.move.From, tt.move.To, tt.from, got, ok, want)
		}
	}
}

func TestEndpointContains(t *testing.T) {
	t.Parallel()
	tests := []struct {
		endpoint Endpoint
		addr     string
		want     bool
	}{
		{Endpoint{Name: "a"}, "image.a[3]", true},
		{Endpoint{Name: "a", Key: IntKey(2)}, "image.a[3]", false},
		{Endpoint{IsModule: true, Name: "m"}, `module.m["k"].module.n.image.a`, true},
		{Endpoint{IsModule: true, Name: "m", Key: StringKey("x")}, `module.m["k"].image.a`, false},
		{Endpoint{IsModule: true, Name: "m"}, "image.m", false},
	}
	for _, tt := range tests {
		if got := tt.endpoint.Contains(image(t, tt.addr)); got != tt.want {
			t.Errorf("%s contains %s = %v, want %v", tt.endpoint, tt.addr, got, tt.want)
		}
	}
}

func TestModuleSteps(t *testing.T) {
	t.Parallel()
	var got []string
	for name, key := range Module(`module.a["x].y"].module.b[3].module.c`).Steps() {
		got = append(got, name+key.String())
	}
	if want := [3]string{`a["x].y"]`, "b[3]", "c"}; len(got) != 3 || [3]string(got) != want {
		t.Errorf("steps = %q, want %q", got, want)
	}
}
