package config

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/image"
)

// TestChosenReferences lists ways to choose references by what is known in the plan. None of them
// may make it unknown which images these are: the price and the size of what is made from them come
// from that.
func TestChosenReferences(t *testing.T) {
	t.Parallel()
	const around = `
variable "yes" { default = true }
image "a" {
  prompt = "a"
  width  = 512
  height = 512
}
image "set" {
  for_each = toset(["k", "l"])
  prompt   = "s"
  width    = each.key == "k" ? 512 : 1024
  height   = 512
}
image "user" {
  prompt     = "u"
  references = `
	tests := []struct {
		references string
		want       []string
	}{
		{`var.yes ? [image.a] : []`, []string{"image.a"}},
		{`var.yes ? [] : [image.a]`, nil},
		{`var.yes ? [image.a] : null`, []string{"image.a"}},
		{`[var.yes ? image.a : null]`, []string{"image.a"}},
		{`var.yes ? [image.a, image.set["k"]] : [image.a]`, []string{"image.a", `image.set["k"]`}},
		{`concat(var.yes ? [image.a] : [], [image.set["k"]])`, []string{"image.a", `image.set["k"]`}},
		{`flatten([var.yes ? [image.a] : [], [[image.set["k"]]]])`, []string{"image.a", `image.set["k"]`}},
		{`[try(image.set["k"], null)]`, []string{`image.set["k"]`}},
		{`[try(image.set["no"], null)]`, nil},
		{`[try(image.set["no"], image.a)]`, []string{"image.a"}},
		{`try([image.set["k"]], [])`, []string{`image.set["k"]`}},
		{`try([for k in ["k", "l"] : image.set[k]], [])`, []string{`image.set["k"]`, `image.set["l"]`}},
		{`try({ x = image.set["k"] }, {})["x"] == null ? [] : [image.a]`, []string{"image.a"}},
		{`can(image.set["k"]) ? [image.set["k"]] : []`, []string{`image.set["k"]`}},
		{`can(image.set["no"]) ? [image.set["no"]] : []`, nil},
		{`contains(keys(image.set), "k") ? [image.set["k"]] : []`, []string{`image.set["k"]`}},
		{`[lookup(image.set, "k", null)]`, []string{`image.set["k"]`}},
		{`[for k, i in image.set : i if i.width == 512]`, []string{`image.set["k"]`}},
		{`[for k, i in image.set : i if k != "k"]`, []string{`image.set["l"]`}},
		{`[coalesce(try(image.set["no"], null), image.a)]`, []string{"image.a"}},
		{`[element(values(image.set), 1)]`, []string{`image.set["l"]`}},
		{`[one([for k, i in image.set : i if k == "l"])]`, []string{`image.set["l"]`}},
		{`[merge({ x = image.a }, { y = 1 })["x"]]`, []string{"image.a"}},
		{`slice(values(image.set), 0, var.yes ? 1 : 2)`, []string{`image.set["k"]`}},
		{`coalescelist([], [image.a])`, []string{"image.a"}},
		{`reverse([image.a, image.set["k"]])`, []string{`image.set["k"]`, "image.a"}},
	}
	for _, test := range tests {
		t.Run(test.references, func(t *testing.T) {
			t.Parallel()
			c, diags := Load(write(t, "main.flux.hcl", head+around+test.references+"\n}\n"), Options{})
			var got []string
			diags = append(diags, c.Evaluate(func(img *image.Image) *image.Result {
				if img.Address.Name != "user" {
					return nil
				}
				for _, s := range img.References {
					if s.Unknown {
						got = append(got, "unknown")
					} else {
						got = append(got, s.Image.String())
					}
				}
				return nil
			})...)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("references (-want +got):\n%s", diff)
			}
		})
	}
}
