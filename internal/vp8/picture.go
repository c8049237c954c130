package vp8

import "image"

// planes are a picture as luma and chroma in half the resolution (BT.601, from 16 to 235), with as many
// rows and columns repeated at the right and the bottom as fill whole macroblocks.
type planes struct {
	across, down int // macroblocks
	y, u, v      []uint8
}

// The weights of colours have 16 bits behind the point.
const (
	half   = 1 << 15
	black  = 16 << 16
	middle = 128 << 16
)

func planesOf(img *image.NRGBA) *planes {
	width, height := img.Rect.Dx(), img.Rect.Dy()
	p := &planes{across: (width + 15) / 16, down: (height + 15) / 16}
	n := p.across * p.down * 64
	p.y, p.u, p.v = make([]uint8, 4*n), make([]uint8, n), make([]uint8, n)
	for y := range 8 * p.down {
		for x := range 8 * p.across {
			p.quad(img, x, y, width-1, height-1)
		}
	}
	return p
}

// quad reads four pixels. Their chroma is the mean, in which what is clear does not count.
func (p *planes) quad(img *image.NRGBA, x, y, right, bottom int) {
	var sums, plain [3]int32
	var weight int32
	for i := range 4 {
		px, py := 2*x+i&1, 2*y+i>>1
		at := min(py, bottom)*img.Stride + 4*min(px, right)
		c := img.Pix[at : at+4 : at+4]
		r, g, b, a := int32(c[0]), int32(c[1]), int32(c[2]), int32(c[3])
		p.y[py*16*p.across+px] = uint8((16839*r + 33059*g + 6420*b + half + black) >> 16) //nolint:gosec // at most 235
		plain[0], plain[1], plain[2] = plain[0]+r, plain[1]+g, plain[2]+b
		if a != 255 {
			r, g, b = r*a/255, g*a/255, b*a/255
		}
		sums[0], sums[1], sums[2], weight = sums[0]+r, sums[1]+g, sums[2]+b, weight+a
	}
	r, g, b := plain[0], plain[1], plain[2]
	if weight > 0 && weight < 4*255 {
		r, g, b = sums[0]*1020/weight, sums[1]*1020/weight, sums[2]*1020/weight
	}
	at := y*8*p.across + x
	p.u[at] = clip((-9719*r - 19081*g + 28800*b + 4*(half+middle)) >> 18)
	p.v[at] = clip((28800*r - 24116*g - 4684*b + 4*(half+middle)) >> 18)
}
