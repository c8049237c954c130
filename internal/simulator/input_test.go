package simulator

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/png"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fluxbatch/fluxbatch/internal/bfl"
	"github.com/fluxbatch/fluxbatch/internal/simulator/picture"
)

// photo returns an image file.
func photo(tb testing.TB, width, height int, format string) []byte {
	tb.Helper()
	var b bytes.Buffer
	img := picture.Draw(picture.Spec{Prompt: "photo", Size: image.Pt(width, height)})
	if err := picture.Encode(&b, img, format); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// claim returns the first chunks of a PNG file that says it has that size.
func claim(width, height int) []byte {
	b := []byte("\x89PNG\r\n\x1a\n")
	chunk := func(kind string, data []byte) {
		b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
		start := len(b)
		b = append(append(b, kind...), data...)
		b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[start:]))
	}
	head := binary.BigEndian.AppendUint32(nil, uint32(width))
	head = binary.BigEndian.AppendUint32(head, uint32(height))
	chunk("IHDR", append(head, 8, 2, 0, 0, 0))
	chunk("IEND", nil)
	return b
}

func TestReadInput(t *testing.T) {
	t.Parallel()
	file := photo(t, 96, 64, "png")
	std, raw := base64.StdEncoding.EncodeToString(file), base64.RawURLEncoding.EncodeToString(file)
	size := bfl.Size{Width: 96, Height: 64}
	broken := bytes.Clone(file)
	broken[len(broken)/2] ^= 1
	for name, c := range map[string]struct {
		value string
		want  bfl.Size
		err   string
	}{
		"standard":            {std, size, ""},
		"unpadded":            {strings.TrimRight(std, "="), size, ""},
		"URL alphabet":        {raw, size, ""},
		"lines":               {std[:60] + "\r\n" + std[60:], size, ""},
		"data URI":            {"data:image/png;base64," + std, size, ""},
		"data URI, wrong":     {"data:image/png," + std, bfl.Size{}, errNotBase64.Error()},
		"https":               {"https://example.com/a.png", standInSize, ""},
		"HTTP":                {"HTTP://example.com/a.png", standInSize, ""},
		"no host":             {"https://", bfl.Size{}, "the image's URL is not valid"},
		"file URL":            {"file:///etc/passwd", bfl.Size{}, errNotBase64.Error()},
		"words":               {"a picture of a cat", bfl.Size{}, errNotBase64.Error()},
		"placeholder":         {"base64_or_url_1", bfl.Size{}, ""},
		"empty":               {"", bfl.Size{}, ""},
		"jpeg":                {base64.StdEncoding.EncodeToString(photo(t, 40, 30, "jpeg")), bfl.Size{Width: 40, Height: 30}, ""},
		"webp":                {base64.StdEncoding.EncodeToString(photo(t, 40, 30, "webp")), bfl.Size{Width: 40, Height: 30}, ""},
		"cut off":             {base64.StdEncoding.EncodeToString(file[:len(file)-20]), bfl.Size{}, ""},
		"wrong checksum":      {base64.StdEncoding.EncodeToString(broken), bfl.Size{}, ""},
		"20 MP":               {base64.StdEncoding.EncodeToString(claim(5000, 4000)), bfl.Size{Width: 5000, Height: 4000}, ""},
		"more than 20 MP":     {base64.StdEncoding.EncodeToString(claim(5000, 4001)), bfl.Size{}, "the image has more than 20 megapixels"},
		"a bomb":              {base64.StdEncoding.EncodeToString(claim(60000, 60000)), bfl.Size{}, "the image has more than 20 megapixels"},
		"more than 20 MB":     {strings.Repeat("A", bfl.MaxInputBytes/3*4+16), bfl.Size{}, "the image is larger than 20 MB"},
		"not more than 20 MB": {strings.Repeat("A", bfl.MaxInputBytes/3*4), bfl.Size{}, ""},
	} {
		got, err := readInput("image", c.value)
		if text := messageOf(err); text != c.err {
			t.Errorf("%s: error %q, want %q", name, text, c.err)
		}
		if err == nil && got.size != c.want {
			t.Errorf("%s: size %v, want %v", name, got.size, c.want)
		}
	}
}

func messageOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestUnreadableInputEndsInError(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	a := b.order("flux-kontext-max", `{"prompt": "a", "input_image": "base64_or_url_1", "input_image_2": "base64_or_url_2"}`)
	got := b.poll(a)
	if got.Status != statusError || !strings.Contains(got.Error, "input_image ") || got.Result != nil {
		t.Errorf("%+v", got)
	}
}

func TestMaskMustFit(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	file := func(w, h int) string { return base64.StdEncoding.EncodeToString(photo(t, w, h, "png")) }
	body := func(mask string) string {
		return `{"prompt": "a", "image": "` + file(96, 64) + `", "mask": "` + mask + `"}`
	}
	got := wrongs(t, b.post("flux-fill", body(file(64, 96))))
	want := []wrong{{`["body","mask"]`, "value_error", "Value error, the mask is 64 x 96, but the image is 96 x 64"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if r := b.post("flux-fill", body(file(96, 64))); r.status != 200 {
		t.Errorf("%d %s", r.status, r.body)
	}
}

// TestReferencesReachThePicture sends each kind of order with a reference, and sees that the
// picture depends on it.
func TestReferencesReachThePicture(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	one := base64.StdEncoding.EncodeToString(photo(t, 96, 64, "png"))
	other := base64.StdEncoding.EncodeToString(photo(t, 64, 96, "jpeg"))
	for model, c := range map[string]struct {
		body string
		want image.Point
	}{
		"flux-2-pro":          {`{"prompt": "a", "seed": 1, "input_image": "IMAGE"}`, image.Pt(96, 64)},
		"flux-2-max":          {`{"prompt": "a", "seed": 1, "width": 160, "height": 96, "input_image_3": "IMAGE"}`, image.Pt(160, 96)},
		"flux-fill":           {`{"prompt": "a", "seed": 1, "image": "IMAGE", "output_format": "png"}`, image.Pt(96, 64)},
		"flux-pro-1.0-expand": {`{"prompt": "a", "seed": 1, "image": "IMAGE", "top": 32, "right": 64}`, image.Pt(160, 96)},
		"flux-dev":            {`{"prompt": "a", "seed": 1, "width": 256, "height": 256, "image_prompt": "IMAGE"}`, image.Pt(256, 256)},
		"flux-kontext":        {`{"prompt": "a", "seed": 1, "input_image": "IMAGE", "width": 96, "height": 64}`, image.Pt(96, 64)},
	} {
		first, _ := b.picture(b.order(model, strings.ReplaceAll(c.body, "IMAGE", one)))
		if got := first.Bounds().Size(); got != c.want {
			t.Errorf("%s: the picture is %v, want %v", model, got, c.want)
		}
		again, _ := b.picture(b.order(model, strings.ReplaceAll(c.body, "IMAGE", one)))
		if !samePixels(first, again) {
			t.Errorf("%s: the same order gave two pictures", model)
		}
		second, _ := b.picture(b.order(model, strings.ReplaceAll(c.body, "IMAGE", other)))
		if samePixels(first, second) {
			t.Errorf("%s: another reference gave the same picture", model)
		}
	}
}

func samePixels(a, b image.Image) bool {
	var x, y bytes.Buffer
	return errors.Join(png.Encode(&x, a), png.Encode(&y, b)) == nil && bytes.Equal(x.Bytes(), y.Bytes())
}

func TestShelfStaysWithinItsMemory(t *testing.T) {
	t.Parallel()
	const memory = 200_000
	b := start(t, Options{Memory: memory, Concurrency: 100})
	var orders []accepted
	for i := range 12 {
		file := photo(t, 128, 96+i, "jpeg")
		orders = append(orders, b.order("flux-kontext",
			`{"prompt": "a", "width": 256, "height": 256, "input_image": "`+base64.StdEncoding.EncodeToString(file)+`"}`))
	}
	for range 2 {
		for _, a := range orders {
			r := b.do(http.MethodGet, b.poll(a).Result.Sample, "")
			if _, _, err := image.Decode(bytes.NewReader(r.body)); r.status == 200 && err != nil {
				t.Error(err)
			}
			b.shelf.mu.Lock()
			if b.shelf.used > memory {
				t.Errorf("%d bytes are kept", b.shelf.used)
			}
			b.shelf.mu.Unlock()
		}
	}
	if got := b.Stats().Downloads; got < len(orders) {
		t.Errorf("%d downloads of %d pictures", got, len(orders))
	}
}

func TestShelfLetsGoOfWhatIsOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := start(t, Options{})
		image := base64.StdEncoding.EncodeToString(photo(t, 96, 64, "png"))
		for range 3 {
			a := b.order("flux-kontext", `{"prompt": "a", "width": 64, "height": 64, "input_image": "`+image+`", "input_image_2": "`+image+`"}`)
			pass(time.Second)
			b.picture(a)
		}
		pass(DefaultSampleLifetime)
		b.order("flux-2-pro", `{"prompt": "a"}`)
		if s := b.shelf; s.used != 0 || len(s.inputs) != 0 || len(s.files) != 0 || len(s.holding) != 0 {
			t.Errorf("%d bytes, %d inputs, %d pictures and %d tasks are kept", s.used, len(s.inputs), len(s.files), len(s.holding))
		}
		pass(2 * DefaultRetention)
		b.order("flux-2-pro", `{"prompt": "a"}`)
		if len(b.tasks) != 1 || len(b.history) != 1 {
			t.Errorf("%d tasks are known", len(b.tasks))
		}
	})
}
