package imagefile_test

import (
	"bytes"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"testing"

	_ "golang.org/x/image/webp"

	"github.com/fluxbatch/fluxbatch/internal/imagefile"
)

// FuzzCheck holds what the check finds against the decoders' idea of the same file, and the pieces
// in which a file arrives against each other.
func FuzzCheck(f *testing.F) {
	for _, file := range [][]byte{
		pngFile(f, picture(6, 5)), jpegFile(f, picture(16, 16)), handmadeJPEG, withSegments(jpegFile(f, picture(8, 8))),
		webpFile(vp8(20, 10)), webpFile(vp8l(300, 7)), webpFile(vp8x(20, 10), chunk("ALPH", "xyz"), vp8(20, 10)),
	} {
		f.Add(file, uint16(7))
	}
	f.Fuzz(func(t *testing.T, file []byte, piece uint16) {
		info, err := imagefile.Check(bytes.NewReader(file), noLimit)

		c := imagefile.NewChecker(noLimit)
		for rest := file; len(rest) > 0; {
			n := min(len(rest), int(piece)+1)
			if _, err := c.Write(rest[:n]); err != nil {
				break
			}
			rest = rest[n:]
		}
		again, err2 := c.Finish()
		if again != info || (err == nil) != (err2 == nil) || err != nil && err.Error() != err2.Error() {
			t.Fatalf("at once: %+v, %v; in pieces: %+v, %v", info, err, again, err2)
		}

		header, headerErr := imagefile.Header(bytes.NewReader(file))
		if err != nil {
			return
		}
		if headerErr != nil || header.Width != info.Width || header.Height != info.Height || header.Format != info.Format {
			t.Fatalf("Header: %+v, %v; Check: %+v", header, headerErr, info)
		}
		if info.Width < 1 || info.Height < 1 || info.Width*info.Height > imagefile.MaxPixels {
			t.Fatalf("dimensions out of range: %+v", info)
		}
		config, format, decodeErr := image.DecodeConfig(bytes.NewReader(file))
		if decodeErr == nil && (format != info.Format || config.Width != info.Width || config.Height != info.Height) {
			t.Fatalf("the decoder reads %s, %d x %d; Check %+v", format, config.Width, config.Height, info)
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	files := map[string][]byte{
		"png":  pngFile(b, picture(1024, 1024)),
		"jpeg": jpegFile(b, picture(1024, 1024)),
		"webp": webpFile(chunk("VP8 ", string(vp8(1024, 1024)[8:18])+string(make([]byte, 1<<20)))),
	}
	for name, file := range files {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(file)))
			b.ReportAllocs()
			for b.Loop() {
				c := imagefile.NewChecker(noLimit)
				for rest := file; len(rest) > 0; {
					n := min(len(rest), 256<<10)
					if _, err := c.Write(rest[:n]); err != nil {
						b.Fatal(err)
					}
					rest = rest[n:]
				}
				if _, err := c.Finish(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkHeader(b *testing.B) {
	file := jpegFile(b, picture(512, 512))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := imagefile.Header(bytes.NewReader(file)); err != nil {
			b.Fatal(err)
		}
	}
}
