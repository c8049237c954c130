package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
)

// FuzzLoad looks for configurations that make the package panic, or that it calls right and then
// gives images that break its promises. Its seeds are the files of the fixtures.
func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/fixtures/*/*.flux.*")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, file := range append(files, "testdata/expressions/main.flux.hcl") {
		src, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(src), strings.HasSuffix(file, ".json"))
	}
	for _, example := range dependencyCases {
		f.Add(head+"image \"a\" {\n  prompt = \"A\"\n}\nimage \"b\" {\n"+example+"\n}\n", false)
	}
	for _, e := range expressions {
		f.Add("output \"o\" {\n  value = "+strings.TrimSuffix(e.expr, "\n")+"\n}\n", false)
	}
	f.Fuzz(func(t *testing.T, src string, json bool) {
		dir := t.TempDir()
		name := "main.flux.hcl"
		if json {
			name = "main.flux.json"
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(src), 0o600); err != nil {
			t.Fatal(err)
		}
		c, diags := Load(dir, Options{limit: 50, Version: "0.1.0"})
		seen := map[addrs.Image]bool{}
		outputs := map[string]bool{}
		made := &image.Result{SHA256: "00", TaskID: "t", Seed: new(int64(1)), Width: 64, Height: 64, Format: "png"}
		var images []*image.Image
		diags = append(diags, c.Evaluate(func(img *image.Image) *image.Result {
			checkImage(t, img, seen, outputs)
			images = append(images, img)
			if len(images)%2 == 0 {
				return made
			}
			return nil
		})...)
		_, more := c.Outputs(nil)
		diags = append(diags, more...)
		if diags.HasErrors() {
			return
		}
		for _, img := range images {
			_, _ = c.Resolve(img.Address, func(addrs.Image) *image.Result { return made })
			_ = c.Postconditions(img.Address, func(addrs.Image) *image.Result { return made })
		}
		_, _ = c.Outputs(func(addrs.Image) *image.Result { return made })
		_ = c.Checks(func(addrs.Image) *image.Result { return made })
		_ = c.Digest()
	})
}

func checkImage(t *testing.T, img *image.Image, seen map[addrs.Image]bool, outputs map[string]bool) {
	t.Helper()
	if seen[img.Address] {
		t.Errorf("%s is decided twice", img.Address)
	}
	seen[img.Address] = true
	if !filepath.IsLocal(img.Output) || outputs[strings.ToLower(img.Output)] {
		t.Errorf("%s has the output %q", img.Address, img.Output)
	}
	outputs[strings.ToLower(img.Output)] = true
	if _, err := img.Request().MarshalJSON(); err != nil {
		t.Errorf("%s has a request that cannot be written: %v", img.Address, err)
	}
	for _, other := range img.Dependencies {
		if !seen[other] {
			t.Errorf("%s is decided before %s, which it depends on", img.Address, other)
		}
	}
}
