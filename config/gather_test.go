package config

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
)

// What is gathered directly is what the expression gives, whatever the images are and whichever of
// them exist.
func TestGatheredIsEvaluated(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	for range 60 {
		module, made := gatheringModule(random)
		var attrs []string
		for range 4 {
			attrs = append(attrs, image.Exported[random.IntN(len(image.Exported))])
		}
		gathered := observe(t, module, attrs, made, Options{})
		evaluated := observe(t, module, attrs, made, Options{general: true})
		if diff := cmp.Diff(evaluated, gathered); diff != "" {
			t.Fatalf("-evaluated +gathered:\n%s\nof\n%s", diff, module)
		}
	}
}

// gatheringModule returns a module in which ATTR stands for an attribute, and which of its images
// have results.
func gatheringModule(random *rand.Rand) (module string, made map[string]bool) {
	pick := func(of ...string) string { return of[random.IntN(len(of))] }
	repeats := []string{`for_each = toset(["a", "b", "ä", "c/d"])`, `for_each = {}`, `for_each = { x = 1, B = 2 }`, "count = 3", "count = 0"}
	repeat := pick(repeats...)
	module = head + fmt.Sprintf(`
variable "secret" {
  sensitive = true
  default   = "s"
}
variable "plain" { default = "p" }
image "base" {
  prompt = "base"
}
image "p" {
  %s
  prompt = %s
  width  = 512
  height = 512
  labels = { made = "yes" }
  %s
}
locals {
  all   = [for k, i in image.p : i.ATTR]
  plain = [for i in image.p : i.ATTR]
}
image "user" {
  prompt     = "user ${length(local.all)}"
  depends_on = [image.base]
  labels     = { n = length(image.p) }
}
image "maker" {
  prompt = jsonencode(local.plain)
}
output "gathered" {
  sensitive = true
  value     = [for k, i in image.p : i.ATTR]
}
check "c" {
  assert {
    condition     = length(image.p) > 1 && image.p != null
    error_message = "few: ${length(image.p)}"
  }
  assert {
    condition     = alltrue([for i in image.p : i.ATTR != null])
    error_message = "null"
  }
  assert {
    condition     = length(image.p) > 2
    error_message = "fewer"
  }
}
output "keys" { value = keys({ for k, i in image.p : k => 1 }) }
`, repeat, pick(`"fixed"`, `"from ${image.base.id}"`, "var.secret"), pick("", "seed = 7", "references = [image.base]"))
	for n := range 12 {
		module += fmt.Sprintf("locals {\n  l%d = %s\n}\noutput \"o%d\" {\n  sensitive = true\n  value = %s\n}\noutput \"open%d\" {\n  value = %s\n}\n",
			n, gatheringOf(pick), n, gatheringOf(pick), n, gatheringOf(pick))
	}
	if strings.HasPrefix(repeat, "count") {
		module += "output \"splat\" {\n  sensitive = true\n  value = image.p[*].ATTR\n}\n"
	}
	made = map[string]bool{}
	for _, addr := range []string{"image.base", `image.p["a"]`, `image.p["x"]`, `image.p[0]`, `image.p[1]`} {
		made[addr] = random.IntN(2) == 0
	}
	return module, made
}

// gatheringOf returns an expression with a random gathering of image.p.
func gatheringOf(pick func(...string) string) string {
	of := func() string {
		return pick("i.ATTR", "i.path", "i.width", "i.prompt", "k", "i.labels.made", "i.labels.nothing", "i.seed", "i.sha256", `"x"`, "1", "true", "null",
			"i.address", "var.secret", "var.plain", `"${k}-${i.ATTR}"`, `"${i.width}x${i.height}"`, "(i.ATTR)", "[i.path, k]", "{ a = i.ATTR, k = k }", "{ (k) = 1 }",
			"upper(i.prompt)", "length(k)", `format("%s-%s", k, i.path)`, `k == "a" ? i.path : "other"`, "i", "i.nothing", `try(i.seed, 3)`, "i.width + 1", "-i.width",
			"-(i.width * 0)", `"n${-(i.width * 0)}"`, `"${i.width / 3}x${i.width * pow(10, 21)}"`, `"${k}\u0301"`)
	}
	test := func() string {
		return pick("", "", "if true", `if endswith(k, "a")`, "if i.width > 100", "if i.width <= 512", `if k != "a" && i.width == 512`, "if !i.picked", `if i.sha256 != ""`,
			"if i.width != k", "if var.secret == k", "if i.seed == 7 || false", "if null", "if 5", `if i.labels.made == "yes"`, `if k == "x"`, `if "true"`)
	}
	loop := ""
	switch pick("list", "list", "map", "group", "other") {
	case "other":
		loop = pick("values(image.p)[*].ATTR", "[for i in values(image.p) : i.ATTR]", "[for k, i in values(image.p) : k]", "image.p[*].ATTR", "length(image.p)", "keys(image.p)",
			`image.p["a"].ATTR`, "image.p[0].ATTR", "image.p[0]", "image.base.ATTR", `length(image.p) > 2 ? "many" : "few"`, `"${length(image.p)} of ${image.base.path}"`,
			`image.p[upper("a")].path`, "values(image.p)[0].ATTR", "!(length(image.p) == 0)", "values(image.p)[*].labels.made", "length(image.base)", `length([for i in image.p : 1]) + 1`)
	case "list":
		loop = pick("[for i in image.p : i.ATTR]", "[for i in image.p : i.path if i.width > 100]", fmt.Sprintf("[for k, i in image.p : %s %s]", of(), test()))
	case "map":
		loop = fmt.Sprintf("{ for k, i in image.p : %s => %s %s }", pick("k", "k", of()), of(), test())
	case "group":
		loop = fmt.Sprintf("{ for k, i in image.p : %s => %s... %s }", of(), of(), test())
	}
	return fmt.Sprintf(pick("%s", "%s", "%s", "length(%s)", "jsonencode(%s)", "[%s, 1]", "{ x = %s, y = var.plain }", "try(%s, 1)", "(%s)", "distinct(%s)", "sort(%s)", "%s == []"), loop)
}

// observe says what becomes of a module: its images with what they depend on, its outputs, and what
// is wrong, for each attribute.
func observe(t *testing.T, module string, attrs []string, made map[string]bool, o Options) map[string][]string {
	t.Helper()
	seen := map[string][]string{}
	for _, attr := range attrs {
		cfg := load(t, write(t, "main.flux.hcl", strings.ReplaceAll(module, "ATTR", attr)), o)
		note := func(format string, args ...any) { seen[attr] = append(seen[attr], fmt.Sprintf(format, args...)) }
		results := func(addr addrs.Image) *image.Result {
			if !made[addr.String()] {
				return nil
			}
			return &image.Result{SHA256: strings.Repeat("ab", 32), TaskID: "id of " + addr.Name, Width: 512, Height: 640, Format: "jpeg", Cost: 3000}
		}
		diags := cfg.Evaluate(func(img *image.Image) *image.Result {
			note("%s %s after %v", img.Address, request(t, img), img.Dependencies)
			return results(img.Address)
		})
		everything := func(addr addrs.Image) *image.Result {
			return &image.Result{SHA256: strings.Repeat("cd", 32), TaskID: "late", Width: 1, Height: 2, Format: "png"}
		}
		before, moreDiags := cfg.Outputs(nil)
		after, lastDiags := cfg.Outputs(everything)
		for _, o := range slices.Concat(before, after) {
			note("%s = %#v sensitive %t", o.Name, o.Whole(), o.Sensitive)
			if o.Whole().ContainsMarked() {
				t.Errorf("output %s has marks: %#v", o.Name, o.Whole())
			}
		}
		for _, d := range slices.Concat(diags, moreDiags, lastDiags) {
			note("%s: %s", d.Summary, d.Detail)
		}
	}
	return seen
}
