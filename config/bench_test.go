package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/fluxbatch/fluxbatch/internal/hclfast"
	"github.com/fluxbatch/fluxbatch/internal/image"
)

// blocks writes n image blocks of 257 bytes or so.
func blocks(n int) []byte {
	var b strings.Builder
	b.WriteString("defaults {\n  model = \"flux-2-pro\"\n}\nlocals {\n  style = \"flat vector\"\n}\n")
	for i := range n {
		fmt.Fprintf(&b, `image "product_%d" {
  model            = "flux-2-pro"
  prompt           = "Studio photo of product number %d on a plain background, soft light, ${local.style}"
  width            = 1024
  height           = 768
  seed             = %d
  output_format    = "png"
  safety_tolerance = 2
}
`, i, i, i)
	}
	return []byte(b.String())
}

func benchDir(b *testing.B, name string, src []byte) string {
	b.Helper()
	dir := b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), src, 0o600); err != nil {
		b.Fatal(err)
	}
	return dir
}

// BenchmarkParseOnly is what HCL's own parser takes for the file of BenchmarkBlocks.
func BenchmarkParseOnly(b *testing.B) {
	src := blocks(10_000)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if _, diags := hclsyntax.ParseConfig(src, "main.flux.hcl", hcl.InitialPos); diags.HasErrors() {
			b.Fatal(diags)
		}
	}
}

// BenchmarkParse parses the same file in pieces.
func BenchmarkParse(b *testing.B) {
	src := blocks(10_000)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if _, diags := hclfast.Parse(src, "main.flux.hcl", hclfast.PieceSize, readTopBlock); diags.HasErrors() {
			b.Fatal(diags)
		}
	}
}

// BenchmarkBlocks loads and evaluates a file of 10,000 image blocks.
func BenchmarkBlocks(b *testing.B) {
	src := blocks(10_000)
	dir := benchDir(b, "main.flux.hcl", src)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		benchEvaluate(b, dir, 10_000)
	}
}

// BenchmarkInstances evaluates the instances of one for_each over a CSV file.
func BenchmarkInstances(b *testing.B) {
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			dir := benchDir(b, "products.csv", csvRows(n))
			main := []byte(instanceMain)
			if err := os.WriteFile(filepath.Join(dir, "main.flux.hcl"), main, 0o600); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				benchEvaluate(b, dir, n)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/instance")
		})
	}
}

const instanceMain = `
defaults {
  model         = "flux-2-pro"
  output_format = "png"
}
locals {
  style = "flat vector, brand colours"
  rows  = csvdecode(file("products.csv"))
}
image "product" {
  for_each = { for row in local.rows : row.sku => row }
  prompt   = "Studio photo of ${each.value.name} in ${each.value.colour}, ${local.style}"
  width    = 1024
  height   = 768
  seed     = each.value.seed
}
`

func csvRows(n int) []byte {
	var b strings.Builder
	b.WriteString("sku,name,colour,seed\n")
	for i := range n {
		fmt.Fprintf(&b, "sku-%07d,Product number %d,blue,%d\n", i, i, i)
	}
	return []byte(b.String())
}

func benchEvaluate(b *testing.B, dir string, want int) {
	b.Helper()
	c, diags := Load(dir, Options{})
	if diags.HasErrors() {
		b.Fatal(diags)
	}
	n := 0
	if diags := c.Evaluate(func(*image.Image) *image.Result { n++; return nil }); diags.HasErrors() {
		b.Fatal(diags)
	}
	if n != want {
		b.Fatalf("%d images, want %d", n, want)
	}
}
