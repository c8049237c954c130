package cli_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
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
	var csv strings.Builder
	csv.WriteString("sku,name,colour\n")
	for i := range n {
		fmt.Fprintf(&csv, "sku%d,Product number %d,blue\n", i, i)
	}
	return module(b, map[string]string{"products.csv": csv.String(), "main.flux.hcl": `
locals { style = "flat vector" }
image "product" {
  for_each = { for row in csvdecode(file("products.csv")) : row.sku => row }
  model    = "flux-2-pro"
  prompt   = "Studio photo of ${each.value.name} in ${each.value.colour}, ${local.style}"
  width    = 1024
  height   = 1024
}
`})
}

// applied is instances after an apply: all images are there and on record, and the index knows their files.
func applied(b *testing.B, n int) string {
	b.Helper()
	dir := instances(b, n)
	var file bytes.Buffer
	if err := png.Encode(&file, image.NewPaletted(image.Rect(0, 0, 1, 1), color.Palette{color.Black})); err != nil {
		b.Fatal(err)
	}
	sum := sha256.Sum256(file.Bytes())
	made := state.File{SHA256: hex.EncodeToString(sum[:]), Bytes: int64(file.Len()), Width: 1024, Height: 1024, Format: "png"}
	st := &state.State{Lineage: "00000000-0000-4000-8000-000000000000", Images: map[addrs.Image]*state.Image{}}
	cfg, diags := config.Load(dir, config.Options{})
	if err := os.Mkdir(filepath.Join(dir, "images"), 0o777); err != nil || diags.HasErrors() {
		b.Fatal(err, diags)
	}
	diags = cfg.Evaluate(func(img *config.Image) *config.Result {
		request, err := img.Request.MarshalJSON()
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, img.Output), file.Bytes(), 0o644)
		}
		if err != nil {
			b.Fatal(err)
		}
		record := &state.Image{
			Provider: img.Provider, Model: img.Request.Model.Name, Fingerprint: img.Request.Fingerprint(), Request: request,
			Output: made, Result: state.Result{TaskID: "00000000-0000-4000-8000-000000000000", Cost: 3000},
		}
		record.Output.Path = img.Output
		st.Images[img.Address] = record
		return nil
	})
	if diags.HasErrors() {
		b.Fatal(diags)
	}
	f, err := os.Create(filepath.Join(dir, "fluxbatch.state.json"))
	if err == nil {
		err = errors.Join(st.Write(f), f.Close())
	}
	if err != nil {
		b.Fatal(err)
	}
	// The first plan reads the files.
	cmd := exec.CommandContext(b.Context(), os.Args[0])
	cmd.Args, cmd.Dir = []string{"fluxbatch", "plan"}, dir
	if out, err := cmd.Output(); err != nil || !bytes.Contains(out, []byte("No changes.")) {
		b.Fatalf("%v\n%s", err, out)
	}
	return dir
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

// BenchmarkProcess runs whole commands, each in a process of its own, as users do.
func BenchmarkProcess(b *testing.B) {
	cases := []struct {
		name string
		dir  func(b *testing.B, n int) string
		n    int
		args []string
	}{
		{"version", blocks, 0, []string{"version"}},
		{"plan/blocks=10000", blocks, 10_000, []string{"plan"}},
		{"plan/instances=10000", instances, 10_000, []string{"plan"}},
		{"plan/instances=100000", instances, 100_000, []string{"plan"}},
		{"plan/instances=1000000", instances, 1_000_000, []string{"plan"}},
		{"plan/unchanged=10000", applied, 10_000, []string{"plan"}},
		{"plan/unchanged=100000", applied, 100_000, []string{"plan"}},
	}
	for _, c := range cases {
		b.Run(c.name, func(b *testing.B) {
			dir := c.dir(b, c.n)
			// A process starts with the memory of the one that it is forked from, which counts towards its peak.
			debug.FreeOSMemory()
			var peak int64
			for b.Loop() {
				cmd := exec.CommandContext(b.Context(), os.Args[0])
				cmd.Args = append([]string{"fluxbatch"}, c.args...)
				cmd.Dir = dir
				if out, err := cmd.Output(); err != nil {
					b.Fatalf("%v\n%s", err, out)
				}
				peak = max(peak, peakMemory(cmd.ProcessState))
			}
			b.ReportMetric(float64(peak)/1e6, "peak-MB")
		})
	}
}
