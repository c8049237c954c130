package config

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
)

// said returns what a plan says about a configuration, a line for each diagnostic.
func said(t *testing.T, src string, o Options) string {
	t.Helper()
	dir := write(t, "main.flux.hcl", src)
	c, diags := Load(dir, o)
	diags = append(diags, c.Evaluate(nil)...)
	lines := make([]string, 0, len(diags))
	for _, d := range diags {
		place := ""
		if d.Subject != nil {
			place = fmt.Sprintf("%d ", d.Subject.Start.Line)
		}
		lines = append(lines, place+d.Summary+": "+d.Detail)
	}
	return strings.ReplaceAll(strings.Join(lines, "\n"), dir+string(filepath.Separator), "")
}

// TestAdvice holds what is said of common slips against what helps.
func TestAdvice(t *testing.T) {
	t.Parallel()
	type advice struct{ name, src, want string }
	tests := []advice{
		{
			"second lifecycle", "image \"a\" {\n  model  = \"flux-2-pro\"\n  prompt = \"A\"\n  lifecycle {}\n  lifecycle {}\n}",
			"5 Duplicate declaration: The lifecycle block of image.a is declared at main.flux.hcl:4 already, and there can be only one. Put everything into one block.",
		},
		{
			"second provider", `provider "bfl" {}
			provider "bfl" {}`,
			`2 Duplicate declaration: The provider bfl was declared at main.flux.hcl:1 already. Give one of the two an alias, as in alias = "eu", or remove it.`,
		},
		{
			"second alias", `provider "bfl" { alias = "eu" }
			provider "bfl" { alias = "eu" }`,
			`2 Duplicate declaration: The provider bfl.eu was declared at main.flux.hcl:1 already. Give one of the two another alias, or remove it.`,
		},
		{
			"message without a full stop", `variable "a" {
			  default = 1
			  validation {
			    condition     = var.a > 1
			    error_message = "a is too small"
			  }
			}`, "1 Invalid value for variable: a is too small. This is what the validation rule at main.flux.hcl:4 says.",
		},
		{"dash after a loop's name", `locals {
			  l = [1, 2]
			  d = [for i in [1] : local.l[i-1]]
			}`, `3 Unknown name: There is no "i-1" here. Write i - 1, with spaces around the dash, for a difference.`},
		{"misspelt name of a loop", `locals {
			  l = [for k, row in [{ a = 1 }] : [for i in [1] : rwo.a]]
			}`, `2 Unknown name: There is no "rwo" here. Did you mean "row"?`},
		{"name of a loop outside of it", `locals {
			  l = { a = [for row in [1] : row], b = rwo.a }
			}`, `2 Unknown name: There is no "rwo" here.`},
		{
			"dash after a local value", "locals {\n  i = 1\n  j = local.i-1\n}",
			`3 Reference to undeclared local value: There is no local value "i-1" in this module. Write local.i - 1, with spaces around the dash, for a difference.`,
		},
		{
			"dash in a variable", "variable \"a-b\" { default = 1 }\nlocals { j = var.a-b-c }",
			`2 Reference to undeclared variable: There is no variable "a-b-c" in this module. Write var.a-b - c, with spaces around the dash, for a difference.`,
		},
		{
			"dash after count.index", head + "image \"a\" {\n  count  = 2\n  prompt = \"A ${count.index-1}\"\n}",
			`5 Unsupported attribute: count has no attribute "index-1". Write count.index - 1, with spaces around the dash, for a difference.`,
		},
		{
			"dash after an attribute", head + "image \"a\" {\n  prompt = \"A\"\n  width = 512\n}\nlocals { w = image.a.width-16 }",
			`7 Unsupported attribute: An image has no attribute "width-16". Write width - 16, with spaces around the dash, for a difference.`,
		},
	}
	const one = " already, and there can be only one. Put everything into one block."
	const declared = "Duplicate declaration: "
	for kind, src := range map[string]string{
		"The defaults block of this module": "defaults {}\ndefaults {}",
		"The budget block":                  "budget {}\nbudget {}",
		"The fluxbatch block":               "fluxbatch {}\nfluxbatch {}",
	} {
		tests = append(tests, advice{kind, src, "2 " + declared + kind + " is declared at main.flux.hcl:1" + one})
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, said(t, tt.src, Options{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A key that stands in a file by mistake is not shown in the line that a diagnostic quotes.
func TestKeysAreNotShown(t *testing.T) {
	t.Parallel()
	const key = "sk-live-0123456789abcdef0123456789"
	for name, src := range map[string]string{
		"main.flux.hcl": `
			defaults { api_key = "` + key + `" }
			provider "bfl" {
			  api_key     = "` + key + `"
			  api_key_env = "` + key + `"
			  webhook {
			    url        = "https://example.com/"
			    listen     = ":8788"
			    secret     = "` + key + `"
			    secret_env = "` + key + `"
			  }
			}
			image "a" { api_key = "` + key + `" }`,
		"main.flux.json": `{"provider": {"bfl": {"api_key": "` + key + `", "api_key_env": "` + key + `"}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, diags := Load(write(t, name, src), Options{})
			var text strings.Builder
			if err := hcl.NewDiagnosticTextWriter(&text, c.Files(), 100, false).WriteDiagnostics(diags); err != nil {
				t.Fatal(err)
			}
			shown := text.String()
			if strings.Contains(shown, "0123") || !strings.Contains(shown, "environment variable BFL_API_KEY,") || !strings.Contains(shown, "***") {
				t.Errorf("shown is\n%s", shown)
			}
		})
	}
}

// Of a name that does not exist, nothing is known after apply either.
func TestUndeclaredNamesHaveNoValue(t *testing.T) {
	t.Parallel()
	c, diags := Load(write(t, "main.flux.hcl", head+`
		locals { copy = [image.nope] }
		image "logo" { prompt = "A" }
		image "a" {
		  prompt     = "A"
		  references = [image.nope, 5]
		}
		image "b" {
		  prompt     = "A"
		  references = [local.copy, 5]
		}
		image "c" {
		  prompt     = "A"
		  references = [image.logo, 5]
		}`), Options{})
	diags = append(diags, c.Evaluate(nil)...)
	var shown []bool
	for _, d := range diags {
		if d.Summary == "Invalid reference" {
			shown = append(shown, d.EvalContext != nil)
		}
	}
	if want := []bool{false, false, false, true}; !slices.Equal(shown, want) {
		t.Errorf("values are shown for %v, want %v: %v", shown, want, diags)
	}
}

func TestReferenceNotFoundInModule(t *testing.T) {
	t.Parallel()
	c := load(t, write(t, "main.flux.hcl", `module "m" { source = "./mod" }`, "mod/main.flux.hcl", head+`
		image "a" {
		  prompt     = "A"
		  references = ["x.png"]
		}`), Options{})
	diags := c.Evaluate(nil)
	if want := "Its path starts at the module mod, or else at the root module."; !strings.HasSuffix(diags[0].Detail, want) {
		t.Errorf("got %v, want %q", diags, want)
	}
}

// What seems to be missing only because its name is misspelt is one mistake.
func TestMisspeltArguments(t *testing.T) {
	t.Parallel()
	tests := []struct {
		src  string
		want []string // the summaries
	}{
		{head + `image "a" { promt = "A" }`, []string{"Unsupported argument"}},
		{head + `image "a" { input_image = "x" }`, []string{"Unsupported argument", "Missing argument"}},
		{`image "a" {
			modl   = "flux-2-pro"
			prompt = "A"
		}`, []string{"Unsupported argument"}},
		{`defaults { modl = "flux-2-pro" }
		image "a" { prompt = "A" }
		image "b" { model = "flux-fill" }`, []string{"Unsupported argument", "Wrong number of references"}},
		{`image "b" {
			model      = "flux-fill"
			reference_ = ["x.png"]
		}`, []string{"Unsupported argument"}},
		{`defaults {
			model = "flux-2-pro"
			promt = "A"
		}
		image "a" {}`, []string{"Unsupported argument"}},
		{`model "m" {
			endpont = "/v1/m"
			price { image = 1 }
		}`, []string{"Unsupported argument"}},
		{`moved {
			frm = image.a
			to  = image.b
		}`, []string{"Unsupported argument"}},
		{`provider "bfl" {
			region = "eu"
			webhook {
				url        = "https://example.com"
				lissten    = ":8788"
				secret_env = "S"
			}
		}`, []string{"Unsupported argument"}},
		{`model "m" {
			endpoint       = "/v1/m"
			reference_list = "images"
			max_reference  = 3
			price { image = 1 }
		}`, []string{"Unsupported argument"}},
	}
	for _, tt := range tests {
		var got []string
		for line := range strings.Lines(said(t, tt.src, Options{})) {
			_, summary, _ := strings.Cut(line, " ")
			summary, _, _ = strings.Cut(summary, ":")
			got = append(got, summary)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.src, diff)
		}
	}
}

// Mistakes at one place are one only where they are the same in several instances.
func TestMistakesAtOnePlace(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, src string
		values    []Value
		want      []string // what each of the lines has in it
	}{
		{"parameters", head + `image "a" {
			  prompt     = "A"
			  parameters = { prompt = "a", webhook_url = "x", input_image = "x" }
			}`, nil, []string{"input_image carries", "prompt is an argument", "webhook_url cannot"}},
		{"moved", "moved {}", nil, []string{"needs from", "needs to"}},
		{"validations", `variable "n" {
			  default = 1
			  validation {
			    condition     = var.n > 2
			    error_message = "Too small."
			  }
			  validation {
			    condition     = var.n != 1
			    error_message = "Not one."
			  }
			}`, nil, []string{"Too small.", "Not one."}},
		{"enum", head + `image "a" {
			  prompt        = "A"
			  output_format = "gif"
			}`, nil, []string{`output_format cannot be "gif". Use "jpeg", "png" or "webp".`}},
		{"sensitive values", `
			variable "s" {
			  type      = number
			  sensitive = true
			}
			variable "o" {
			  type      = list(number)
			  sensitive = true
			}`, []Value{{Assignment: "s=x"}, {Assignment: "o=[x"}}, []string{"2 Invalid value for variable: The value of var.s", "6 Invalid value for variable: The value of var.o"}},
		{"parameters of instances", head + `image "a" {
			  for_each   = toset(["k", "l", "m"])
			  prompt     = "A"
			  parameters = { prompt = each.key, webhook_url = each.key }
			}`, nil, []string{
			"prompt is an argument of the image. Write prompt = ... beside parameters. 2 more instances have the same problem.",
			"webhook_url cannot be set here. Webhooks belong to the account. Write a webhook block in its provider block. 2 more instances",
		}},
		{"defaults", `defaults {
			  model = "flux-2-pro"
			  width = 1001
			}
			image "a" { prompt = "A" }
			image "b" { prompt = "B" }`, nil, []string{"taken over by image.a. 1 more instance"}},
		{"files", head + `image "a" {
			  prompt     = "A"
			  references = [for name in ["x", "y"] : "${name}.png"]
			}`, nil, []string{"x.png: There is no such file.", "y.png: There is no such file."}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := said(t, tt.src, Options{Values: tt.values})
			lines := strings.Split(got, "\n")
			for i, want := range tt.want {
				if len(lines) != len(tt.want) || !strings.Contains(lines[i], want) || strings.Contains(lines[i], "more instance") != strings.Contains(want, "more instance") {
					t.Fatalf("got\n%s\nwant %q", got, tt.want)
				}
			}
		})
	}
}
