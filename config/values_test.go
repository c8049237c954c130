package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestVariableSources(t *testing.T) {
	t.Parallel()
	dir := write(t,
		"main.flux.hcl", `
		variable "env" {}
		variable "main" {}
		variable "auto" {}
		variable "line" {}
		variable "asked" { description = "Who is it for?" }
		variable "list" { type = list(string) }
		variable "any" { type = any }
		variable "text" {}
		variable "number" { type = number }
		output "all" { value = [var.env, var.main, var.auto, var.line, var.asked, var.list, var.any, var.text, var.number] }`,
		"fluxbatch.fluxvars.hcl", `
		main = "main"
		auto = "main"
		line = "main"`,
		"a.auto.fluxvars.hcl", `auto = "a"`,
		"b.auto.fluxvars.json", `{"auto": "b", "line": "auto"}`,
		"extra.fluxvars.hcl", `line = "file"`,
		"ignored.fluxvars.hcl", `main = "ignored"`)
	o := Options{
		Environ: []string{"HOME=/", "FLUXBATCH_VAR_env=env=1", "FLUXBATCH_VAR_main=env", "FLUXBATCH_VAR_unheard=x", `FLUXBATCH_VAR_list=["x", "y"]`},
		Values: []Value{
			{Assignment: "line=first"},
			{File: filepath.Join(dir, "extra.fluxvars.hcl")},
			{Assignment: "any={ a = [1] }"},
			{Assignment: "text=[not an expression"},
			{Assignment: "number=4"},
		},
		Ask: func(q Question) (string, error) {
			if q.Variable != "asked" || q.Description != "Who is it for?" {
				return "", fmt.Errorf("unexpected question %+v", q)
			}
			return "answer", nil
		},
	}
	c := load(t, dir, o)
	_ = c.Evaluate(nil)
	outputs, diags := c.Outputs(nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	want := `["env=1", "main", "b", "file", "answer", tolist(["x", "y"]), {a = [1]}, "[not an expression", 4]`
	if got := show(outputs[0].Whole()); got != want {
		t.Errorf("values are %s\nwant %s", got, want)
	}
	var given []string
	for _, v := range c.Variables() {
		if v.Given {
			given = append(given, v.Name+"="+show(v.Value))
		}
	}
	if len(given) != 9 || given[0] != "any={a = [1]}" {
		t.Errorf("variables are %v", given)
	}
}

func TestValueErrors(t *testing.T) {
	t.Parallel()
	dir := write(t, "main.flux.hcl", `
		variable "list" {
		  type      = list(number)
		  sensitive = true
		  default   = []
		}
		variable "n" {
		  type    = number
		  default = 1
		}
		variable "asked" {}`,
		"unquoted", "list = secret")
	tests := []struct {
		value         Value
		summary, part string
		unread        bool // The file may have the value that is missing.
	}{
		{Value{Assignment: "season"}, "Invalid -var option", "name=value", false},
		{Value{Assignment: "m=1"}, "Value for undeclared variable", `Did you mean "n"?`, false},
		{Value{Assignment: "n=x"}, "Invalid value for variable", "var.n from -var n", false},
		{Value{Assignment: "list=[secret"}, "Invalid value for variable", "not an expression", false},
		{Value{Assignment: `list=["%{secret}"]`}, "Invalid value for variable", "It is sensitive", false},
		{Value{File: filepath.Join(dir, "unquoted")}, "Invalid value for variable", "unquoted:1 is wrong", false},
		{Value{Assignment: `list=["secret"]`}, "Invalid value for variable", "does not fit", false},
		{Value{File: filepath.Join(dir, "nope")}, "Cannot read file", "does not exist", true},
		{Value{File: filepath.Join(dir, "main.flux.hcl")}, `Unexpected "variable" block`, "not allowed here", true},
	}
	for _, tt := range tests {
		asked := false
		_, diags := Load(dir, Options{Values: []Value{tt.value}, Ask: func(Question) (string, error) {
			asked = true
			return "", errors.New("nobody is there")
		}})
		var got []string
		for _, d := range diags {
			got = append(got, d.Summary)
			if d.Summary == tt.summary && !strings.Contains(d.Detail, tt.part) {
				t.Errorf("%+v: %s, want it to say %q", tt.value, d.Detail, tt.part)
			}
			if strings.Contains(d.Detail, "secret") {
				t.Errorf("%+v: a sensitive value is shown: %s", tt.value, d.Detail)
			}
			if strings.HasPrefix(tt.value.Assignment, "list") && d.Summary == tt.summary && filepath.Base(d.Subject.Filename) != "main.flux.hcl" {
				t.Errorf("%+v: the place of a sensitive value is shown", tt.value)
			}
		}
		slices.Sort(got)
		want := []string{tt.summary, "Missing value of variable"}
		if tt.unread {
			want = want[:1]
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" || asked == tt.unread {
			t.Errorf("%+v (-want +got):\n%s", tt.value, diff)
		}
	}
}

// What a later source overrules is not looked at.
func TestOverruledValues(t *testing.T) {
	t.Parallel()
	dir := write(t, "main.flux.hcl", `
		variable "n" { type = number }
		variable "any" { type = any }
		variable "file" { type = number }
		output "all" { value = [var.n, var.any, var.file] }`,
		"fluxbatch.fluxvars.hcl", "n = 2\nany = oops\nfile = oops",
		"a.auto.fluxvars.hcl", `file = "oops"`)
	c := load(t, dir, Options{
		Environ: []string{"FLUXBATCH_VAR_n=oops", "FLUXBATCH_VAR_any=[oops", "FLUXBATCH_VAR_file=oops"},
		Values:  []Value{{Assignment: "any=[oops"}, {Assignment: "n=oops"}, {Assignment: "n=3"}, {Assignment: "any=[1]"}, {Assignment: "file=4"}},
	})
	outputs, diags := c.Outputs(nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if got, want := show(outputs[0].Whole()), "[3, [1], 4]"; got != want {
		t.Errorf("values are %s, want %s", got, want)
	}
}

// Shells pass what a command prints as a file that is none, as in -var-file <(vault read ...).
func TestValuesFromPipe(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("there is no /dev/fd")
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close() //nolint:errcheck // It is only read from.
	if _, err := writer.WriteString("n = 1"); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	pipe := fmt.Sprintf("/dev/fd/%d", reader.Fd())
	dir := write(t, "main.flux.hcl", `variable "n" { type = number }`)
	load(t, dir, Options{Values: []Value{{File: os.DevNull}, {File: pipe}, {File: pipe}}})
	_, diags := Load(dir, Options{Values: []Value{{File: dir}}})
	if !strings.Contains(diags.Error(), "it is a directory") {
		t.Errorf("a directory gives %v", diags)
	}
}

// A file with syntax errors is no less wrong where it is named again.
func TestValueFileReadTwice(t *testing.T) {
	t.Parallel()
	dir := write(t, "main.flux.hcl", `variable "n" { default = 1 }`, "a.auto.fluxvars.json", `{"n": `)
	_, diags := Load(dir, Options{Values: []Value{{File: filepath.Join(dir, "a.auto.fluxvars.json")}}})
	if !diags.HasErrors() {
		t.Error("a file that cannot be parsed is taken")
	}
}

// A value that cannot be read is one mistake, whatever is made from it.
func TestUnreadableValueHasNoConsequences(t *testing.T) {
	t.Parallel()
	dir := write(t, "main.flux.hcl", `
		variable "names" { type = list(string) }
		image "card" {
		  for_each = toset(var.names)
		  model    = "flux-2-pro"
		  prompt   = each.key
		}
		output "first" { value = image.card["a"].path }`)
	c, diags := Load(dir, Options{Values: []Value{{Assignment: "names=[a"}}})
	diags = append(diags, c.Evaluate(nil)...)
	_, more := c.Outputs(nil)
	if diags = append(diags, more...); len(diags) != 1 {
		t.Errorf("got %d diagnostics, want 1: %v", len(diags), diags)
	}
}

func TestHugeValuesOfVariables(t *testing.T) {
	t.Parallel()
	for typ, text := range map[string]string{"number": "1e100000000", "list(number)": `["1e100000000"]`, "any": "1e100000000"} {
		dir := write(t, "main.flux.hcl", fmt.Sprintf("variable \"n\" { type = %s }\noutput \"x\" { value = \"x${jsonencode(var.n)}\" }", typ))
		for name, value := range map[string]Value{"-var": {Assignment: "n=" + text}, "file": {File: filepath.Join(write(t, "v.hcl", "n = "+text), "v.hcl")}} {
			if _, diags := Load(dir, Options{Values: []Value{value}}); !diags.HasErrors() {
				t.Errorf("%s of type %s: the number is taken", name, typ)
			}
		}
	}
}
