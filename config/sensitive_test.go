package config

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
)

// shownOf returns all that can be shown of diagnostics: their words, the sources that they point
// at, and values that are not marked.
func shownOf(diags hcl.Diagnostics, files map[string]*hcl.File) string {
	var text strings.Builder
	for _, d := range diags {
		fmt.Fprintln(&text, d.Summary, d.Detail)
		if d.Subject != nil && files[d.Subject.Filename] != nil {
			for i, line := range strings.Split(string(files[d.Subject.Filename].Bytes), "\n") {
				if i+1 >= d.Subject.Start.Line && i+1 <= d.Subject.End.Line {
					fmt.Fprintln(&text, line)
				}
			}
		}
		for ctx := d.EvalContext; ctx != nil; ctx = ctx.Parent() {
			for _, v := range ctx.Variables {
				v, marks := v.UnmarkDeepWithPaths()
				if len(marks) == 0 {
					fmt.Fprintln(&text, show(v))
				}
			}
		}
	}
	return text.String()
}

// Whatever is named in plans, states or addresses cannot come from a sensitive value, and whatever
// can is listed in Image.Sensitive.
func TestSensitiveEverywhere(t *testing.T) {
	t.Parallel()
	const vars = `
		variable "s" {
		  sensitive = true
		  default   = "hunter2"
		}
		variable "map" {
		  sensitive = true
		  default   = { hunter2 = 1 }
		}
		defaults { model = "flux-2-pro" }
	`
	// What is refused says so, and shows no value.
	for name, body := range map[string]string{
		"model":           `image "a" { model = var.s }`,
		"model, known":    `image "a" { model = "flux-2-${var.s == "x" ? "max" : "pro"}" }`,
		"output":          `image "a" { output = "${var.s}.png" }`,
		"labels":          `image "a" { labels = { x = var.s } }`,
		"label keys":      `image "a" { labels = { (var.s) = "x" } }`,
		"parameters":      `image "a" { parameters = var.map }`,
		"parameter names": `image "a" { parameters = { (var.s) = 1 } }`,
		"for_each":        `image "a" { for_each = var.map }`,
		"for_each keys":   `image "a" { for_each = { (var.s) = 1 } }`,
		"for_each set":    `image "a" { for_each = toset([var.s]) }`,
		"for_each rows":   `image "a" { for_each = { for x in [var.s] : x => x } }`,
		"count":           `image "a" { count = length(var.s) }`,
		"import file":     "image \"a\" { prompt = \"x\" }\nimport {\nto = image.a\nfile = \"${var.s}.png\"\n}",
		"import key":      "image \"a\" {\nfor_each = { hunter2 = 1 }\nprompt = \"x\"\n}\nimport {\nto = image.a[var.s]\nfile = \"x.png\"\n}",
		"output folder":   `fluxbatch { output_dir = var.s }`,
		"state":           "fluxbatch {\nstate \"local\" { path = var.s }\n}",
		"endpoint":        `provider "bfl" { endpoint = "https://${var.s}.example.com" }`,
		"region":          `provider "bfl" { region = var.s }`,
		"output value":    `output "x" { value = var.s }`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, diags := Load(write(t, "vars.flux.hcl", vars, "main.flux.hcl", body), Options{})
			diags = append(diags, c.Evaluate(nil)...)
			files := c.Files()
			delete(files, "vars.flux.hcl")
			if got := shownOf(diags, files); !strings.Contains(got, "ensitive") || strings.Contains(strings.ReplaceAll(got, "for_each = { hunter2 = 1 }", ""), "hunter2") {
				t.Errorf("got %s", got)
			}
		})
	}
	// What is sent and not shown is listed.
	file := picture(t)
	for name, tt := range map[string]struct{ body, want string }{
		"prompt":     {`prompt = var.s`, "prompt"},
		"inherited":  {`prompt = "x"`, "seed"},
		"seed":       {"prompt = \"x\"\nseed = length(var.s)", "seed"},
		"references": {"prompt = \"x\"\nreferences = [\"${var.s == \"\" ? \"\" : \"in\"}.png\"]", "input_image"},
		"mask":       {"model = \"flux-pro-1.0-fill\"\nreferences = [\"in.png\"]\nmask = \"${var.s == \"\" ? \"\" : \"in\"}.png\"", "mask"},
		"parameters": {"prompt = \"x\"\nparameters = { extra = var.s }", "extra"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defaults := ""
			if name == "inherited" {
				defaults = "defaults {\nmodel = \"flux-2-pro\"\nseed = length(var.s)\n}"
			}
			text := vars
			if defaults != "" {
				text = strings.Replace(vars, `defaults { model = "flux-2-pro" }`, defaults, 1)
			}
			_, images := evaluated(t, write(t, "in.png", file, "main.flux.hcl", text+"image \"a\" {\n"+tt.body+"\n}"), nil)
			if got := strings.Join(images[0].Sensitive(), " "); got != tt.want {
				t.Errorf("sensitive are %q, want %q", got, tt.want)
			}
		})
	}
}

// A default with a sensitive part makes its variable one that is not to be shown.
func TestSensitiveDefault(t *testing.T) {
	t.Parallel()
	c := load(t, write(t, "main.flux.hcl", `
		variable "whole" { default = sensitive("x") }
		variable "part" { default = { a = sensitive("x") } }
		variable "open" { default = "x" }`), Options{})
	for _, v := range c.Variables() {
		if want := v.Name != "open"; v.Sensitive != want {
			t.Errorf("%s is sensitive: %v", v.Name, v.Sensitive)
		}
	}
}

// Of files of values nothing is shown, wherever in them the mistake is and whatever it is about;
// and nothing of what is given otherwise, where it is sensitive or not known to be for a variable.
func TestValuesAreNotShown(t *testing.T) {
	t.Parallel()
	const config = `
		variable "secret" {
		  sensitive = true
		  nullable  = false
		  type      = object({ a = number })
		  default   = { a = 1 }
		}
		variable "open" { default = 1 }`
	for i, tt := range []struct{ name, text string }{
		{"v.hcl", `secret = "hunter2`},
		{"v.hcl", `secret = hunter2 hunter3`},
		{"v.hcl", `secret "hunter2"`},
		{"v.hcl", "secret = {\n a = hunter2 +\n}"},
		{"v.hcl", "secret = \"\\hunter2\""},
		{"v.hcl", `hunter2`},
		{"v.hcl", `secret = "${hunter2"`},
		{"v.hcl", "secret = <<EOT\nhunter2"},
		{"v.hcl", "secret = \"hunter2\"\nsecret = \"hunter2\""},
		{"v.hcl", `secret { x = "hunter2" }`},
		{"v.hcl", `unknown = "hunter2"`},
		{"v.hcl", `secret = { hunter2 = 1 }`},
		{"v.hcl", `secret = { a = "hunter2" }`},
		{"v.hcl", `secret = var.hunter2`},
		{"v.hcl", `secret = file("hunter2")`},
		{"v.hcl", `secret = { a = [], "hunter2" = 1, "hunter2" = 2 }`},
		{"v.hcl", `open = "x" secret = "hunter2"`},
		{"v.json", `{"secret": hunter2}`},
		{"v.json", `{"secret": "hunter2}`},
		{"v.json", `{"secret": "hunter2" "x"}`},
		{"v.json", `{"secret": 'hunter2'}`},
		{"v.json", `{"secret": "${hunter2"}`},
		{"v.json", `{"secret": "\hunter2"}`},
		{"v.json", `["hunter2"]`},
		{"v.json", `{"secret": {"hunter2": 1}}`},
		{"v.json", `{"unknown": "hunter2"}`},
	} {
		for _, way := range []string{"-var-file", "auto", "fluxvars"} {
			t.Run(fmt.Sprint(way, i), func(t *testing.T) {
				t.Parallel()
				ext := filepath.Ext(tt.name)
				name := map[string]string{"-var-file": "v" + ext, "auto": "x.auto.fluxvars" + ext, "fluxvars": "fluxbatch.fluxvars" + ext}[way]
				dir := write(t, "main.flux.hcl", config, name, tt.text)
				o := Options{}
				if way == "-var-file" {
					o.Values = []Value{{File: filepath.Join(dir, name)}}
				}
				c, diags := Load(dir, o)
				got := shownOf(diags, c.Files())
				if len(diags) == 0 || strings.Contains(got, "hunter") {
					t.Errorf("of %s is said %q", tt.text, got)
				}
				if first := diags[0]; first.Subject == nil {
					t.Error("the place is not said")
				}
			})
		}
	}
	for _, o := range []Options{
		{Values: []Value{{Assignment: "hunter2"}}},
		{Values: []Value{{Assignment: "=hunter2"}}},
		{Values: []Value{{Assignment: "secret=hunter2"}}},
		{Values: []Value{{Assignment: `secret={ a = "hunter2" }`}}},
		{Values: []Value{{Assignment: `secret={ hunter2 = 1 }`}}},
		{Values: []Value{{Assignment: `unknown=hunter2`}}},
		{Environ: []string{"FLUXBATCH_VAR_secret=hunter2"}},
		{Environ: []string{"FLUXBATCH_VAR_secret={ hunter2 = 1 }"}},
	} {
		c, diags := Load(write(t, "main.flux.hcl", config), o)
		if got := shownOf(diags, c.Files()); len(diags) == 0 || strings.Contains(got, "hunter2") {
			t.Errorf("%v: got %q", o, got)
		}
	}
}

// A digest depends on files of values all the same.
func TestDigestHasValues(t *testing.T) {
	t.Parallel()
	digest := func(value string) string {
		c := load(t, write(t, "main.flux.hcl", `variable "x" {}`, "fluxbatch.fluxvars.hcl", "x = "+value), Options{})
		return c.Digest()
	}
	if digest("1") == digest("2") {
		t.Error("another value has the same digest")
	}
}
