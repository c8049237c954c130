package config

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/addrs"
)

// TestDerivedReferences: a rendition is found wherever an image may be a reference: by keys, in weaves,
// out of modules, and of files; and an image waits for those whose renditions it is made from.
func TestDerivedReferences(t *testing.T) {
	t.Parallel()
	seal, err := os.ReadFile("testdata/fixtures/valid/bottle.png")
	if err != nil {
		t.Fatal(err)
	}
	dir := write(t, "seal.png", string(seal), "main.flux.hcl", `
defaults {
  model = "flux-2-pro"
}

module "brand" {
  source = "./brand"
}

asset "seal" {
  file = "seal.png"

  rendition "icon" { width = 64 }
}

image "card" {
  for_each = { first = null, second = "first" }
  prompt   = "A card"
  references = each.value == null ? [] : [image.card[each.value].rendition.face]

  rendition "face" { width = 96 }
}

image "all" {
  prompt     = "All of them"
  references = concat([for c in image.card : c.rendition.face], [module.brand.small, asset.seal.rendition.icon])
}
`, "brand/brand.flux.hcl", `
image "logo" {
  model  = "flux-2-pro"
  prompt = "A logo"

  rendition "small" { width = 32 }
}

output "small" {
  value = image.logo.rendition.small
}
`)
	_, images := evaluated(t, dir, nil)
	var made []string
	all := find(t, images, "image.all")
	for i := range all.References {
		r := &all.References[i]
		made = append(made, r.Name())
		if r.Derived == nil || r.Derived.Recipe == nil || r.IsImage() != (r.Derived.Address.Kind == addrs.OfImage) {
			t.Errorf("%s is %+v", r.Name(), r)
		}
	}
	want := []string{
		`image.card["first"].rendition.face`, `image.card["second"].rendition.face`, "module.brand.image.logo.rendition.small", "asset.seal.rendition.icon",
	}
	if diff := cmp.Diff(want, made); diff != "" {
		t.Errorf("references (-want +got):\n%s", diff)
	}
	var needs []string
	for _, addr := range all.Dependencies {
		needs = append(needs, addr.String())
	}
	if diff := cmp.Diff([]string{`image.card["first"]`, `image.card["second"]`, "module.brand.image.logo"}, needs); diff != "" {
		t.Errorf("dependencies (-want +got):\n%s", diff)
	}
	second := find(t, images, `image.card["second"]`)
	if len(second.References) != 1 || second.References[0].Name() != want[0] {
		t.Errorf("the second card is made from %+v", second.References)
	}
}
