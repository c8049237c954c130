package picture

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"sync"

	"github.com/fluxbatch/fluxbatch/internal/imagefile"
)

// Encode returns the picture as a file of a format of package imagefile. quality is from 1 to 100 for
// JPEG and WebP; 0 has a WebP lose nothing. A JPEG shows nothing through: what is clear is white.
func (p *Pixels) Encode(format string, quality int) ([]byte, error) {
	if format == imagefile.JPEG {
		p = p.On(Colour{65535, 65535, 65535, 65535})
	}
	return Encode(p.Image(format == imagefile.PNG), format, quality)
}

// Encode returns a picture as a file, as the method does. For a JPEG it must be opaque.
func Encode(img image.Image, format string, quality int) ([]byte, error) {
	var file bytes.Buffer
	var err error
	switch format {
	case imagefile.PNG:
		err = pngs.Encode(&file, indexed(img))
	case imagefile.JPEG:
		err = jpeg.Encode(&file, flat(img), &jpeg.Options{Quality: quality})
	case imagefile.WebP:
		return webp(img, quality)
	default:
		err = fmt.Errorf("images cannot be written as %q", format)
	}
	return file.Bytes(), err
}

// flat tells the encoder of JPEG that a picture is opaque: it is quick only with premultiplied
// pixels, which opaque ones are.
func flat(img image.Image) image.Image {
	if opaque, ok := img.(*image.NRGBA); ok {
		return &image.RGBA{Pix: opaque.Pix, Stride: opaque.Stride, Rect: opaque.Rect}
	}
	return img
}

var pngs = png.Encoder{CompressionLevel: png.BestCompression, BufferPool: new(bufferPool)}

// bufferPool keeps encoders, whose tables are larger than many pictures.
type bufferPool struct{ sync.Pool }

func (p *bufferPool) Get() *png.EncoderBuffer {
	b, _ := p.Pool.Get().(*png.EncoderBuffer)
	return b
}

func (p *bufferPool) Put(b *png.EncoderBuffer) { p.Pool.Put(b) }

// indexed returns a picture of at most 256 colours as one with a palette, which is a fraction of the
// size, and others as they are. The palette has the colours in the order in which they come.
func indexed(img image.Image) image.Image {
	full, ok := img.(*image.NRGBA)
	if !ok {
		return img
	}
	numbers := map[color.NRGBA]uint8{}
	small := image.NewPaletted(full.Rect, nil)
	last, number := color.NRGBA{}, uint8(0)
	for i := range small.Pix {
		px := full.Pix[4*i : 4*i+4 : 4*i+4]
		c := color.NRGBA{R: px[0], G: px[1], B: px[2], A: px[3]}
		if i == 0 || c != last {
			n, isKnown := numbers[c]
			if !isKnown {
				if len(numbers) == 256 {
					return img
				}
				n = uint8(len(numbers)) //nolint:gosec // at most 255
				numbers[c] = n
				small.Palette = append(small.Palette, c)
			}
			last, number = c, n
		}
		small.Pix[i] = number
	}
	return small
}
