package picture

import (
	"crypto/sha256"
	"encoding/hex"
	"image"
	"image/color"
	"testing"
)

// scene is a picture with edges, fine lines, slow changes and, where clear is set, holes.
func scene(width, height int, clear bool) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			c := color.NRGBA{uint8(255 * x / width), uint8(255 * y / height), uint8((x*7 + y*13) % 256), 255}
			if x/9%2 == 0 {
				c.B = 20
			}
			if d := (x-width/2)*(x-width/2) + (y-height/2)*(y-height/2); d < width*height/16 {
				c = color.NRGBA{250, 240, 60, 255}
			}
			if clear {
				c.A = uint8(255 * ((x + y) % 64) / 63)
			}
			img.SetNRGBA(x, y, c)
		}
	}
	return img
}

// What is made is the same on every machine: whole numbers only. Where one of these changes, files
// that people have change, and image.Maker goes up.
func TestFilesAreTheSameEverywhere(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, format  string
		width, height int
		quality       int
		clear         bool
		want          string
	}{
		{"smaller", "png", 40, 30, 0, false, "09b077cd33682da6"},
		{"clear", "png", 40, 30, 0, true, "b72e8322d2f4f4dd"},
		{"larger", "jpeg", 300, 200, 80, false, "5bd1a6023290a277"},
		{"lossy", "webp", 64, 48, 80, false, "4a8483cc6378ac2d"},
		{"lossy with holes", "webp", 64, 48, 80, true, "ae941d8a0baccd51"},
		{"lossless", "webp", 64, 48, 0, true, "823df46ff696b928"},
	} {
		src := NewSource(scene(160, 120, tc.clear))
		file, err := src.Scale(Whole(src.Size), tc.width, tc.height).Encode(tc.format, tc.quality)
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(file); hex.EncodeToString(sum[:8]) != tc.want {
			t.Errorf("%s: got %x, want %s", tc.name, sum[:8], tc.want)
		}
	}
}

// One colour stays what it is, whatever is done to it, to the edges.
func TestFlatColoursStay(t *testing.T) {
	t.Parallel()
	for _, size := range []image.Point{{1, 1}, {7, 5}, {32, 32}, {33, 90}} {
		for _, c := range []color.NRGBA{{200, 30, 90, 255}, {0, 0, 0, 255}, {255, 255, 255, 255}, {10, 250, 128, 128}} {
			img := image.NewNRGBA(image.Rect(0, 0, 32, 32))
			for i := 0; i < len(img.Pix); i += 4 {
				img.Pix[i], img.Pix[i+1], img.Pix[i+2], img.Pix[i+3] = c.R, c.G, c.B, c.A
			}
			src := NewSource(img)
			got := src.Scale(Whole(src.Size), size.X, size.Y).Image(false)
			for y := range size.Y {
				for x := range size.X {
					if p := color.NRGBAModel.Convert(got.At(x, y)).(color.NRGBA); near(p, c) > 1 {
						t.Fatalf("%v at %v: got %v, want %v", size, image.Pt(x, y), p, c)
					}
				}
			}
		}
	}
}

// Light adds up: black and white lines come out as the grey that is half as bright, and not as half the
// number.
func TestLightIsLinear(t *testing.T) {
	t.Parallel()
	img := image.NewGray(image.Rect(0, 0, 64, 64))
	for i := range img.Pix {
		img.Pix[i] = uint8(255 * (i % 2))
	}
	src := NewSource(img)
	got, ok := src.Scale(Whole(src.Size), 8, 8).Image(false).(*image.Gray)
	if !ok {
		t.Fatal("a grey picture did not stay one")
	}
	if v := got.GrayAt(4, 4).Y; v < 187 || v > 189 {
		t.Errorf("got %d, want 188", v)
	}
}

// What is clear has no part in the colours around it.
func TestClearPixelsLendNoColour(t *testing.T) {
	t.Parallel()
	img := image.NewNRGBA(image.Rect(0, 0, 64, 64))
	for i := 0; i < len(img.Pix); i += 4 {
		img.Pix[i+1] = 255 // green, and clear
		if i/4%64 < 31 {
			copy(img.Pix[i:], []uint8{255, 0, 0, 255})
		}
	}
	src := NewSource(img)
	got := src.Scale(Whole(src.Size), 16, 16).Image(false).(*image.NRGBA)
	for x := range 16 {
		if c := got.NRGBAAt(x, 8); c.A > 0 && (c.R < 254 || c.G > 1) {
			t.Errorf("at %d: %v, want red", x, c)
		}
	}
}

// A deep picture keeps its 16 bits in a PNG.
func TestDeepStaysDeep(t *testing.T) {
	t.Parallel()
	img := image.NewGray16(image.Rect(0, 0, 512, 4))
	for i := range 512 * 4 {
		v := uint16(i%512*2 + 30000)
		img.Pix[2*i], img.Pix[2*i+1] = uint8(v>>8), uint8(v)
	}
	src := NewSource(img)
	got, ok := src.Scale(Whole(src.Size), 256, 2).Image(true).(*image.Gray16)
	if !ok {
		t.Fatal("it has 8 bits now")
	}
	values := map[uint16]bool{}
	for x := range 256 {
		values[got.Gray16At(x, 1).Y] = true
	}
	if len(values) < 200 {
		t.Errorf("%d different greys are left of 256", len(values))
	}
}

func near(a, b color.NRGBA) int {
	most := 0
	for i, v := range [4]uint8{a.R, a.G, a.B, a.A} {
		d := int(v) - int([4]uint8{b.R, b.G, b.B, b.A}[i])
		most = max(most, d, -d)
	}
	return most
}

func BenchmarkScale1024To512(b *testing.B) {
	src := NewSource(scene(1024, 1024, false))
	b.ReportAllocs()
	for b.Loop() {
		src.Scale(Whole(src.Size), 512, 512)
	}
}

func BenchmarkEncodeWebP512(b *testing.B) {
	src := NewSource(scene(1024, 1024, false))
	pixels := src.Scale(Whole(src.Size), 512, 512)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := pixels.Encode("webp", 80); err != nil {
			b.Fatal(err)
		}
	}
}
