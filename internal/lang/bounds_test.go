package lang

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// evaluated evaluates an expression with the functions of a folder. It returns the text of all
// errors.
func evaluated(t *testing.T, dir, src string, locals map[string]cty.Value) (cty.Value, string) {
	t.Helper()
	expr, diags := hclsyntax.ParseExpression([]byte(src), "x", hcl.InitialPos)
	diags = append(diags, HugeNumbers([]byte(src), "x")...)
	v := cty.DynamicVal
	if !diags.HasErrors() {
		f := New(Options{
			Dir: dir, Opaque: func(cty.Type) bool { return false }, Settled: func(cty.Value) bool { return false },
		})
		v, diags = expr.Value(&hcl.EvalContext{
			Variables: map[string]cty.Value{"local": cty.ObjectVal(locals)}, Functions: f.Table,
		})
	}
	var texts []string
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			texts = append(texts, d.Summary+": "+d.Detail)
		}
	}
	if IsHuge(v) {
		texts = append(texts, ErrHuge.Error())
	}
	return v, strings.Join(texts, "\n")
}

// A template that renders itself ends with an error that names the way out, whether a condition is
// in it or not.
func TestEndlessTemplates(t *testing.T) {
	t.Parallel()
	const once, twice = `${templatefile("a.txt", { n = n - 1 })}`, `${templatefile("a.txt", { n = n - 1 })}${templatefile("a.txt", { n = n - 1 })}`
	for name, tt := range map[string]struct{ a, b, expr, want string }{
		"itself":                  {once, "", `templatefile("a.txt", { n = 3 })`, "64 levels deep"},
		"itself, twice":           {twice, "", `templatefile("a.txt", { n = 3 })`, "10000 times in all"},
		"under a condition":       {`%{ if n > 0 }` + twice + `%{ endif }`, "", `templatefile("a.txt", { n = 3 })`, "10000 times in all"},
		"in a conditional":        {`${n > 0 ? "` + twice + `" : ""}`, "", `templatefile("a.txt", { n = 3 })`, "10000 times in all"},
		"in turn":                 {`%{ if n > 0 }${templatefile("b.txt", { n = n })}%{ endif }`, twice, `templatefile("a.txt", { n = 3 })`, "10000 times in all"},
		"by a text":               {`${templatestring(t, { t = t })}${templatestring(t, { t = t })}`, "", `templatestring(file("a.txt"), { t = file("a.txt") })`, "10000 times in all"},
		"by a text and a file":    {`${templatestring("$${templatefile(\"a.txt\", {})}", {})}`, "", `templatefile("a.txt", {})`, "64 levels deep"},
		"it ends by a try":        {`${try(templatefile("a.txt", {}), "")}`, "", `templatefile("a.txt", {})`, ""},
		"behind a try, twice":     {`${try(templatefile("a.txt", {}), "")}${try(templatefile("a.txt", {}), "")}`, "", `templatefile("a.txt", {})`, "10000 times in all"},
		"in many elements":        {`%{ for x in range(100) }${templatefile("a.txt", {})}%{ endfor }`, "", `templatefile("a.txt", {})`, "10000 times in all"},
		"with a text that grows":  {`${templatefile("a.txt", { s = "${s}${s}${s}${s}" })}`, "", `templatefile("a.txt", { s = "heron" })`, "more than 256 MB"},
		"it ends by a condition":  {`${n}%{ if n > 0 }` + once + `%{ endif }`, "", `templatefile("a.txt", { n = 3 })`, ""},
		"another error is said":   {`%{ if n > 0 }` + once + `%{ endif }${parseint(n == 2 ? "x" : "1", 10)}`, "", `templatefile("a.txt", { n = 3 })`, "base 10"},
		"many, not in each other": {"x", "", `join("", [for n in range(1000) : join("", [for m in range(20) : templatefile("a.txt", {})])])`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for name, text := range map[string]string{"a.txt": tt.a, "b.txt": tt.b} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_, got := evaluated(t, dir, tt.expr, nil)
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if strings.Contains(tt.want, "in all") && !strings.Contains(got, "%{ for }") {
				t.Errorf("the way out is not said: %s", got)
			}
			if len(got) > 2000 {
				t.Errorf("the error has %d bytes", len(got))
			}
		})
	}
}

// A few words that ask for more than a memory holds are refused at once.
func TestFunctionsAreBounded(t *testing.T) {
	t.Parallel()
	// Each further local is a thousand times as long.
	locals := map[string]cty.Value{}
	for _, local := range [][2]string{
		{"k", `join("", [for x in range(1000) : "heron"])`},
		{"m", `join(local.k, [for x in range(1000) : ""])`},
		{"r", `range(1000)`},
	} {
		v, wrong := evaluated(t, "", local[1], locals)
		if wrong != "" {
			t.Fatal(wrong)
		}
		locals[local[0]] = v
	}
	for _, expr := range []string{
		`join(local.m, local.r)`, `join(local.m, [for x in local.r : ""], [for x in local.r : ""])`,
		`replace(local.m, "heron", local.k)`, `replace(local.m, "", local.k)`, `replace(local.m, "/e/", local.k)`,
		`replace(local.m, "/^.*$/", join("", [for x in local.r : "$0"]))`,
		`format("%1000000000s", "x")`, `format("%-1000000000s", "x")`, `format("%.1000000000f", 1)`, `format("%99999999999999999999d", 1)`,
		`format("%01000000000d", 1)`, `format("%#1000000000v", [])`, `formatlist("%1000000s", local.r)`, `formatlist("%s%s", local.m, local.r)`,
		`indent(1000000000, "a\nb")`, `indent(1000000, local.m == "" ? "" : replace(local.k, "heron", "\n"))`,
		`setproduct(local.r, local.r, local.r)`, `setproduct(local.r, local.r, local.r, local.r, local.r, local.r, local.r)`,
		`regexall("(((((((((((((())))))))))))))", local.m)`,
		`jsonencode([for x in local.r : local.m])`,
		`yamldecode("a: &a [x, x, x, x, x, x, x, x, x]\nb: &b [` + aliases("a") + `]\nc: &c [` + aliases("b") + `]\nd: &d [` + aliases("c") + `]\ne: &e [` +
			aliases("d") + `]\nf: &f [` + aliases("e") + `]\ng: &g [` + aliases("f") + `]\nh: &h [` + aliases("g") + `]\ni: &i [` + aliases("h") + `]")`,
		`yamldecode("a: &a [*a, *a]")`,
		`tostring(tonumber("1e100000000"))`, `tonumber("1e-100000000")`, `jsondecode("{\"a\": [1e100000000]}")`, `yamldecode("a: 1e100000000")`,
		`jsonencode({ a = 1e100000000 })`, `"x${1e100000000}"`, `1e1000 * 1e1000`, `templatestring("x$${1e100000000}", {})`,
	} {
		t.Run(expr[:min(len(expr), 40)], func(t *testing.T) {
			t.Parallel()
			if _, got := evaluated(t, "", expr, locals); !strings.Contains(got, "more than") && !strings.Contains(got, "1,000 digits") && !strings.Contains(got, "itself") {
				t.Errorf("it is not refused for its size: %q", got)
			}
		})
	}
}

func aliases(name string) string { return strings.Join(slices.Repeat([]string{"*" + name}, 9), ", ") }

// What people write is far below the bounds.
func TestBoundsAreFarAway(t *testing.T) {
	t.Parallel()
	for _, expr := range []string{
		`length(setproduct(range(100), range(1000)))`, `length(format("%1000s", "x"))`, `length(join(", ", [for x in range(1000) : "heron"]))`,
		`length(replace(join("", [for x in range(1000) : "ab"]), "a", "herons"))`, `length(indent(8, "a\nb"))`, `1e300 * 1e300`, `-1e-300`,
		`length(yamldecode("a: &a [x, x]\nb: [*a, *a]").b)`, `length(regexall("(a)(b)?", join("", [for x in range(1000) : "ab"])))`,
		`try(try(try(try(try(try(try(try(try(try(try(try(try(try(try(try(try(try(try(try(1))))))))))))))))))))`,
	} {
		if _, wrong := evaluated(t, "", expr, nil); wrong != "" {
			t.Errorf("%s: %s", expr, wrong)
		}
	}
}
