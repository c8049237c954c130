package imagefile

import (
	"errors"
	"fmt"
	"io"
)

// The formats of Info.
const (
	PNG  = "png"
	JPEG = "jpeg"
	WebP = "webp"
)

// MaxPixels bounds width x height. It leaves room for the largest image that the API can make, an
// input of 20 megapixels widened by 2048 pixels on each side, and keeps programs that open the file
// from needing gigabytes.
const MaxPixels = 100_000_000

// Info is what a whole image file says of itself.
type Info struct {
	// Format is PNG, JPEG or WebP.
	Format string
	// Width and Height are in pixels, both at least 1, with a product of at most MaxPixels.
	Width, Height int
	// Bytes is the file's length.
	Bytes int64
	// SHA256 is the hash of the whole file in hexadecimal, of bytes behind its image too.
	SHA256 string
	// Content identifies the picture: a hash in lower-case hexadecimal of the file without what
	// does not change the picture, such as the signed manifest that every file of the API has of
	// its own. Two files with the same Content show the same picture; two that show the same may
	// still differ in it, since nothing is decoded. It is made of
	//
	//   - in PNG, the chunks of pixels, palette, transparency, colour and animation, with IDAT as one however it is divided;
	//   - in JPEG, all segments and scans but APP1, APP11, APP13 and comments, without fill bytes;
	//   - in WebP, all chunks but EXIF, "XMP " and C2PA, and but the VP8X header of a still image, which repeats what the other chunks say;
	//   - in each, the orientation that EXIF names unless that is the normal one;
	//
	// and of nothing that stands behind the image's end.
	Content string
}

// Check reads r to its end and returns what the image is. A file that is longer than limit bytes,
// or is not a whole image, is an *Error; reading stops there. Errors of r come back as they are,
// wrapped.
func Check(r io.Reader, limit int64) (Info, error) {
	c := NewChecker(limit)
	buf := make([]byte, 64<<10)
	if err := feed(r, buf, c.Write, func() bool { return false }); err != nil {
		return Info{}, err
	}
	return c.Finish()
}

// maxHeader bounds what Header reads. The dimensions of a JPEG stand behind its metadata, which
// cameras fill with colour profiles and previews; nothing legitimate comes near this.
const maxHeader = 16 << 20

// Header reads the beginning of r and returns the format and the dimensions, without Bytes, SHA256
// and Content. It reads no further than it must, which for PNG and WebP are the first bytes.
func Header(r io.Reader) (Info, error) {
	var d dispatcher
	left := maxHeader
	write := func(p []byte) (int, error) {
		if left -= len(p); left < 0 {
			return 0, &Error{Kind: ErrTooLarge, Reason: "the file has no dimensions within its first 16 MB"}
		}
		return len(p), d.scan(p)
	}
	if err := feed(r, make([]byte, 4<<10), write, d.measured); err != nil {
		return Info{}, err
	}
	if !d.measured() {
		if err := d.end(); err != nil {
			return Info{}, err
		}
	}
	return d.info(), nil
}

// feed copies r to write until its end or until enough says that no more is needed. It differs from
// io.Copy in that it never hands the copying over to r, whose WriterTo would not stop.
func feed(r io.Reader, buf []byte, write func([]byte) (int, error), enough func() bool) error {
	for {
		n, err := r.Read(buf)
		if n > 0 {
			if _, err := write(buf[:n]); err != nil {
				return err
			}
			if enough() {
				return nil
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the image: %w", err)
		}
	}
}
