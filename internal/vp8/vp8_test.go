package vp8

import (
	"bytes"
	"image"
	"image/color"
	"math/rand/v2"
	"testing"

	"golang.org/x/image/vp8"
)

// A decoder that others wrote has exactly what the encoder counted on.
func TestDecodersHaveWhatWasMade(t *testing.T) {
	t.Parallel()
	for name, draw := range pictures {
		for _, size := range []image.Point{{1, 1}, {16, 16}, {17, 33}, {100, 75}, {256, 128}} {
			for _, quality := range []int{0, 10, 50, 80, 95, 100} {
				img := drawn(size, draw)
				f := newFrame(planesOf(img), indexOf[quality])
				f.encode()
				f.smooth = 0 // The decoder smoothes what the encoder does not look at any more.
				file, ok := f.write(size.X, size.Y)
				if !ok {
					t.Fatalf("%s, %v, quality %d: it does not fit", name, size, quality)
				}
				got := decode(t, file)
				for y := range size.Y {
					width := 16 * f.across
					if want := f.made.y[y*width:][:size.X]; !bytes.Equal(got.Y[y*got.YStride:][:size.X], want) {
						t.Fatalf("%s, %v, quality %d: luma differs in row %d:\n got %v\nwant %v", name, size, quality, y, got.Y[y*got.YStride:][:size.X], want)
					}
				}
				for y := range (size.Y + 1) / 2 {
					width, n := 8*f.across, (size.X+1)/2
					if !bytes.Equal(got.Cb[y*got.CStride:][:n], f.made.u[y*width:][:n]) || !bytes.Equal(got.Cr[y*got.CStride:][:n], f.made.v[y*width:][:n]) {
						t.Fatalf("%s, %v, quality %d: chroma differs in row %d", name, size, quality, y)
					}
				}
			}
		}
	}
}

func decode(t *testing.T, file []byte) *image.YCbCr {
	t.Helper()
	d := vp8.NewDecoder()
	d.Init(bytes.NewReader(file), len(file))
	if _, err := d.DecodeFrameHeader(); err != nil {
		t.Fatal(err)
	}
	got, err := d.DecodeFrame()
	if err != nil {
		t.Fatal(err)
	}
	return got
}

var pictures = map[string]func(r *rand.Rand, x, y int) color.NRGBA{
	"noise": func(r *rand.Rand, _, _ int) color.NRGBA {
		return color.NRGBA{uint8(r.UintN(256)), uint8(r.UintN(256)), uint8(r.UintN(256)), uint8(r.UintN(256))}
	},
	"gradient": func(_ *rand.Rand, x, y int) color.NRGBA { return color.NRGBA{uint8(x), uint8(y), uint8(x + y), 255} },
	"flat":     func(_ *rand.Rand, _, _ int) color.NRGBA { return color.NRGBA{200, 30, 90, 255} },
	"lines": func(_ *rand.Rand, x, y int) color.NRGBA {
		v := uint8(255 * (x/3&1 ^ y/5&1))
		return color.NRGBA{v, v, 255 - v, 255}
	},
	"discs": func(_ *rand.Rand, x, y int) color.NRGBA {
		if d := (x-40)*(x-40) + (y-30)*(y-30); d < 600 {
			return color.NRGBA{250, 200, 10, 255}
		}
		return color.NRGBA{10, 40, 120, 255}
	},
}

func drawn(size image.Point, draw func(r *rand.Rand, x, y int) color.NRGBA) *image.NRGBA {
	img, r := image.NewNRGBA(image.Rectangle{Max: size}), rand.New(rand.NewPCG(1, 2))
	for y := range size.Y {
		for x := range size.X {
			img.SetNRGBA(x, y, draw(r, x, y))
		}
	}
	return img
}

// What is asked for decides on size and likeness, each quality more than the one below.
func TestQuality(t *testing.T) {
	t.Parallel()
	img := drawn(image.Pt(256, 256), pictures["discs"])
	before, worst := 0, int64(1<<62)
	for _, quality := range []int{10, 40, 70, 90, 100} {
		file, err := Encode(img, quality)
		if err != nil {
			t.Fatal(err)
		}
		got, want := decode(t, file), planesOf(img)
		var sum int64
		for y := range 256 {
			for x := range 256 {
				d := int64(got.Y[got.YOffset(x, y)]) - int64(want.y[y*256+x])
				sum += d * d
			}
		}
		if len(file) <= before || sum > worst {
			t.Errorf("quality %d: %d bytes with an error of %d, after %d with %d", quality, len(file), sum, before, worst)
		}
		before, worst = len(file), sum
	}
}

func TestTooLarge(t *testing.T) {
	t.Parallel()
	if _, err := Encode(&image.NRGBA{Rect: image.Rect(0, 0, MaxSide+1, 1)}, 80); err != ErrTooLarge {
		t.Errorf("got %v, want ErrTooLarge", err)
	}
}
