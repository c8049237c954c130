package picture

import (
	"image"
	"image/color"

	"golang.org/x/image/draw"
)

// Difference is how two pictures differ, seen at the size at which people compare them.
type Difference struct {
	// Pixels is the share of pixels whose colour differs by more than the tolerance, from 0 to 1.
	Pixels float64
	// Similarity is the mean structural similarity of the tiles, from 0 to 1: whether edges and
	// textures are in the same places, however bright.
	Similarity float64
	// Reshaped says that the two have another shape. The former is then stretched over the latter.
	Reshaped bool
	// Overlay shows where they differ: it is transparent where they do not, and lies over either.
	Overlay *image.Paletted
}

// Amount is the difference as one number, from 0 for the same picture to 1. Both measures count
// half: colours alone say that a shadow moved, and structure alone misses another colour.
func (d *Difference) Amount() float64 { return (d.Pixels + 1 - d.Similarity) / 2 }

const (
	// comparedSide is the longer side of pictures that are compared. Finer differences are those of
	// noise and compression.
	comparedSide = 512
	// tolerance is how far colours may be apart before people see it, of the way from black to
	// white. Compression moves colours by less.
	tolerance = 0.06
	// tile is the side of the squares whose structure is compared.
	tile = 8
)

// Compare tells how a picture differs from a former one.
func Compare(before, after image.Image) *Difference {
	size := Inside(after.Bounds().Size(), image.Pt(comparedSide, comparedSide))
	a, b := sized(before, size), sized(after, size)
	was, is := before.Bounds().Size(), after.Bounds().Size()
	d := &Difference{
		Reshaped: abs(was.X*is.Y-is.X*was.Y)*100 > was.X*is.Y,
		Overlay:  image.NewPaletted(image.Rectangle{Max: size}, overlayColours()),
	}
	differing, tiles := 0, 0
	for y := 0; y < size.Y; y += tile {
		for x := 0; x < size.X; x += tile {
			r := image.Rect(x, y, x+tile, y+tile).Intersect(d.Overlay.Rect)
			similarity := structure(a, b, r)
			d.Similarity += similarity
			tiles++
			differing += d.mark(a, b, r, similarity)
		}
	}
	d.Similarity /= float64(tiles)
	d.Pixels = float64(differing) / float64(size.X*size.Y)
	return d
}

// sized scales a picture to a size exactly, on white: what shows through is compared as people see
// it.
func sized(src image.Image, size image.Point) *image.RGBA {
	dst := image.NewRGBA(image.Rectangle{Max: size})
	draw.Draw(dst, dst.Rect, image.White, image.Point{}, draw.Src)
	scaler := draw.Interpolator(draw.ApproxBiLinear)
	if src.Bounds().Dx() > 2*size.X {
		scaler = draw.BiLinear // it averages, where the other one would skip lines
	}
	scaler.Scale(dst, dst.Rect, src, src.Bounds(), draw.Over, nil)
	return dst
}

// mark draws a tile of the overlay, and returns how many pixels of it differ.
func (d *Difference) mark(a, b *image.RGBA, r image.Rectangle, similarity float64) int {
	differing := 0
	faint := uint8((1 - similarity) * overlayLevels / 3)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			level := faint
			if distance := apart(a.Pix[a.PixOffset(x, y):], b.Pix[b.PixOffset(x, y):]); distance > tolerance {
				differing++
				level = max(level, uint8(overlayLevels*min(0.35+distance, 1)))
			}
			d.Overlay.Pix[d.Overlay.PixOffset(x, y)] = level
		}
	}
	return differing
}

// apart is how far two colours are apart as people see it, from 0 to 1: brightness counts more than
// hue (the weights are those of YIQ).
func apart(a, b []uint8) float64 {
	dr, dg, db := int(a[0])-int(b[0]), int(a[1])-int(b[1]), int(a[2])-int(b[2])
	y := 0.299*float64(dr) + 0.587*float64(dg) + 0.114*float64(db)
	i := 0.596*float64(dr) - 0.274*float64(dg) - 0.322*float64(db)
	q := 0.211*float64(dr) - 0.523*float64(dg) + 0.312*float64(db)
	return min((0.5053*y*y+0.299*i*i+0.1957*q*q)/(0.5053*255*255)*4, 1)
}

// The constants of structural similarity (Wang and others, 2004), for brightness from 0 to 255.
const c1, c2 = 6.5025, 58.5225

// structure is the structural similarity of a tile of two pictures, from 0 to 1.
func structure(a, b *image.RGBA, r image.Rectangle) float64 {
	var n, sumA, sumB, squareA, squareB, product float64
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			p, q := luma(a.Pix[a.PixOffset(x, y):]), luma(b.Pix[b.PixOffset(x, y):])
			n++
			sumA, sumB = sumA+p, sumB+q
			squareA, squareB, product = squareA+p*p, squareB+q*q, product+p*q
		}
	}
	meanA, meanB := sumA/n, sumB/n
	varA, varB, covariance := squareA/n-meanA*meanA, squareB/n-meanB*meanB, product/n-meanA*meanB
	s := (2*meanA*meanB + c1) * (2*covariance + c2) / ((meanA*meanA + meanB*meanB + c1) * (varA + varB + c2))
	return min(max(s, 0), 1)
}

func luma(p []uint8) float64 {
	return 0.299*float64(p[0]) + 0.587*float64(p[1]) + 0.114*float64(p[2])
}

func abs(n int) int { return max(n, -n) }

// overlayLevels is how strong the overlay can be.
const overlayLevels = 63

// overlayColours are from nothing to a magenta that few pictures have.
func overlayColours() color.Palette {
	colours := make(color.Palette, overlayLevels+1)
	for i := range colours {
		colours[i] = color.NRGBA{R: 255, G: 0, B: 170, A: uint8(i * 230 / overlayLevels)}
	}
	return colours
}
