package cli_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
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
		dir  func(b *testing.B) string
		args []string
	}{
		{"version", func(b *testing.B) string { b.Helper(); return b.TempDir() }, []string{"version"}},
		{"plan/blocks=10000", func(b *testing.B) string { b.Helper(); return blocks(b, 10_000) }, []string{"plan", "-simulate"}},
		{"plan/instances=10000", func(b *testing.B) string { b.Helper(); return instances(b, 10_000) }, []string{"plan", "-simulate"}},
		{"plan/instances=100000", func(b *testing.B) string { b.Helper(); return instances(b, 100_000) }, []string{"plan", "-simulate"}},
		{"apply/blocks=1", func(b *testing.B) string { b.Helper(); return blocks(b, 1) }, []string{"apply", "-simulate", "-auto-approve"}},
	}
	for _, c := range cases {
		b.Run(c.name, func(b *testing.B) {
			dir := c.dir(b)
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
