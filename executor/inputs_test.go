package executor

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/planner"
)

// shelf is a file that counts how often it is opened.
type shelf struct {
	content []byte
	opened  atomic.Int32
}

func (s *shelf) open() (io.ReadCloser, int64, error) {
	s.opened.Add(1)
	return io.NopCloser(bytes.NewReader(s.content)), int64(len(s.content)), nil
}

func (s *shelf) sum() string {
	sum := sha256.Sum256(s.content)
	return hex.EncodeToString(sum[:])
}

// planOf is a plan with a request for each list of files.
func planOf(requests ...[]string) *planner.Plan {
	plan := &planner.Plan{}
	for _, files := range requests {
		img := &image.Image{Model: bfl.Lookup("flux-2-pro")}
		for _, file := range files {
			img.References = append(img.References, image.Reference{Path: file})
		}
		plan.Changes = append(plan.Changes, &planner.Change{Action: planner.Create, Origin: planner.Generate, Desired: img})
	}
	return plan
}

// send reads an input as the body of a request does, and returns what it sends.
func send(t *testing.T, in *inputs, file string, from *shelf) (string, error) {
	t.Helper()
	request := &bfl.Request{Model: bfl.Lookup("flux-2-pro"), Inputs: []bfl.Input{{Field: "input_image", SHA256: from.sum()}}}
	body, length, err := request.Body(func(bfl.Input) (io.ReadCloser, int64, error) { return in.open("file "+file, from.sum(), from.open) })
	if err != nil {
		return "", err
	}
	sent, err := io.ReadAll(body)
	if err := errors.Join(err, body.Close()); err != nil {
		return "", err
	}
	if int64(len(sent)) != length {
		t.Errorf("the body has %d bytes, and said that it has %d", len(sent), length)
	}
	return string(sent), nil
}

func sentBody(content []byte) string {
	return `{"input_image":"` + base64.StdEncoding.EncodeToString(content) + `"}`
}

// TestSharedInputsAreReadOnce sends files of lengths of each remainder by three.
func TestSharedInputsAreReadOnce(t *testing.T) {
	t.Parallel()
	for _, length := range []int{1, 2, 3, 4, 99_999, 100_000} {
		in := sharedInputs(planOf([]string{"a"}, []string{"b", "a"}, []string{"a"}))
		a := &shelf{content: bytes.Repeat([]byte{7}, length)}
		var group errgroup.Group
		for range 8 {
			group.Go(func() error {
				sent, err := send(t, in, "a", a)
				if err == nil && sent != sentBody(a.content) {
					t.Errorf("a file of %d bytes is not sent as it is", length)
				}
				return err
			})
		}
		if err := group.Wait(); err != nil {
			t.Fatal(err)
		}
		if n := a.opened.Load(); n != 1 {
			t.Errorf("the file was opened %d times, want once", n)
		}
	}
}

func TestInputOfOneRequestIsNotKept(t *testing.T) {
	t.Parallel()
	in := sharedInputs(planOf([]string{"a"}, []string{"b"}))
	a := &shelf{content: []byte("only once")}
	for range 2 { // the request, and another attempt
		if _, err := send(t, in, "a", a); err != nil {
			t.Fatal(err)
		}
	}
	if n := a.opened.Load(); n != 2 || in.size != 0 {
		t.Errorf("the file was opened %d times, and %d bytes are kept", n, in.size)
	}
}

// TestSharedInputsAreBounded: what has no room makes others go, and what is too large is not kept.
func TestSharedInputsAreBounded(t *testing.T) {
	t.Parallel()
	in := sharedInputs(planOf([]string{"a", "b", "c", "large"}, []string{"a", "b", "c", "large"}))
	in.most = 30 // two files of 9 bytes, and not three
	files := map[string]*shelf{"large": {content: make([]byte, 100)}}
	for _, name := range []string{"a", "b", "c"} {
		files[name] = &shelf{content: []byte("content " + name)}
	}
	for _, name := range []string{"a", "b", "large", "c", "b", "c", "a", "large"} {
		sent, err := send(t, in, name, files[name])
		if err != nil || sent != sentBody(files[name].content) {
			t.Errorf("%s: sent %q, %v", name, sent, err)
		}
		if in.size > in.most {
			t.Errorf("%d bytes are kept, want at most %d", in.size, in.most)
		}
	}
	for name, want := range map[string]int32{"a": 2, "b": 1, "c": 1, "large": 2} {
		if n := files[name].opened.Load(); n != want {
			t.Errorf("%s was opened %d times, want %d", name, n, want)
		}
	}
}

// TestChangedInputIsNotSent: neither a file whose bytes are not those of the plan, nor what was
// kept of one is sent in the place of another.
func TestChangedInputIsNotSent(t *testing.T) {
	t.Parallel()
	in := sharedInputs(planOf([]string{"a"}, []string{"a"}))
	planned := &shelf{content: []byte("as planned")}
	for range 2 {
		_, _, err := in.open("file a", planned.sum(), (&shelf{content: []byte("edited now")}).open)
		if !errors.Is(err, errReferenceChanged) {
			t.Fatalf("the error is %v, want that the reference changed", err)
		}
	}
	if _, err := send(t, in, "a", planned); err != nil {
		t.Fatal(err)
	}
	other := &shelf{content: []byte("another one")}
	if sent, err := send(t, in, "a", other); err != nil || sent != sentBody(other.content) {
		t.Errorf("sent %q, %v", sent, err)
	}
}

// BenchmarkSharedInput sends a reference of 20 MB, which 200 images have.
func BenchmarkSharedInput(b *testing.B) {
	content := &shelf{content: make([]byte, 20<<20)}
	sum := content.sum()
	for name, plan := range map[string]*planner.Plan{"kept": planOf([]string{"a"}, []string{"a"}), "read": planOf([]string{"a"})} {
		b.Run(name, func(b *testing.B) {
			in := sharedInputs(plan)
			request := &bfl.Request{Model: bfl.Lookup("flux-2-pro"), Inputs: []bfl.Input{{Field: "input_image", SHA256: sum}}}
			b.ReportAllocs()
			for b.Loop() {
				body, _, err := request.Body(func(bfl.Input) (io.ReadCloser, int64, error) { return in.open("file a", sum, content.open) })
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
