package gate

import (
	"fmt"
	stdimage "image"
	"image/color"
	"math"
	"strconv"
	"sync"

	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/internal/picture"
)

// look judges a picture by the conditions of a gate.
func look(g *image.Gate, p Picture, v *image.Verdict) error {
	judged, err := picture.Open(p.Path)
	if err != nil {
		return err
	}
	small := picture.Shrink(judged, lookSide, lookSide)
	v.Passed = true
	refuse := func(score float64, format string, args ...any) {
		if v.Passed {
			v.Passed, v.Score, v.Reason = false, &score, fmt.Sprintf(format, args...)
		}
	}
	contrast, spread := luminance(small)
	if g.NotBlank && spread < blankSpread {
		refuse(spread, "the picture is blank")
	}
	if g.MinContrast > 0 && contrast < g.MinContrast {
		refuse(contrast, "its contrast is %.2f, and at least %.2f is wanted", contrast, g.MinContrast)
	}
	for _, hex := range g.Palette {
		if near := nearest(small, parseHex(hex)); near > paletteNear {
			refuse(near, "the colour %s is not in it", hex)
		}
	}
	if g.MaxSimilarity == 0 {
		return nil
	}
	own := picture.Hash(judged)
	for _, o := range p.Others {
		other, err := hashOf(o)
		if err != nil {
			continue // A picture that is not there is like none.
		}
		if alike := picture.Likeness(own, other); alike > g.MaxSimilarity {
			refuse(alike, "it is too much like %s (%.2f, and at most %.2f is wanted)", o.Address, alike, g.MaxSimilarity)
		}
	}
	return nil
}

const (
	// lookSide is the side to which pictures are shrunk before they are looked at: enough to tell
	// how they look, and quick.
	lookSide = 128
	// blankSpread is the least difference between the lightest and the darkest of a picture that is
	// not blank, from 0 to 1.
	blankSpread = 0.02
	// paletteNear is how far a colour may be from one that is asked for, as a share of the diagonal
	// of the RGB cube.
	paletteNear = 0.08
)

// luminance returns the standard deviation of a picture's luminance, and how far its lightest and
// its darkest are apart, both from 0 to 1.
func luminance(small *stdimage.RGBA) (deviation, spread float64) {
	var sum, squares float64
	least, most, n := 1.0, 0.0, 0.0
	for i := 0; i+3 < len(small.Pix); i += 4 {
		// The weights of Rec. 709.
		y := (0.2126*float64(small.Pix[i]) + 0.7152*float64(small.Pix[i+1]) + 0.0722*float64(small.Pix[i+2])) / 255
		sum, squares, n = sum+y, squares+y*y, n+1
		least, most = min(least, y), max(most, y)
	}
	mean := sum / n
	return math.Sqrt(max(squares/n-mean*mean, 0)), most - least
}

// nearest returns how far the nearest pixel is from a colour, as a share of the diagonal of the RGB
// cube.
func nearest(small *stdimage.RGBA, want color.RGBA) float64 {
	least := math.Inf(1)
	for i := 0; i+3 < len(small.Pix); i += 4 {
		r, g, b := float64(small.Pix[i])-float64(want.R), float64(small.Pix[i+1])-float64(want.G), float64(small.Pix[i+2])-float64(want.B)
		least = min(least, r*r+g*g+b*b)
	}
	return math.Sqrt(least) / (255 * math.Sqrt(3))
}

// parseHex reads a colour such as "#0b3d91", which the configuration has checked.
func parseHex(text string) color.RGBA {
	n, _ := strconv.ParseUint(text[1:], 16, 32)
	return color.RGBA{R: uint8(n >> 16), G: uint8(n >> 8), B: uint8(n), A: 255} //nolint:gosec // each is one byte of three
}

// hashes are those of files, by the SHA-256 of their bytes: of a thousand images of one block, each is
// compared with all others.
var hashes sync.Map

// hashOf returns the difference hash of an image that a picture is compared with.
func hashOf(o Other) (uint64, error) {
	if known, ok := hashes.Load(o.SHA256); ok && o.SHA256 != "" {
		return known.(uint64), nil //nolint:forcetypeassert // nothing else is stored
	}
	other, err := picture.Open(o.Path)
	if err != nil {
		return 0, err
	}
	h := picture.Hash(other)
	hashes.Store(o.SHA256, h)
	return h, nil
}
