package executor

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"strings"
	"sync"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/planner"
)

// maxInputs bounds the encoded inputs that are kept, in bytes. It is room for the pictures of a
// few references of 20 MB, the most that the API takes.
const maxInputs = 128 << 20

// inputs keeps the content of references that several requests of a run send, encoded, so that it
// is read and encoded once. It is safe for concurrent use.
type inputs struct {
	// shared are the sources that more than one request sends.
	shared map[string]bool
	most   int64 // bytes

	mu   sync.Mutex
	kept map[string]*input
	// rooms are the sizes of those that take room, in order from the first one kept, and size is
	// their sum.
	rooms []inputRoom
	size  int64
}

// inputRoom is what an encoded input takes, in bytes.
type inputRoom struct {
	source string
	length int64
}

// input is an encoded input.
type input struct {
	mu     sync.Mutex
	sha256 string // of what is encoded
	text   string // "" until the first request needs it
}

// sharedInputs returns the inputs that several requests of a plan send.
func sharedInputs(plan *planner.Plan) *inputs {
	in := &inputs{shared: map[string]bool{}, most: maxInputs, kept: map[string]*input{}}
	seen := map[string]bool{}
	for _, c := range plan.Changes {
		if !c.Generates() {
			continue
		}
		for i := range c.Desired.References {
			ref := &c.Desired.References[i]
			if source := sourceOf(ref); seen[source] {
				in.shared[source] = true
			} else if ref.URL == "" {
				seen[source] = true
			}
		}
	}
	return in
}

// sourceOf names what a reference shows, as a plan knows it.
func sourceOf(ref *image.Reference) string {
	if ref.IsMade() {
		return "made " + ref.Name()
	}
	return "file " + ref.Path
}

// open opens an input that is to have a hash. Of one that further requests send the content is
// kept.
func (in *inputs) open(source, sha256 string, open func() (io.ReadCloser, int64, error)) (io.ReadCloser, int64, error) {
	if !in.shared[source] {
		return openVerified(sha256, open)
	}
	kept := in.place(source)
	kept.mu.Lock()
	defer kept.mu.Unlock()
	if kept.text != "" && kept.sha256 == sha256 {
		return encoded(kept.text)
	}
	content, size, err := openVerified(sha256, open)
	if err != nil {
		return nil, 0, err
	}
	if kept.text != "" || !in.makeRoom(source, int64(base64.StdEncoding.EncodedLen(int(size)))) {
		return content, size, nil
	}
	text, err := encode(content, size)
	if err != nil {
		return nil, 0, err
	}
	kept.text, kept.sha256 = text, sha256
	return encoded(text)
}

// place returns where a source's content is kept, or is to be.
func (in *inputs) place(source string) *input {
	in.mu.Lock()
	defer in.mu.Unlock()
	kept := in.kept[source]
	if kept == nil {
		kept = &input{}
		in.kept[source] = kept
	}
	return kept
}

// makeRoom makes room for a source's content, and reports whether it can have any. What was kept
// first goes first: requests are sent roughly in the order of the plan.
func (in *inputs) makeRoom(source string, length int64) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	if length > in.most {
		return false
	}
	for in.size+length > in.most {
		delete(in.kept, in.rooms[0].source)
		in.size -= in.rooms[0].length
		in.rooms = in.rooms[1:]
	}
	in.rooms = append(in.rooms, inputRoom{source, length})
	in.size += length
	return true
}

// encode reads an input to its end.
func encode(content io.ReadCloser, size int64) (string, error) {
	var text strings.Builder
	text.Grow(base64.StdEncoding.EncodedLen(int(size)))
	encoder := base64.NewEncoder(base64.StdEncoding, &text)
	n, err := io.Copy(encoder, content)
	if err == nil && n != size {
		err = bfl.ErrInputChanged
	}
	err = errors.Join(err, encoder.Close(), content.Close())
	return text.String(), err
}

// encoded returns a content that is encoded already; see bfl.Encoded.
func encoded(text string) (io.ReadCloser, int64, error) {
	decoder := base64.NewDecoder(base64.StdEncoding, strings.NewReader(text))
	padding := len(text) - len(strings.TrimRight(text, "="))
	return encodedInput{decoder, text}, int64(len(text)/4*3 - padding), nil
}

type encodedInput struct {
	io.Reader
	text string
}

func (e encodedInput) Base64() string { return e.text }
func (e encodedInput) Close() error   { return nil }

func openVerified(want string, open func() (io.ReadCloser, int64, error)) (io.ReadCloser, int64, error) {
	content, size, err := open()
	if err != nil {
		return nil, 0, err
	}
	return &verified{ReadCloser: content, left: size, sum: sha256.New(), want: want}, size, nil
}

// verified fails the read of an input whose content is no longer what the plan was made for, before
// the whole of it has been sent.
type verified struct {
	io.ReadCloser
	left int64
	sum  hash.Hash
	want string
}

func (v *verified) Read(p []byte) (int, error) {
	n, err := v.ReadCloser.Read(p)
	v.sum.Write(p[:n])
	v.left -= int64(n)
	if v.left == 0 && hex.EncodeToString(v.sum.Sum(nil)) != v.want {
		return 0, errReferenceChanged
	}
	return n, err
}
