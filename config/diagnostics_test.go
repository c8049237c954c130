package config

import (
	"fmt"
	"strings"
	"testing"
)

// said returns what a plan says about a configuration, a line for each diagnostic.
func said(t *testing.T, src string, o Options) string {
	t.Helper()
	c, diags := Load(write(t, "main.flux.hcl", src), o)
	diags = append(diags, c.Evaluate(nil)...)
	lines := make([]string, 0, len(diags))
	for _, d := range diags {
		place := ""
		if d.Subject != nil {
			place = fmt.Sprintf("%d ", d.Subject.Start.Line)
		}
		lines = append(lines, place+d.Summary+": "+d.Detail)
	}
	return strings.Join(lines, "\n")
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
			}`, nil, []string{`"gif" is not one of "jpeg", "png", "webp".`}},
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
			"prompt is an argument of the image: write prompt = ... beside parameters. 2 more instances have the same problem.",
			"webhook_url cannot be set here: webhooks belong to the account, in the webhook block of its provider. 2 more instances",
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
