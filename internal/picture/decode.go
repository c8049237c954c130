package picture

import (
	"bytes"
	"fmt"
	"image"
	_ "image/jpeg" // the formats that pictures have
	_ "image/png"
	"os"

	_ "golang.org/x/image/webp"

	"github.com/fluxbatch/fluxbatch/internal/imagefile"
)

// Open decodes a PNG, JPEG or WebP file and turns it upright. The error is of package os where the
// file cannot be read, and an *imagefile.Error where it is too large or no picture.
func Open(path string) (image.Image, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return Decode(data)
}

// Decode does so with what is in a file. Dimensions are read before anything is decoded, since a
// small file can unpack to gigabytes: imagefile.MaxPixels bounds them.
func Decode(data []byte) (image.Image, error) {
	if _, err := imagefile.Header(bytes.NewReader(data)); err != nil {
		return nil, err
	}
	picture, format, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		reason := fmt.Sprintf("the file cannot be decoded: %s", err)
		return nil, &imagefile.Error{Kind: imagefile.ErrDamaged, Reason: reason}
	}
	if format == imagefile.WebP {
		picture = fromWebP(picture)
	}
	return upright(picture, imagefile.ReadMetadata(data).Orientation), nil
}
