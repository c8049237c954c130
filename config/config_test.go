package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/fluxbatch/fluxbatch/internal/image"
)

// write makes a directory of files, given as name and content in turn.
func write(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		path := filepath.Join(dir, filepath.FromSlash(files[i]))
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(files[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// load loads a configuration that must be right so far.
func load(t *testing.T, dir string, o Options) *Config {
	t.Helper()
	c, diags := Load(dir, o)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return c
}

const head = `
defaults { model = "flux-2-pro" }
`

// evaluated loads and evaluates a configuration, and returns its images in the order in which they
// were decided.
func evaluated(t *testing.T, dir string, results map[string]*image.Result) (*Config, []*image.Image) {
	t.Helper()
	c := load(t, dir, Options{})
	var images []*image.Image
	diags := c.Evaluate(func(img *image.Image) *image.Result {
		images = append(images, img)
		return results[img.Address.String()]
	})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return c, images
}

func addresses(images []*image.Image) []string {
	list := make([]string, 0, len(images))
	for _, img := range images {
		list = append(list, img.Address.String())
	}
	return list
}

func find(t *testing.T, images []*image.Image, addr string) *image.Image {
	t.Helper()
	i := slices.IndexFunc(images, func(img *image.Image) bool { return img.Address.String() == addr })
	if i < 0 {
		t.Fatalf("there is no %s", addr)
	}
	return images[i]
}

// request writes an image's request as JSON.
func request(t *testing.T, img *image.Image) string {
	t.Helper()
	text, err := img.Request().MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestLoadNothing(t *testing.T) {
	t.Parallel()
	_, diags := Load(write(t, "readme.md", "", "old.flux.hcl~", "x", ".hidden.flux.hcl", "x"), Options{})
	if len(diags) != 1 || diags[0].Summary != "No configuration files" {
		t.Errorf("an empty directory gives %v", diags)
	}
	c, diags := Load(write(t, "readme.md", ""), Options{AllowEmpty: true})
	if len(diags) != 0 || len(c.Evaluate(nil)) != 0 {
		t.Errorf("an empty directory that may be empty gives %v", diags)
	}
	_, diags = Load(filepath.Join(t.TempDir(), "nope"), Options{})
	if len(diags) != 1 || diags[0].Summary != "Cannot read module directory" {
		t.Errorf("a missing directory gives %v", diags)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	c := load(t, "testdata/fixtures/valid", Options{Version: "0.1.0"})
	want := Settings{
		OutputDir: "pictures/out", StatePath: "state/here.json",
		Providers: map[string]*Provider{
			"bfl": {
				Address: "bfl", Region: "eu", KeyEnv: "BFL_API_KEY", Concurrency: 12,
				ModelConcurrency: map[string]int{"flux-kontext-max": 3, "flux-9": 2},
			},
			"bfl.us": {Address: "bfl.us", Region: "global", Endpoint: "http://127.0.0.1:8787", KeyEnv: "BFL_API_KEY_US", Concurrency: 24},
		},
	}
	got := c.Settings
	if got.MaxCost == nil || *got.MaxCost != 500_000 {
		t.Errorf("budget %v, want 500 credits", got.MaxCost)
	}
	got.MaxCost = nil
	for _, p := range got.Providers {
		p.Range = hcl.Range{}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	none := load(t, write(t, "main.flux.hcl", ""), Options{}).Settings
	if none.OutputDir != "images" || none.StatePath != "fluxbatch.state.json" || none.Providers["bfl"].Region != "global" || none.MaxCost != nil {
		t.Errorf("settings of an empty file: %+v", none)
	}
}

// Editors and spreadsheets on Windows begin a file with a byte order mark.
func TestByteOrderMarks(t *testing.T) {
	t.Parallel()
	const mark = "\ufeff"
	c := load(t, write(t,
		"main.flux.json", mark+`{"variable": {"a": {}, "b": {}}, "output": {"a": {"value": "${var.a}${var.b}"}}}`,
		"more.flux.hcl", mark+`output "b" {
		  value = [
		    jsondecode(file("x.json")), csvdecode(file("x.csv"))[0].sku, { for row in csvdecode(file("x.csv")) : row.sku => row }["1"].sku,
		    templatefile("x.json", {}), file("x.txt"), filebase64("x.txt"),
		  ]
		}`,
		"fluxbatch.fluxvars.json", mark+`{"a": "A"}`,
		"fluxbatch.fluxvars.hcl", mark+`b = "B"`,
		"x.json", mark+`[1]`,
		"x.csv", mark+"sku\r\n1\r\n",
		"x.txt", mark+"x"+mark), Options{})
	outputs, diags := c.Outputs(nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	got := show(outputs[0].Whole()) + show(outputs[1].Whole())
	if want := `"AB"[[1], "1", "1", "[1]", "x\ufeff", "77u/eO+7vw=="]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A working copy under Windows has other line endings, and the same prompts: each image would be
// bought again otherwise.
func TestNewlines(t *testing.T) {
	t.Parallel()
	const main = `output "a" {
		  value = [<<-EOT
		    one
		      $${"two"}
		    %{ for x in ["three"] }
		    ${x}
		    %{~ endfor }
		  EOT
		  , "\r\n", <<EOT
four

EOT
		  , file("x.txt"), templatefile("x.txt", {}), filebase64("x.txt")]
		}`
	var got []string
	for _, text := range []string{main, strings.ReplaceAll(main, "\n", "\r\n")} {
		c := load(t, write(t, "main.flux.hcl", text, "x.txt", "a\r\n\rb\n"), Options{})
		outputs, diags := c.Outputs(nil)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		got = append(got, show(outputs[0].Whole()))
	}
	if got[0] != got[1] {
		t.Errorf("with line feeds %s\nunder Windows  %s", got[0], got[1])
	}
	if want := `"\r\n", "four\n\n", "a\n\rb\n", "a\n\rb\n", "YQ0KDWIK"]`; !strings.HasSuffix(got[0], want) {
		t.Errorf("got %s, want %s at its end", got[0], want)
	}
}

func TestModuleDepth(t *testing.T) {
	t.Parallel()
	files := []string{"main.flux.hcl", `module "m" { source = "./d" }`}
	dir := ""
	for range maxModuleDepth + 1 {
		dir += "d/"
		files = append(files, dir+"main.flux.hcl", `module "m" { source = "./d" }`)
	}
	_, diags := Load(write(t, files...), Options{})
	if len(diags) == 0 || diags[0].Summary != "Modules nested too deep" {
		t.Errorf("deep modules give %v", diags)
	}
}
