package cli_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	stdimage "image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/state"
)

// blocks writes a module of n image blocks into a new directory.
func blocks(b *testing.B, n int) string {
	b.Helper()
	var hcl strings.Builder
	for i := range n {
		fmt.Fprintf(&hcl, `image "item_%d" {
  model         = "flux-2-pro"
  prompt        = "Studio photo of product number %d on a white table, soft light"
  width         = 1024
  height        = 1024
  seed          = %d
  output_format = "png"
  labels        = { kind = "product" }
}
`, i, i, i)
	}
	return module(b, map[string]string{"main.flux.hcl": hcl.String()})
}

// instances writes a module with one image block of n instances, from a CSV file.
func instances(b *testing.B, n int) string {
	b.Helper()
	dir := module(b, map[string]string{"main.flux.hcl": `
locals { style = "flat vector" }
image "product" {
  for_each = { for row in csvdecode(file("products.csv")) : row.sku => row }
  model    = "flux-2-pro"
  prompt   = "Studio photo of ${each.value.name} in ${each.value.colour}, ${local.style}"
  width    = 1024
  height   = 1024
}
`})
	f, err := os.Create(filepath.Join(dir, "products.csv"))
	if err != nil {
		b.Fatal(err)
	}
	csv := bufio.NewWriter(f)
	_, _ = csv.WriteString("sku,name,colour\n") // Flush answers with the first error.
	for i := range n {
		_, _ = fmt.Fprintf(csv, "sku%d,Product number %d,blue\n", i, i)
	}
	if err := errors.Join(csv.Flush(), f.Close()); err != nil {
		b.Fatal(err)
	}
	return dir
}

// applied is instances after an apply: all images are there and on record, and the index knows
// their files.
func applied(b *testing.B, n int) string {
	b.Helper()
	dir := instances(b, n)
	// The first plan reads the files.
	for _, args := range [][]string{{"fluxbatch-bench-applied"}, {"fluxbatch", "plan"}} {
		cmd := exec.CommandContext(b.Context(), os.Args[0])
		cmd.Args, cmd.Dir = args, dir
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%s: %v\n%s", args, err, out)
		}
	}
	return dir
}

// appliedCommand puts all images of the configuration in the current directory in place, each a
// file of a few bytes, and on record. It is a process of its own, since what it needs of memory
// would count towards that of its parent's further children.
func appliedCommand() {
	if err := makeApplied(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func makeApplied() error {
	var file bytes.Buffer
	if err := png.Encode(&file, stdimage.NewPaletted(stdimage.Rect(0, 0, 1, 1), color.Palette{color.Black})); err != nil {
		return err
	}
	sum := sha256.Sum256(file.Bytes())
	made := state.File{SHA256: hex.EncodeToString(sum[:]), Bytes: int64(file.Len()), Width: 1024, Height: 1024, Format: "png"}
	st := &state.State{Lineage: "00000000-0000-4000-8000-000000000000", Images: new(state.Images)}
	if err := os.Mkdir("images", 0o777); err != nil {
		return err
	}
	cfg, diags := config.Load(".", config.Options{})
	var errs []error
	diags = append(diags, cfg.Evaluate(func(img *image.Image) *image.Result {
		errs = append(errs, os.WriteFile(img.Output, file.Bytes(), 0o644))
		st.Images.Set(img.Address, recordOf(img, made))
		return nil
	})...)
	if diags.HasErrors() {
		errs = append(errs, diags)
	}
	f, err := os.Create("fluxbatch.state.json")
	if err != nil {
		return err
	}
	return errors.Join(append(errs, st.Write(f), f.Close())...)
}

// recordOf is the record of an image that was made as it is configured.
func recordOf(img *image.Image, made state.File) *state.Image {
	made.Path = img.Output
	return &state.Image{
		Provider: img.Provider, Model: img.Model.Name, Fingerprint: img.Request().Fingerprint(), Request: img.Record(),
		Output: made, Result: state.Result{TaskID: "00000000-0000-4000-8000-000000000000", Cost: 3000},
	}
}

func module(b *testing.B, files map[string]string) string {
	b.Helper()
	dir := b.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	return dir
}

// hclCommand parses the configuration in the current directory with HCL's own parser, and does
// nothing else: what a plan of a long file is measured against.
func hclCommand() {
	src, err := os.ReadFile("main.flux.hcl")
	if err == nil {
		if _, diags := hclsyntax.ParseConfig(src, "main.flux.hcl", hcl.InitialPos); diags.HasErrors() {
			err = diags
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// BenchmarkProcess runs whole commands, each in a process of its own, as users do.
func BenchmarkProcess(b *testing.B) {
	cases := []struct {
		name string
		dir  func(b *testing.B, n int) string
		n    int
		args []string
	}{
		{"version", blocks, 0, []string{"fluxbatch", "version"}},
		{"hcl/blocks=10000", blocks, 10_000, []string{"fluxbatch-bench-hcl"}},
		{"plan/blocks=10000", blocks, 10_000, []string{"fluxbatch", "plan"}},
		{"plan/instances=10000", instances, 10_000, []string{"fluxbatch", "plan"}},
		{"plan/instances=100000", instances, 100_000, []string{"fluxbatch", "plan"}},
		{"plan/instances=1000000", instances, 1_000_000, []string{"fluxbatch", "plan"}},
		{"plan/unchanged=10000", applied, 10_000, []string{"fluxbatch", "plan"}},
		{"plan/unchanged=100000", applied, 100_000, []string{"fluxbatch", "plan"}},
		{"plan-json/instances=100000", instances, 100_000, []string{"fluxbatch", "plan", "-json"}},
		{"show-json/images=100000", applied, 100_000, []string{"fluxbatch", "show", "-json"}},
	}
	for _, c := range cases {
		b.Run(c.name, func(b *testing.B) {
			dir := c.dir(b, c.n)
			var peak int64
			for b.Loop() {
				cmd := exec.CommandContext(b.Context(), os.Args[0])
				// What it prints goes nowhere: memory of this process would count towards that of
				// its children.
				var problem bytes.Buffer
				cmd.Args, cmd.Dir, cmd.Stderr = c.args, dir, &problem
				if err := cmd.Run(); err != nil {
					b.Fatalf("%v\n%s", err, &problem)
				}
				peak = max(peak, peakMemory(cmd.ProcessState))
			}
			b.ReportMetric(float64(peak)/1e6, "peak-MB")
		})
	}
}
