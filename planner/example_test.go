package planner_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/planner"
	"github.com/fluxbatch/fluxbatch/state"
)

// Against an empty state, all that is declared is to be made.
func ExampleMake() {
	dir, err := os.MkdirTemp("", "brand")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // a leftover harms nobody
	const manifest = `
image "card" {
  for_each = toset(["spring", "autumn"])
  model    = "flux-2-pro"
  prompt   = "A heron in ${each.key}"
  width    = 1024
  height   = 1024
}
`
	if err := os.WriteFile(filepath.Join(dir, "main.flux.hcl"), []byte(manifest), 0o600); err != nil {
		log.Fatal(err)
	}
	cfg, diags := config.Load(dir, config.Options{})
	if diags.HasErrors() {
		log.Fatal(diags)
	}
	plan, diags := planner.Make(cfg, planner.Options{Prior: &state.State{}})
	if diags.HasErrors() {
		log.Fatal(diags)
	}
	for _, c := range plan.Changes {
		fmt.Println(c.Address, c.Cost.Dollars())
	}
	summary := plan.Summary()
	fmt.Println(summary.Create, "to create for", summary.Cost.Dollars())
	// Output:
	// image.card["autumn"] $0.03
	// image.card["spring"] $0.03
	// 2 to create for $0.06
}
