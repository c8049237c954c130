package imagefile

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
)

// Checker checks an image file that is written to it piece by piece, in pieces of any size. It is
// an io.Writer, so that a download can be verified on its way to the disk:
//
//	c := imagefile.NewChecker(limit)
//	io.Copy(io.MultiWriter(file, c), body)
//	info, err := c.Finish()
//
// Write fails as soon as the bytes cannot become a whole image any more, which ends the download of
// an error page at once. A Checker serves one file and one goroutine.
type Checker struct {
	limit int64
	n     int64
	sum   hash.Hash
	id    *identity
	d     dispatcher
	err   error // the first error; it stays
	// identity is the content identity once it is known.
	identity string
}

// NewChecker returns a Checker for a file of at most limit bytes.
func NewChecker(limit int64) *Checker {
	id := newIdentity()
	return &Checker{limit: limit, sum: sha256.New(), id: id, d: dispatcher{id: id}}
}

// Write takes the next bytes of the file. Its errors are of type *Error, and every later call
// returns the first one again.
func (c *Checker) Write(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	if int64(len(p)) > c.limit-c.n {
		reason := fmt.Sprintf("the file is longer than %d bytes, the most that is accepted", c.limit)
		c.err = &Error{Kind: ErrTooLarge, Reason: reason}
		return 0, c.err
	}
	if c.err = c.d.scan(p); c.err != nil {
		return 0, c.err
	}
	c.n += int64(len(p))
	c.sum.Write(p) // a hash never fails
	return len(p), nil
}

// Finish says that the file ends here. It returns what the image is, or an *Error: that of an
// earlier Write, or one that says where the file ends too early.
func (c *Checker) Finish() (Info, error) {
	if c.err == nil {
		c.err = c.d.end()
	}
	if c.err != nil {
		return Info{}, c.err
	}
	info := c.d.info()
	info.Bytes = c.n
	info.SHA256 = hex.EncodeToString(c.sum.Sum(nil))
	info.Content = c.content()
	return info, nil
}

// content returns the content identity. It is computed once, since that ends it.
func (c *Checker) content() string {
	if c.identity == "" {
		c.identity = c.id.end()
	}
	return c.identity
}

// scanner follows the structure of one format.
type scanner interface {
	// scan takes the next bytes of the file, the signature included.
	scan(p []byte) error
	// end returns an error unless the image is complete.
	end() error
	// dimensions are 0 until they are known.
	dimensions() (width, height int)
}

// dispatcher collects a file's first bytes until they tell the format, and leaves the rest to the
// format's scanner.
type dispatcher struct {
	format string
	scanner
	head collector
	id   *identity // nil where nobody asks
}

// signatureSize is as much as any format needs to be told apart. No image is shorter.
const signatureSize = 12

func (d *dispatcher) scan(p []byte) error {
	if d.scanner != nil {
		return d.scanner.scan(p)
	}
	rest, full := d.head.fill(p, signatureSize)
	if !full {
		return nil
	}
	head := d.head.bytes()
	switch {
	case bytes.HasPrefix(head, pngSignature):
		d.format, d.scanner = PNG, &pngScanner{id: d.id}
	case bytes.HasPrefix(head, jpegSignature):
		d.format, d.scanner = JPEG, &jpegScanner{id: d.id}
	case isWebP(head):
		d.format, d.scanner = WebP, &webpScanner{id: d.id}
	default:
		return unknownFormat(head)
	}
	d.id.begin(d.format)
	if err := d.scanner.scan(head); err != nil {
		return err
	}
	return d.scanner.scan(rest)
}

func (d *dispatcher) end() error {
	if d.scanner != nil {
		return d.scanner.end()
	}
	head := d.head.bytes()
	if len(head) == 0 {
		return &Error{Kind: ErrTruncated, Reason: "the file is empty"}
	}
	if couldBe(head) {
		return &Error{Kind: ErrTruncated, Reason: "the file ends inside its signature"}
	}
	return unknownFormat(head)
}

// couldBe reports whether head is the beginning of a signature.
func couldBe(head []byte) bool {
	riff, webp := head[:min(len(head), 4)], head[min(len(head), 8):]
	return bytes.HasPrefix(head, pngSignature[:min(len(head), len(pngSignature))]) ||
		bytes.HasPrefix(head, jpegSignature[:min(len(head), len(jpegSignature))]) ||
		bytes.HasPrefix([]byte("RIFF"), riff) && bytes.HasPrefix([]byte("WEBP"), webp)
}

func (d *dispatcher) measured() bool {
	if d.scanner == nil {
		return false
	}
	width, _ := d.dimensions()
	return width > 0
}

func (d *dispatcher) info() Info {
	width, height := d.dimensions()
	return Info{Format: d.format, Width: width, Height: height}
}

// collector gathers a few bytes that may arrive in pieces.
type collector struct {
	buf [32]byte
	n   int
}

// fill takes bytes from p until there are want of them, and returns the rest of p.
func (c *collector) fill(p []byte, want int) (rest []byte, full bool) {
	n := copy(c.buf[c.n:want], p)
	c.n += n
	return p[n:], c.n == want
}

// gather collects want bytes and hands them over.
func (c *collector) gather(p []byte, want int, take func([]byte) error) (rest []byte, err error) {
	rest, full := c.fill(p, want)
	if full {
		err = take(c.bytes())
		c.n = 0
	}
	return rest, err
}

func (c *collector) bytes() []byte { return c.buf[:c.n] }
