package picture

import (
	"image"
	"image/color"
	"testing"
)

// A lossy WebP comes back with the colours and the alpha that it was written with.
func TestLossyWebPComesBack(t *testing.T) {
	t.Parallel()
	for _, clear := range []bool{false, true} {
		img := image.NewNRGBA(image.Rect(0, 0, 70, 50))
		for y := range 50 {
			for x := range 70 {
				c := color.NRGBA{uint8(3 * x), uint8(4 * y), 90, 255}
				if clear && x > 40 {
					c.A = uint8(5 * y)
				}
				img.SetNRGBA(x, y, c)
			}
		}
		file, err := webp(img, 90)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(file)
		if err != nil {
			t.Fatal(err)
		}
		if got.Bounds() != img.Rect {
			t.Fatalf("got %v, want %v", got.Bounds(), img.Rect)
		}
		for y := range 50 {
			for x := range 70 {
				g, w := got.(*image.NRGBA).NRGBAAt(x, y), img.NRGBAAt(x, y)
				if g.A != w.A || w.A > 99 && near(g, w) > 24 {
					t.Fatalf("clear %v, at %d, %d: got %v, want %v", clear, x, y, g, w)
				}
			}
		}
	}
}

// Black and white are not the grey that a JPEG's reading of them would give.
func TestLossyWebPHasBlackAndWhite(t *testing.T) {
	t.Parallel()
	for _, want := range []color.NRGBA{{0, 0, 0, 255}, {255, 255, 255, 255}} {
		img := image.NewNRGBA(image.Rect(0, 0, 32, 32))
		for i := 0; i < len(img.Pix); i += 4 {
			copy(img.Pix[i:], []uint8{want.R, want.G, want.B, want.A})
		}
		file, err := webp(img, 80)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(file)
		if err != nil {
			t.Fatal(err)
		}
		if c := color.NRGBAModel.Convert(got.At(16, 16)).(color.NRGBA); near(c, want) > 1 {
			t.Errorf("got %v, want %v", c, want)
		}
	}
}

// A grey picture can be written as a lossy WebP too.
func TestLossyWebPOfGrey(t *testing.T) {
	t.Parallel()
	img := image.NewGray(image.Rect(0, 0, 20, 20))
	for i := range img.Pix {
		img.Pix[i] = uint8(i / 2)
	}
	file, err := webp(img, 80)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Decode(file); err != nil || got.Bounds() != img.Rect {
		t.Errorf("got %v, %v", got, err)
	}
}
