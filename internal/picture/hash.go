package picture

import (
	"image"
	"math/bits"

	"golang.org/x/image/draw"
)

// Hash returns the difference hash of a picture: whether each of 8 x 8 places is lighter than the
// one to its right, when the picture is shrunk to 9 x 8 (N. Krawetz, "Kind of Like That", 2013).
// Pictures that look alike differ in few bits.
//
// The libraries that have it scale with github.com/nfnt/resize, which nobody keeps any more, and take
// a little longer.
func Hash(picture image.Image) uint64 {
	small := image.NewGray(image.Rect(0, 0, 9, 8))
	draw.BiLinear.Scale(small, small.Bounds(), picture, picture.Bounds(), draw.Src, nil)
	var h uint64
	for y := range 8 {
		for x := range 8 {
			h <<= 1
			if small.GrayAt(x, y).Y > small.GrayAt(x+1, y).Y {
				h |= 1
			}
		}
	}
	return h
}

// Likeness returns how much two pictures of these hashes look alike, from 0 to 1.
func Likeness(a, b uint64) float64 { return 1 - float64(bits.OnesCount64(a^b))/64 }
