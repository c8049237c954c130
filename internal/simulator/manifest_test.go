package simulator

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/imagefile"
)

// checked returns what a file is, which must be whole.
func checked(t *testing.T, file []byte) imagefile.Info {
	t.Helper()
	info, err := imagefile.Check(bytes.NewReader(file), 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// TestNoTwoFilesAreAlike makes sure that what is delivered behaves as the API's signed files: one
// picture, always other bytes.
func TestNoTwoFilesAreAlike(t *testing.T) {
	t.Parallel()
	marks := map[string]string{"png": "caBX", "jpeg": "\xff\xeb", "webp": "C2PA"}
	for format, mark := range marks {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			// Nothing is kept, so that each download draws the picture anew.
			options := Options{Seed: 7, Memory: 1}
			b := start(t, options)
			body := fmt.Sprintf(`{"prompt": "a", "seed": 1, "width": 96, "height": 64, "output_format": %q}`, format)
			download := func(b *bench, a accepted) []byte { return b.do(http.MethodGet, b.poll(a).Result.Sample, "").body }

			first, second := b.order("flux-2-pro", body), b.order("flux-2-pro", body)
			one, other := download(b, first), download(b, second)
			if !bytes.Equal(one, download(b, first)) {
				t.Error("two downloads of a task differ")
			}
			if !bytes.Contains(one, []byte(mark)) || bytes.Equal(one, other) {
				t.Error("a file is not signed, or as another one is")
			}
			x, y := checked(t, one), checked(t, other)
			if x.SHA256 == y.SHA256 || x.Content != y.Content || x.Width != 96 || x.Height != 64 {
				t.Errorf("two files of one picture are\n%+v\n%+v", x, y)
			}
			if x.Content != checked(t, unsigned(t, format, one)).Content {
				t.Error("the manifest changes the picture")
			}
			different := b.order("flux-2-pro", fmt.Sprintf(`{"prompt": "b", "seed": 1, "width": 96, "height": 64, "output_format": %q}`, format))
			if checked(t, download(b, different)).Content == x.Content {
				t.Error("two pictures have one content")
			}
			again := start(t, options)
			if !bytes.Equal(one, download(again, again.order("flux-2-pro", body))) {
				t.Error("the same seed gives other files")
			}
		})
	}
}

// unsigned takes the manifest out of a file.
func unsigned(t *testing.T, format string, file []byte) []byte {
	t.Helper()
	switch format {
	case "png":
		n := int(file[33])<<24 | int(file[34])<<16 | int(file[35])<<8 | int(file[36])
		return append(bytes.Clone(file[:33]), file[33+12+n:]...)
	case "jpeg":
		n := int(file[4])<<8 | int(file[5])
		return append(bytes.Clone(file[:2]), file[4+n:]...)
	default:
		image := file[30:]
		n := 8 + (int(image[4]) | int(image[5])<<8 | int(image[6])<<16)
		return riffChunk("RIFF", append([]byte("WEBP"), image[:n+n%2]...))
	}
}

// TestOnePictureIsOneReference makes sure that what is made from two files of one picture is the
// same.
func TestOnePictureIsOneReference(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	var contents, digests []string
	for range 2 {
		made := b.order("flux-2-pro", `{"prompt": "a", "seed": 1, "width": 96, "height": 64, "output_format": "png"}`)
		file := b.do(http.MethodGet, b.poll(made).Result.Sample, "").body
		from := b.order("flux-2-pro", `{"prompt": "b", "seed": 2, "input_image": "`+base64.StdEncoding.EncodeToString(file)+`"}`)
		contents = append(contents, checked(t, b.do(http.MethodGet, b.poll(from).Result.Sample, "").body).Content)
		digests = append(digests, b.find(from.ID).charge.Digest)
	}
	if diff := cmp.Diff(contents[0], contents[1]); diff != "" {
		t.Errorf("the pictures differ:\n%s", diff)
	}
	if diff := cmp.Diff(digests[0], digests[1]); diff != "" {
		t.Errorf("the digests differ:\n%s", diff)
	}
}
