package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// keyBlocks are blocks with an instance for each key, in the forms of which one once cost the square
// of the number of keys.
var keyBlocks = map[string]string{
	"list":   "for_each = toset(split(\",\", file(\"keys.txt\")))\n  prompt = each.key",
	"tuple":  "for_each = toset(local.keys)\n  prompt = each.key",
	"map":    "for_each = tomap(local.names)\n  prompt = upper(each.key)",
	"length": "for_each = local.names\n  prompt = \"${length(local.names)} ${each.key}\"",
}

// BenchmarkKeys evaluates the instances of one for_each over names. What one costs must not grow
// with their number.
func BenchmarkKeys(b *testing.B) {
	const head = `
defaults {
  model = "flux-2-pro"
}
locals {
  keys  = [for k in split(",", file("keys.txt")) : k]
  names = { for k in local.keys : k => "name of ${k}" }
}
`
	for _, name := range sortedKeys(keyBlocks) {
		for _, n := range []int{4_000, 20_000} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				main := head + "image \"p\" {\n  " + keyBlocks[name] + "\n}\n"
				dir := benchDir(b, "main.flux.hcl", []byte(main))
				if err := os.WriteFile(filepath.Join(dir, "keys.txt"), keyList(n), 0o600); err != nil {
					b.Fatal(err)
				}
				for b.Loop() {
					benchEvaluate(b, dir, n)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/key")
			})
		}
	}
}

func keyList(n int) []byte {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("k%06d", i)
	}
	return []byte(strings.Join(keys, ","))
}
