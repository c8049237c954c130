package picture

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"sync"

	"github.com/fluxbatch/fluxbatch/internal/imagefile"
)

// Source is a picture that others are made from. It is not changed by that, and safe for concurrent use.
type Source struct {
	// Size is its extent.
	Size image.Point
	// Deep says that it has more than 8 bits a channel, Grey that it has no colours, and Clear that
	// some of it can be seen through.
	Deep, Grey, Clear bool
	// Converted says that its colours were those of another profile than sRGB, and Unconverted that
	// they are, of a profile that is not understood.
	Converted, Unconverted bool

	picture image.Image
	curves  *[3][256]uint16 // of the profile, nil for sRGB
	matrix  *[9]int32       // from the profile's colours to those of sRGB, nil for none
}

// Read reads a picture from what is in a file.
func Read(data []byte) (*Source, error) {
	decoded, err := Decode(data)
	if err != nil {
		return nil, err
	}
	s := NewSource(decoded)
	if icc := imagefile.ReadMetadata(data).ICC; icc != nil {
		s.profile(icc, bytes.HasPrefix(data, []byte("\x89PNG")))
	}
	return s, nil
}

// NewSource makes a picture in sRGB a source.
func NewSource(decoded image.Image) *Source {
	s := &Source{Size: decoded.Bounds().Size(), picture: decoded}
	switch img := decoded.(type) {
	case *image.Gray:
		s.Grey = true
	case *image.Gray16:
		s.Grey, s.Deep = true, true
	case *image.RGBA64:
		s.Deep, s.Clear = true, !img.Opaque()
	case *image.NRGBA64:
		s.Deep, s.Clear = true, !img.Opaque()
	case interface{ Opaque() bool }:
		s.Clear = !img.Opaque()
	default:
		s.Clear = true
	}
	return s
}

// channels is how many numbers a pixel has: a grey, or three colours, and with alpha four.
func (s *Source) channels() int {
	switch {
	case s.Clear:
		return 4
	case s.Grey && s.curves == nil:
		return 1
	default:
		return 3
	}
}

// row writes a row as linear light, premultiplied.
func (s *Source) row(y int, dst []uint16) {
	b := s.picture.Bounds()
	y += b.Min.Y
	curves := s.curves
	if curves == nil {
		curves = plainCurves()
	}
	switch img := s.picture.(type) {
	case *image.Gray:
		s.greyRow(img.Pix[img.PixOffset(b.Min.X, y):], dst)
	case *image.RGBA:
		s.opaqueRow(img.Pix[img.PixOffset(b.Min.X, y):], y, dst, curves)
	case *image.NRGBA:
		s.clearRow(img.Pix[img.PixOffset(b.Min.X, y):], dst, curves)
	case *image.YCbCr:
		for x := range s.Size.X {
			yi, ci := img.YOffset(b.Min.X+x, y), img.COffset(b.Min.X+x, y)
			red, green, blue := color.YCbCrToRGB(img.Y[yi], img.Cb[ci], img.Cr[ci])
			dst[x*3], dst[x*3+1], dst[x*3+2] = curves[0][red], curves[1][green], curves[2][blue]
		}
	default:
		s.anyRow(y, dst, curves)
	}
	if s.matrix != nil {
		s.convert(dst)
	}
}

// plainCurves are sRGB's, for each channel.
var plainCurves = sync.OnceValue(func() *[3][256]uint16 {
	return &[3][256]uint16{*toLinear(), *toLinear(), *toLinear()}
})

func (s *Source) greyRow(pix []uint8, dst []uint16) {
	if s.channels() == 1 {
		table := toLinear()
		for x, v := range pix[:s.Size.X] {
			dst[x] = table[v]
		}
		return
	}
	for x, v := range pix[:s.Size.X] {
		light := s.curves[0][v]
		dst[x*3], dst[x*3+1], dst[x*3+2] = light, light, light
	}
}

// opaqueRow reads premultiplied pixels. Nearly all that have them are opaque.
func (s *Source) opaqueRow(pix []uint8, y int, dst []uint16, curves *[3][256]uint16) {
	if s.Clear {
		s.anyRow(y, dst, curves)
		return
	}
	dst = dst[:s.Size.X*3]
	for len(dst) >= 3 {
		p := pix[:4:4]
		dst[0], dst[1], dst[2] = curves[0][p[0]], curves[1][p[1]], curves[2][p[2]]
		dst = dst[3:]
		if len(dst) > 0 {
			pix = pix[4:]
		}
	}
}

func (s *Source) clearRow(pix []uint8, dst []uint16, curves *[3][256]uint16) {
	if !s.Clear {
		for x := range s.Size.X {
			p := pix[x*4 : x*4+4 : x*4+4]
			d := dst[x*3 : x*3+3 : x*3+3]
			d[0], d[1], d[2] = curves[0][p[0]], curves[1][p[1]], curves[2][p[2]]
		}
		return
	}
	for x := range s.Size.X {
		p := pix[x*4 : x*4+4 : x*4+4]
		d := dst[x*4 : x*4+4 : x*4+4]
		alpha := uint32(p[3])
		for i := range 3 {
			d[i] = uint16((uint32(curves[i][p[i]])*alpha + 127) / 255) //nolint:gosec // at most 65535
		}
		d[3] = uint16(alpha * 257) //nolint:gosec // at most 65535
	}
}

// anyRow reads a picture of any kind.
func (s *Source) anyRow(y int, dst []uint16, curves *[3][256]uint16) {
	left, channels := s.picture.Bounds().Min.X, s.channels()
	for x := range s.Size.X {
		c := color.NRGBA64Model.Convert(s.picture.At(left+x, y)).(color.NRGBA64)
		d := dst[x*channels:][:channels]
		if channels == 1 {
			d[0] = toLinear16(c.R, toLinear())
			continue
		}
		for i, v := range [3]uint16{c.R, c.G, c.B} {
			d[i] = toLinear16(v, &curves[i])
		}
		if channels == 4 {
			for i := range 3 {
				d[i] = uint16((uint32(d[i])*uint32(c.A) + 32767) / 65535) //nolint:gosec // at most 65535
			}
			d[3] = c.A
		}
	}
}

// String describes the source for messages.
func (s *Source) String() string { return fmt.Sprintf("%dx%d", s.Size.X, s.Size.Y) }
