package config

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"image"
	"image/png"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/unicode/norm"
)

// picture returns a PNG file.
func picture(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 64, 64))); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Files are found under the names that texts have for them, in whichever of Unicode's forms either
// is.
func TestFileNamesInAnyForm(t *testing.T) {
	t.Parallel()
	forms := map[string]norm.Form{"composed": norm.NFC, "decomposed": norm.NFD}
	for onDisk, disk := range forms {
		for inText, text := range forms {
			t.Run(onDisk+" on disk, "+inText+" in the text", func(t *testing.T) {
				t.Parallel()
				d, s := disk.String, text.String
				dir := write(t,
					d("größe/tür.png"), picture(t), d("größe/tür.txt"), "${who} at the door", d("mödul/m.flux.hcl"), `
						variable "p" { default = "" }
						output "here" { value = file("${path.module}/`+s("ü")+`.txt") }`,
					d("mödul/ü.txt"), "inside", "main.flux.hcl", s(`
						module "m" { source = "./mödul" }
						defaults { model = "flux-2-pro" }
						image "each" {
						  for_each   = fileset("größe", "t?r.png")
						  prompt     = "x"
						  references = ["größe/${each.key}"]
						}
						image "fill" {
						  model      = "flux-pro-1.0-fill"
						  references = ["größe/tür.png"]
						  mask       = "größe/tür.png"
						}
						image "old" {
						  prompt = "x"
						  output = "old.png"
						}
						import {
						  to   = image.old
						  file = "größe/tür.png"
						}
						output "all" {
						  value = [
						    file("größe/tür.txt"), templatefile("größe/tür.txt", { who = "A" }), fileexists("größe/tür.txt"),
						    filesha256("größe/tür.txt"), filebase64("größe/tür.txt"), filemd5("größe/tür.txt"), module.m.here,
						    fileset(".", "größe/*.txt"), fileset(".", "**/tür.txt"), fileset("größe", "{tür,x}.txt"), fileset(".", "gr??e/t[ü]r.*"),
						  ]
						}`))
				c, images := evaluated(t, dir, nil)
				var got []string
				for _, img := range images {
					for _, source := range img.References {
						rel, err := filepath.Rel(dir, source.Path)
						if err != nil {
							t.Fatal(err)
						}
						got = append(got, rel)
					}
				}
				if want := slices.Repeat([]string{d("größe/tür.png")}, 3); !slices.Equal(got, want) {
					t.Errorf("references are read from %q, want %q", got, want)
				}
				if imports := c.Imports(); len(imports) != 1 || imports[0].Problem != nil {
					t.Errorf("the import is %+v", imports)
				}
				outputs, diags := c.Outputs(nil)
				if diags.HasErrors() {
					t.Fatal(diags)
				}
				door := []byte("${who} at the door")
				hash, sum, text := fmt.Sprintf("%x", sha256.Sum256(door)), fmt.Sprintf("%x", md5.Sum(door)), base64.StdEncoding.EncodeToString(door)
				want := norm.NFC.String(`["${who} at the door", "A at the door", true, "` + hash + `", "` + text + `", "` + sum + `", "inside", ` +
					`toset(["größe/tür.txt"]), toset(["größe/tür.txt"]), toset(["tür.txt"]), toset(["größe/tür.png", "größe/tür.txt"])]`)
				if diff := cmp.Diff(want, show(outputs[0].Whole())); diff != "" {
					t.Errorf("values (-want +got):\n%s", diff)
				}
			})
		}
	}
}
