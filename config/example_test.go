package config_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/image"
)

// A directory is read, and what it declares is gone through: images come before those that are made
// from them.
func ExampleLoad() {
	dir, err := os.MkdirTemp("", "brand")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // a leftover harms nobody
	const manifest = `
variable "season" { default = "summer" }
defaults { model = "flux-2-pro" }

image "hero" {
  prompt     = "The logo on a beach, ${var.season} light"
  references = [image.logo]
}
image "logo" { prompt = "A heron" }
`
	if err := os.WriteFile(filepath.Join(dir, "main.flux.hcl"), []byte(manifest), 0o600); err != nil {
		log.Fatal(err)
	}
	cfg, diags := config.Load(dir, config.Options{Values: []config.Value{{Assignment: "season=winter"}}})
	if diags.HasErrors() {
		log.Fatal(diags)
	}
	diags = cfg.Evaluate(func(img *image.Image) *image.Result {
		prompt := ""
		for _, argument := range img.Arguments {
			if argument.Name == "prompt" {
				prompt = fmt.Sprint(argument.Value)
			}
		}
		fmt.Printf("%s: %s\n", img.Address, prompt)
		return nil // there is no image yet
	})
	if diags.HasErrors() {
		log.Fatal(diags)
	}
	// Output:
	// image.logo: A heron
	// image.hero: The logo on a beach, winter light
}
