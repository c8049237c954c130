package picture

import (
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"sync"

	"github.com/HugoSmits86/nativewebp"
)

// quality of JPEG files: flat shapes with sharp edges show the traces of a lower one.
const quality = 90

// pngs compresses quickly: the pictures are flat, so that trying harder gains little.
var pngs = png.Encoder{CompressionLevel: png.BestSpeed, BufferPool: new(bufferPool)}

// bufferPool keeps encoders, whose tables are larger than many pictures.
type bufferPool struct{ sync.Pool }

func (p *bufferPool) Get() *png.EncoderBuffer {
	b, _ := p.Pool.Get().(*png.EncoderBuffer)
	return b
}

func (p *bufferPool) Put(b *png.EncoderBuffer) { p.Pool.Put(b) }

// Encode writes a picture as "png", "jpeg" or "webp" (lossless).
func Encode(w io.Writer, img *image.RGBA, format string) error {
	switch format {
	case "png":
		return pngs.Encode(w, img)
	case "jpeg":
		return jpeg.Encode(w, img, &jpeg.Options{Quality: quality})
	case "webp":
		return nativewebp.Encode(w, img, nil)
	default:
		return fmt.Errorf("there is no image format %q", format)
	}
}
