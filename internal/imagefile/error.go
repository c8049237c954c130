package imagefile

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

// The kinds of Error, for errors.Is.
var (
	// ErrFormat is a file that is not an image of a known format.
	ErrFormat = errors.New("not a PNG, JPEG or WebP image")
	// ErrTruncated is an image that ends too early.
	ErrTruncated = errors.New("incomplete image")
	// ErrDamaged is an image that breaks the rules of its format.
	ErrDamaged = errors.New("damaged image")
	// ErrDimensions is an image without extent, or with more than MaxPixels pixels.
	ErrDimensions = errors.New("image dimensions out of range")
	// ErrTooLarge is a file that is longer than allowed.
	ErrTooLarge = errors.New("image file too large")
)

// Error says why a file is not a whole image.
type Error struct {
	// Kind is one of the Err variables of this package.
	Kind error
	// Reason is a clause for people that begins with "the file", such as "the file ends inside its
	// third chunk (IDAT)".
	Reason string
}

func (e *Error) Error() string { return e.Reason }

// Unwrap returns the kind.
func (e *Error) Unwrap() error { return e.Kind }

func damaged(format string, args ...any) error {
	return &Error{Kind: ErrDamaged, Reason: "the file is damaged: " + fmt.Sprintf(format, args...)}
}

func truncated(format string, args ...any) error {
	return &Error{Kind: ErrTruncated, Reason: "the file ends " + fmt.Sprintf(format, args...)}
}

// checkDimensions bounds an image's extent. The arguments are at most 32 bits wide, so their
// product fits.
func checkDimensions(width, height uint64) error {
	if width == 0 || height == 0 {
		reason := fmt.Sprintf("the file says that its image is %d x %d pixels", width, height)
		return &Error{Kind: ErrDimensions, Reason: reason}
	}
	if width*height > MaxPixels {
		return &Error{Kind: ErrDimensions, Reason: fmt.Sprintf(
			"the file says that its image is %d x %d pixels, and at most %d megapixels are accepted",
			width, height, MaxPixels/1_000_000,
		)}
	}
	return nil
}

// unknownFormat names what a file is instead of an image, where its first bytes tell.
func unknownFormat(head []byte) error {
	text := bytes.ToLower(bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n"))
	what := ""
	switch {
	case bytes.HasPrefix(text, []byte("<!doctype")), bytes.HasPrefix(text, []byte("<html")):
		what = "a web page"
	case bytes.HasPrefix(text, []byte("<svg")):
		what = "an SVG drawing"
	case bytes.HasPrefix(text, []byte("<")):
		what = "an XML or HTML text"
	case bytes.HasPrefix(text, []byte("{")), bytes.HasPrefix(text, []byte("[")):
		what = "a JSON text"
	case bytes.HasPrefix(head, []byte("GIF8")):
		what = "a GIF image"
	case len(head) >= 12 && bytes.Equal(head[4:8], []byte("ftyp")):
		what = "an AVIF, HEIC or video file"
	case bytes.HasPrefix(head, []byte("RIFF")):
		what = "a sound or video file"
	default:
		return &Error{Kind: ErrFormat, Reason: "the file is not a PNG, JPEG or WebP image"}
	}
	return &Error{Kind: ErrFormat, Reason: "the file is " + what + ", not a PNG, JPEG or WebP image"}
}

var ordinals = [...]string{
	"first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
}

// ordinal writes which one of several things is meant, counted from 1: "its third chunk", "its
// chunk 214".
func ordinal(n int, noun string) string {
	if n >= 1 && n <= len(ordinals) {
		return "its " + ordinals[n-1] + " " + noun
	}
	return "its " + noun + " " + strconv.Itoa(n)
}
