package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
)

// decisions evaluates a configuration and lists the images in the order in which they were decided
// on, each with its references and dependencies.
func decisions(t *testing.T, files ...string) ([]string, hcl.Diagnostics) {
	t.Helper()
	c, diags := Load(write(t, files...), Options{})
	var got []string
	diags = append(diags, c.Evaluate(func(img *image.Image) *image.Result {
		line := img.Address.String()
		if prompt, ok := img.Request().Value("prompt").(string); ok {
			line += " " + prompt
		} else {
			line += " (unknown)"
		}
		for _, s := range img.References {
			line += " <" + s.Image.String()
			if s.Unknown {
				line += "?"
			}
		}
		line += " needs"
		for _, d := range img.Dependencies {
			line += " " + d.String()
		}
		got = append(got, line)
		return nil
	})...)
	return got, diags
}

// TestWeave evaluates blocks whose instances are made from each other.
func TestWeave(t *testing.T) {
	t.Parallel()
	const list = "artifacts:\n  - { id: cover, refs: [style, hero] }\n  - { id: hero, refs: [style] }\n  - { id: style }\n"
	tests := []struct {
		name, main string
		want       []string
	}{
		{
			"a list by name", `
locals { art = { for a in yamldecode(file("p.yml")).artifacts : a.id => a } }
image "art" {
  for_each   = local.art
  prompt     = each.key
  references = [for r in try(each.value.refs, []) : image.art[r]]
}`,
			[]string{
				"image.art[\"style\"] style needs",
				`image.art["hero"] hero <image.art["style"] needs image.art["style"]`,
				`image.art["cover"] cover <image.art["style"] <image.art["hero"] needs image.art["hero"] image.art["style"]`,
			},
		},
		{
			"frames by number", `
image "frame" {
  count      = 3
  prompt     = "Frame ${count.index}"
  references = count.index == 0 ? [] : [image.frame[count.index - 1]]
}`,
			[]string{
				"image.frame[0] Frame 0 needs",
				"image.frame[1] Frame 1 <image.frame[0] needs image.frame[0]",
				"image.frame[2] Frame 2 <image.frame[1] needs image.frame[1]",
			},
		},
		{
			"all from one of them, written out", `
image "art" {
  for_each   = toset(["a", "z"])
  prompt     = each.key
  references = each.key == "z" ? [] : [image.art["z"]]
}`,
			[]string{`image.art["z"] z needs`, `image.art["a"] a <image.art["z"] needs image.art["z"]`},
		},
		{
			"attributes", `
image "art" {
  for_each = { a = "b", b = "" }
  prompt   = each.value == "" ? "first" : "like ${image.art[each.value].path}, ${image.art[each.value].labels.mood}, ${image.art[each.value].prompt}"
  labels   = { mood = each.value == "" ? "calm" : "wild" }
}`,
			[]string{`image.art["b"] first needs`, `image.art["a"] like images/art-b.jpg, calm, first needs image.art["b"]`},
		},
		{
			"results that are not there", `
image "art" {
  for_each = { a = "b", b = "c", c = "" }
  prompt   = each.value == "" ? "first" : image.art[each.value].sha256
}`,
			[]string{
				`image.art["c"] first needs`, `image.art["b"] (unknown) needs image.art["c"]`, `image.art["a"] (unknown) needs image.art["b"]`,
			},
		},
		{
			"two blocks", `
image "a" {
  for_each   = toset(["j", "k"])
  prompt     = each.key
  references = each.key == "j" ? [] : [image.b[each.key]]
}
image "b" {
  for_each   = toset(["k"])
  prompt     = each.key
  references = [image.a["j"]]
}`,
			[]string{
				`image.a["j"] j needs`, `image.b["k"] k <image.a["j"] needs image.a["j"]`, `image.a["k"] k <image.b["k"] needs image.b["k"]`,
			},
		},
		{
			"a block and a single image", `
image "sheet" {
  prompt     = "All of them"
  references = [image.card["a"]]
}
image "card" {
  for_each   = toset(["a", "b"])
  prompt     = each.key
  references = each.key == "a" ? [] : [image.sheet]
}`,
			[]string{
				`image.card["a"] a needs`, `image.sheet All of them <image.card["a"] needs image.card["a"]`,
				`image.card["b"] b <image.sheet needs image.sheet`,
			},
		},
		{
			"what is not there, with try", `
image "art" {
  for_each   = { a = "b", b = "no" }
  prompt     = each.key
  references = [try(image.art[each.value], null)]
}`,
			[]string{`image.art["b"] b needs`, `image.art["a"] a <image.art["b"] needs image.art["b"]`},
		},
		{
			"preconditions", `
image "art" {
  for_each = { a = "b", b = "" }
  prompt   = each.key
  lifecycle {
    precondition {
      condition     = each.value == "" ? true : image.art[each.value].prompt == "b"
      error_message = "No."
    }
  }
}`,
			[]string{`image.art["b"] b needs`, `image.art["a"] a needs image.art["b"]`},
		},
		{
			"a number as the key of a map", `
image "art" {
  for_each   = { "1" = 2, "2" = 0 }
  prompt     = each.key
  references = each.value == 0 ? [] : [image.art[each.value]]
}`,
			[]string{`image.art["2"] 2 needs`, `image.art["1"] 1 <image.art["2"] needs image.art["2"]`},
		},
		{
			"defaults", `
image "art" {
  for_each   = { a = "b", b = "" }
  prompt     = each.key
  references = each.value == "" ? [] : null
}`,
			[]string{`image.art["a"] a needs`, `image.art["b"] b needs`},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, diags := decisions(t, "p.yml", list, "main.flux.hcl", head+test.main)
			if diags.HasErrors() != (test.want == nil) {
				t.Fatal(diags)
			}
			if diff := cmp.Diff(test.want, got); diff != "" && test.want != nil {
				t.Errorf("decided on (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("JSON", func(t *testing.T) {
		t.Parallel()
		got, diags := decisions(t, "main.flux.json", `{"image": {"art": {
  "model": "flux-2-pro", "for_each": {"a": "b", "b": ""}, "prompt": "${each.key}",
  "references": "${each.value == \"\" ? [] : [image.art[each.value]]}", "labels": {"of": "${each.value == \"\" ? \"\" : image.art[each.value].path}"}
}}}`)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		want := []string{`image.art["b"] b needs`, `image.art["a"] a <image.art["b"] needs image.art["b"]`}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("decided on (-want +got):\n%s", diff)
		}
	})
	t.Run("in modules", func(t *testing.T) {
		t.Parallel()
		dir := write(t, "main.flux.hcl", `
module "m" {
  source   = "./m"
  for_each = toset(["x", "y"])
}
output "paths" { value = [for m in module.m : m.path] }
`)
		if err := os.MkdirAll(filepath.Join(dir, "m"), 0o700); err != nil {
			t.Fatal(err)
		}
		inner := head + `
image "art" {
  for_each   = { a = "b", b = "" }
  prompt     = each.key
  references = each.value == "" ? [] : [image.art[each.value]]
}
output "path" { value = image.art["a"].path }
`
		if err := os.WriteFile(filepath.Join(dir, "m", "main.flux.hcl"), []byte(inner), 0o600); err != nil {
			t.Fatal(err)
		}
		c, diags := Load(dir, Options{})
		var got []string
		diags = append(diags, c.Evaluate(func(img *image.Image) *image.Result {
			got = append(got, fmt.Sprint(img.Address, " ", img.Dependencies))
			return nil
		})...)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		want := []string{
			`module.m["x"].image.art["b"] []`, `module.m["x"].image.art["a"] [module.m["x"].image.art["b"]]`,
			`module.m["y"].image.art["b"] []`, `module.m["y"].image.art["a"] [module.m["y"].image.art["b"]]`,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("decided on (-want +got):\n%s", diff)
		}
	})
}

// TestWeaveCircle checks that a circle of instances is told by its way around.
func TestWeaveCircle(t *testing.T) {
	t.Parallel()
	_, diags := decisions(t, "main.flux.hcl", head+`image "art" {
  for_each   = { a = "b", b = "c", c = "b", d = "d" }
  prompt     = each.key
  references = [image.art[each.value]]
}
image "one" {
  for_each   = toset(["x"])
  prompt     = each.key
  references = [image.one[each.key]]
}
`)
	var got []string
	for _, d := range diags {
		got = append(got, d.Summary+": "+strings.ReplaceAll(d.Detail, filepath.Dir(d.Subject.Filename)+"/", ""))
	}
	at := 3 + strings.Count(head, "\n")
	want := []string{
		fmt.Sprintf(`Cycle: These images are made from each other in a circle, so none of them can come first: image.art["b"] needs image.art["c"] `+
			`(main.flux.hcl:%[1]d), image.art["c"] needs image.art["b"] (main.flux.hcl:%[1]d). Remove one of the references. 1 more instance has the same problem.`, at+1),
		fmt.Sprintf(`Cycle: An image cannot be made from itself: image.one["x"] needs image.one["x"] (main.flux.hcl:%d). Remove the reference.`, at+6),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("diagnostics (-want +got):\n%s", diff)
	}
}

// TestWeaveResolve evaluates instances again once those of their own block are made that they are
// made from.
func TestWeaveResolve(t *testing.T) {
	t.Parallel()
	c, diags := Load(write(t, "main.flux.hcl", head+`
image "art" {
  for_each   = { a = "b", b = "c", c = "" }
  prompt     = each.value == "" ? "first" : "after ${image.art[each.value].sha256}"
  references = each.value == "" ? [] : [image.art[each.value]]
}
output "all" { value = [for i in image.art : i.prompt] }
`), Options{})
	diags = append(diags, c.Evaluate(nil)...)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	made := map[string]*image.Result{}
	results := func(addr addrs.Image) *image.Result { return made[addr.String()] }
	for _, key := range []string{"c", "b", "a"} {
		addr := addrs.Image{Name: "art", Key: addrs.StringKey(key)}
		img, diags := c.Resolve(addr, results)
		if img == nil || diags.HasErrors() {
			t.Fatal(diags)
		}
		want := map[string]string{"c": "first", "b": "after hash of c", "a": "after hash of b"}[key]
		if got, _ := img.Request().Value("prompt").(string); got != want {
			t.Errorf("prompt of %s: %q, want %q", addr, got, want)
		}
		made[addr.String()] = &image.Result{SHA256: "hash of " + key}
	}
	outputs, diags := c.Outputs(results)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	var got []string
	for _, v := range outputs[0].Whole().AsValueSlice() {
		got = append(got, v.AsString())
	}
	if want := []string{"after hash of b", "after hash of c", "first"}; !slices.Equal(got, want) {
		t.Errorf("output: %q, want %q", got, want)
	}
}

// TestWeaveDeep puts many instances behind each other in an order that is not theirs.
func TestWeaveDeep(t *testing.T) {
	t.Parallel()
	const n = 5000
	got, diags := decisions(t, "main.flux.hcl", head+fmt.Sprintf(`
image "art" {
  count      = %[1]d
  prompt     = "x"
  references = count.index == %[1]d - 1 ? [] : [image.art[count.index + 1]]
}
`, n))
	if diags.HasErrors() || len(got) != n || !strings.HasPrefix(got[0], fmt.Sprintf("image.art[%d]", n-1)) {
		t.Errorf("%d images, the first %s: %v", len(got), got[0], diags)
	}
}

// BenchmarkWeave evaluates 10,000 rows in chains of ten, each made from the one before it, and as
// many of which none is. "elsewhere" has as many references, to the images of another block.
func BenchmarkWeave(b *testing.B) {
	const n = 10_000
	rows := func(from func(i int) string) []byte {
		var text strings.Builder
		text.WriteString("id,name,from\n")
		for i := range n {
			fmt.Fprintf(&text, "art-%05d,Picture number %d,%s\n", i, i, from(i))
		}
		return []byte(text.String())
	}
	// Numbers are scattered over the chains so that half the rows come before what they are made
	// from.
	name := func(i int) string { return fmt.Sprintf("art-%05d", i*7919%n) }
	place := make(map[int]int, n)
	for i := range n {
		place[i*7919%n] = i
	}
	chained := func(i int) string {
		if place[i]%10 == 0 {
			return ""
		}
		return name(place[i] - 1)
	}
	const block = `
locals { rows = csvdecode(file("art.csv")) }
image "art" {
  for_each = { for row in local.rows : row.id => row }
  model    = "flux-2-pro"
  prompt   = "A picture of ${each.value.name}"
  width    = 1024
  height   = 768
  %s
}
`
	for _, variant := range []struct {
		name, more, other string
		from              func(int) string
		images            int
	}{
		{"without", "", "", func(int) string { return "" }, n},
		{"chains", `references = each.value.from == "" ? [] : [image.art[each.value.from]]`, "", chained, n},
		{"lists", `references = [for r in split(" ", each.value.from) : image.art[r] if r != ""]`, "", chained, n},
		{"elsewhere", `references = each.value.from == "" ? [] : [image.base[each.value.from]]`, `
image "base" {
  for_each = toset([for row in local.rows : row.id])
  model    = "flux-2-pro"
  prompt   = "x"
}
`, chained, 2 * n},
	} {
		b.Run(variant.name, func(b *testing.B) {
			dir := benchDir(b, "art.csv", rows(variant.from))
			main := fmt.Sprintf(block, variant.more) + variant.other
			if err := os.WriteFile(filepath.Join(dir, "main.flux.hcl"), []byte(main), 0o600); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				benchEvaluate(b, dir, variant.images)
			}
		})
	}
}

// TestQuick holds expressions with lookups that are evaluated without a scope against the same ones
// in a form that is not: an operator that changes nothing.
func TestQuick(t *testing.T) {
	t.Parallel()
	const rows = `{
    a = { from = "b", list = ["b", "c"], text = "b c" }
    b = { from = "c", list = ["c"], text = "c" }
    c = { from = "", list = [], text = "" }
    d = { from = "a", list = ["a"], text = "a", more = ["b"] }
    e = { from = "no", list = ["no"], text = "no", more = ["no"] }
  }`
	for _, references := range []string{
		`each.value.from == "" ? [] : [image.art[each.value.from]]`,
		`each.value.from != "" ? [image.art[each.value.from]] : []`,
		`(each.value.from == "no" ? null : [image.art[each.value.from]])`,
		`[for r in each.value.list : image.art[r]]`,
		`[for r in each.value.list : image.art[r] if r != "no"]`,
		`[for r in each.value.list : try(image.art[r], null)]`,
		`[for r in try(each.value.more, []) : image.art[r]]`,
		`[for r in try(each.value.more, each.value.list) : image.art[r]]`,
		`[for r in split(" ", each.value.text) : image.art[r] if r != "" && r != "no"]`,
		`[for r in split(" ", each.value.text) : image.art[r] if r != ""]`,
		`[for r in compact(split(" ", each.value.text)) : image.art[r]]`,
		`[for each in each.value.list : image.art[each]]`,
		`[for image in each.value.list : image == "c" ? "x.png" : "y.png"]`,
		`[for i, r in each.value.list : image.art[r] if i == 0]`,
		`[image.art["c"]]`,
		`each.key == "c" ? [] : [image.art["c"]]`,
		`[try(image.art[each.value.from], image.art["c"], null)]`,
	} {
		t.Run(references, func(t *testing.T) {
			t.Parallel()
			see := func(expr string) []string {
				got, diags := decisions(t, "main.flux.hcl", head+fmt.Sprintf(`
image "art" {
  for_each   = %s
  prompt     = each.key
  references = %s
}
`, rows, expr))
				for _, d := range diags {
					dir := filepath.Dir(d.Subject.Filename)
					got = append(got, d.Summary+": "+strings.ReplaceAll(d.Detail, dir, "."))
				}
				return got
			}
			// A conditional on a boolean is not known to quick.
			if diff := cmp.Diff(see("true ? "+references+" : null"), see(references)); diff != "" {
				t.Errorf("quick (-usual +quick):\n%s", diff)
			}
		})
	}
}
