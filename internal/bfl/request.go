package bfl

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/fluxbatch/fluxbatch/internal/imagefile"
)

// Fingerprint identifies what a request asks for: the SHA-256, in hexadecimal, of its canonical
// form (see MarshalJSON). Two requests with one fingerprint ask for the same image. Its definition
// never changes, since a different one would make every image that exists look changed, and buy it
// again. It is "" while an argument or an input is known only later.
func (r *Request) Fingerprint() string { return r.FingerprintAs("") }

// FingerprintAs returns the fingerprint, and known itself where that is it: of a hundred thousand
// requests that are on record already, there are then no copies.
func (r *Request) FingerprintAs(known string) string {
	if !r.Known() {
		return ""
	}
	var buffer [1024]byte
	canonical, err := r.appendCanonical(buffer[:0])
	if err != nil {
		// Known arguments are strings, booleans, finite numbers and valid JSON; nothing else
		// reaches a Request.
		panic(fmt.Sprintf("bfl: fingerprint of a request for %s: %v", r.Model.Name, err))
	}
	sum := sha256.Sum256(canonical)
	text := hex.AppendEncode(buffer[:0], sum[:])
	if string(text) == known {
		return known
	}
	return string(text)
}

// Known reports whether all of the request is known now.
func (r *Request) Known() bool {
	for _, a := range r.Arguments {
		if a.Value == nil {
			return false
		}
	}
	for _, in := range r.Inputs {
		if in.URL == "" && in.SHA256 == "" {
			return false
		}
	}
	return true
}

// MarshalJSON writes the canonical form: the endpoint, and the body with its fields sorted by name,
// without white space, an input as its URL or as {"sha256": hash}, and those of a list in their
// order. What is known only later is null.
//
//	{"endpoint":"/v1/flux-2-pro","body":{"input_image":{"sha256":"..."},"prompt":"...","seed":7}}
func (r *Request) MarshalJSON() ([]byte, error) { return r.appendCanonical(make([]byte, 0, 512)) }

func (r *Request) appendCanonical(b []byte) ([]byte, error) {
	b = append(b, `{"endpoint":`...)
	b = appendString(b, r.Model.Endpoint)
	b = append(b, `,"body":{`...)
	var buffer [32]field
	for i, f := range r.appendFields(buffer[:0]) {
		if i > 0 {
			b = append(b, ',')
		}
		b = f.begin(b)
		switch {
		case f.input == nil:
			var err error
			if b, err = appendValue(b, f.value); err != nil {
				return nil, fmt.Errorf("%s: %w", f.name, err)
			}
		case f.input.URL != "":
			b = appendString(b, f.input.URL)
		case f.input.SHA256 != "":
			b = append(b, `{"sha256":`...)
			b = append(appendString(b, f.input.SHA256), '}')
		default:
			b = append(b, "null"...)
		}
		b = f.end(b)
	}
	return append(b, "}}"...), nil
}

// field is one field of the body, or one element of a field that is a list.
type field struct {
	name  string
	value any
	input *Input
	// of is the number of elements, 0 for a field that is no list, and element the number of this
	// one.
	element, of int
}

// begin appends what stands before the value.
func (f *field) begin(b []byte) []byte {
	if f.element > 0 {
		return b
	}
	b = append(appendString(b, f.name), ':')
	if f.of > 0 {
		b = append(b, '[')
	}
	return b
}

// end appends what stands behind the value.
func (f *field) end(b []byte) []byte {
	if f.of > 0 && f.element == f.of-1 {
		b = append(b, ']')
	}
	return b
}

// appendFields appends the body's fields to an empty list, sorted by name, and the elements of a
// list by their place in it.
func (r *Request) appendFields(fields []field) []field {
	for _, a := range r.Arguments {
		fields = append(fields, field{name: a.Name, value: a.Value})
	}
	if len(r.Inputs) == 0 {
		return fields // Arguments are sorted.
	}
	list := r.listed()
	for i, in := range list {
		fields = append(fields, field{name: r.Model.Inputs.List, input: in, element: i, of: len(list)})
	}
	for i := range r.Inputs {
		if in := &r.Inputs[i]; !slices.Contains(list, in) {
			fields = append(fields, field{name: in.Field, input: in})
		}
	}
	slices.SortFunc(fields, func(a, b field) int {
		if a.name != b.name {
			return strings.Compare(a.name, b.name)
		}
		return a.element - b.element
	})
	return fields
}

// listed returns the inputs that travel in the model's list, in its order.
func (r *Request) listed() []*Input {
	model := &r.Model.Inputs
	if model.List == "" {
		return nil
	}
	var list []*Input
	for i := range r.Inputs {
		if in := &r.Inputs[i]; slices.Contains(model.References, in.Field) {
			list = append(list, in)
		}
	}
	slices.SortStableFunc(list, func(a, b *Input) int {
		return cmp.Compare(slices.Index(model.References, a.Field), slices.Index(model.References, b.Field))
	})
	return list
}

// ErrInputChanged says that an input has another length than it was opened with.
var ErrInputChanged = errors.New("an input image changed while it was read")

// Opener gives the content of an input that is not a URL, and its length in bytes. The body closes
// it. That the content is still what the input's hash says is for the reader to check, by failing
// before its end. A content that is Encoded is sent as it is.
type Opener func(Input) (io.ReadCloser, int64, error)

// Encoded is a content that has its Base64 already, so that it is not made for each request.
type Encoded interface{ Base64() string }

// Body returns the request's JSON body and its length. Inputs are read, and encoded as Base64,
// while the body is read, so that memory does not grow with them. An input whose content ends early
// or goes on past its length fails the read, before the body's end, with ErrInputChanged.
func (r *Request) Body(open Opener) (io.ReadCloser, int64, error) {
	if !r.Known() {
		return nil, 0, errors.New("bfl: the body of a request that is not wholly known")
	}
	var body multiBody
	text := []byte{'{'}
	for i, f := range r.appendFields(nil) {
		if i > 0 {
			text = append(text, ',')
		}
		text = f.begin(text)
		var err error
		switch {
		case f.input == nil:
			text, err = appendValue(text, f.value)
		case f.input.URL != "":
			text = appendString(text, f.input.URL)
		default:
			body.addBytes(append(text, '"'))
			err = body.addFile(open, *f.input)
			text = []byte{'"'}
		}
		if err != nil {
			return nil, 0, errors.Join(fmt.Errorf("%s: %w", f.name, err), body.Close())
		}
		text = f.end(text)
	}
	body.addBytes(append(text, '}'))
	body.Reader = io.MultiReader(body.parts...)
	return &body, body.length, nil
}

// ExtentError says that the API would refuse an image that goes into a request, for its extent. An
// image that another one is made from shows its extent only once it is there.
type ExtentError struct {
	// Field is the request's field for the image.
	Field string
	// Reason says what is wrong and how to mend it, in full sentences.
	Reason string
}

func (e *ExtentError) Error() string { return e.Field + ": " + e.Reason }

// checkFiles reads the extents of the inputs where the model makes conditions, and returns an
// *ExtentError for the first that does not meet them: the API would refuse the request, or charge
// for one that cannot be meant.
func (r *Request) checkFiles(open Opener) error {
	hasMask := slices.ContainsFunc(r.Inputs, func(in Input) bool { return in.Field == r.Model.Inputs.Mask })
	if !hasMask && r.Model.Inputs.Limits == (InputLimits{}) && r.Model.Param("auto_crop") == nil {
		return nil
	}
	seen := *r
	seen.Inputs = slices.Clone(r.Inputs)
	for i, in := range r.Inputs {
		if in.URL != "" {
			continue
		}
		content, _, err := open(in)
		if err != nil {
			return fmt.Errorf("%s: %w", in.Field, err)
		}
		// A file that cannot be read, or is no image, fails for that when it is sent.
		if info, err := imagefile.Header(content); err == nil {
			seen.Inputs[i].Size = Size{info.Width, info.Height}
		}
		_ = content.Close() // it was only read from
	}
	if broken := seen.CheckExtents(); len(broken) > 0 {
		return &ExtentError{broken[0].Field, broken[0].Reason}
	}
	return nil
}

// multiBody reads its parts one after the other.
type multiBody struct {
	io.Reader
	parts   []io.Reader
	closers []io.Closer
	length  int64
	// buffers serve all inputs in turn, and exist from when the first one is read.
	buffers *base64Buffers
}

func (m *multiBody) addBytes(b []byte) {
	m.parts = append(m.parts, bytes.NewReader(b))
	m.length += int64(len(b))
}

func (m *multiBody) addFile(open Opener, in Input) error {
	content, size, err := open(in)
	if err != nil {
		return err
	}
	m.closers = append(m.closers, content)
	if encoded, ok := content.(Encoded); ok {
		m.parts = append(m.parts, strings.NewReader(encoded.Base64()))
		m.length += int64(len(encoded.Base64()))
		return nil
	}
	m.parts = append(m.parts, &base64Reader{source: content, left: size, body: m})
	m.length += int64(base64.StdEncoding.EncodedLen(int(size)))
	return nil
}

func (m *multiBody) Close() error {
	var errs []error
	for _, c := range m.closers {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// base64Reader encodes a source of known length.
type base64Reader struct {
	source io.Reader
	left   int64 // bytes of the source not read yet
	body   *multiBody
	ready  []byte // encoded, not handed out yet
}

type base64Buffers struct {
	raw  [3 * 4096]byte
	text [4 * 4096]byte
}

func (b *base64Reader) Read(p []byte) (int, error) {
	if len(b.ready) == 0 {
		if b.left == 0 {
			return 0, b.atEnd()
		}
		if b.body.buffers == nil {
			b.body.buffers = new(base64Buffers)
		}
		raw, text := &b.body.buffers.raw, &b.body.buffers.text
		n := min(b.left, int64(len(raw)))
		if _, err := io.ReadFull(b.source, raw[:n]); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return 0, ErrInputChanged
		} else if err != nil {
			return 0, fmt.Errorf("reading an input image: %w", err)
		}
		b.left -= n
		b.ready = text[:base64.StdEncoding.EncodedLen(int(n))]
		base64.StdEncoding.Encode(b.ready, raw[:n])
	}
	n := copy(p, b.ready)
	b.ready = b.ready[n:]
	return n, nil
}

// atEnd makes sure that the source has nothing left, since its hash went into the fingerprint as it
// was.
func (b *base64Reader) atEnd() error {
	var more [1]byte
	n, err := io.ReadFull(b.source, more[:])
	switch {
	case n > 0:
		return ErrInputChanged
	case errors.Is(err, io.EOF):
		return io.EOF
	default:
		return fmt.Errorf("reading an input image: %w", err)
	}
}
