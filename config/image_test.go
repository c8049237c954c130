package config

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/filename"
	"github.com/fluxbatch/fluxbatch/internal/image"
)

func TestRequests(t *testing.T) {
	t.Parallel()
	_, images := evaluated(t, "testdata/fixtures/valid", nil)
	bottle := readInput("testdata/fixtures/valid/bottle.png").content
	tests := []struct{ addr, output, want string }{
		{
			"image.logo", "pictures/out/logo.png",
			`{"endpoint":"/v1/flux-2-pro","body":{"height":1024,"output_format":"png","prompt":"A heron logo, flat vector, summer","seed":0,"width":1024}}`,
		},
		{
			"image.hero", "pictures/out/heroes/hero.jpg",
			`{"endpoint":"/v1/flux-2-max","body":{"input_image":null,"input_image_2":{"sha256":"` + bottle + `"},` +
				`"input_image_3":"https://example.com/light.jpg","prompt":"The logo from image 1 on the bottle from image 2"}}`,
		},
		{
			`image.product["a1"]`, "pictures/out/product-a1.png",
			`{"endpoint":"/v1/flux-2-pro","body":{"output_format":"png","prompt":"Studio photo of Bottle","width":1024}}`,
		},
		{
			`image.product["b2"]`, "pictures/out/product-b2.png",
			`{"endpoint":"/v1/flux-2-pro","body":{"output_format":"png","prompt":"Studio photo of Cup"}}`,
		},
		{
			"image.numbered[1]", "pictures/out/numbered-1.png",
			`{"endpoint":"/v1/flux-2-pro","body":{"output_format":"png","prompt":"{\"colors\":[\"#fff\"],\"scene\":\"Number 1\"}"}}`,
		},
		{
			"image.newest", "pictures/out/newest.png",
			`{"endpoint":"/v1/flux-9","body":{"grounding":false,"images":null,"output_format":"png","prompt":"Anything","resolution":"2k","weights":[1,2.5]}}`,
		},
		{
			"image.listed", "pictures/out/listed.png",
			`{"endpoint":"/v1/flux-10","body":{"images":[null,"https://example.com/light.jpg",{"sha256":"` + bottle + `"}],` +
				`"output_format":"png","prompt":"Image 1 and image 3"}}`,
		},
		{
			"image.patched", "pictures/out/patched.png",
			`{"endpoint":"/v1/flux-fill","body":{"image":{"sha256":"` + bottle + `"},"mask":{"sha256":"` + bottle + `"},"output_format":"png","prompt":"A patch"}}`,
		},
		{
			`module.brands["eu"].image.badge`, "pictures/out/brands-eu/badge.jpg",
			`{"endpoint":"/v1/flux-2-pro","body":{"input_image":null,"input_image_2":{"sha256":"` +
				readInput("testdata/fixtures/valid/brand/leaf.png").content + `"},"prompt":"Badge of eu in the look of image 1"}}`,
		},
	}
	for _, tt := range tests {
		img := find(t, images, tt.addr)
		if diff := cmp.Diff(tt.want, request(t, img)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.addr, diff)
		}
		if img.Output != tt.output {
			t.Errorf("%s is written to %s, want %s", tt.addr, img.Output, tt.output)
		}
	}
	hero := find(t, images, "image.hero")
	if hero.Provider != "bfl.us" || find(t, images, `module.brands["us"].image.badge`).Provider != "bfl.us" ||
		find(t, images, "module.brand.image.badge").Provider != "bfl" {
		t.Error("images have the wrong providers")
	}
	want := image.Lifecycle{
		PreventDestroy: true, IgnoreChanges: []string{"prompt", "seed"},
		ReplaceTriggeredBy: []image.Trigger{
			{Image: parseAddr(t, "image.logo"), Attribute: "prompt"}, {Image: parseAddr(t, `image.product["a1"]`)},
		},
	}
	if diff := cmp.Diff(want, hero.Lifecycle(), cmp.AllowUnexported(addrs.Key{})); diff != "" {
		t.Errorf("lifecycle (-want +got):\n%s", diff)
	}
	if l := find(t, images, `image.product["a1"]`).Lifecycle(); !l.Frozen || !l.IgnoreAll || l.PreventDestroy {
		t.Errorf("lifecycle of image.product[\"a1\"]: %+v", l)
	}
	if diff := cmp.Diff(map[string]string{"kind": "logo"}, find(t, images, "image.logo").Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
}

func TestKnownBeforeApply(t *testing.T) {
	t.Parallel()
	c, _ := evaluated(t, write(t, "main.flux.hcl", head+`
		image "a" {
		  prompt = "A"
		  width  = 512
		  output = "x/a.png"
		}
		image "b" {
		  model      = "flux-2-pro"
		  prompt     = "B"
		  width      = 1920
		  height     = 1080
		  references = [image.a, "https://example.com/x.png"]
		  labels     = { k = "v" }
		  parameters = { more = [1], name = "x" }
		}`), nil)
	for expr, want := range map[string]string{
		"image.a.address": `"image.a"`, "image.a.path": `"images/x/a.png"`, "image.a.width": "512", "image.a.height": "unknown number",
		"image.a.format": `"png"`, "image.a.seed": "unknown number", "image.a.model": `"flux-2-pro"`, "image.a.provider": `"bfl"`,
		"image.a.steps": "null", "image.a.output_format": `"png"`, "image.a.sha256": "unknown string", "image.a.cost": "unknown number",
		"image.a.references": "null", "image.a.labels": "null",
		// The API may round these.
		"image.b.width": "unknown number", "image.b.height": "unknown number",
		"image.b.references": `tolist(["image.a", "https://example.com/x.png"])`, "image.b.labels": `tomap({k = "v"})`,
		"image.b.parameters": `tomap({more = "[1]", name = "x"})`, "image.b.format": "unknown string", "image.b.mask": "null",
	} {
		v, diags := c.Eval(expr)
		if got := show(v); got != want || diags.HasErrors() {
			t.Errorf("%s = %s, want %s %v", expr, got, want, diags)
		}
	}
}

func TestKnownResult(t *testing.T) {
	t.Parallel()
	c, _ := evaluated(t, write(t, "main.flux.hcl", head+`
		image "a" {
		  prompt = "A"
		  width  = 512
		}`), map[string]*image.Result{"image.a": {SHA256: "ab", TaskID: "t", Width: 513, Height: 2, Format: "jpeg", Cost: 4500}})
	v, diags := c.Eval("[image.a.sha256, image.a.id, image.a.width, image.a.height, image.a.format, image.a.cost, image.a.seed]")
	if got, want := show(v), `["ab", "t", 513, 2, "jpeg", 0.045, null]`; got != want || diags.HasErrors() {
		t.Errorf("a made image is %s, want %s %v", got, want, diags)
	}
}

func TestSensitiveArguments(t *testing.T) {
	t.Parallel()
	_, images := evaluated(t, write(t, "main.flux.hcl", head+`
		variable "secret" {
		  default   = "s"
		  sensitive = true
		}
		image "a" {
		  prompt     = "A ${var.secret}"
		  seed       = 1
		  references = ["https://example.com/${var.secret}"]
		  parameters = { token = var.secret }
		}`), nil)
	if diff := cmp.Diff([]string{"input_image", "prompt", "token"}, images[0].Sensitive()); diff != "" {
		t.Errorf("sensitive arguments (-want +got):\n%s", diff)
	}
}

func TestSensitiveReferences(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		references string
		want       []string
	}{
		{`[image.a]`, nil},
		{`[image.b, "https://example.com/b.png"]`, nil},
		{`[null, image.c["x"]]`, nil},
		{`concat(values(image.c), [image.a])`, nil},
		{`[image.a.prompt == "" ? image.a : image.b]`, []string{"input_image"}},
		{`["https://example.com/${var.secret}"]`, []string{"input_image"}},
		{`var.none`, nil},
	} {
		_, images := evaluated(t, write(t, "main.flux.hcl", head+`
			variable "secret" {
			  default   = "x"
			  sensitive = true
			}
			variable "none" { default = null }
			image "a" { prompt = "A ${var.secret}" }
			image "b" {
			  prompt     = "B"
			  references = [image.a]
			}
			image "c" {
			  for_each = toset(["x"])
			  prompt   = var.secret
			}
			image "z" {
			  prompt     = "Z"
			  references = `+tt.references+`
			}`), nil)
		for _, img := range images {
			if diff := cmp.Diff(tt.want, img.Sensitive()); img.Address.Name == "z" && diff != "" {
				t.Errorf("references = %s (-want +got):\n%s", tt.references, diff)
			}
		}
	}
}

func TestSensitiveValuesAreNotQuoted(t *testing.T) {
	t.Parallel()
	dir := write(t, "main.flux.hcl", head+`
		variable "secret" {
		  default   = "hunter2"
		  sensitive = true
		}
		image "a" {
		  model        = "flux-pro-1.1-ultra"
		  prompt       = "A"
		  aspect_ratio = var.secret
		  seed         = var.secret
		}
		image "b" {
		  prompt     = "B"
		  references = [var.secret]
		  width      = "${var.secret}px" + 1
		}
		image "c" {
		  prompt = "C"
		  lifecycle { frozen = var.secret }
		}`)
	c, diags := Load(dir, Options{})
	diags = append(diags, c.Evaluate(nil)...)
	var text strings.Builder
	if err := hcl.NewDiagnosticTextWriter(&text, c.Files(), 100, false).WriteDiagnostics(diags); err != nil {
		t.Fatal(err)
	}
	shown := strings.ReplaceAll(text.String(), `default   = "hunter2"`, "")
	if len(diags) != 5 || strings.Contains(shown, "hunter2") {
		t.Errorf("%d diagnostics, which show a secret:\n%s", len(diags), shown)
	}
}

// Functions quote their arguments in errors, and so does HCL a key that is there twice.
func TestSensitiveArgumentsAreNotQuoted(t *testing.T) {
	t.Parallel()
	for _, expr := range []string{
		`file("${var.secret}.txt")`, `templatefile(var.secret, {})`, `filesha256(var.secret)`, `filebase64(var.secret)`,
		`fileset(".", "{${var.secret}")`, `fileexists("/dev/null/${var.secret}")`,
		`parseint(var.secret, 10)`, `regex("(${var.secret}", "x")`, `replace("x", "/(${var.secret}/", "")`,
		`timeadd(var.secret, "1h")`, `timecmp(var.secret, var.secret)`, `formatdate("${var.secret}'", "2026-01-31T12:00:00Z")`,
		`formatdate("YYYY", var.secret)`, `lookup({}, var.secret)`, `lookup(tomap({ a = 1 }), var.secret)`, `uuidv5(var.secret, "x")`,
		`jsondecode(var.secret)`, `yamldecode("{${var.secret}")`, `csvdecode("a,b\n${var.secret}")`, `urldecode("%${var.secret}")`,
		`templatestring("%{${var.secret}}", {})`, `templatestring("$${parseint(a, 10)}", { a = var.secret })`,
		`templatestring("$${a}", { a = 1, "${var.secret}!" = 2 })`, `try(file(var.secret), parseint(var.secret, 10))`,
		`tonumber(var.secret)`, `tomap(jsondecode(sensitive("[\"hunter2\"")))`, `[for x in [var.secret, "b"] : file(x)]`,
		`{ for x in [var.secret, var.secret] : x => 1 }`, `try({ for x in [var.secret, var.secret] : x => 1 })`,
		`parseint([var.secret]..., 10)`, `parseint([var.secret, 10]...)`,
	} {
		t.Run(expr, func(t *testing.T) {
			t.Parallel()
			dir := write(t, "main.flux.hcl", `
				variable "secret" { sensitive = true }
				output "x" {
				  sensitive = true
				  value     = `+expr+`
				}`)
			_, diags := Load(dir, Options{Values: []Value{{Assignment: "secret=hunter2"}}})
			if !diags.HasErrors() {
				t.Error("there is no error")
			}
			for _, d := range diags {
				// Of a text in a format, a first letter may be quoted.
				if strings.Contains(d.Detail, "hunter") || strings.Contains(d.Detail, "'h'") || strings.Contains(d.Detail, `%hu`) {
					t.Errorf("a secret is shown: %s", d.Detail)
				}
			}
		})
	}
}

func TestDefaultsAndNull(t *testing.T) {
	t.Parallel()
	_, images := evaluated(t, write(t, "main.flux.hcl", `
		defaults {
		  model         = "flux-2-pro"
		  width         = 512
		  steps         = 20
		  references    = [image.base]
		  output_format = "png"
		}
		variable "width" {
		  type    = number
		  default = null
		}
		image "base" {
		  prompt     = "Base"
		  references = []
		}
		image "a" {
		  prompt = "A"
		  width  = var.width
		}
		image "b" {
		  model      = "flux-dev"
		  prompt     = "B"
		  references = null
		  output     = "b.jpg"
		}
		image "ultra" {
		  model  = "flux-pro-1.1-ultra"
		  prompt = "No width here"
		}`), nil)
	for addr, want := range map[string]string{
		"image.base":  `{"endpoint":"/v1/flux-2-pro","body":{"output_format":"png","prompt":"Base","width":512}}`,
		"image.a":     `{"endpoint":"/v1/flux-2-pro","body":{"input_image":null,"output_format":"png","prompt":"A","width":512}}`,
		"image.b":     `{"endpoint":"/v1/flux-dev","body":{"image_prompt":null,"prompt":"B","steps":20,"width":512}}`,
		"image.ultra": `{"endpoint":"/v1/flux-pro-1.1-ultra","body":{"image_prompt":null,"output_format":"png","prompt":"No width here"}}`,
	} {
		if got := request(t, find(t, images, addr)); got != want {
			t.Errorf("%s is %s\nwant %s", addr, got, want)
		}
	}
}

func TestFileNames(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("lång ", 60)
	_, images := evaluated(t, write(t, "main.flux.hcl", head+`
		image "x" {
		  for_each = toset(["a/b\\c", "dot.", "été", "con", "`+long+`"])
		  prompt   = each.key
		}
		image "aux" { prompt = "A" }`), nil)
	want := map[string]string{
		`image.x["a/b\\c"]`: "images/x-a_b_c.jpg", `image.x["dot."]`: "images/x-dot_.jpg", `image.x["été"]`: "images/x-été.jpg",
		`image.x["con"]`: "images/x-con.jpg", "image.aux": "images/aux_.jpg",
	}
	for addr, path := range want {
		if got := find(t, images, addr).Output; got != path {
			t.Errorf("%s is written to %q, want %q", addr, got, path)
		}
	}
	if got := find(t, images, `image.x["`+long+`"]`).Output; len(filepath.Base(got)) > filename.Longest+len(".jpg") {
		t.Errorf("a long key makes the name %q", got)
	}
}

func TestModuleFiles(t *testing.T) {
	t.Parallel()
	leaf, err := os.ReadFile("testdata/fixtures/valid/brand/leaf.png")
	if err != nil {
		t.Fatal(err)
	}
	dir := write(t,
		"main.flux.hcl", `module "m" {
		  source = "./modules/m"
		  given  = "${path.module}/refs/root.png"
		}`,
		"refs/root.png", string(leaf),
		"modules/m/refs/own.png", string(leaf),
		"modules/m/text.txt", "text",
		"modules/m/main.flux.hcl", head+`
		variable "given" {}
		image "a" {
		  prompt     = file("${path.module}/text.txt")
		  references = ["refs/own.png", "${path.module}/refs/own.png", var.given]
		}`)
	_, images := evaluated(t, dir, nil)
	var got []string
	for _, s := range images[0].References {
		rel, err := filepath.Rel(dir, s.Path)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, filepath.ToSlash(rel))
	}
	if diff := cmp.Diff([]string{"modules/m/refs/own.png", "modules/m/refs/own.png", "refs/root.png"}, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// TestColumns holds the quick way of evaluating arguments against the usual one, which a part that
// names the instance in another form brings about.
func TestColumns(t *testing.T) {
	t.Parallel()
	for _, expr := range []string{
		"each.key", "each.value.s", "each.value.n", "each.value.b", "each.value.null", `"${each.key}"`, `"x ${each.value.s} y"`,
		`"${each.value.n}"`, `"${each.value.n} of ${each.key}"`, `"${each.value.b}${local.l}"`, `"e\u0301 ${each.value.accent}"`,
		`"a${each.value.accent}"`, `"${each.value.secret} x"`, "each.value.secret", `"${each.value.image}"`, `"${local.unknown} ${each.key}"`,
		"each.value.missing", `"${each.value.null}"`, `"${each.value.list}"`, "<<EOT\n${each.key}\n  ${each.value.s}\nEOT\n",
	} {
		outcome := func(expr string) string {
			c, diags := Load(write(t, "main.flux.hcl", head+`
				variable "secret" {
				  default   = "s"
				  sensitive = true
				}
				image "a" { prompt = "A" }
				locals {
				  l       = "local"
				  unknown = image.a.id
				}
				image "x" {
				  for_each = {
				    k = {
				      s = "text", n = 12.5, b = true, null = null, accent = "\u0301", secret = var.secret, image = image.a.sha256, list = []
				    }
				  }
				  prompt = `+expr+`
				}`), Options{})
			var text []string
			diags = append(diags, c.Evaluate(func(img *image.Image) *image.Result {
				text = append(text, request(t, img), fmt.Sprint(img.Dependencies, img.Sensitive()))
				return nil
			})...)
			for _, d := range diags {
				text = append(text, d.Summary, d.Detail)
			}
			return strings.Join(text, "\n")
		}
		// The condition makes the expression one that column does not know.
		usual := outcome(`each.key == "" ? null : (` + expr + "\n)")
		if quick := outcome(expr); quick != usual {
			t.Errorf("%s\n%s\nwant\n%s", expr, quick, usual)
		}
	}
}

func TestManyInstancesOneDiagnostic(t *testing.T) {
	t.Parallel()
	c := load(t, write(t, "main.flux.hcl", head+`
		image "x" {
		  for_each = toset([for i in range(100) : "k${i}"])
		  prompt   = "X"
		  width    = each.key
		}`), Options{})
	diags := c.Evaluate(nil)
	if len(diags) != 1 || !strings.HasSuffix(diags[0].Detail, "99 more instances have the same problem.") {
		t.Fatalf("diagnostics: %v", diags)
	}
	v := diags[0].EvalContext.Variables["each"]
	if got := show(v.GetAttr("key")); got != `"k0"` {
		t.Errorf("the diagnostic's context has the key %s, want that of the first instance", got)
	}
}

// requestOf builds the only image of a configuration as far as its request and its file, without
// holding it against its model's rules. It is nil where that goes wrong.
func requestOf(t *testing.T, files ...string) (*image.Image, hcl.Diagnostics) {
	t.Helper()
	c := load(t, write(t, files...), Options{})
	e := c.evaluator
	e.startOver()
	e.paths = newOutputPaths(e.settings.OutputDir, patternLeast)
	b := e.root.mod.images["a"]
	build := newBuilder(e, b, e.root, e.context(&b.node, e.root), &expansion{})
	build.enter(each{})
	ok := build.evaluateArguments()
	img := &image.Image{Address: build.addr(each{}), Model: build.model()}
	if !ok || !build.arguments(img) || !build.inputs(img) || !build.output(img) {
		return nil, e.list()
	}
	return img, e.list()
}

// Naming a file that would have its name anyway, or no longer, leaves the request as it was: it is
// a move, and costs nothing. What an image's arguments imply stands in the request only where the
// model would deliver something else.
func TestImpliedArgumentsChangeNoRequest(t *testing.T) {
	t.Parallel()
	file := picture(t)
	for _, model := range bfl.Models() {
		hasFormat := model.Param("output_format") != nil
		body := `model = "` + model.Name + "\"\n"
		if len(model.Inputs.References) > 0 {
			body += "references = [\"in.png\"]\n"
		}
		if model.Inputs.Mask != "" {
			body += "mask = \"in.png\"\n"
		}
		for ext, format := range formatOf {
			for _, inherited := range []string{"", "jpeg", "png", "webp"} {
				t.Run(model.Name+ext+inherited, func(t *testing.T) {
					t.Parallel()
					defaults, usual := "", model.DefaultFormat()
					if inherited != "" && hasFormat {
						defaults, usual = `defaults { output_format = "`+inherited+`" }`, inherited
					}
					build := func(output string) (*image.Image, hcl.Diagnostics) {
						return requestOf(t, "in.png", file, "main.flux.hcl", defaults+"\nimage \"a\" {\n"+body+output+"}")
					}
					plain, diags := build("")
					if plain == nil {
						t.Fatal(diags)
					}
					named, diags := build("output = \"brand" + ext + "\"\n")
					switch {
					case named == nil && !hasFormat && format != usual:
						return
					case named == nil:
						t.Fatal(diags)
					}
					if path.Ext(plain.Output) != extensionOf[usual] {
						t.Errorf("without a name the file is %s, and it is of the format %s", plain.Output, usual)
					}
					if same := plain.Request().Fingerprint() == named.Request().Fingerprint(); same != (format == usual) {
						t.Errorf("with and without a name, the request is the same: %v\n%v\n%v", same, plain.Arguments, named.Arguments)
					}
					comes := model.DefaultFormat()
					if asked, ok := named.Request().Value("output_format").(string); ok {
						comes = asked
					}
					if comes != format {
						t.Errorf("to %s comes a file of the format %s", named.Output, comes)
					}
				})
			}
		}
	}
}
