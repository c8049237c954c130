package config

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
)

// shortcutsCount is of configurations, each of which is read and evaluated twice.
var shortcutsCount = flag.Uint64("config.shortcuts", 700, "hold this `number` of configurations against the general way")

// TestShortcuts holds configurations that are read and evaluated by all shortcuts against the same
// ones without any: files in pieces, plain blocks, rows, columns, instances built ahead, lookups, gathered
// attributes, memory that is used again. The
// images, the order in which they are decided, outputs, checks and messages are the same.
func TestShortcuts(t *testing.T) {
	t.Parallel()
	configurations := *shortcutsCount
	if testing.Short() {
		configurations = 200
	}
	dir := t.TempDir()
	instances, failing, unknown := uint64(0), uint64(0), uint64(0)
	for seed := range configurations {
		g := &generator{Rand: rand.New(rand.NewPCG(seed, 1))}
		rows, text := g.csv(), g.module()
		writeAnew(t, dir, map[string]string{"rows.csv": rows, "main.flux.hcl": text})
		general := outcome(dir, seed, Options{general: true, pieceSize: math.MaxInt})
		short := outcome(dir, seed, Options{pieceSize: 64, ahead: 2})
		if diff := cmp.Diff(general, short); diff != "" {
			t.Fatalf("seed %d: (-general +shortcuts)\n%s\nof\n%s", seed, diff, text)
		}
		instances += uint64(len(general.Images))
		if len(general.Messages) > 0 {
			failing++
		}
		if slices.ContainsFunc(general.Images, func(line string) bool { return strings.Contains(line, "(unknown)") }) {
			unknown++
		}
	}
	if instances < 3*configurations || failing < configurations/20 || failing > configurations/2 || unknown < configurations/50 {
		t.Errorf("the configurations have %d images, %d fail, and %d depend on what is not known: they test less than they should", instances, failing, unknown)
	}
}

// TestAhead holds large blocks whose instances are built ahead against the same ones without
// helpers: all that is said of single rows, and of two that write one file, is the same.
func TestAhead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	said := 0
	for seed := range uint64(60) {
		g := &generator{Rand: rand.New(rand.NewPCG(seed, 2))}
		text, rows := g.large(1 + int(seed)%4)
		writeAnew(t, dir, map[string]string{"rows.csv": rows, "main.flux.hcl": text})
		alone := outcome(dir, seed, Options{ahead: math.MaxInt})
		helped := outcome(dir, seed, Options{ahead: 16})
		if diff := cmp.Diff(alone, helped); diff != "" {
			t.Fatalf("seed %d: (-alone +with helpers)\n%s\nof\n%s%s", seed, diff, text, rows)
		}
		if len(alone.Messages) > 0 && len(alone.Images) > 100 {
			said++
		}
	}
	if said < 20 {
		t.Errorf("only %d blocks have something to say", said)
	}
}

// writeAnew puts files in the place of those of the same names. They are new ones: a file that is cut
// to nothing and written again is one that some file systems wait for the disk with.
func writeAnew(t *testing.T, dir string, contents map[string]string) {
	t.Helper()
	for name, content := range contents {
		path := filepath.Join(dir, name)
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// large makes a block of some hundred rows, of which some are odd: the fewer the larger rarity is.
func (g *generator) large(rarity int) (text, rows string) {
	rows = "id,name,n\n0,Bo,512\n"
	for i := range 200 + g.IntN(200) {
		name, n := g.pick("Bo", "Anna", "Zo\u0308"), "512"
		if g.IntN(50*rarity) == 0 {
			name = g.pick("{{name}}", " ", "picture 3")
		}
		if g.IntN(100*rarity) == 0 {
			n = g.pick("100", "x", "4096", "2048")
		}
		id := i
		if g.IntN(300) == 0 {
			id-- // Its file is that of the one before, but for capital letters.
		}
		rows += fmt.Sprintf("%s%d,%s,%s\n", g.pick("k", "K"), id, name, n)
	}
	text = "defaults { model = \"flux-2-pro\" }\nimage \"p\" {\n  for_each = { for row in csvdecode(file(\"rows.csv\")) : row.id => row }\n" +
		"  prompt = " + g.pick(`"${each.value.name} of ${each.key}"`, "each.value.name") + "\n  width = each.value.n\n  height = 1088\n"
	return text + g.pick("", "  labels = { kind = \"x\" }\n", "  output = \"out/${each.key}.png\"\n") + "}\n" +
		g.pick("", "output \"o\" { value = [for k, i in image.p : i.path] }\n"), rows
}

// decided is what becomes of a configuration.
type decided struct{ Images, Outputs, Messages []string }

// outcome loads and evaluates a configuration in which some images exist, which a seed says.
func outcome(dir string, seed uint64, o Options) (all decided) {
	c, diags := Load(dir, o)
	note := func(to *[]string, format string, args ...any) { *to = append(*to, fmt.Sprintf(format, args...)) }
	results := func(addr addrs.Image) *image.Result {
		if (uint64(len(addr.String()))*7+seed)%3 == 0 {
			return nil
		}
		return &image.Result{SHA256: strings.Repeat("ab", 32), TaskID: "id of " + addr.String(), Width: 512, Height: 640, Format: "jpeg", Cost: 3000}
	}
	diags = append(diags, c.Evaluate(func(img *image.Image) *image.Result {
		body := "(unknown)"
		if img.Known() {
			text, err := img.Request().MarshalJSON()
			body = fmt.Sprint(string(text), err)
		}
		note(&all.Images, "%s %s %s labels %v sensitive %v after %v lifecycle %+v", img.Address, img.Output, body, img.Labels, img.Sensitive(), img.Dependencies, img.Lifecycle())
		// The ways with shortcuts use the memory of images again.
		img.Spare = !o.general && o.ahead != math.MaxInt && (uint64(len(all.Images))+seed)%4 != 0
		return results(img.Address)
	})...)
	if !diags.HasErrors() {
		outputs, more := c.Outputs(results)
		for _, o := range outputs {
			note(&all.Outputs, "%s = %#v sensitive %t", o.Name, o.Whole(), o.Sensitive)
		}
		diags = slices.Concat(diags, more, c.Checks(results))
	}
	for _, d := range diags {
		at := ""
		if d.Subject != nil {
			at = d.Subject.String()
		}
		note(&all.Messages, "%s: %s: %s", at, d.Summary, d.Detail)
	}
	return all
}

// generator makes configurations of the forms that the shortcuts are for, of those that look like
// them, and of such with mistakes.
type generator struct{ *rand.Rand }

func (g *generator) pick(of ...string) string { return of[g.IntN(len(of))] }

// mistaken picks a mistake now and then, and else one of the others.
func (g *generator) mistaken(mistake string, of ...string) string {
	if g.IntN(25) == 0 {
		return mistake
	}
	return g.pick(of...)
}

func (g *generator) csv() string {
	text := "id,name,n,from\n"
	ids := []string{"a", "b", "c", "ä", "d e"}
	for i, id := range ids[:g.IntN(len(ids)+1)] {
		from := ""
		if i > 0 && g.IntN(2) == 0 {
			from = ids[g.IntN(i)]
		}
		text += fmt.Sprintf("%s,%s,%s,%s\n", id, g.mistaken("", "Bo", "{{who}}", `"A, nn"`, "Zo\u0308", "7"), g.mistaken("x", "1", "2", "03"), from)
	}
	if g.IntN(20) == 0 {
		text += "short\n"
	}
	return text
}

func (g *generator) module() string {
	var text strings.Builder
	text.WriteString("defaults { model = \"flux-2-pro\" }\nlocals {\n  style = \"flat\"\n  rows  = csvdecode(file(\"rows.csv\"))\n" + g.tables() + "}\n")
	text.WriteString("variable \"secret\" {\n  sensitive = true\n  default   = \"s\"\n}\n")
	if g.IntN(2) == 0 {
		fmt.Fprintf(&text, "output \"table\" { value = %s }\n", g.mistaken(
			g.pick(`[for r in local.rows : r.n == "1" ? local.names : local.list]`, `join("", [for r in local.rows : contains(local.list, r.id) ? "x" : r.missing])`),
			`[for r in local.rows : lookup(local.names, r.id, "")]`, "[for r in local.rows : r.name if contains(local.list, r.id)]",
			"{ for r in local.rows : r.id => [for x in local.rows : x.name if x.from == r.id] }", "{ for r in local.rows : r.id => one([for x in local.rows : x if x.id == r.from]) }",
			"[for r in local.rows : [for r in local.rows : r.name if contains(keys(local.names), r.id)]]",
			"[for r in local.rows : length(local.rows) if r.id == upper(local.style)]"))
	}
	blocks := []string{"first", "second", "third"}[:1+g.IntN(3)]
	repeats := map[string]string{}
	for i, name := range blocks {
		repeats[name] = g.repeat()
		text.WriteString(g.block(name, repeats, blocks[:i]))
	}
	for i, name := range blocks {
		if g.IntN(2) == 0 {
			fmt.Fprintf(&text, "output \"o%d\" { value = %s }\n", i, g.collects(name, repeats[name]))
		}
	}
	if g.IntN(4) == 0 {
		fmt.Fprintf(&text, "check \"c\" {\n  assert {\n    condition     = length(%s) > %d\n    error_message = \"few\"\n  }\n}\n", g.collects(blocks[0], repeats[blocks[0]]), g.IntN(3))
	}
	return text.String()
}

// tables are locals in which instances look for something.
func (g *generator) tables() string {
	return "  names = " + g.mistaken(g.pick(`{ a = ["x"], b = null }`, "null"), `{ a = "A", b = var.secret }`,
		`{ a = "A", b = "B", ä = "X", Bo = "Y" }`, `{ for r in csvdecode(file("rows.csv")) : r.id => r.name }`, `tomap({ a = "A", b = "B" })`) +
		"\n  list = " + g.mistaken(`"a"`, `["b", var.secret]`, `["a", "b", "a"]`, `toset(["a", "b"])`, `csvdecode(file("rows.csv"))[*].id`, `["a", 1, null]`, "[]") + "\n"
}

// searches is an expression that looks for a key.
func (g *generator) searches(key string) string {
	return fmt.Sprintf(g.mistaken(
		g.pick(`"${lookup(local.names, %[1]s)}"`, `lookup(local.names, upper(%[1]s), var.secret)`, `"${index(local.list, %[1]s)}"`, "jsonencode({ for r in local.rows : r.n => r.missing if r.id == %[1]s })",
			`jsonencode((%[1]s == "a" ? local.names : local.list))`, `jsonencode(%[1]s == var.secret ? ["y"] : ["n"])`, `lookup(local.names, %[1]s, local.missing)`),
		`"${lookup(local.names, %[1]s, "none")}"`, `jsonencode(lookup(local.names, %[1]s, { x = 1 }))`,
		`"${contains(local.list, %[1]s)}"`, `contains(keys(local.names), %[1]s) ? "in" : "out"`, `jsonencode(%[1]s == "a" ? local.names : { z = "Z" })`,
		`"${try(index(local.list, %[1]s), "no")}"`,
		`"${lookup({ a = 1 }, %[1]s, "1")}"`, `contains(local.list, %[1]s == "a" ? %[1]s : null) ? "1" : "2"`,
		"jsonencode([for r in local.rows : r.name if r.id == %[1]s])", "jsonencode({ for k, v in local.names : k => v if k == %[1]s })", "jsonencode([for k, v in local.names : v if %[1]s == v])",
		"jsonencode([for i, r in local.rows : i if r.id == %[1]s])", `"${one([for r in local.rows : r.n if r.from == %[1]s])}"`, `jsonencode([for r in local.list : r if r == %[1]s])`,
		"jsonencode([for r in local.rows : r.name if "+g.condition()+"])", "jsonencode({ for i, r in local.rows : i => r.n... if "+g.condition()+" })", `"${anytrue([for r in local.rows : `+g.condition()+`])}"`,
		"jsonencode([for i, r in local.rows : [i, r.id] if "+g.condition()+"])", "jsonencode([for r in local.rows : r.id if "+g.condition()+"])",
		"jsonencode([for r in local.rows : [r.name, contains(local.list, r.id), %[1]s] if r.id != %[1]s])"), key)
}

// condition is one on a row, with parts that tell rows by what the instance wants.
func (g *generator) condition() string {
	text := ""
	for n := range 1 + g.IntN(3) {
		if n > 0 {
			text += g.pick(" && ", " && ", " || ")
		}
		text += g.mistaken(g.pick("r.missing == %[1]s", "r.id == var.secret", "r.n", "null"),
			"r.id == %[1]s", "%[1]s != r.from", "upper(r.id) == upper(%[1]s)", `r.n == "1"`, `%[1]s == "a"`, "!(r.id != %[1]s)", `(r.name != "" || r.from == %[1]s)`, "!(r.id == %[1]s)",
			"contains([%[1]s, \"b\"], r.id)", "contains(split(\"n\", r.name), %[1]s)", "contains(local.list, r.id)", "length(r.id) <= length(%[1]s)", "try(tonumber(r.n), 1) == length(%[1]s)")
	}
	return text
}

// collects is an expression over the instances of a block.
func (g *generator) collects(name, repeat string) string {
	if repeat == "" {
		return fmt.Sprintf(g.mistaken("image.%s.nothing", "[image.%s.path]", "[image.%s.id]", "[image.%s.prompt]", "[upper(image.%s.format)]"), name)
	}
	of := []string{
		"[for k, i in image.%s : i.path]", "[for i in image.%s : i.id]", "{ for k, i in image.%s : k => i.width }", "image.%s",
		"[for k, i in image.%s : i.path if k != \"a\"]", "[for i in image.%s : i.seed]", "[for i in image.%s : upper(i.format)]",
	}
	if repeat == "count = 2" {
		of = append(of, "image.%s[*].path", "image.%s[*].id")
	} else {
		of = append(of, "keys(image.%s)", "values(image.%s)[*].id")
	}
	return fmt.Sprintf(g.mistaken("image.%s[*].nothing", of...), name)
}

func (g *generator) repeat() string {
	return g.pick(
		"", "count = 2", "for_each = { for row in csvdecode(file(\"rows.csv\")) : row.id => row }", "for_each = { for row in local.rows : row.id => row }",
		"for_each = { for row in local.rows : row.id => row if row.n != \"2\" }", "for_each = { for row in local.rows : \"${row.id}\" => row }",
		"for_each = { a = { name = \"A\", n = 1, from = \"\" }, b = { name = \"B\", n = 2, from = \"a\" } }", "for_each = toset([\"a\", \"b\"])",
	)
}

func (g *generator) block(name string, repeats map[string]string, before []string) string {
	repeat := repeats[name]
	each := strings.HasPrefix(repeat, "for_each") && !strings.Contains(repeat, "toset")
	prompts := []string{`"fixed"`, `"a ${local.style} logo"`, "\"${var.secret} s\"", "<<-EOT\n    two\n    lines\n  EOT"}
	switch {
	case each:
		prompts = append(prompts, `"Photo of ${each.value.name} as ${each.key}"`, "each.value.name", "each.key", `"${each.value.name}"`, `"${upper(each.value.name)} x"`, `"%{ if each.key == "a" }A%{ endif }"`, g.searches("each.key"), g.searches("each.value.name"), g.searches("each.key"))
	case repeat == "count = 2":
		prompts = append(prompts, `"number ${count.index}"`)
	case repeat != "":
		prompts = append(prompts, `"Photo of ${each.key}"`, "each.value", g.searches("each.value"))
	}
	if len(before) > 0 && g.IntN(2) == 0 {
		prompts = nil
		up := before[g.IntN(len(before))]
		prompts = append(prompts, fmt.Sprintf("\"${length(%s)} there\"", g.collects(up, repeats[up])), fmt.Sprintf("jsonencode(%s)", g.collects(up, repeats[up])))
	}
	model := ""
	if repeat == "count = 2" && g.IntN(3) == 0 {
		// What is the same expression for all is not the same value then.
		model = "model = [\"flux-dev\", \"flux-2-pro\"][count.index]"
		prompts = append(prompts, `"${count.index} is ${size_for(300, 400).height}"`, `"${size_for(300, 400).height} high"`)
	}
	text := fmt.Sprintf("image %q {\n  %s\n  %s\n  prompt = %s\n", name, repeat, model, g.mistaken("each.value.missing", prompts...))
	if g.IntN(2) == 0 {
		text += "  width  = " + g.mistaken("1e3", "1024", "512", `"768"`) + "\n  height = 1024\n"
	}
	if each && g.IntN(2) == 0 {
		text += "  seed = " + g.pick("each.value.n", "7", "null", "length(each.key)") + "\n"
	}
	if each && g.IntN(10) == 0 {
		text += "  output = " + g.pick(`"${each.key}.png"`, `"${each.value.name}.jpg"`, `"x/${each.key}${each.value.n}.webp"`) + "\n"
	}
	if each && g.IntN(2) == 0 {
		text += fmt.Sprintf("  references = "+g.pick(
			`each.value.from == "" ? [] : [image.%[1]s[each.value.from]]`, `[for r in compact([each.value.from]) : image.%[1]s[r]]`,
			`each.value.from != "" ? [image.%[1]s[each.value.from]] : null`, `[try(image.%[1]s[each.value.from], "https://example.com/a.png")]`,
		)+"\n", name)
	}
	if g.IntN(3) == 0 {
		text += "  labels = " + g.mistaken(`{ secret = "${var.secret}" }`, `{ kind = "x" }`, `{ kind = local.style, n = 1 }`, `{ secret = nonsensitive(var.secret) }`) + "\n"
	}
	if g.IntN(6) == 0 {
		text += "  lifecycle {\n    precondition {\n      condition     = " + g.mistaken("false", "true", `local.style == "flat"`) + "\n      error_message = \"no\"\n    }\n  }\n"
	}
	return text + "}\n"
}
