package config

import (
	"strings"
	"testing"
)

func TestRefusedFunctionsSayWhy(t *testing.T) {
	t.Parallel()
	c := load(t, write(t, "main.flux.hcl", ""), Options{})
	for _, name := range []string{"timestamp", "plantimestamp", "uuid", "bcrypt"} {
		_, diags := c.Eval(name + "()")
		if !diags.HasErrors() || !strings.Contains(diags[0].Detail, "pay for every image") {
			t.Errorf("%s() gives %v", name, diags)
		}
	}
	_, diags := c.Eval("uper(1)")
	if !diags.HasErrors() || !strings.Contains(diags[0].Detail, `Did you mean "upper"?`) {
		t.Errorf("uper(1) gives %v", diags)
	}
}

func TestDigest(t *testing.T) {
	t.Parallel()
	digest := func(o Options, files ...string) string {
		c := load(t, write(t, files...), o)
		_ = c.Evaluate(nil)
		return c.Digest()
	}
	const main = `
		variable "v" { default = 1 }
		locals { t = file("t.txt") }`
	first := digest(Options{}, "main.flux.hcl", main, "t.txt", "a")
	if again := digest(Options{}, "main.flux.hcl", main, "t.txt", "a"); again != first {
		t.Error("the same configuration has another digest")
	}
	if other := digest(Options{}, "main.flux.hcl", main, "t.txt", "b"); other == first {
		t.Error("a file that is read does not count")
	}
	if other := digest(Options{Values: []Value{{Assignment: "v=2"}}}, "main.flux.hcl", main, "t.txt", "a"); other == first {
		t.Error("a value from the command line does not count")
	}
	if other := digest(Options{}, "main.flux.hcl", main+" ", "t.txt", "a"); other == first {
		t.Error("the file itself does not count")
	}
}

func TestFormat(t *testing.T) {
	t.Parallel()
	got, diags := Format([]byte("image \"a\" {\nprompt=\"A\"\n  width  =  1\n}\n"), "x.flux.hcl")
	if want := "image \"a\" {\n  prompt = \"A\"\n  width  = 1\n}\n"; string(got) != want || diags.HasErrors() {
		t.Errorf("Format gives %q, want %q", got, want)
	}
	if got, diags := Format([]byte("image {"), "x"); string(got) != "image {" || !diags.HasErrors() {
		t.Errorf("Format of what cannot be parsed gives %q, %v", got, diags)
	}
}
