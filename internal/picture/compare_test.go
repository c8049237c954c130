package picture

import (
	"image"
	"image/color"
	"image/draw"
	"testing"
)

// scene is a grey picture with a lit square.
func squareScene(width, height int, square image.Rectangle, lit color.Color) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.SetRGBA(x, y, color.RGBA{uint8(60 + x%40), uint8(80 + y%40), 90, 255})
		}
	}
	draw.Draw(img, square, image.NewUniform(lit), image.Point{}, draw.Src)
	return img
}

func TestCompare(t *testing.T) {
	t.Parallel()
	white := color.RGBA{255, 255, 255, 255}
	base := squareScene(256, 256, image.Rect(16, 16, 80, 80), white)
	moved := squareScene(256, 256, image.Rect(24, 16, 88, 80), white)
	away := squareScene(256, 256, image.Rect(150, 150, 214, 214), white)
	noisy := squareScene(256, 256, image.Rect(16, 16, 80, 80), white)
	for i := range noisy.Pix {
		if i%4 < 3 && noisy.Pix[i] < 250 {
			noisy.Pix[i] += uint8(i % 3)
		}
	}
	amount := func(before, after image.Image) float64 { return Compare(before, after).Amount() }
	if same := Compare(base, base); same.Amount() != 0 || same.Reshaped {
		t.Errorf("a picture differs from itself by %v", same.Amount())
	}
	if d := Compare(base, noisy); d.Pixels > 0 {
		t.Errorf("noise that nobody sees counts as %v of the pixels", d.Pixels)
	}
	if amount(base, moved) <= amount(base, noisy) || amount(base, away) <= amount(base, moved) {
		t.Errorf("worse is not more: noise %v, moved %v, away %v", amount(base, noisy), amount(base, moved), amount(base, away))
	}
	d := Compare(base, moved)
	at := func(x, y int) uint8 { return d.Overlay.ColorIndexAt(x, y) }
	if at(20, 40) == 0 || at(84, 40) == 0 || at(50, 40) != 0 || at(200, 200) != 0 {
		t.Errorf("the overlay is %d and %d at the edges, %d inside, %d outside", at(20, 40), at(84, 40), at(50, 40), at(200, 200))
	}
	if !Compare(base, squareScene(256, 128, image.Rectangle{}, white)).Reshaped || Compare(base, Fit(base, 64, 64)).Reshaped {
		t.Error("another shape is not told from another size")
	}
	if tiny := Compare(Fit(base, 1, 1), base); tiny.Amount() <= 0 || tiny.Amount() > 1 {
		t.Errorf("one pixel beside a picture: %v", tiny.Amount())
	}
}

func BenchmarkCompare(b *testing.B) {
	before := squareScene(1024, 1024, image.Rect(100, 100, 500, 500), color.White)
	after := squareScene(1024, 1024, image.Rect(120, 100, 520, 500), color.White)
	b.ReportAllocs()
	for b.Loop() {
		Compare(before, after)
	}
}
