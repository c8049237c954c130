package config

import (
	"bytes"
	"image"
	"image/png"
	"os"
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

// Files are found under the names that texts have for them, in whichever of Unicode's forms either is.
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
				hash, sum, text := sha256Hex([]byte("${who} at the door")), md5Hex([]byte("${who} at the door")), plainBase64([]byte("${who} at the door"))
				want := norm.NFC.String(`["${who} at the door", "A at the door", true, "` + hash + `", "` + text + `", "` + sum + `", "inside", ` +
					`toset(["größe/tür.txt"]), toset(["größe/tür.txt"]), toset(["tür.txt"]), toset(["größe/tür.png", "größe/tür.txt"])]`)
				if diff := cmp.Diff(want, show(outputs[0].Value)); diff != "" {
					t.Errorf("values (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// Of two files whose names look alike, the one is meant whose name is exactly what is written.
func TestFileNamedExactly(t *testing.T) {
	t.Parallel()
	composed, decomposed := norm.NFC.String("tür.txt"), norm.NFD.String("tür.txt")
	dir := write(t, composed, "composed", decomposed, "decomposed")
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) < 2 {
		t.Skip("this file system takes the two names for one")
	}
	for _, name := range []string{composed, decomposed, "no" + composed, "nö/" + composed} {
		if got, want := fileNamed(filepath.Join(dir, name)), filepath.Join(dir, name); got != want {
			t.Errorf("%+q is read from %+q", want, got)
		}
	}
}

func TestFileSet(t *testing.T) {
	t.Parallel()
	dir := write(t, "a.png", "", "b.txt", "", "sub/c.png", "", "sub/deep/d.png", "", ".hidden/e.png", "")
	for link, target := range map[string]string{"loop": ".", "sub/up": "..", "nowhere": "gone", "link.png": "a.png"} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Skip("no symbolic links here")
		}
	}
	for _, tt := range []struct {
		pattern string
		want    []string
	}{
		{"*.png", []string{"a.png", "link.png"}},
		{"**/*.png", []string{".hidden/e.png", "a.png", "link.png", "sub/c.png", "sub/deep/d.png"}},
		{"sub/**", []string{"sub/c.png", "sub/deep/d.png", "sub/up/.hidden/e.png", "sub/up/a.png", "sub/up/b.txt", "sub/up/link.png"}},
		{"*/*.png", []string{".hidden/e.png", "sub/c.png"}},
		{"sub/../a.*", []string{"a.png"}},
		{"{sub/deep,.hidden}/*", []string{".hidden/e.png", "sub/deep/d.png"}},
		{"/b.txt", []string{"b.txt"}},
		{"none/*", nil},
		{"a.png/*", nil},
	} {
		got, err := filesBelow(dir, tt.pattern)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.pattern, diff)
		}
	}
	if got, err := filesBelow(filepath.Join(dir, "sub"), "../*.txt"); err != nil || !slices.Equal(got, []string{"../b.txt"}) {
		t.Errorf("above the folder there is %q, %v", got, err)
	}
}

// A name that is no text would be another one in the state.
func TestFileSetNeedsText(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a\xff.png"), nil, 0o600); err != nil {
		t.Skip("this file system takes only names that are text")
	}
	if got, err := filesBelow(dir, "*.png"); err == nil {
		t.Errorf("listed %+q", got)
	}
	if got, err := filesBelow(dir, "*.txt"); err != nil || len(got) > 0 {
		t.Errorf("listed %+q, %v", got, err)
	}
}
