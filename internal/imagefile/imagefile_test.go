package imagefile_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/imagefile"
)

const noLimit = math.MaxInt64

// picture draws something that does not compress to nothing.
func picture(width, height int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.SetRGBA(x, y, color.RGBA{uint8(x * y), uint8(x*x + 3*y), uint8(x ^ y), 255})
		}
	}
	return img
}

func pngFile(tb testing.TB, img image.Image) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func jpegFile(tb testing.TB, img image.Image) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 90}); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

func TestCheckWholeFiles(t *testing.T) {
	t.Parallel()
	palette := image.NewPaletted(image.Rect(0, 0, 9, 5), color.Palette{color.Black, color.White, color.Transparent})
	tests := []struct {
		name   string
		file   []byte
		format string
		width  int
		height int
	}{
		{"png", pngFile(t, picture(31, 17)), imagefile.PNG, 31, 17},
		{"png of many chunks", pngFile(t, picture(400, 300)), imagefile.PNG, 400, 300},
		{"png with a palette and transparency", pngFile(t, palette), imagefile.PNG, 9, 5},
		{"png in grey", pngFile(t, image.NewGray(image.Rect(0, 0, 8, 8))), imagefile.PNG, 8, 8},
		{"png with 16 bits", pngFile(t, image.NewNRGBA64(image.Rect(0, 0, 3, 4))), imagefile.PNG, 3, 4},
		{"jpeg", jpegFile(t, picture(33, 18)), imagefile.JPEG, 33, 18},
		{"jpeg in grey", jpegFile(t, image.NewGray(image.Rect(0, 0, 20, 10))), imagefile.JPEG, 20, 10},
		{"jpeg with metadata", withSegments(jpegFile(t, picture(8, 8))), imagefile.JPEG, 8, 8},
		{"jpeg with something behind it", append(jpegFile(t, picture(8, 8)), "more"...), imagefile.JPEG, 8, 8},
		{"png with something behind it", append(pngFile(t, picture(8, 8)), "more"...), imagefile.PNG, 8, 8},
		{"webp with something behind it", append(webpFile(vp8(20, 10)), "more"...), imagefile.WebP, 20, 10},
		{"webp with less than a chunk behind its last", announce(append(webpFile(vp8(20, 10)), "abc"...), 3), imagefile.WebP, 20, 10},
		{"webp without its last padding", unpadded(webpFile(vp8x(20, 10), vp8(20, 10), chunk("XMP ", "abc"))), imagefile.WebP, 20, 10},
		{"jpeg with restarts and fill bytes", handmadeJPEG, imagefile.JPEG, 16, 8},
		{"lossy webp", webpFile(vp8(20, 10)), imagefile.WebP, 20, 10},
		{"lossless webp", webpFile(vp8l(300, 7)), imagefile.WebP, 300, 7},
		{"extended webp", webpFile(vp8x(20, 10), chunk("ICCP", "abc"), chunk("ALPH", "xy"), vp8(20, 10), chunk("EXIF", "")), imagefile.WebP, 20, 10},
		{"animated webp", webpFile(vp8x(6, 5), chunk("ANIM", "123456"), chunk("ANMF", "frame")), imagefile.WebP, 6, 5},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			want := imagefile.Info{
				Format: test.format, Width: test.width, Height: test.height,
				Bytes: int64(len(test.file)), SHA256: sum(test.file),
			}
			for name, r := range map[string]io.Reader{
				"at once":     bytes.NewReader(test.file),
				"by bytes":    iotest.OneByteReader(bytes.NewReader(test.file)),
				"EOF at once": iotest.DataErrReader(bytes.NewReader(test.file)),
			} {
				got, err := imagefile.Check(r, int64(len(test.file)))
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				// What it is is another test's matter; here, that it does not depend on the pieces.
				if want.Content == "" {
					want.Content = got.Content
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
			}
			header, err := imagefile.Header(iotest.OneByteReader(bytes.NewReader(test.file)))
			if err != nil {
				t.Fatal(err)
			}
			want.Bytes, want.SHA256, want.Content = 0, "", ""
			if diff := cmp.Diff(want, header); diff != "" {
				t.Errorf("Header (-want +got):\n%s", diff)
			}
		})
	}
}

// TestTruncated cuts small files after every byte but the last.
func TestTruncated(t *testing.T) {
	t.Parallel()
	files := map[string][]byte{
		"png":  pngFile(t, picture(6, 5)),
		"jpeg": jpegFile(t, picture(16, 16)),
		"webp": webpFile(vp8x(20, 10), chunk("ICCP", "abc"), vp8(20, 10)),
	}
	for name, file := range files {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for n := range file {
				if _, err := imagefile.Check(bytes.NewReader(file[:n]), noLimit); !errors.Is(err, imagefile.ErrTruncated) {
					t.Errorf("cut after %d of %d bytes: %v, want ErrTruncated", n, len(file), err)
				}
			}
		})
	}
}

// TestChangedPNG changes every byte in several ways. A PNG's checksums and structure leave nothing
// uncovered.
func TestChangedPNG(t *testing.T) {
	t.Parallel()
	file := pngFile(t, picture(6, 5))
	for i := range file {
		for _, mask := range []byte{0x01, 0x20, 0x80, 0xff} {
			changed := slices.Clone(file)
			changed[i] ^= mask
			if _, err := imagefile.Check(bytes.NewReader(changed), noLimit); err == nil {
				t.Errorf("byte %d changed from %#x to %#x, and the file passes", i, file[i], changed[i])
			}
		}
	}
}

func TestCheckFaults(t *testing.T) {
	t.Parallel()
	small := pngFile(t, picture(6, 5))
	chunks := pngChunks(small)
	ihdr, idat, iend := chunks[0], chunks[1], chunks[2]
	plte := pngChunk("PLTE", "abc")
	photo := jpegFile(t, picture(16, 16))
	tests := []struct {
		name string
		file []byte
		kind error
		text string
	}{
		{"nothing", nil, imagefile.ErrTruncated, "the file is empty"},
		{"part of a signature", small[:5], imagefile.ErrTruncated, "the file ends inside its signature"},
		{
			"a web page", []byte("\n<!DOCTYPE html><title>x</title>"), imagefile.ErrFormat,
			"the file is a web page, not a PNG, JPEG or WebP image",
		},
		{
			"an error from a store", []byte("\ufeff<?xml version=\"1.0\"?><Error/>"), imagefile.ErrFormat,
			"the file is an XML or HTML text, not a PNG, JPEG or WebP image",
		},
		{"a short text", []byte("{}"), imagefile.ErrFormat, "the file is a JSON text, not a PNG, JPEG or WebP image"},
		{
			"a drawing", []byte("<svg xmlns='http'/>"), imagefile.ErrFormat,
			"the file is an SVG drawing, not a PNG, JPEG or WebP image",
		},
		{
			"a gif", []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00"), imagefile.ErrFormat,
			"the file is a GIF image, not a PNG, JPEG or WebP image",
		},
		{
			"an avif", []byte("\x00\x00\x00\x1cftypavif\x00\x00"), imagefile.ErrFormat,
			"the file is an AVIF, HEIC or video file, not a PNG, JPEG or WebP image",
		},
		{
			"a sound", []byte("RIFF\x24\x00\x00\x00WAVEfmt "), imagefile.ErrFormat,
			"the file is a sound or video file, not a PNG, JPEG or WebP image",
		},
		{"noise", []byte("0123456789abcdef"), imagefile.ErrFormat, "the file is not a PNG, JPEG or WebP image"},

		{
			"png cut in a chunk", small[:len(small)-20], imagefile.ErrTruncated,
			"the file ends inside its second chunk (IDAT)",
		},
		{
			"png without an end", pngOf(ihdr, idat), imagefile.ErrTruncated,
			"the file ends after its second chunk (IDAT), before its end chunk",
		},
		{
			"png cut in a head", pngOf(ihdr, idat)[:len(pngOf(ihdr))+3], imagefile.ErrTruncated,
			"the file ends inside the head of its second chunk",
		},
		{
			"png without an end behind its tail", append(pngOf(ihdr, idat), "more"...), imagefile.ErrTruncated,
			"the file ends inside the head of its third chunk",
		},
		{"png without data", pngOf(ihdr, iend), imagefile.ErrDamaged, "the file is damaged: it has no image data"},
		{
			"png without a header", pngOf(idat, iend), imagefile.ErrDamaged,
			"the file is damaged: its first chunk (IDAT) is not where it belongs",
		},
		{
			"png with two headers", pngOf(ihdr, ihdr, idat, iend), imagefile.ErrDamaged,
			"the file is damaged: its second chunk (IHDR) is not where it belongs",
		},
		{
			"png with its data in two places", pngOf(ihdr, idat, pngChunk("tEXt", "a"), idat, iend), imagefile.ErrDamaged,
			"the file is damaged: its image data is interrupted before its fourth chunk (IDAT)",
		},
		{
			"png with a late palette", pngOf(ihdr, idat, plte, iend), imagefile.ErrDamaged,
			"the file is damaged: its palette is not valid",
		},
		{
			"png with an odd palette", pngOf(ihdr, pngChunk("PLTE", "abcd"), idat, iend), imagefile.ErrDamaged,
			"the file is damaged: its palette is not valid",
		},
		{
			"png without its palette", pngOf(pngHeader(6, 5, 8, 3), idat, iend), imagefile.ErrDamaged,
			"the file is damaged: it has no palette",
		},
		{
			"png with an unknown critical chunk", pngOf(ihdr, pngChunk("ABCD", ""), idat, iend), imagefile.ErrDamaged,
			"the file is damaged: its second chunk (ABCD) is of a type that no program knows",
		},
		{
			"png with a bad type", pngOf(ihdr, pngChunk("a\x1b[m", ""), idat, iend), imagefile.ErrDamaged,
			"the file is damaged: its second chunk has no valid type",
		},
		{
			"png with a full end", pngOf(ihdr, idat, pngChunk("IEND", "x")), imagefile.ErrDamaged,
			"the file is damaged: its end chunk is not empty",
		},
		{
			"png with an enormous chunk", append(pngOf(ihdr), "\xff\xff\xff\xffIDAT"...), imagefile.ErrDamaged,
			"the file is damaged: its second chunk (IDAT) is longer than a chunk can be",
		},
		{
			"png with a bad depth", pngOf(pngHeader(6, 5, 3, 2), idat, iend), imagefile.ErrDamaged,
			"the file is damaged: its header is not valid",
		},
		{
			"png with a short header", pngOf(pngChunk("IHDR", "123"), idat, iend), imagefile.ErrDamaged,
			"the file is damaged: its header has a wrong length",
		},
		{
			"png without extent", pngOf(pngHeader(0, 5, 8, 2), idat, iend), imagefile.ErrDimensions,
			"the file says that its image is 0 x 5 pixels",
		},
		{
			"png bomb", pngOf(pngHeader(1_000_000, 1_000_000, 8, 2), idat, iend), imagefile.ErrDimensions,
			"the file says that its image is 1000000 x 1000000 pixels, and at most 100 megapixels are accepted",
		},
		{
			"png with the largest sides", pngOf(pngHeader(math.MaxUint32, math.MaxUint32, 8, 2)), imagefile.ErrDimensions,
			"the file says that its image is 4294967295 x 4294967295 pixels, and at most 100 megapixels are accepted",
		},

		{
			"jpeg cut in its scan", photo[:len(photo)-2], imagefile.ErrTruncated,
			"the file ends inside its first scan, before its end marker",
		},
		{"jpeg of two bytes more", photo[:3], imagefile.ErrTruncated, "the file ends inside its signature"},
		{
			"jpeg without data", []byte("\xff\xd8\xff\xfe\x00\x07hello\xff\xd9"), imagefile.ErrDamaged,
			"the file is damaged: it has no image data",
		},
		{
			"jpeg without a marker", []byte("\xff\xd8\xff\xfe\x00\x07helloXX"), imagefile.ErrDamaged,
			"the file is damaged: there is no marker after its metadata",
		},
		{
			"jpeg with a reserved marker", []byte("\xff\xd8\xff\xfe\x00\x07hello\xff\x02"), imagefile.ErrDamaged,
			"the file is damaged: there is no valid marker after its metadata",
		},
		{
			"jpeg with a scan before its frame", []byte("\xff\xd8\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00abc\xff\xd9"), imagefile.ErrDamaged,
			"the file is damaged: its image data comes before its frame",
		},
		{
			"jpeg with a bad length", []byte("\xff\xd8\xff\xfe\x00\x01hello world"), imagefile.ErrDamaged,
			"the file is damaged: its metadata has no valid length",
		},
		{
			"jpeg of another kind", bytes.Replace(photo, []byte{0xff, 0xc0}, []byte{0xff, 0xc5}, 1), imagefile.ErrDamaged,
			"the file is damaged: its frame is of a kind that no program reads",
		},
		{
			"jpeg with an empty scan", replaceScan(t, handmadeJPEG, ""), imagefile.ErrDamaged,
			"the file is damaged: its first scan is empty",
		},
		{
			"jpeg without height", bytes.Replace(handmadeJPEG, []byte("\x00\x0b\x08\x00\x08"), []byte("\x00\x0b\x08\x00\x00"), 1), imagefile.ErrDimensions,
			"the file says that its image is 16 x 0 pixels",
		},
		{
			"jpeg bomb", bytes.Replace(handmadeJPEG, []byte("\x08\x00\x08\x00\x10"), []byte("\x08\xff\xff\xff\xff"), 1), imagefile.ErrDimensions,
			"the file says that its image is 65535 x 65535 pixels, and at most 100 megapixels are accepted",
		},
		{
			"jpeg with two frames", bytes.Replace(handmadeJPEG, []byte("\xff\xda"), []byte("\xff\xc0\x00\x0b\x08\x00\x08\x00\x10\x01\x01\x11\x00\xff\xda"), 1), imagefile.ErrDamaged,
			"the file is damaged: it has two frames",
		},
		{
			"jpeg with a bad frame", bytes.Replace(handmadeJPEG, []byte("\x10\x01\x01\x11"), []byte("\x10\x02\x01\x11"), 1), imagefile.ErrDamaged,
			"the file is damaged: its frame is not valid",
		},

		{"webp cut", webpFile(vp8(20, 10))[:25], imagefile.ErrTruncated, "the file ends inside its first chunk"},
		{
			"webp cut between chunks", webpFile(vp8(20, 10), chunk("EXIF", "ab"))[:len(webpFile(vp8(20, 10)))], imagefile.ErrTruncated,
			"the file ends before its second chunk, and announces to be longer",
		},
		{
			"webp cut before the length that it announces", announce(append(webpFile(vp8(20, 10)), "abc"...), 4), imagefile.ErrTruncated,
			"the file ends before the length that it announces",
		},
		{
			"webp chunk longer than the file", bytes.Replace(webpFile(vp8(20, 10)), []byte("VP8 \x0c"), []byte("VP8 \xff"), 1), imagefile.ErrDamaged,
			"the file is damaged: its first chunk is longer than the file announces to be",
		},
		{
			"webp without an image", webpFile(vp8x(20, 10), chunk("EXIF", "ab")), imagefile.ErrDamaged,
			"the file is damaged: it has no image data",
		},
		{"webp of nothing", webpFile(), imagefile.ErrDamaged, "the file is damaged: it has no image data"},
		{
			"webp that begins with metadata", webpFile(chunk("EXIF", "ab"), vp8(20, 10)), imagefile.ErrDamaged,
			"the file is damaged: its first chunk is not an image",
		},
		{
			"webp with two images", webpFile(vp8(20, 10), vp8(20, 10)), imagefile.ErrDamaged,
			"the file is damaged: it has two images",
		},
		{
			"webp with another canvas", webpFile(vp8x(30, 10), vp8(20, 10)), imagefile.ErrDamaged,
			"the file is damaged: its image is 20 x 10 pixels and its canvas 30 x 10",
		},
		{
			"webp with a late header", webpFile(vp8(20, 10), vp8x(20, 10)), imagefile.ErrDamaged,
			"the file is damaged: its second chunk is not where it belongs",
		},
		{
			"webp with a bad frame", bytes.Replace(webpFile(vp8(20, 10)), []byte("\x9d\x01\x2a"), []byte("\x9d\x01\x2b"), 1), imagefile.ErrDamaged,
			"the file is damaged: its image data does not begin as it should",
		},
		{
			"webp with a short chunk", webpFile(chunk("VP8L", "\x2f")), imagefile.ErrDamaged,
			"the file is damaged: its first chunk is too short",
		},
		{
			"webp with the length of no chunk", []byte("RIFF\x05\x00\x00\x00WEBPx"), imagefile.ErrDamaged,
			"the file is damaged: it has no image data",
		},
		{
			"webp with no length", []byte("RIFF\x03\x00\x00\x00WEBPx"), imagefile.ErrDamaged,
			"the file is damaged: it announces a length that no such file has",
		},
		{
			"webp bomb", webpFile(vp8x(1<<24, 1<<24)), imagefile.ErrDimensions,
			"the file says that its image is 16777216 x 16777216 pixels, and at most 100 megapixels are accepted",
		},
		{
			"webp without extent", webpFile(vp8(0, 10)), imagefile.ErrDimensions,
			"the file says that its image is 0 x 10 pixels",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for name, r := range map[string]io.Reader{
				"at once":  bytes.NewReader(test.file),
				"by bytes": iotest.OneByteReader(bytes.NewReader(test.file)),
			} {
				info, err := imagefile.Check(r, noLimit)
				if !errors.Is(err, test.kind) {
					t.Fatalf("%s: %v, want %v", name, err, test.kind)
				}
				if diff := cmp.Diff(test.text, err.Error()); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
				if info != (imagefile.Info{}) {
					t.Errorf("%s: an error comes with %+v", name, info)
				}
			}
		})
	}
}

func TestLimit(t *testing.T) {
	t.Parallel()
	file := pngFile(t, picture(20, 20))
	if _, err := imagefile.Check(bytes.NewReader(file), int64(len(file))); err != nil {
		t.Errorf("a file of exactly the limit: %v", err)
	}
	// The reader would go on for ever, so that the check must stop by itself.
	endless := io.MultiReader(bytes.NewReader(file[:len(file)-1]), neverEnding{})
	if _, err := imagefile.Check(endless, int64(len(file)-1)); !errors.Is(err, imagefile.ErrTooLarge) {
		t.Errorf("a file longer than the limit: %v, want ErrTooLarge", err)
	}
}

type neverEnding struct{}

func (neverEnding) Read(p []byte) (int, error) { return len(p), nil }

func TestReaderFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is gone")
	r := io.MultiReader(bytes.NewReader(pngFile(t, picture(4, 4))[:20]), iotest.ErrReader(broken))
	if _, err := imagefile.Check(r, noLimit); !errors.Is(err, broken) {
		t.Errorf("got %v, want the reader's error", err)
	}
	if _, err := imagefile.Header(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("Header: got %v, want the reader's error", err)
	}
}

// TestHeaderStops makes sure that no more than the beginning is read.
func TestHeaderStops(t *testing.T) {
	t.Parallel()
	for name, file := range map[string][]byte{
		"png":  pngFile(t, picture(100, 100))[:33],
		"jpeg": jpegFile(t, picture(100, 100))[:400],
		"webp": webpFile(vp8x(20, 10), vp8(20, 10))[:30],
	} {
		info, err := imagefile.Header(io.MultiReader(bytes.NewReader(file), iotest.ErrReader(errors.New("read too far"))))
		if err != nil || info.Width == 0 {
			t.Errorf("%s: %+v, %v", name, info, err)
		}
	}
	endless := io.MultiReader(strings.NewReader("\xff\xd8\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), filler{})
	if _, err := imagefile.Header(endless); !errors.Is(err, imagefile.ErrTooLarge) {
		t.Errorf("a header without end: %v, want ErrTooLarge", err)
	}
}

// filler gives the bytes that may stand before a marker.
type filler struct{}

func (filler) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 0xff
	}
	return len(p), nil
}

// TestCheckerKeepsError makes sure that a file that was refused stays refused.
func TestCheckerKeepsError(t *testing.T) {
	t.Parallel()
	c := imagefile.NewChecker(noLimit)
	_, first := c.Write([]byte("<html><head>"))
	if !errors.Is(first, imagefile.ErrFormat) {
		t.Fatalf("a web page: %v", first)
	}
	if n, err := c.Write(pngFile(t, picture(4, 4))); n != 0 || !errors.Is(err, first) {
		t.Errorf("a later write: %d, %v", n, err)
	}
	if _, err := c.Finish(); !errors.Is(err, first) {
		t.Errorf("Finish: %v", err)
	}
}
