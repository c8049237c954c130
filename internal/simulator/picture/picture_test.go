package picture

import (
	"bytes"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write the golden pictures")

// filed returns a picture as a file.
func filed(tb testing.TB, img image.Image) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// lake is a picture to make others from.
func lake(tb testing.TB) *image.RGBA {
	tb.Helper()
	return Draw(Spec{Model: "flux-2-pro", Prompt: "a lake", Seed: "1", Size: image.Pt(160, 96)})
}

// diskMask returns a white disk on black, as a mask.
func diskMask(size image.Point, at image.Point, radius int) *image.Gray {
	mask := image.NewGray(image.Rectangle{Max: size})
	for y := range size.Y {
		for x := range size.X {
			if d := image.Pt(x, y).Sub(at); d.X*d.X+d.Y*d.Y < radius*radius {
				mask.SetGray(x, y, color.Gray{0xff})
			}
		}
	}
	return mask
}

func goldenSpecs(tb testing.TB) map[string]Spec {
	tb.Helper()
	input := Source{Data: filed(tb, lake(tb))}
	mask := Source{Data: filed(tb, diskMask(image.Pt(160, 96), image.Pt(80, 48), 40))}
	size := image.Pt(160, 160)
	return map[string]Spec{
		"mountains": {Model: "flux-2-pro", Prompt: "A serene mountain landscape at golden hour", Seed: "7", Size: size},
		"colours":   {Model: "flux-2-max", Prompt: "A heron logo in #0b3d91 and #fc3d21", Seed: "0", Size: size},
		"any":       {Model: "flux-dev", Prompt: "Fresh bread on linen", Seed: "42", Size: image.Pt(192, 128)},
		"small":     {Model: "flux-dev", Prompt: "Fresh bread on linen", Seed: "42", Size: image.Pt(64, 64)},
		"edit":      {Model: "flux-kontext", Prompt: "Make it evening", Seed: "1", Size: size, References: []Source{input}},
		"cards": {
			Model: "flux-2-pro", Prompt: "All of them", Seed: "1", Size: size,
			References: []Source{input, {URL: "https://example.com/a.jpg"}, input},
		},
		"fill": {
			Model: "flux-fill", Prompt: "a balloon", Seed: "1", Size: image.Pt(160, 96), Kind: Fill,
			References: []Source{input}, Mask: &mask,
		},
		"expand": {
			Model: "flux-pro-1.0-expand", Prompt: "", Seed: "1", Size: image.Pt(240, 160), Kind: Expand,
			References: []Source{input}, Offset: image.Pt(48, 32),
		},
	}
}

// TestGolden holds pictures against those in testdata. Small differences pass, since processors
// round differently.
func TestGolden(t *testing.T) {
	t.Parallel()
	for name, spec := range goldenSpecs(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := Draw(spec)
			path := filepath.Join("testdata", name+".png")
			if *update {
				if err := os.WriteFile(path, filed(t, got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			want, err := png.Decode(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			if d := difference(got, want); d > 0.5 {
				t.Errorf("the picture differs from %s by %.2f of 255 a pixel; look at it, and run with -update if it is right", path, d)
			}
		})
	}
}

// difference returns the mean difference of two pictures' channels, from 0 to 255.
func difference(a, b image.Image) float64 {
	if a.Bounds().Size() != b.Bounds().Size() {
		return 255
	}
	x, y := toRGBA(a), toRGBA(b)
	sum := 0
	for i := range x.Pix {
		d := int(x.Pix[i]) - int(y.Pix[i])
		sum += max(d, -d)
	}
	return float64(sum) / float64(len(x.Pix))
}

func toRGBA(img image.Image) *image.RGBA {
	out := image.NewRGBA(image.Rectangle{Max: img.Bounds().Size()})
	draw.Draw(out, out.Rect, img, img.Bounds().Min, draw.Src)
	return out
}

func TestDrawDependsOnEverything(t *testing.T) {
	t.Parallel()
	base := Spec{Model: "flux-2-pro", Prompt: "Fresh bread", Seed: "1", Size: image.Pt(128, 128)}
	if !bytes.Equal(Draw(base).Pix, Draw(base).Pix) {
		t.Error("the same request gave two pictures")
	}
	input := Source{Data: filed(t, lake(t))}
	variants := map[string]Spec{}
	for name, change := range map[string]func(*Spec){
		"model":      func(s *Spec) { s.Model = "flux-2-max" },
		"prompt":     func(s *Spec) { s.Prompt = "Fresh breads" },
		"seed":       func(s *Spec) { s.Seed = "2" },
		"style":      func(s *Spec) { s.Style = "raw=true;" },
		"reference":  func(s *Spec) { s.References = []Source{input} },
		"url":        func(s *Spec) { s.References = []Source{{URL: "https://example.com"}} },
		"references": func(s *Spec) { s.References = []Source{input, input} },
	} {
		spec := base
		change(&spec)
		variants[name] = spec
	}
	seen := map[string]string{string(Draw(base).Pix): "base"}
	for name, spec := range variants {
		pix := string(Draw(spec).Pix)
		if twin, ok := seen[pix]; ok {
			t.Errorf("%s and %s give the same picture", name, twin)
		}
		seen[pix] = name
	}
}

func TestEditShowsItsReference(t *testing.T) {
	t.Parallel()
	input := lake(t)
	spec := goldenSpecs(t)["edit"]
	spec.Size = image.Pt(160, 96)
	if d := difference(Draw(spec), input); d > 60 {
		t.Errorf("the edit differs from its input by %.0f of 255: it cannot be recognised", d)
	}
	if d := difference(Draw(spec), input); d < 3 {
		t.Errorf("the edit differs from its input by %.0f of 255: it was not edited", d)
	}
}

func TestFillKeepsWhatIsNotMasked(t *testing.T) {
	t.Parallel()
	input, got := lake(t), Draw(goldenSpecs(t)["fill"])
	changed := 0
	for y := range 96 {
		for x := range 160 {
			inside := image.Pt(x, y).Sub(image.Pt(80, 48))
			same := input.RGBAAt(x, y) == got.RGBAAt(x, y)
			switch {
			case inside.X*inside.X+inside.Y*inside.Y >= 40*40 && !same:
				t.Fatalf("pixel %d, %d is not masked and changed", x, y)
			case !same:
				changed++
			}
		}
	}
	if changed < 2000 {
		t.Errorf("%d masked pixels changed", changed)
	}
}

func TestFillByTransparency(t *testing.T) {
	t.Parallel()
	input := image.NewNRGBA(image.Rect(0, 0, 160, 96))
	draw.Draw(input, input.Rect, lake(t), image.Point{}, draw.Src)
	for y := range 96 {
		for x := range 80 {
			input.SetNRGBA(x, y, color.NRGBA{})
		}
	}
	spec := goldenSpecs(t)["fill"]
	spec.Mask, spec.References = nil, []Source{{Data: filed(t, input)}}
	got := Draw(spec)
	if !got.Opaque() {
		t.Error("the picture can be seen through")
	}
	if right := got.SubImage(image.Rect(80, 0, 160, 96)); difference(right, lake(t).SubImage(right.Bounds())) != 0 {
		t.Error("the opaque half changed")
	}
}

func TestExpandKeepsTheInput(t *testing.T) {
	t.Parallel()
	got := Draw(goldenSpecs(t)["expand"])
	inner := got.SubImage(image.Rect(48, 32, 48+160, 32+96))
	if difference(inner, lake(t)) != 0 {
		t.Error("the input is not inside the picture as it was")
	}
}

func TestDrawAnySize(t *testing.T) {
	t.Parallel()
	prompts := []string{
		"", "sea", "city", "forest", "logo", "portrait", "bottle", "sale", "flower", "planet", "hill", "mountain",
		"一只猫坐在窗台上", "Supercalifragilisticexpialidociousandthenevenlongerthanthatwithoutanyspace", "a b c d e f g #ffffff #000000",
	}
	for i, size := range []image.Point{{64, 64}, {64, 400}, {400, 64}, {97, 96}, {130, 129}, {600, 200}, {1, 1}, {3, 90}} {
		for n := range 24 {
			spec := Spec{Model: "flux-2-pro", Prompt: prompts[(i+n)%len(prompts)], Seed: fmt.Sprint(n), Size: size}
			if img := Draw(spec); img.Rect.Size() != size || !img.Opaque() {
				t.Errorf("%+v: %v, opaque %v", spec, img.Rect, img.Opaque())
			}
		}
	}
}

func TestDamagedReferencesAreDrawn(t *testing.T) {
	t.Parallel()
	data := filed(t, lake(t))
	broken := Source{Data: data[:len(data)/2]}
	for name, spec := range goldenSpecs(t) {
		for i := range spec.References {
			spec.References[i] = broken
		}
		if spec.Mask != nil {
			spec.Mask = &broken
		}
		if img := Draw(spec); img.Rect.Size() != spec.Size {
			t.Errorf("%s: %v", name, img.Rect)
		}
	}
}

func TestEncode(t *testing.T) {
	t.Parallel()
	img := lake(t)
	for _, format := range []string{"png", "jpeg", "webp"} {
		var b bytes.Buffer
		if err := Encode(&b, img, format); err != nil {
			t.Fatal(err)
		}
		got, as, err := image.Decode(&b)
		if err != nil || as != format {
			t.Fatalf("%s: decoded as %q, %v", format, as, err)
		}
		limit := 0.0
		if format == "jpeg" {
			limit = 3
		}
		if d := difference(got, img); d > limit {
			t.Errorf("%s differs by %.2f", format, d)
		}
	}
	if err := Encode(new(bytes.Buffer), img, "gif"); err == nil {
		t.Error("gif was encoded")
	}
}

// BenchmarkPicture draws and encodes pictures that all differ.
func BenchmarkPicture(b *testing.B) {
	for _, side := range []int{256, 1024} {
		for _, format := range []string{"png", "jpeg", "webp"} {
			b.Run(fmt.Sprintf("%d/%s", side, format), func(b *testing.B) {
				b.ReportAllocs()
				var file bytes.Buffer
				for i := 0; b.Loop(); i++ {
					file.Reset()
					spec := Spec{Model: "flux-2-pro", Prompt: fmt.Sprintf("picture %d of a set", i), Seed: "1", Size: image.Pt(side, side)}
					if err := Encode(&file, Draw(spec), format); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pictures/s")
			})
		}
	}
}
