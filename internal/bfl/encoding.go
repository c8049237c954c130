package bfl

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// encodingError is an answer in an encoding that is not understood.
type encodingError struct{ name string }

func (e *encodingError) Error() string {
	return fmt.Sprintf("it comes in the unknown encoding %q", e.name)
}

// decoded returns the content of an answer whatever it was encoded with on its way. Nobody asks for
// that, but proxies do it nevertheless; what net/http asked for itself it has decoded by then.
// Errors are of type *encodingError, or those of reading.
func decoded(resp *http.Response) (io.Reader, error) {
	return decode(resp.Header.Values("Content-Encoding"), resp.Body)
}

// maxEncodings bounds how many encodings lie on top of each other.
const maxEncodings = 3

func decode(header []string, r io.Reader) (io.Reader, error) {
	names := encodings(header)
	if len(names) > maxEncodings {
		return nil, &encodingError{strings.Join(names, ", ")}
	}
	// They are listed in the order in which they were applied.
	for _, name := range slices.Backward(names) {
		b := bufio.NewReader(r)
		var err error
		switch name {
		case "gzip", "x-gzip":
			r, err = gunzip(b)
		case "deflate":
			r, err = inflate(b)
		default:
			err = &encodingError{name}
		}
		if err != nil {
			return nil, err
		}
	}
	return r, nil
}

// encodings returns the names in a header, but for the one that means nothing.
func encodings(header []string) []string {
	var names []string
	for name := range strings.SplitSeq(strings.Join(header, ","), ",") {
		if name = strings.ToLower(strings.TrimSpace(name)); name != "" && name != "identity" {
			names = append(names, name)
		}
	}
	return names
}

// gunzip decodes gzip. A store that is told a wrong encoding with a file says it of bytes that are
// none: these come as they are.
func gunzip(b *bufio.Reader) (io.Reader, error) {
	head, err := b.Peek(2)
	if len(head) == 2 && !bytes.Equal(head, []byte{0x1f, 0x8b}) || err == io.EOF {
		return b, nil
	}
	if err != nil {
		return nil, err
	}
	return gzip.NewReader(b)
}

// inflate decodes what is called deflate: the zlib format, or, as some servers have it, the bare
// data that it contains.
func inflate(b *bufio.Reader) (io.Reader, error) {
	head, err := b.Peek(2)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if len(head) == 2 && head[0]&0x0f == 8 && (uint(head[0])<<8|uint(head[1]))%31 == 0 {
		return zlib.NewReader(b)
	}
	return flate.NewReader(b), nil
}
