package picture

import (
	"bytes"
	"encoding/binary"
	"image"

	"github.com/HugoSmits86/nativewebp"

	"github.com/fluxbatch/fluxbatch/internal/vp8"
)

// webp returns a picture as a WebP file: one that loses nothing where quality is 0.
func webp(img image.Image, quality int) ([]byte, error) {
	colours, ok := img.(*image.NRGBA)
	if quality == 0 || !ok && !isGrey(img) {
		var file bytes.Buffer
		err := nativewebp.Encode(&file, img, nil)
		return file.Bytes(), err
	}
	if !ok {
		colours = coloured(img.(*image.Gray))
	}
	frame, err := vp8.Encode(colours, quality)
	if err != nil {
		return nil, err
	}
	if colours.Opaque() {
		return riff("VP8 ", frame), nil
	}
	alpha, err := alphaOf(colours)
	if err != nil {
		return nil, err
	}
	size := colours.Rect.Size()
	head := binary.LittleEndian.AppendUint32(nil, hasAlpha)
	head = append(head, byte(size.X-1), byte((size.X-1)>>8), 0, byte(size.Y-1), byte((size.Y-1)>>8), 0) //nolint:gosec // at most vp8.MaxSide
	return riff("VP8X", head, "ALPH", alpha, "VP8 ", frame), nil
}

// hasAlpha is the flag of a VP8X chunk.
const hasAlpha = 1 << 4

// riff puts chunks together, given as names and contents.
func riff(name string, content []byte, more ...any) []byte {
	file := append(make([]byte, 0, len(content)+64), "RIFF\x00\x00\x00\x00WEBP"...)
	for {
		file = binary.LittleEndian.AppendUint32(append(file, name...), uint32(len(content))) //nolint:gosec // a file of some megabytes
		if file = append(file, content...); len(content)%2 == 1 {
			file = append(file, 0)
		}
		if len(more) == 0 {
			break
		}
		name, content, more = more[0].(string), more[1].([]byte), more[2:]
	}
	binary.LittleEndian.PutUint32(file[4:], uint32(len(file)-8)) //nolint:gosec // a file of some megabytes
	return file
}

// alphaOf returns alpha as an ALPH chunk has it: a lossless picture whose green it is, without the five
// bytes that say how large it is.
func alphaOf(img *image.NRGBA) ([]byte, error) {
	const losslessAlpha, ahead = 1, 12 + 8 + 5
	green := image.NewNRGBA(img.Rect)
	for i := 0; i < len(img.Pix); i += 4 {
		green.Pix[i+1], green.Pix[i+3] = img.Pix[i+3], 255
	}
	var file bytes.Buffer
	if err := nativewebp.Encode(&file, green, nil); err != nil {
		return nil, err
	}
	size := binary.LittleEndian.Uint32(file.Bytes()[16:])
	return append([]byte{losslessAlpha}, file.Bytes()[ahead:20+size]...), nil
}

func isGrey(img image.Image) bool {
	_, is := img.(*image.Gray)
	return is
}

func coloured(grey *image.Gray) *image.NRGBA {
	img := image.NewNRGBA(grey.Rect)
	for i, v := range grey.Pix {
		img.Pix[4*i], img.Pix[4*i+1], img.Pix[4*i+2], img.Pix[4*i+3] = v, v, v, 255
	}
	return img
}

// fromWebP gives a lossy WebP's pixels their colours. The decoder returns luma and chroma as if these
// were a JPEG's, which uses all of 0 to 255; a WebP's luma is from 16 to 235 (BT.601), so that blacks
// would come out grey. Chroma is interpolated, as other decoders do.
func fromWebP(decoded image.Image) image.Image {
	var alpha []uint8
	var alphaStride int
	var src *image.YCbCr
	switch img := decoded.(type) {
	case *image.YCbCr:
		src = img
	case *image.NYCbCrA:
		src, alpha, alphaStride = &img.YCbCr, img.A, img.AStride
	default:
		return decoded
	}
	size := src.Rect.Size()
	out := image.NewNRGBA(image.Rectangle{Max: size})
	for y := range size.Y {
		near, far := y/2, min(max(y/2-1+2*(y&1), 0), (size.Y-1)/2)
		b, b2 := src.Cb[near*src.CStride:], src.Cb[far*src.CStride:]
		r, r2 := src.Cr[near*src.CStride:], src.Cr[far*src.CStride:]
		for x := range size.X {
			i, j := x/2, min(max(x/2-1+2*(x&1), 0), (size.X-1)/2)
			cb := (9*int32(b[i]) + 3*int32(b[j]) + 3*int32(b2[i]) + int32(b2[j]) + 8) >> 4
			cr := (9*int32(r[i]) + 3*int32(r[j]) + 3*int32(r2[i]) + int32(r2[j]) + 8) >> 4
			px := out.Pix[y*out.Stride+4*x:][:4]
			px[0], px[1], px[2] = fromBT601(int32(src.Y[y*src.YStride+x]), cb, cr)
			px[3] = 255
			if alpha != nil {
				px[3] = alpha[y*alphaStride+x]
			}
		}
	}
	return out
}

// fromBT601 has 14 bits behind the point.
func fromBT601(y, cb, cr int32) (r, g, b uint8) {
	light := 19077 * (y - 16)
	cb, cr = cb-128, cr-128
	return pixel(light + 26149*cr), pixel(light - 6419*cb - 13320*cr), pixel(light + 33050*cb)
}

func pixel(v int32) uint8 { return uint8(min(max((v+1<<13)>>14, 0), 255)) }
