package simulator

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	_ "image/jpeg" // the formats of inputs
	_ "image/png"
	"net/url"
	"strings"

	_ "golang.org/x/image/webp"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/imagefile"
)

// standInSize is taken to be the size of an image behind a URL, which is never fetched.
var standInSize = bfl.Size{Width: 1024, Height: 1024}

// input is an image that came with an order.
type input struct {
	field string
	// url is set for an image that the API would fetch. A picture drawn from the URL's text stands
	// in for it.
	url string
	// data is the decoded Base64.
	data []byte
	// sum identifies the picture, so that two files of one picture which the API signed are one
	// input, or else the bytes.
	sum [sha256.Size]byte
	// size is zero where data is no image.
	size bfl.Size
}

// errNotBase64 says what an input may be.
var errNotBase64 = errors.New("the image is neither a URL nor valid Base64")

var errTooManyPixels = fmt.Errorf("the image has more than %d megapixels", bfl.MaxInputPixels/1_000_000)

// readInput reads the value of a field for images: a URL; or Base64 of either alphabet, padded or
// not, with or without the head of a data URI. Base64 of something that is no image passes here,
// and fails the task.
func readInput(field, value string) (input, error) {
	if u, ok, err := asURL(value); ok || err != nil {
		return input{field: field, url: u, sum: sha256.Sum256([]byte(u)), size: standInSize}, err
	}
	encoded := value
	if head, tail, ok := strings.Cut(value, ","); ok {
		if !strings.HasPrefix(head, "data:") || !strings.HasSuffix(head, ";base64") {
			return input{}, errNotBase64
		}
		encoded = tail
	}
	if base64.RawStdEncoding.DecodedLen(len(encoded)) > bfl.MaxInputBytes+2 {
		return input{}, fmt.Errorf("the image is larger than %d MB", bfl.MaxInputBytes>>20)
	}
	encoding := base64.RawStdEncoding
	if strings.ContainsAny(encoded, "-_") {
		encoding = base64.RawURLEncoding
	}
	data, err := encoding.DecodeString(strings.TrimRight(encoded, "="))
	if err != nil {
		return input{}, errNotBase64
	}
	in := input{field: field, data: data, sum: sha256.Sum256(data)}
	// The size is read from the header before anything is decoded: a small file can unpack to
	// gigabytes.
	if config, format, err := image.DecodeConfig(bytes.NewReader(data)); err == nil && isWhole(format, data) {
		in.size = bfl.Size{Width: config.Width, Height: config.Height}
		if info, err := imagefile.Check(bytes.NewReader(data), bfl.MaxInputBytes+2); err == nil {
			in.sum = sha256.Sum256([]byte(info.Content))
		}
	}
	if in.size.Width > 0 && in.size.Height > bfl.MaxInputPixels/in.size.Width {
		return input{}, errTooManyPixels
	}
	return in, nil
}

// asURL reports whether a value is an http(s) URL.
func asURL(value string) (string, bool, error) {
	scheme, _, ok := strings.Cut(value, "://")
	if !ok {
		return "", false, nil
	}
	if s := strings.ToLower(scheme); s != "http" && s != "https" {
		return "", false, errNotBase64
	}
	u, err := url.Parse(value)
	if err != nil || u.Host == "" {
		return "", false, errors.New("the image's URL is not valid")
	}
	return value, true, nil
}

// isWhole reports whether an image file has all its parts, without decoding it.
func isWhole(format string, data []byte) bool {
	switch format {
	case "png":
		return isWholePNG(data)
	case "jpeg":
		// Cameras pad their files, so the end marker may be followed by more.
		return bytes.LastIndex(data, []byte{0xff, 0xd9}) > 0
	case "webp":
		return len(data) >= 8 && uint64(len(data)) >= uint64(binary.LittleEndian.Uint32(data[4:]))+8
	default:
		return false
	}
}

func isWholePNG(data []byte) bool {
	const signature, frame = 8, 12 // frame: length, type and checksum of a chunk
	for data = data[min(signature, len(data)):]; len(data) >= frame; {
		n := int64(binary.BigEndian.Uint32(data))
		if n > int64(len(data)-frame) {
			return false
		}
		kind, sum := data[4:8], binary.BigEndian.Uint32(data[8+n:])
		if crc32.ChecksumIEEE(data[4:8+n]) != sum {
			return false
		}
		if string(kind) == "IEND" {
			return true
		}
		data = data[frame+n:]
	}
	return false
}
